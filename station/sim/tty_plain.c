/* SPDX-License-Identifier: Apache-2.0
 * The plain POSIX form of sim_tty_baud, for systems whose speed_t is the speed itself; see tty_linux.c. */
#ifndef __linux__
#include "sim/end.h"

#include <termios.h>

uint32_t sim_tty_baud(int fd)
{
    struct termios t;
    return tcgetattr(fd, &t) == 0 ? (uint32_t)cfgetospeed(&t) : 0;
}
#else
typedef int fl_sim_tty_plain_is_not_built_here;
#endif
