/* SPDX-License-Identifier: Apache-2.0
 * termios: what a terminal does to bytes, switched off. */
#include "link/link_internal.h"
#include "link/serial_internal.h"

#include <errno.h>
#include <string.h>
#include <termios.h>

bool link_tty_raw(int fd)
{
    struct termios t;
    if (tcgetattr(fd, &t) != 0)
        return false;
    t.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | INPCK | ISTRIP | INLCR | IGNCR | ICRNL | IXON |
                             IXOFF | IXANY);
    t.c_iflag |= IGNPAR;
    t.c_oflag &= ~(tcflag_t)OPOST;
    t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    /* HUPCL would drop both lines at close, which many boards take for a reset; CRTSCTS left over from
     * another program would hold our bytes back for ever on a board that does not wire CTS */
    t.c_cflag &= ~(tcflag_t)(CSIZE | PARENB | PARODD | CSTOPB | HUPCL | CRTSCTS);
    t.c_cflag |= CS8 | CREAD | CLOCAL;
    /* VMIN 1: an empty queue says EAGAIN, so that a read of nothing can only mean a hang-up */
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    return tcsetattr(fd, TCSANOW, &t) == 0;
}

static bool speed_of(uint32_t baud, speed_t *out)
{
    static const struct {
        uint32_t baud;
        speed_t speed;
    } speeds[] = {
        {1200, B1200},     {2400, B2400},     {4800, B4800},     {9600, B9600},     {19200, B19200},
        {38400, B38400},   {57600, B57600},   {115200, B115200}, {230400, B230400},
#ifdef B460800
        {460800, B460800}, {500000, B500000}, {576000, B576000}, {921600, B921600},
        {1000000, B1000000}, {1152000, B1152000}, {1500000, B1500000}, {2000000, B2000000},
        {2500000, B2500000}, {3000000, B3000000}, {3500000, B3500000}, {4000000, B4000000},
#endif
    };
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++)
        if (speeds[i].baud == baud) {
            *out = speeds[i].speed;
            return true;
        }
    return false;
}

enum fl_err link_tty_set_baud(struct link *l, uint32_t baud, struct fl_deadline d)
{
    struct termios t;
    speed_t speed;
    (void)d; /* setting termios does not wait: TCSANOW */
    if (!speed_of(baud, &speed)) {
        uint32_t made = 0;
        if (!link_tty_any_baud(l->fd, baud, &made))
            return fl_fail(&l->why, FL_REFUSED, "%s: termios has no %u baud", l->info.device,
                           (unsigned)baud);
        l->baud = made;
        return link_baud_near(l, "driver", baud, made);
    }
    if (tcgetattr(l->fd, &t) != 0 || cfsetispeed(&t, speed) != 0 || cfsetospeed(&t, speed) != 0 ||
        tcsetattr(l->fd, TCSANOW, &t) != 0) {
        bool away = errno == EIO || errno == ENXIO || errno == ENODEV;
        enum fl_err err = fl_fail_os(&l->why, "%s: cannot set %u baud", l->info.device, (unsigned)baud);
        return away ? FL_GONE : err;
    }
    l->baud = baud;
    return FL_OK;
}
