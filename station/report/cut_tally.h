/* SPDX-License-Identifier: Apache-2.0
 *
 * cut_tally.h: inside cut.c's business only: the sums over attempts and units of one piece of a half hour.
 *
 * What view attempt_tally says, cell by cell, a quarter of its price: the view works out thirty numbers of each attempt in SQL. Here
 * SQLite gives the attempt, the one before it in its slot and what became of its unit; the numbers are added up beside it.
 */
#ifndef FL_REPORT_CUT_TALLY_H
#define FL_REPORT_CUT_TALLY_H

#include "store/db.h"

/* Attempts that began in [?1, ?2), as cut_tally_fill reads them. Without `cycles` the four sums of what lies between an attempt and
 * the one before it stay 0: looking that one up is a third of the work. */
const char *cut_tally_sql(bool cycles);

struct cut_tally; /* opaque */
/* `table`: of 35 columns, at, lost, the cell's five, then the sums in the order of table tally (db/004_statistics.sql). */
FL_MUST enum fl_err cut_tally_open(sqlite3 *db, const char *table, struct cut_tally **out, struct fl_why *why);
void cut_tally_close(struct cut_tally *f); /* NULL is fine */
/* One piece: the rows of `s`, which is cut_tally_sql with its times bound, go into the table, and `s` is ready again. */
FL_MUST enum fl_err cut_tally_fill(struct cut_tally *f, sqlite3_stmt *s, int64_t at, int64_t lost, struct fl_why *why);

#endif
