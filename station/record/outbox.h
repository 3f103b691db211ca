/* SPDX-License-Identifier: Apache-2.0
 *
 * outbox.h: what leaves the station, sent after the commit that it follows from, until it is sent.
 *
 *   event with parcels ─► recorder: leaf and outbox rows, one commit ─► worker of that kind: send ─► result ─► recorder
 *   (event/parcel.h)                                                        ▲      again after 1 s, 2 s, ... 10 min │
 *                                                                           └───────────────────────────────────┘
 *
 * A crash between sending and the result sends again: what is sent must do no harm twice. Its `job` is the same each
 * time, so that the other side can tell.
 *
 * Thread rule: a worker is started and stopped by one thread and runs its own.
 */
#ifndef FL_RECORD_OUTBOX_H
#define FL_RECORD_OUTBOX_H

#include "base/wake.h"
#include "record/recorder.h"

struct outbox_item {
    int64_t id, leaf; /* leaf -1: follows from none */
    const char *target, *job;
    const uint8_t *bytes; /* borrowed during the call */
    size_t n;
    unsigned tries; /* before this one */
};

struct outbox_sender {
    const char *kind; /* of parcels it sends; borrowed */
    void *ctx;
    /* FL_OK: sent. FL_REFUSED or FL_FORMAT: never will be, given up. FL_CANCELLED: woken up to stop, not a try. Anything
     * else: tried again later. Must end by a deadline of its own and heed `stop`. */
    FL_MUST enum fl_err (*send)(void *ctx, const struct outbox_item *item, struct fl_wake *stop, struct fl_why *why);
    bool from_record;   /* each follows from a record: one that names none was put there by somebody, and is given up */
    const char *target; /* only parcels to it; NULL: to any. Borrowed */
};

/* What is not what its record tells (store/outbox_told.h) is not sent, but given up. */
struct outbox_worker; /* opaque */

/* One thread for one kind, or for one target of it, so that a dead printer holds up nothing but labels, and a witness that is
 * away no other. `db` is the path of the database. The
 * recorder must outlive it. */
FL_MUST enum fl_err outbox_start(const char *db, struct recorder *r, const struct outbox_sender *sender,
                                 struct outbox_worker **out, struct fl_why *why);
/* Wakes it, waits for the sending under way. NULL is fine. Unsent parcels wait for the next start. */
void outbox_stop(struct outbox_worker *w);

/* After how many milliseconds the try after `tries` failed ones is made: 1 s, doubled each time, at most 10 minutes. */
int64_t outbox_wait_ms(unsigned tries);

#endif
