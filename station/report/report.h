/* SPDX-License-Identifier: Apache-2.0
 *
 * report.h: questions to a station's records, answered read-only beside a running station.
 *
 * What the numbers mean (the definitions are the field's; each is added up by db/004_statistics.sql, in the transaction of the attempt):
 *
 *   attempt            one try at one unit in one slot; number k counts the tries of a unit within a lot, for ever
 *   first-pass yield   units whose attempt 1 is PASS / units with an attempt 1; a unit in two lots counts in each
 *   second, third      same with the best result up to attempt 2, 3
 *   last-pass yield    units that passed at any attempt / units with an attempt 1
 *   does not count     ABORTED attempts: the operator took the board out. FAIL, ERROR and INTERRUPTED count as not passing
 *   Pareto             each unit's first failing attempt gives one fault; beside it, all attempts that ended so
 *   rolled throughput  the product over the steps of (attempts 1 that went through at once / attempts 1 that came to it);
 *                      ending there or a rung of recovery is not at once
 *   retest rate        units with two attempts or more / units with an attempt 1
 *   recovery rate      units that failed attempt 1 and passed later / units that failed attempt 1: suspected false fails
 *   cycle, handling    from start to start in a slot; from the end to the next unit's start; pauses over ten minutes left out
 *   flash time         steps of a PASS up to the last verify, without the boot check
 *   units per hour     PASS an hour of run time, which is counted in half hours with an attempt in them, or the part of one that is asked
 *   DPMO               steps not gone through at once in a million first tries of a step
 *
 * Thread rule: a report has one owner.
 */
#ifndef FL_REPORT_REPORT_H
#define FL_REPORT_REPORT_H

#include "report/sheet.h"

struct report; /* opaque: an open reader */

/* FL_NOT_FOUND: no station there. FL_UNSUPPORTED: its schema is another version's. */
FL_MUST enum fl_err report_open(const char *data, struct report **out, struct fl_why *why);
void report_close(struct report *r); /* NULL is fine */

/* ---- reports ---------------------------------------------------------------------------------------------- */

/* What a report is asked. Strings are borrowed, NULL: not asked for. Times and zones as in report/period.h. */
struct report_query {
    const char *lot, *product;
    const char *slot;   /* number on the fixture */
    const char *bridge; /* kind: VID:PID */
    const char *since, *until; /* by when an attempt began, to the millisecond */
    const char *group_by;      /* hour, shift, day, lot, slot, bridge, profile, none */
    const char *zone, *shifts;
    unsigned limit; /* rows of `units`; 0: all */
    int64_t now_ms; /* 0: now */
};

/* Make the report of this name (station/report/specs.c has the table). FL_ARG, FL_NOT_FOUND: the question is wrong.
 * FL_MISMATCH: the numbers contradict each other. On success the caller ends the sheet (report/sheet.h). */
FL_MUST enum fl_err report_run(struct report *r, const char *name, const struct report_query *q, struct sheet *out,
                               struct fl_why *why);
/* The reports, for a help text: the i-th one's line, and its name; NULL: there are no more. */
const char *report_spec_line(size_t i, const char **name);


/* ---- trace ---------------------------------------------------------------------------------------------- */

/* Everything about one unit: {"mac", "unit": {...}, "attempts": [{...}], "remarks": [notes and dispositions]}. `name`: its MAC as
 * event_mac_parse reads it, 6 bytes or an EUI-64 of 8, or its serial number; what reads as both is the MAC where a unit
 * has it. FL_ARG: it is neither. FL_NOT_FOUND: this station never saw the MAC. New reference. */
FL_MUST enum fl_err report_trace(struct report *r, const char *name, json_t **out, struct fl_why *why);
FL_MUST enum fl_err report_trace_text(const json_t *trace, struct fl_buf *out);
/* The attempts, one a row. Caller frees. NULL: no memory. */
struct table *report_trace_table(const json_t *trace);

#endif
