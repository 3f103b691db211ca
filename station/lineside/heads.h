/* SPDX-License-Identifier: Apache-2.0
 *
 * heads.h: signed heads that leave the station while it works: to the witnesses of the folder's policy, and to a timestamp
 * authority, whose word comes back as a record `anchor`.
 *
 *   clock ─► newest head ─► recorder: a parcel a receiver ─► outbox ─► witness:   cosigned/ (prove/cosigned.h)
 *                                                             │    └─► authority: record `anchor`
 *                                                             └ until it was taken, over restarts too
 *
 * Witnesses get the head of the start, of every minute in which the log grew, and of the end: all of them the same head, so
 * that their signatures can stand under one certificate. A receiver that still owes an answer gets no second parcel: when it is
 * back it signs that one, and the newest a minute later. Each has a thread of its own, so that one that is slow or away
 * delays no other. Nobody waits for any of this: no slot, no commit; the end of the line for three seconds at most.
 *
 * Thread rule: opened and closed by one thread.
 */
#ifndef FL_LINESIDE_HEADS_H
#define FL_LINESIDE_HEADS_H

#include "profile/station_file.h"
#include "record/recorder.h"

struct heads; /* opaque */

struct heads_config {
    const char *data;                    /* borrowed, like all here */
    const struct station_anchor *anchor; /* url NULL: none */
    struct recorder *recorder;           /* outlives it */
    /* Somebody does not answer, or does again: a sentence without its full stop, once a change. On threads of its own. */
    void (*say)(void *ctx, const char *text);
    void *ctx;
};
/* *out NULL: there is nobody to send to. FL_FORMAT: the folder's policy is malformed. Others: the station's. */
FL_MUST enum fl_err heads_open(const struct heads_config *c, struct heads **out, struct fl_why *why);
void heads_close(struct heads *h); /* NULL is fine; what was not sent waits for the next start */

#endif
