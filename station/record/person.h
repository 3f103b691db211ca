/* SPDX-License-Identifier: Apache-2.0
 *
 * person.h: names of people stay out of the log. A leaf holds a tag,
 *
 *   '#' and the first 16 bytes of SHA-256(salt, name) as hex
 *
 * and the table `person` the salt, 16 random bytes, and the name. When that row is gone the tag leads to nobody any
 * more, not even for somebody who tries all names.
 *
 * Thread rule: as the connection; inside the recorder's transaction.
 */
#ifndef FL_RECORD_PERSON_H
#define FL_RECORD_PERSON_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>

enum { PERSON_TAG = 34 };

bool person_is_tag(const char *text);
/* The tag of this name; a new one for a new name, with `create`. A tag is its own tag. FL_NOT_FOUND: nobody. */
FL_MUST enum fl_err person_tag(sqlite3 *db, const char *name, bool create, char tag[static PERSON_TAG], struct fl_why *why);
FL_MUST enum fl_err person_forget(sqlite3 *db, const char *tag, struct fl_why *why);

#endif
