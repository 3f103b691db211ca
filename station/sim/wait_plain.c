/* SPDX-License-Identifier: Apache-2.0
 * The plain POSIX form of wait.h; see wait_linux.c. */
#ifndef __linux__
#include "sim/wait.h"

#include <limits.h>

void sim_wait_sharply(void)
{
}

int sim_wait(struct pollfd *fds, size_t n, uint64_t ns)
{
    uint64_t ms = ns / 1000000u + (ns % 1000000u != 0);
    return poll(fds, (nfds_t)n, ns == UINT64_MAX ? -1 : ms > INT_MAX ? INT_MAX : (int)ms);
}
#else
typedef int fl_sim_wait_plain_is_not_built_here;
#endif
