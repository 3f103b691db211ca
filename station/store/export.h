/* SPDX-License-Identifier: Apache-2.0
 *
 * export.h: a table or view written out row by row, for other programs.
 *
 *   CSV    RFC 4180: header line, CRLF, fields quoted where they must be; nothing between commas is NULL
 *   JSON   one object a line (NDJSON), NULL is null
 *
 * BLOBs (hashes, keys) are lower-case hex in both.
 * Thread rule: one call, one thread.
 */
#ifndef FL_STORE_EXPORT_H
#define FL_STORE_EXPORT_H

#include "base/json.h"

enum export_form { EXPORT_CSV, EXPORT_JSON };

/* Rows go to `write` in pieces of some tens of kilobytes; what it returns other than FL_OK ends the export. FL_NOT_FOUND: no
 * station there. FL_ARG: there is no such table or view. */
FL_MUST enum fl_err export_table(const char *data, const char *table, enum export_form form,
                                 enum fl_err (*write)(void *ctx, const void *bytes, size_t n), void *ctx, struct fl_why *why);

/* An array of {name, type ("table", "view")}. */
FL_MUST enum fl_err export_names(const char *data, json_t **out, struct fl_why *why);

#endif
