/* SPDX-License-Identifier: Apache-2.0
 *
 * settings.h: how the station was set up, as the records have it: `config` events, one each time it differs from before.
 *
 * Thread rule: one call, one thread.
 */
#ifndef FL_STORE_SETTINGS_H
#define FL_STORE_SETTINGS_H

#include "base/json.h"

enum { SETTINGS_TEXT_MAX = 60000 }; /* of one leaf */

/* Body of the event that says that `what` ("station", ...) is `text` now; *out stays NULL where the newest record about it
 * says just that. New reference. A longer text is told by its first bytes and its SHA-256. */
FL_MUST enum fl_err settings_changed(const char *data, const char *what, const char *text, const char *operator_id, json_t **out,
                                     struct fl_why *why);

#endif
