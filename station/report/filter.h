/* SPDX-License-Identifier: Apache-2.0
 *
 * filter.h: inside report/ only: which part of the records a report is about, as a question's words, and as SQL.
 */
#ifndef FL_REPORT_FILTER_H
#define FL_REPORT_FILTER_H

#include "report/period.h"
#include "report/query.h"

enum group { GROUP_HOUR, GROUP_SHIFT, GROUP_DAY, GROUP_LOT, GROUP_SLOT, GROUP_BRIDGE, GROUP_PROFILE, GROUP_NONE };

struct filter {
    struct period period; /* zone and shifts; its kind follows the group */
    enum group group;
    int64_t from_ms, to_ms; /* INT64_MIN and INT64_MAX / 2: open */
    bool ends;              /* one of them lies within a half hour */
    bool holes;             /* a border between two periods of the group does (report/cut.h) */
    bool split;             /* either, or one does not lie on a day (UTC): what is added up is put together from several tables */
    bool cycles;            /* the report asks for them: whoever makes it says so, filter_make does not know (report/cut.h) */
    bool has_lot, has_slot;
    int64_t lot, slot;     /* id of the lot, number of the slot */
    const char *product, *bridge; /* borrowed, NULL: any */
    unsigned limit;
    char words[400]; /* "lot L-1, slot 7, since 2026-11-22 08:00", "everything" */
};

/* Check the question and look its names up. FL_ARG: no time, zone, number, group; FL_NOT_FOUND: no such lot, slot, product or
 * bridge. */
FL_MUST enum fl_err filter_make(struct report *r, const struct report_query *q, enum group otherwise, struct filter *out,
                                struct fl_why *why);

/* Is it grouped by hour, shift or day? */
bool filter_by_time(const struct filter *f);

/* Prepare `sql`, in which stand for what depends on the question:
 *   {where}    the condition on the cells of a tally `t`
 *   {key}      the group's key over t, and {label} its words over g.k
 *   {at}       the moment that stands for a cell
 *   {tally}    tally, or tally_day when the times lie on days (UTC): the same sums in fewer rows; {step} likewise
 *   {cells}    the same, but fine enough for the group
 *   {halves}   tally by half hours, {step_halves} and {faults} likewise: whole half hours as they were added up, and of those that are
 *              cut what lies on each side (added up into temporary tables when they are first asked for)
 *   {pieces}   of {halves} what is less than a half hour, with column `lost`: by how many ms
 *   {first}    the first half hour of {halves}
 *   {units}    unit_lot u and its first attempt f
 * and bind the parameters that are there: :from :to (whole half hours), :from_ms :to_ms, :lot, :slot, :product, :bridge, :limit. */
FL_MUST enum fl_err filter_prepare(struct report *r, const struct filter *f, const char *sql, sqlite3_stmt **out,
                                   struct fl_why *why);
/* The words of a group from its label column: times are turned into text here. Until the next step. */
const char *filter_label(const struct filter *f, sqlite3_stmt *s, int column, char room[static PERIOD_TEXT]);
const char *group_name(enum group g);

#endif
