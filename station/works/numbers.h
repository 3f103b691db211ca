/* SPDX-License-Identifier: Apache-2.0
 *
 * numbers.h: the serial numbers of a lot: which one the next unit is to ask for. The records decide (record/allow.c: a number that
 * is taken is refused); what is known here is only what to ask for. A number that came back is given again, a unit that is
 * let in again gets its own.
 *
 * Thread rule: made, told of the past and freed by one thread; numbers_serials' functions from any slot's.
 */
#ifndef FL_WORKS_NUMBERS_H
#define FL_WORKS_NUMBERS_H

#include "line/line.h"
#include "line/rules.h"
#include "store/line_past.h"

struct numbers; /* opaque */

/* `rules` and `lot` (its name) are borrowed; `again`: the lot lets a unit in that has passed. NULL: no memory. */
struct numbers *numbers_new(const struct rules_set *rules, const char *lot, bool again);
void numbers_free(struct numbers *n); /* NULL is fine */
void numbers_past(void *numbers, const struct line_past_serial *p); /* as line_past_serials calls */
const struct line_serials *numbers_serials(const struct numbers *n);

#endif
