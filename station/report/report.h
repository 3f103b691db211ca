/* SPDX-License-Identifier: Apache-2.0
 *
 * report.h: questions to a station's records, answered read-only beside a running station.
 *
 * What the numbers mean (the definitions are the field's; each is counted from table unit_lot or attempt, db/README.md):
 *
 *   attempt            one try at one unit in one slot; number k counts the tries of a unit within a lot, for ever
 *   first-pass yield   units whose attempt 1 is PASS / units with an attempt 1; a unit in two lots counts in each
 *   second, third      same with the best result up to attempt 2, 3
 *   last-pass yield    units that passed at any attempt / units with an attempt 1
 *   does not count     ABORTED attempts: the operator took the board out. FAIL, ERROR and INTERRUPTED count as not passing
 *   Pareto             each unit's first failing attempt gives one fault; beside it, all attempts that ended so
 *
 * Thread rule: a report has one owner.
 */
#ifndef FL_REPORT_REPORT_H
#define FL_REPORT_REPORT_H

#include "report/table.h"

struct report; /* opaque: an open reader */

/* FL_NOT_FOUND: no station there. FL_UNSUPPORTED: its schema is another version's. */
FL_MUST enum fl_err report_open(const char *data, struct report **out, struct fl_why *why);
void report_close(struct report *r); /* NULL is fine */

/* ---- summary -------------------------------------------------------------------------------------------- */

struct report_summary {
    char station[64], origin[128];
    int64_t leaves, first_ms, last_ms; /* of attempts: start of the first, end of the last; 0: none */
    int64_t attempts;    /* all */
    int64_t nameless;    /* of them without a MAC: no unit can be said */
    int64_t outcome[5];  /* by enum outcome */
    int64_t units;       /* with an attempt that counts, once for each lot */
    int64_t passed_by[3]; /* units passed at attempt 1, up to 2, up to 3 */
    int64_t passed;      /* at any */
    int64_t open;        /* attempts under way now, or left by a crash */
    struct table *pareto, *slots; /* owned */
};
FL_MUST enum fl_err report_summary(struct report *r, struct report_summary *out, struct fl_why *why);
void report_summary_fini(struct report_summary *s);
FL_MUST enum fl_err report_summary_text(const struct report_summary *s, struct fl_buf *out);
json_t *report_summary_json(const struct report_summary *s); /* new reference; NULL: no memory */

/* ---- trace ---------------------------------------------------------------------------------------------- */

/* Everything about one unit: {"mac", "unit": {...}, "attempts": [{...}]}. `mac` as event_mac_parse reads it, 6 bytes or
 * an EUI-64 of 8. FL_ARG: it is none. FL_NOT_FOUND: this station never saw it. New reference. */
FL_MUST enum fl_err report_trace(struct report *r, const char *mac, json_t **out, struct fl_why *why);
FL_MUST enum fl_err report_trace_text(const json_t *trace, struct fl_buf *out);
/* The attempts, one a row. Caller frees. NULL: no memory. */
struct table *report_trace_table(const json_t *trace);

#endif
