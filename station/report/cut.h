/* SPDX-License-Identifier: Apache-2.0
 *
 * cut.h: inside report/ only: sums where a question, or a border between two of its periods, lies within a half hour.
 *
 * Sums are kept by half hours. Those that lie whole within the question, and within one period of its group, are taken as they
 * were added up; of the others the attempts on each side are added up anew, by the views of db/015_moments.sql:
 *
 *   half hours   |       |       |       |       |       |
 *   asked             [==================================)   since 08:12:30 until 10:32
 *   a border                         ^                       a shift begins at 09:45
 *   from               piece  tally   p | p  tally  piece
 *
 * A piece is one side of a cut. `at`, its beginning, stands for it when it comes to which period it belongs to (of a whole half
 * hour its first moment does); `lost` is what it lacks of a half hour, which run time is counted in. Pieces are kept in the
 * connection's temporary tables, made for one question, forgotten with the next.
 */
#ifndef FL_REPORT_CUT_H
#define FL_REPORT_CUT_H

#include "report/filter.h"

enum cut_table { CUT_TALLY, CUT_FAULT, CUT_STEP };

/* Where the question is cut: sets f->ends, f->holes and f->split. Its times, group and period are there. */
FL_MUST enum fl_err cut_make(struct report *r, struct filter *f, struct fl_why *why);

/* What stands behind FROM for a tally `t` in `sql` when f->split: what lies in the question's times, and nothing else. `whole`: no
 * period divides it, so it is cut at its ends alone, and of whole days (UTC) the sums by days are taken. */
void cut_source(const struct filter *f, enum cut_table table, bool whole, const char *sql, struct fl_buf *out);
/* A statement that has this word asks for cycles, and f->cycles is to be set before. */
#define CUT_CYCLES "t.cycles"
/* Fill the temporary tables that the statement names. */
FL_MUST enum fl_err cut_fill(struct report *r, const struct filter *f, const char *sql, struct fl_why *why);

/* The first half hour that lies behind f->from_ms whole. */
int64_t cut_first_whole(const struct filter *f);

#endif
