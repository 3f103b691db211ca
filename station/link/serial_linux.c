/* SPDX-License-Identifier: Apache-2.0
 * A file of its own because <asm/termbits.h>, which has termios2 and BOTHER, and <termios.h> declare
 * the same names differently. */
#ifdef __linux__
#include "link/serial_internal.h"

#include <asm/termbits.h>
#include <linux/serial.h>
#include <sys/ioctl.h>

enum link_known link_serial_low_latency(int fd)
{
    struct serial_struct s;
    if (ioctl(fd, TIOCGSERIAL, &s) != 0)
        return LINK_UNKNOWN;
    const int flag = (int)ASYNC_LOW_LATENCY;
    if (!(s.flags & flag)) {
        s.flags |= flag;
        if (ioctl(fd, TIOCSSERIAL, &s) != 0 || ioctl(fd, TIOCGSERIAL, &s) != 0)
            return LINK_NO;
    }
    /* a driver that does not know the flag takes it and forgets it */
    return s.flags & flag ? LINK_YES : LINK_NO;
}

bool link_tty_any_baud(int fd, uint32_t baud, uint32_t *made)
{
    struct termios2 t;
    if (ioctl(fd, TCGETS2, &t) != 0)
        return false;
    t.c_cflag &= ~(tcflag_t)(CBAUD | CBAUD << IBSHIFT);
    t.c_cflag |= BOTHER | BOTHER << IBSHIFT;
    t.c_ispeed = t.c_ospeed = baud;
    if (ioctl(fd, TCSETS2, &t) != 0 || ioctl(fd, TCGETS2, &t) != 0)
        return false;
    *made = t.c_ospeed;
    return true;
}
#else
typedef int fl_serial_linux_is_not_built_here;
#endif
