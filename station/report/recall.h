/* SPDX-License-Identifier: Apache-2.0
 *
 * recall.h: the reverse questions: which units got this image, were of this lot, went through this slot between two times,
 * behind this bridge, were flashed by this version of the program? All that are asked must hold.
 *
 * One row a unit and lot, over its attempts that answer the question, the newest told, in the order of those. An image counts as received when the
 * attempt passed with it or had begun to change the unit (attempt_start is durable before the first byte): a recall must
 * rather name one unit too many. Samples, dry runs and ABORTED attempts are in it too; a unit without a MAC cannot be.
 *
 *   mac, serial, lot      of the unit
 *   attempts, passes      that answer the question
 *   first, last           when the first of them began, and the last
 *   slot, outcome, fault, profile, version, program    of the last
 *   leaf                  which proves the last
 *   newer                 attempts of this unit after it that may have changed it again
 *
 * Rows are read as they are asked for: ten million need no more memory than ten. Thread rule: one owner.
 */
#ifndef FL_REPORT_RECALL_H
#define FL_REPORT_RECALL_H

#include "report/report.h"

struct recall_query {
    const char *lot, *bridge /* serial number */, *slot, *program /* "0.4.0" or "flashline 0.4.0" */;
    const char *image; /* SHA-256, or its first 8 digits or more */
    const char *since, *until, *zone; /* report/period.h; to the millisecond */
    int64_t now_ms; /* 0: now */
};
struct recall; /* opaque */

/* FL_ARG: a wrong word, or nothing is asked. FL_NOT_FOUND: no such lot, image, bridge, slot or version was ever seen. */
FL_MUST enum fl_err recall_open(struct report *r, const struct recall_query *q, struct recall **out, struct fl_why *why);
void recall_close(struct recall *c); /* NULL is fine; before the report */
/* Up to `max` rows more, as a table that the caller frees; none left: a table without rows. */
FL_MUST enum fl_err recall_next(struct recall *c, size_t max, struct table **out, struct fl_why *why);

#endif
