/* SPDX-License-Identifier: Apache-2.0
 *
 * check_rows.h: do the tables say what the leaves say? All leaves are projected anew into a temporary database, and
 * every table compared row by row.
 * Thread rule: one call, one thread.
 */
#ifndef FL_PROVE_CHECK_ROWS_H
#define FL_PROVE_CHECK_ROWS_H

#include "prove/check.h"

#include <sqlite3.h>

/* Findings go into the result's report. A database of an older version is not compared: rows_checked stays false. */
FL_MUST enum fl_err check_rows(sqlite3 *db, struct check_result *out, struct fl_why *why);

/* Every name in `person` beside its tag, which was made from it: a name that somebody exchanged is a finding. */
FL_MUST enum fl_err check_names(sqlite3 *db, struct check_result *out, struct fl_why *why);

#endif
