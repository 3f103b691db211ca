/* SPDX-License-Identifier: Apache-2.0
 *
 * wake.h: a flag that another thread (or a signal handler) can raise and that ends any wait.
 *
 * Every blocking wait polls fl_wake_fd() beside its own descriptor. The flag stays raised until
 * fl_wake_clear: a wait that starts after the raise ends at once, so no wake-up is lost.
 *
 * Thread rule: raise from any thread or signal handler; everything else from the owning thread.
 */
#ifndef FL_BASE_WAKE_H
#define FL_BASE_WAKE_H

#include "base/clock.h"
#include "base/err.h"

struct fl_wake {
    int rd; /* poll this for POLLIN */
    int wr; /* equal to rd where eventfd exists */
};

FL_MUST enum fl_err fl_wake_init(struct fl_wake *w, struct fl_why *why);
void fl_wake_fini(struct fl_wake *w); /* safe on {-1, -1} and after a failed init; not on zeroes, which are descriptor 0 */
void fl_wake_raise(struct fl_wake *w); /* async-signal-safe */
void fl_wake_clear(struct fl_wake *w);

/* Sleep until the deadline (FL_OK) or a raise (FL_CANCELLED). `w` NULL: an ordinary sleep. */
FL_MUST enum fl_err fl_wake_sleep(struct fl_wake *w, struct fl_deadline d);

/* Wait until `fd` is ready for `events` (POLLIN, POLLOUT): FL_OK, FL_TIMEOUT, FL_CANCELLED, FL_IO. An error or
 * hang-up on `fd` counts as ready: the read or write that follows says which. */
FL_MUST enum fl_err fl_wake_poll(struct fl_wake *w, int fd, short events, struct fl_deadline d);

#endif
