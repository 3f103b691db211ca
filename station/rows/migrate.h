/* SPDX-License-Identifier: Apache-2.0
 *
 * migrate.h: the schema brought up to date. db/NNN_*.sql are applied in order, in one transaction, after a copy was put
 * beside the database as <path>.v<n>.bak; then all rows are made anew from the leaves, because a newer program reads
 * more in them. db_newest (db.h) is the version this program writes. Where migrations fail because somebody worked on the schema, the words name `flashline db rebuild`.
 *
 * Thread rule: as the connection.
 */
#ifndef FL_ROWS_MIGRATE_H
#define FL_ROWS_MIGRATE_H

#include "base/err.h"

#include <sqlite3.h>

/* What db_open_writer opened: an empty file gets the schema, an older one the files it lacks. On failure nothing is changed. */
FL_MUST enum fl_err migrate_to_newest(sqlite3 *db, const char *path, struct fl_why *why);

#endif
