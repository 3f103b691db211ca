/* SPDX-License-Identifier: Apache-2.0
 *
 * tally.h: the line's head: what is made here, how many are done, how well, how fast.
 *
 * Counts what the attempts of this run, and those of its lot before, came to, for eyes only: the truth is in the record
 * (report/).
 * A unit is a base MAC; an attempt that never learned one counts as an attempt and as no unit.
 * ABORTED attempts are counted and enter no yield.
 * Units are known again up to TALLY_UNITS_MAX of them (16 MB); one that comes after that is a new one each time.
 *
 * Thread rule: any thread; one leaf lock.
 */
#ifndef FL_EVENT_TALLY_H
#define FL_EVENT_TALLY_H

#include "event/fault.h"

#include <stdint.h>

enum { TALLY_TEXT = 96, TALLY_ALARM = 600 /* a sentence of base/err.h and what it means */, TALLY_SAID = 200, TALLY_STOPS = 16,
      TALLY_UNITS_MAX = 1 << 20 };

struct tally_head {
    char station[TALLY_TEXT], product[TALLY_TEXT], lot[TALLY_TEXT]; /* "" not said */
    uint64_t planned;            /* units to make; 0 not said */
    uint32_t takt_ms;            /* wanted time from unit to unit; 0 not said */
    char alarm[TALLY_ALARM];     /* of the whole station; "" none */
    int stopped[TALLY_STOPS];    /* what a rule of the lot stopped: numbers of slots, 0 the whole line; the first of them */
    uint64_t n_stopped;
    char said[TALLY_SAID];       /* what was last said to the people at the line: a scan and what it did; "" nothing yet */
    uint64_t said_ms;            /* monotonic: when */
    uint64_t refused;            /* 1: nothing was done by it */
    uint64_t outcomes[OUTCOME_INTERRUPTED + 1]; /* attempts */
    uint64_t units;              /* with an attempt that counts */
    uint64_t passed;             /* units that passed at any of them: what the lot counts, and every report */
    uint64_t first_passed;       /* units whose first counted attempt is PASS */
    uint64_t per_hour;           /* units passed an hour, over the last hour at most; 0 while unknown */
};

struct tally; /* opaque */
struct tally *tally_new(void); /* NULL: no memory */
void tally_free(struct tally *t);

/* What is made; NULL leaves a text empty. Zeroes nothing that was counted. */
void tally_title(struct tally *t, const char *station, const char *product, const char *lot,
                 uint64_t planned, uint32_t takt_ms);
void tally_alarm(struct tally *t, const char *text); /* NULL or "": all is well again */
void tally_stops(struct tally *t, const int *stopped, size_t n);
void tally_say(struct tally *t, bool refused, const char *text, uint64_t now_ms);
/* One attempt ended. `mac` (6 bytes) NULL: no unit is known. */
void tally_add(struct tally *t, enum outcome outcome, const uint8_t *mac, uint64_t now_ms);
/* One that ended before this run: counted, and in no rate. */
void tally_past(struct tally *t, enum outcome outcome, const uint8_t *mac);
/* Another lot begins: nothing is counted. */
void tally_clear(struct tally *t);
/* Put what somebody else counted (the record) in place of what was counted here. */
void tally_put(struct tally *t, const struct tally_head *head);
void tally_get(struct tally *t, uint64_t now_ms, struct tally_head *out);

#endif
