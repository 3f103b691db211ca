/* SPDX-License-Identifier: Apache-2.0
 *
 * export.h: a table or view written out row by row, for other programs.
 *
 *   CSV    RFC 4180: header line, CRLF, fields quoted where they must be; nothing between commas is NULL
 *   JSON   one object a line (NDJSON), NULL is null
 *   SQL    statements that sqlite3, or any other SQLite, reads back: CREATE and INSERT in one transaction
 *
 * BLOBs (hashes, keys) are lower-case hex in CSV and JSON, and BLOBs again in SQL.
 * Thread rule: one call, one thread.
 */
#ifndef FL_STORE_EXPORT_H
#define FL_STORE_EXPORT_H

#include "base/json.h"

enum export_form { EXPORT_CSV, EXPORT_JSON, EXPORT_SQL };

/* Rows go to `write` in pieces of some tens of kilobytes; what it returns other than FL_OK ends the export. FL_NOT_FOUND: no
 * station there. FL_ARG: there is no such table or view. */
FL_MUST enum fl_err export_table(const char *data, const char *table, enum export_form form,
                                 enum fl_err (*write)(void *ctx, const void *bytes, size_t n), void *ctx, struct fl_why *why);

/* The whole database as SQL: every table with its rows, then indexes, triggers and views, user_version and application_id. Read back
 * into an empty file it is a station's database again, with the same rows. */
FL_MUST enum fl_err export_database(const char *data, enum fl_err (*write)(void *ctx, const void *bytes, size_t n), void *ctx,
                                    struct fl_why *why);

/* An array of {name, type ("table", "view")}. */
FL_MUST enum fl_err export_names(const char *data, json_t **out, struct fl_why *why);

#endif
