/* SPDX-License-Identifier: Apache-2.0
 *
 * cut_steps.h: inside cut.c's business only: the sums over steps of one piece of a half hour.
 *
 * What view attempt_tally_step says, cell by cell: attempts come in the order of their cells, and a cell's sums are written when the
 * next one begins.
 */
#ifndef FL_REPORT_CUT_STEPS_H
#define FL_REPORT_CUT_STEPS_H

#include "store/db.h"

/* Attempts that began in [?1, ?2), as cut_steps_fill reads them. */
extern const char cut_steps_sql[];

struct cut_steps; /* opaque */
/* `table`: of 13 columns, at, lost, the cell's five, step and its five sums. */
FL_MUST enum fl_err cut_steps_open(sqlite3 *db, const char *table, struct cut_steps **out, struct fl_why *why);
void cut_steps_close(struct cut_steps *f); /* NULL is fine */
/* One piece: the rows of `s`, which is cut_steps_sql with its times bound, go into the table, and `s` is ready again. */
FL_MUST enum fl_err cut_steps_fill(struct cut_steps *f, sqlite3_stmt *s, int64_t at, int64_t lost, struct fl_why *why);

#endif
