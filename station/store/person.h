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
#ifndef FL_STORE_PERSON_H
#define FL_STORE_PERSON_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { PERSON_TAG = 34, PERSON_SALT = 16, PERSON_NAME_MAX = 200 };

/* A row of the table. */
struct person {
    char tag[PERSON_TAG], name[PERSON_NAME_MAX + 1];
    uint8_t salt[PERSON_SALT];
};

/* The tag of this name. A tag is its own tag. A new name: FL_NOT_FOUND, or with `made` a new tag, and *made is the row to be
 * written with the record that tells it (else its tag is empty). */
FL_MUST enum fl_err person_tag(sqlite3 *db, const char *name, struct person *made, char tag[static PERSON_TAG], struct fl_why *why);
/* The tag that this name and salt make. FL_FORMAT: the name is too long. */
FL_MUST enum fl_err person_tag_of(const char *name, const uint8_t salt[static PERSON_SALT], char tag[static PERSON_TAG], struct fl_why *why);
/* Write a row; one that is there already stays. */
FL_MUST enum fl_err person_put(sqlite3 *db, const struct person *p, struct fl_why *why);
FL_MUST enum fl_err person_forget(sqlite3 *db, const char *tag, struct fl_why *why);

#endif
