/* SPDX-License-Identifier: Apache-2.0
 *
 * account.h: do the records add up? What no signature shows, because every record may be what was signed: a unit that was
 * certified twice (or two boards with one MAC), a serial number given to two units, numbers of a range that no unit got, an
 * attempt that began and has no end. For people to judge: a lot may allow a unit to be flashed again, and a number may have been
 * given back.
 *
 *   attempt_start ─► open ─► attempt_result, interrupted ─► closed          by `job`
 *   attempt_result that is a PASS with `serial` ─► serial numbers
 *   unit_final ─► units, by MAC
 *
 * And one that is wrong whatever the lot allows: an attempt with two ends, by `job`.
 *
 * 24 bytes for each end of an attempt, 16 for each unit_final, some 40 for each serial number: 400 MB for ten million units
 * without numbers.
 * Thread rule: one owner.
 */
#ifndef FL_AUDIT_ACCOUNT_H
#define FL_AUDIT_ACCOUNT_H

#include "audit/leaf.h"
#include "base/buf.h"

enum { ACCOUNT_LIST_MAX = 16, ACCOUNT_SERIAL_TEXT = 64, ACCOUNT_LEAVES_MAX = 4, ACCOUNT_HOLES_MAX = 8 };

struct account; /* opaque */

struct account_twice {
    char what[ACCOUNT_SERIAL_TEXT]; /* a MAC as 24:6f:28:00:00:01, or a serial number */
    size_t n;                       /* so many times; the first are in the list */
    uint64_t leaf[ACCOUNT_LEAVES_MAX];
};
/* Serial numbers that are the same but for the digits at their end, of which there are as many: a range. */
struct account_range {
    char first[ACCOUNT_SERIAL_TEXT], last[ACCOUNT_SERIAL_TEXT];
    uint64_t given, missing; /* of the numbers from first to last */
    size_t n_holes;          /* all; the list holds the first */
    struct {
        char first[ACCOUNT_SERIAL_TEXT], last[ACCOUNT_SERIAL_TEXT];
    } hole[ACCOUNT_HOLES_MAX];
};

struct account_ended {
    uint64_t first, again; /* records that each end the same attempt */
};

/* The counts are of all, each list holds the first ACCOUNT_LIST_MAX. */
struct account_result {
    uint64_t certified, units; /* unit_final records; different MACs in them */
    size_t n_twice, n_serials_twice, n_ranges, n_endless;
    struct account_twice twice[ACCOUNT_LIST_MAX];         /* certified more than once */
    struct account_twice serials_twice[ACCOUNT_LIST_MAX]; /* given to more than one unit */
    struct account_range range[ACCOUNT_LIST_MAX];
    size_t n_ended_twice;
    struct account_ended ended_twice[ACCOUNT_LIST_MAX]; /* the first ones in the log */
    uint64_t endless[ACCOUNT_LIST_MAX]; /* attempt_start records whose attempt has no end, though its run has */
};

FL_MUST enum fl_err account_new(struct account **out, struct fl_why *why);
void account_free(struct account *a); /* NULL is fine */
void account_clear(struct account *a);
/* One record, in order; those that say nothing here are passed over. FL_NOMEM. */
FL_MUST enum fl_err account_take(struct account *a, uint64_t index, const struct leaf_view *v, const uint8_t *rec, size_t n);
/* `run`: the member boot of the run that is still open, -1: none. */
FL_MUST enum fl_err account_end(struct account *a, int64_t run, struct account_result *out);

#endif
