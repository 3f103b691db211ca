/* SPDX-License-Identifier: Apache-2.0
 * ppoll; wait_plain.c is the plain POSIX form. */
#ifdef __linux__
#include "sim/wait.h"

#include <sys/prctl.h>
#include <time.h>

void sim_wait_sharply(void)
{
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
}

int sim_wait(struct pollfd *fds, size_t n, uint64_t ns)
{
    struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    return ppoll(fds, n, ns == UINT64_MAX ? NULL : &t, NULL);
}
#else
typedef int fl_sim_wait_linux_is_not_built_here;
#endif
