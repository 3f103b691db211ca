/* SPDX-License-Identifier: Apache-2.0
 *
 * A serial port of this machine, through libserialport.
 *
 * Opening, and why in this order. Opening a tty raises DTR and RTS; the cross-coupled transistors of
 * most boards take both together for "nothing", one alone for reset or boot. So:
 *
 *   1 open it ourselves         says busy, denied, missing apart, which libserialport does not
 *   2 flock                     somebody who holds the port is not disturbed beyond this point
 *   3 both lines off, one ioctl as soon as possible
 *   4 raw, no flow control      libserialport 0.1.1 reads CRTSCTS and writes it to the wrong flag word,
 *                               so what another program left must be gone before it looks
 *   5 sp_open, then flock and TIOCEXCL on its descriptor (0.1.1 takes neither), then close ours: the
 *     port is never without an open descriptor, so the lines stay as they are
 *   6 raw once more: sp_open has set HUPCL, which would drop the lines at close
 *
 * A tty that has no modem lines (ENOTTY or EINVAL from TIOCMGET: some gadget and virtual ports) is
 * refused by libserialport; such a port goes on at step 4 with termios alone and has_lines false.
 *
 * The kernel may hold an ioctl of a USB port for up to 5 s while a dying bridge does not answer its
 * control transfer; no deadline reaches in there. */
#include "link/link_internal.h"
#include "link/ports_internal.h"
#include "link/serial_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libserialport.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

struct serial {
    struct link link; /* first: a struct link * is a struct serial * */
    struct sp_port *port; /* NULL: no modem lines, termios alone; then link.fd is ours to close */
    int modem;            /* the lines we drive, as last set: saves a USB round trip a change */
};

static struct serial *of(struct link *l)
{
    return (struct serial *)l;
}

/* errno of a call that reached the driver: has the port gone? */
static enum fl_err failed(struct link *l, const char *doing)
{
    bool away = errno == EIO || errno == ENXIO || errno == ENODEV;
    enum fl_err err = fl_fail_os(&l->why, "%s: cannot %s", l->info.device, doing);
    return away ? FL_GONE : err;
}

static bool no_lines(int e)
{
    return e == ENOTTY || e == EINVAL;
}

/* ---- lines ------------------------------------------------------------------------------------- */

static int bits_of(int modem, enum link_wire dtr, enum link_wire rts)
{
    if (dtr != LINK_KEEP)
        modem = dtr == LINK_ASSERT ? modem | TIOCM_DTR : modem & ~TIOCM_DTR;
    if (rts != LINK_KEEP)
        modem = rts == LINK_ASSERT ? modem | TIOCM_RTS : modem & ~TIOCM_RTS;
    return modem;
}

static enum fl_err serial_set_lines(struct link *l, enum link_wire dtr, enum link_wire rts,
                                    struct fl_deadline d)
{
    struct serial *s = of(l);
    int modem = bits_of(s->modem, dtr, rts);
    (void)d;
    bool ok = ioctl(l->fd, TIOCMSET, &modem) == 0;
    if (!ok && no_lines(errno)) /* a driver without TIOCMSET: one after the other, DTR first */
        ok = sp_set_dtr(s->port, modem & TIOCM_DTR ? SP_DTR_ON : SP_DTR_OFF) == SP_OK &&
             sp_set_rts(s->port, modem & TIOCM_RTS ? SP_RTS_ON : SP_RTS_OFF) == SP_OK;
    if (!ok)
        return failed(l, "set DTR and RTS");
    s->modem = modem;
    return FL_OK;
}

/* ---- speed ------------------------------------------------------------------------------------- */

static enum fl_err serial_set_baud(struct link *l, uint32_t baud, struct fl_deadline d)
{
    struct serial *s = of(l);
    struct sp_port_config *config = NULL;
    int made = 0;
    if (!s->port)
        return link_tty_set_baud(l, baud, d);
    /* a configuration with nothing else in it: sp_set_baudrate would set DTR and RTS again too */
    bool ok = sp_new_config(&config) == SP_OK && sp_set_config_baudrate(config, (int)baud) == SP_OK &&
              sp_set_config_xon_xoff(config, SP_XONXOFF_DISABLED) == SP_OK &&
              sp_set_config(s->port, config) == SP_OK && sp_get_config(s->port, config) == SP_OK &&
              sp_get_config_baudrate(config, &made) == SP_OK;
    enum fl_err err = ok ? FL_OK : failed(l, "set the speed");
    sp_free_config(config);
    if (err)
        return err;
    l->baud = made > 0 ? (uint32_t)made : baud;
    err = link_baud_near(l, "driver", baud, l->baud);
    if (!err)
        l->baud = baud;
    return err;
}

/* ---- bytes ------------------------------------------------------------------------------------- */

static enum fl_err serial_write(struct link *l, const uint8_t *bytes, size_t n, struct fl_deadline d)
{
    return link_fd_write(l, bytes, n, NULL, d);
}

static enum fl_err serial_drain(struct link *l, struct fl_deadline d)
{
    enum fl_err err = link_fd_drain(l, d);
    /* the driver's queue is empty; what is left is the bridge's own buffer, some hundred bytes */
    while (!err && tcdrain(l->fd) != 0)
        if (errno != EINTR)
            err = failed(l, "drain");
    return err;
}

static void serial_close(struct link *l)
{
    struct serial *s = of(l);
    /* close(2) would wait up to 30 s for bytes that a dead bridge never takes */
    if (l->fd >= 0) {
        (void)tcflush(l->fd, TCOFLUSH);
        (void)ioctl(l->fd, TIOCNXCL); /* a pseudo-terminal would remember it after the close */
    }
    if (s->port) {
        (void)sp_close(s->port);
        sp_free_port(s->port);
    } else if (l->fd >= 0) {
        (void)close(l->fd);
    }
    free(s);
}

static const struct link_ops serial_ops = {
    .close = serial_close,
    .read = link_fd_read,
    .write = serial_write,
    .drain = serial_drain,
    .set_baud = serial_set_baud,
    .set_lines = serial_set_lines,
};

/* ---- open -------------------------------------------------------------------------------------- */

/* Resolve usb: and links like /dev/serial/by-path/... to the name that the kernel knows. */
static enum fl_err find_device(const struct link_url *u, char device[static LINK_URL_MAX],
                               struct fl_why *why)
{
    if (u->place[0])
        return link_port_at(u->place, device, why);
    char *real = realpath(u->path, NULL);
    if (!real)
        return errno == ENOENT ? fl_fail(why, FL_NOT_FOUND, "there is no %s (plugged in? see: flashline ports)", u->path)
                               : fl_fail_os(why, "cannot open %s", u->path);
    enum fl_err err = FL_OK;
    if (strlen(real) >= LINK_URL_MAX)
        err = fl_fail(why, FL_LIMIT, "%s leads to a name that is too long", u->path);
    else
        memcpy(device, real, strlen(real) + 1);
    free(real);
    return err;
}

static enum fl_err cannot_open(struct link *l)
{
    const char *device = l->info.device;
    char group[LINK_TEXT_MAX];
    int e = errno;
    if (e == EACCES && !link_port_permitted(device, group) && group[0])
        return fl_fail(&l->why, FL_ACCESS,
                       "no permission on %s: it belongs to the group %s; add the user to it "
                       "(usermod -aG %s USER) and log in again", device, group, group);
    errno = e;
    if (e == EBUSY) {
        struct link_port_state state;
        link_ports_use(&l->info, 1, &state);
        return fl_fail(&l->why, FL_BUSY, "%s is held by another process%s%s", device,
                       state.use == LINK_PORT_BUSY ? ": " : "", state.use == LINK_PORT_BUSY ? state.who : "");
    }
    enum fl_err err = fl_fail_os(&l->why, "cannot open %s", device);
    /* EIO: the name is still there and the port behind it is not, as while it is being unplugged */
    return err == FL_IO && e == EIO ? FL_NOT_FOUND : err;
}

static enum fl_err lock(struct link *l, int fd)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return FL_OK;
    if (errno == EWOULDBLOCK)
        errno = EBUSY;
    return cannot_open(l);
}

/* Steps 1 to 4: a descriptor of our own on a raw, quiet port. */
static enum fl_err open_quietly(struct serial *s, int *fd)
{
    struct link *l = &s->link;
    *fd = open(l->info.device, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (*fd < 0)
        return cannot_open(l);
    if (!isatty(*fd))
        return fl_fail(&l->why, FL_FORMAT, "%s is not a serial port", l->info.device);
    enum fl_err err = lock(l, *fd);
    if (err)
        return err;
    l->info.has_lines = ioctl(*fd, TIOCMGET, &s->modem) == 0;
    if (!l->info.has_lines && !no_lines(errno))
        return failed(l, "read the modem lines");
    s->modem &= ~(TIOCM_DTR | TIOCM_RTS);
    if (l->info.has_lines && ioctl(*fd, TIOCMSET, &s->modem) != 0 && !no_lines(errno))
        return failed(l, "release DTR and RTS");
    if (!link_tty_raw(*fd))
        return failed(l, "make it raw");
    return FL_OK;
}

/* Step 5: the same port through libserialport, exclusively. */
static enum fl_err open_through_library(struct serial *s, int ours)
{
    struct link *l = &s->link;
    int fd = -1;
    struct sp_port *port = NULL;
    if (sp_get_port_by_name(l->info.device, &port) != SP_OK)
        return fl_fail(&l->why, FL_UNSUPPORTED, "%s is no serial port that the kernel lists", l->info.device);
    /* newer libraries take the flock in sp_open: ours would be in their way */
    (void)flock(ours, LOCK_UN);
    if (sp_open(port, SP_MODE_READ_WRITE) != SP_OK || sp_get_port_handle(port, &fd) != SP_OK) {
        enum fl_err err = cannot_open(l);
        sp_free_port(port);
        return err;
    }
    s->port = port;
    l->fd = fd;
    if (!link_fd_nonblocking(fd))
        return failed(l, "set it up");
    enum fl_err err = lock(l, fd);
    if (!err && ioctl(fd, TIOCEXCL) != 0)
        err = failed(l, "take it exclusively");
    return err;
}

static enum fl_err open_port(struct serial *s, struct fl_deadline d)
{
    struct link *l = &s->link;
    int ours = -1;
    enum fl_err err = open_quietly(s, &ours);
    if (!err && l->info.has_lines)
        err = open_through_library(s, ours);
    if (!err && !l->info.has_lines) {
        l->fd = ours;
        ours = -1;
        if (ioctl(l->fd, TIOCEXCL) != 0)
            err = failed(l, "take it exclusively");
    }
    if (!err && !link_tty_raw(l->fd))
        err = failed(l, "make it raw");
    if (ours >= 0)
        (void)close(ours);
    if (!err)
        err = link_set_baud(l, LINK_BAUD_AT_OPEN, d);
    if (!err && l->info.has_lines) /* sp_open touches neither line; a driver may, when its settings change */
        err = link_set_lines(l, LINK_RELEASE, LINK_RELEASE, d);
    if (!err)
        err = link_discard(l);
    return err;
}

enum fl_err link_serial_open(const struct link_open_args *a, struct link **out, struct fl_why *why)
{
    char device[LINK_URL_MAX];
    enum fl_err err = find_device(a->url, device, why);
    if (err)
        return err;
    struct serial *s = calloc(1, sizeof *s);
    if (!s)
        return fl_fail(why, FL_NOMEM, "no memory for a link");
    struct link *l = &s->link;
    link_init(l, LINK_SERIAL, &serial_ops, a->wake);
    link_port_describe(device, &l->info);
    memcpy(l->info.device, device, sizeof device);
    l->info.has_speed = true;
    err = open_port(s, a->d);
    if (!err) {
        l->info.low_latency = link_serial_low_latency(l->fd);
        *out = l;
        return FL_OK;
    }
    if (why)
        *why = l->why;
    serial_close(l);
    return err;
}
