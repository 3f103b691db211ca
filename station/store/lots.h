/* SPDX-License-Identifier: Apache-2.0
 *
 * lots.h: what the records say about lots, read beside a station at work or from a folder at rest.
 *
 * Thread rule: as the database connection.
 */
#ifndef FL_STORE_LOTS_H
#define FL_STORE_LOTS_H

#include "base/json.h"

#include <sqlite3.h>

/* An array of objects, oldest lot first: lot, product, state ("open", "closed"; "named": attempts name it and nobody opened
 * it), planned, authorised, passed, running, units, duplicates, tries, rules (an object), opened, opened_by, closed, closed_by,
 * leaf, closed_leaf, profiles [{hash, name, version}]. What there is none of is null. `name` NULL: all lots.
 * FL_ARG: no lot of that name. */
FL_MUST enum fl_err lots_read(sqlite3 *db, const char *name, json_t **out, struct fl_why *why);

#endif
