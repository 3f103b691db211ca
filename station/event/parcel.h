/* SPDX-License-Identifier: Apache-2.0
 *
 * parcel.h: what is to leave the station because of a fact: a label, a certificate, a head for a witness.
 *
 * A parcel rides on an event and is put into the outbox in the transaction of the event's leaf: it is sent only when
 * the leaf is durable, it is never lost, and (kind, target, job) is there once, however often it is told. What became
 * of it rides the same way, on an event that adds no leaf.
 *
 *   struct event *e = event_new(EVENT_ATTEMPT_RESULT, body, &ticket);
 *   event_parcel(e, "label", "printer-1", NULL, zpl, n);             its job: "leaf:" and the index of the leaf
 *
 * Who sends them: record/outbox.h.
 * Thread rule: a parcel belongs to its event.
 */
#ifndef FL_EVENT_PARCEL_H
#define FL_EVENT_PARCEL_H

#include "base/err.h"

#include <stdint.h>

struct event;

enum {
    PARCEL_KIND_MAX = 40,    /* all three with the closing zero */
    PARCEL_TARGET_MAX = 256,
    PARCEL_JOB_MAX = 100,
    PARCEL_BYTES_MAX = 1 << 20,
};

enum parcel_state { PARCEL_WAITING, PARCEL_SENT, PARCEL_GIVEN_UP };

struct parcel {
    struct parcel *next;
    int64_t id; /* 0: a new one. Else: what became of this row of the outbox, and only the last four count */
    char kind[PARCEL_KIND_MAX], target[PARCEL_TARGET_MAX], job[PARCEL_JOB_MAX];
    uint8_t *bytes; /* owned */
    size_t n;
    enum parcel_state state;
    int64_t next_ms; /* wall: not before; 0: at once */
    char why[200];
};

/* Put a parcel on `e`; the texts and bytes are copied. `job`: of a parcel that follows from no record; NULL on an event that has
 * one, which tells it (store/outbox_told.h), so that it is never one that is there already. FL_ARG: a text too long, no kind, a
 * job where there is a record. FL_NOMEM. */
FL_MUST enum fl_err event_parcel(struct event *e, const char *kind, const char *target, const char *job,
                                 const void *bytes, size_t n);
/* Put on `e` what became of row `id`. PARCEL_WAITING: to be tried again at `next_ms`. */
FL_MUST enum fl_err event_parcel_result(struct event *e, int64_t id, enum parcel_state state, int64_t next_ms,
                                        const char *why);
void parcels_free(struct parcel *first);

/* The job of a parcel that follows from the record in place `leaf`: "leaf:17". */
void parcel_job(int64_t leaf, char out[static PARCEL_JOB_MAX]);

#endif
