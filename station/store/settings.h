/* SPDX-License-Identifier: Apache-2.0
 *
 * settings.h: how the station was set up, as the records have it: `config` events, one each time it differs from before.
 *
 * Thread rule: as the database connection.
 */
#ifndef FL_STORE_SETTINGS_H
#define FL_STORE_SETTINGS_H

#include "base/json.h"
#include "store/folder.h"

#include <sqlite3.h>

enum { SETTINGS_TEXT_MAX = 60000 }; /* of one leaf */

/* Body of the event that says that `what` ("station", ...) is `text` now; *out stays NULL where the newest record about it
 * says just that. New reference. A longer text is told by its first bytes and its SHA-256. */
FL_MUST enum fl_err settings_changed(sqlite3 *db, const char *what, const char *text, const char *operator_id, json_t **out,
                                     struct fl_why *why);

/* The folder's file `policy` as a record holds it (audit/policy_told.h); "" where there is none. Added to `out`. */
FL_MUST enum fl_err settings_policy(const struct folder *f, struct fl_buf *out, struct fl_why *why);
/* The newest that the log says; *told false: it says nothing, being of an older program. Added to `out`. */
FL_MUST enum fl_err settings_policy_told(sqlite3 *db, struct fl_buf *out, bool *told, struct fl_why *why);
/* Body of the event that says that it is another now than the log says; *out NULL: it is not. */
FL_MUST enum fl_err settings_policy_changed(sqlite3 *db, const struct folder *f, json_t **out, struct fl_why *why);

#endif
