/* SPDX-License-Identifier: Apache-2.0
 *
 * query.h: inside report/ only: the reader, and small steps from SQL to values.
 */
#ifndef FL_REPORT_QUERY_H
#define FL_REPORT_QUERY_H

#include "store/db.h"
#include "report/report.h"

struct report {
    struct db_reader reader;
    char *data; /* the station's folder; owned */
};

/* Run `sql` and give each row to `row`; a row that returns an error ends it. */
FL_MUST enum fl_err query_each(struct report *r, const char *sql,
                               enum fl_err (*row)(void *ctx, sqlite3_stmt *s), void *ctx, struct fl_why *why);
/* The integer that `sql` gives for the text ?1. FL_NOT_FOUND, without words: there is no row. */
FL_MUST enum fl_err query_find(struct report *r, const char *sql, const char *text, int64_t *out, struct fl_why *why);
/* Text of a column; NULL when it is NULL. Until the next step. */
const char *query_text(sqlite3_stmt *s, int column);

#endif
