/* SPDX-License-Identifier: Apache-2.0
 * Reading and writing a non-blocking descriptor under a deadline and a wake-up. */
#include "link/link_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

void link_init(struct link *l, enum link_kind kind, const struct link_ops *ops, struct fl_wake *wake)
{
    memset(l, 0, sizeof *l);
    l->ops = ops;
    l->wake = wake;
    l->fd = -1;
    l->baud = LINK_BAUD_AT_OPEN;
    l->info.kind = kind;
    l->is_socket = kind == LINK_RFC2217 || kind == LINK_SOCKET;
    l->info.low_latency = LINK_UNKNOWN;
}

bool link_fd_nonblocking(int fd)
{
    int status = fcntl(fd, F_GETFL), flags = fcntl(fd, F_GETFD);
    return status >= 0 && flags >= 0 && fcntl(fd, F_SETFL, status | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, flags | FD_CLOEXEC) == 0;
}

/* What errno says of a descriptor that worked until now: nearly always that the far end is away. */
static enum fl_err lost(struct link *l, const char *doing)
{
    static const int away[] = {EIO, ENXIO, ENODEV, EPIPE, ECONNRESET, ECONNABORTED, ETIMEDOUT,
                               EHOSTUNREACH, ENETUNREACH, ENETDOWN, ESHUTDOWN, ENOTCONN};
    for (size_t i = 0; i < sizeof away / sizeof *away; i++)
        if (errno == away[i]) {
            (void)fl_fail_os(&l->why, "%s vanished while %s", l->info.device, doing);
            return FL_GONE;
        }
    return fl_fail_os(&l->why, "%s: %s failed", l->info.device, doing);
}

static enum fl_err wait_for(struct link *l, short events, struct fl_deadline d)
{
    enum fl_err err = fl_wake_poll(l->wake, l->fd, events, d);
    if (err == FL_IO)
        return fl_fail_os(&l->why, "%s: waiting failed", l->info.device);
    if (err)
        return fl_fail(&l->why, err, "%s: %s", l->info.device, fl_err_text(err));
    return FL_OK;
}

enum fl_err link_fd_read(struct link *l, uint8_t *buf, size_t cap, size_t *got, struct fl_deadline d)
{
    bool look = d.at_ns == 0; /* what is there, without waiting: whoever asks so waits next, and sees a raised wake then */
    *got = 0;
    for (;;) {
        /* waiting first: nearly every read waits for an answer, so reading first would cost a call,
         * and a raised wake must be seen even where bytes never stop coming */
        enum fl_err err = look ? FL_OK : wait_for(l, POLLIN, d);
        if (err)
            return err;
        ssize_t n = read(l->fd, buf, cap);
        if (n > 0) {
            l->count.reads++;
            *got = (size_t)n;
            return FL_OK;
        }
        if (n == 0)
            return fl_fail(&l->why, FL_GONE, "%s %s", l->info.device,
                           l->is_socket ? "closed the connection" : "vanished (unplugged, or without power)");
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            return lost(l, "reading");
        if (look && errno != EINTR)
            return FL_TIMEOUT;
    }
}

enum fl_err link_fd_write(struct link *l, const uint8_t *bytes, size_t n, size_t *sent,
                          struct fl_deadline d)
{
    size_t at = 0;
    enum fl_err err = FL_OK;
    while (at < n && !err) {
        /* a closed socket is an error of this call, not a signal that ends the program */
        ssize_t k = l->is_socket ? send(l->fd, bytes + at, n - at, MSG_NOSIGNAL)
                                 : write(l->fd, bytes + at, n - at);
        if (k > 0) {
            l->count.writes++;
            at += (size_t)k;
        } else if (k == 0 || errno == EAGAIN || errno == EWOULDBLOCK) {
            err = wait_for(l, POLLOUT, d);
        } else if (errno != EINTR) {
            err = lost(l, "writing");
        }
    }
    if (sent)
        *sent = at;
    return err;
}

enum fl_err link_fd_drain(struct link *l, struct fl_deadline d)
{
    /* TIOCOUTQ tells the bytes that a tty has not sent, or that a TCP peer has not acknowledged. There
     * is no descriptor to poll for "empty", so this sleeps for as long as the wire needs for them. */
    for (;;) {
        int left = 0;
        if (ioctl(l->fd, TIOCOUTQ, &left) != 0)
            return errno == ENOTTY || errno == EINVAL ? FL_OK : lost(l, "draining");
        if (left <= 0)
            return FL_OK;
        uint64_t us = (uint64_t)left * 10u * 1000000u / (l->baud ? l->baud : LINK_BAUD_AT_OPEN);
        us = us < 200 ? 200 : us > 20000 ? 20000 : us;
        if (fl_deadline_passed(d))
            return fl_fail(&l->why, FL_TIMEOUT, "%s: %d bytes do not leave", l->info.device, left);
        enum fl_err err = fl_wake_sleep(l->wake, fl_deadline_min(d, fl_deadline_in_us(us)));
        if (err)
            return fl_fail(&l->why, err, "%s: %s", l->info.device, fl_err_text(err));
    }
}

enum fl_err link_baud_near(struct link *l, const char *who, uint32_t asked, uint32_t made)
{
    uint64_t off = made > asked ? made - asked : asked - made;
    if (off * 100 <= (uint64_t)asked * LINK_BAUD_TOLERANCE)
        return FL_OK;
    return fl_fail(&l->why, FL_REFUSED, "%s: asked for %u baud, the %s made %u", l->info.device,
                   (unsigned)asked, who, (unsigned)made);
}
