/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wake.h"

#include <errno.h>
#include <poll.h>

static enum fl_err wait_for(struct fl_wake *w, int fd, short events, struct fl_deadline d)
{
    struct pollfd p[2] = {{w ? w->rd : -1, POLLIN, 0}, {fd, events, 0}};
    for (;;) {
        uint64_t left = fl_deadline_left_ns(d);
        struct timespec ts = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
        int n = ppoll(p, 2, left == UINT64_MAX ? NULL : &ts, NULL);
        if (n < 0 && errno != EINTR)
            return FL_IO;
        if (n <= 0) {
            if (fl_deadline_passed(d))
                return FL_TIMEOUT;
            continue;
        }
        if (p[0].revents)
            return FL_CANCELLED;
        if (p[1].revents)
            return p[1].revents & POLLNVAL ? FL_IO : FL_OK;
    }
}

enum fl_err fl_wake_sleep(struct fl_wake *w, struct fl_deadline d)
{
    enum fl_err err = wait_for(w, -1, 0, d);
    return err == FL_TIMEOUT ? FL_OK : err;
}

enum fl_err fl_wake_poll(struct fl_wake *w, int fd, short events, struct fl_deadline d)
{
    return wait_for(w, fd, events, d);
}
