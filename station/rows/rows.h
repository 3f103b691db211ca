/* SPDX-License-Identifier: Apache-2.0
 *
 * rows.h: all rows made anew from the leaves.
 *
 * Thread rule: as the database connections.
 */
#ifndef FL_ROWS_ROWS_H
#define FL_ROWS_ROWS_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdint.h>

/* Project every leaf of `from` into `to`, whose projected tables are as the schema made them; may be the same database.
 * In the caller's transaction. A leaf that cannot be projected ends it: FL_FORMAT, *stopped its index. */
FL_MUST enum fl_err rows_project(sqlite3 *from, sqlite3 *to, int64_t *stopped, struct fl_why *why);

/* Empty the projected tables of `db` and project its leaves into them. In the caller's transaction. */
FL_MUST enum fl_err rows_renew(sqlite3 *db, int64_t *stopped, struct fl_why *why);

#endif
