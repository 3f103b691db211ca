/* SPDX-License-Identifier: Apache-2.0 */
#include "store/person.h"

#include "base/hash.h"
#include "store/db.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

static bool is_tag(const char *text)
{
    return text[0] == '#' && strlen(text) == PERSON_TAG - 1 && strspn(text + 1, "0123456789abcdef") == PERSON_TAG - 2;
}

static enum fl_err find(sqlite3 *db, const char *name, char tag[static PERSON_TAG], struct fl_why *why)
{
    sqlite3_stmt *s;
    enum fl_err err = db_prepare(db, "SELECT tag FROM person WHERE name = ?1", &s, why);
    if (err)
        return err;
    (void)sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        (void)snprintf(tag, PERSON_TAG, "%s", db_text(s, 0));
    else
        err = rc == SQLITE_DONE ? FL_NOT_FOUND : db_fail(db, why, "cannot look for a person");
    (void)sqlite3_finalize(s);
    return err;
}

enum fl_err person_put(sqlite3 *db, const struct person *p, struct fl_why *why)
{
    sqlite3_stmt *s;
    enum fl_err err = db_prepare(db, "INSERT INTO person (tag, name, salt) VALUES (?1, ?2, ?3) ON CONFLICT (tag) DO NOTHING", &s, why);
    if (err)
        return err;
    (void)sqlite3_bind_text(s, 1, p->tag, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(s, 2, p->name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_blob(s, 3, p->salt, sizeof p->salt, SQLITE_STATIC);
    err = db_run(s, why);
    (void)sqlite3_finalize(s);
    return err;
}

enum fl_err person_tag_of(const char *name, const uint8_t salt[static PERSON_SALT], char tag[static PERSON_TAG], struct fl_why *why)
{
    uint8_t salted[PERSON_SALT + PERSON_NAME_MAX], hash[FL_SHA256_SIZE];
    size_t n = strlen(name);
    if (n > PERSON_NAME_MAX)
        return fl_fail(why, FL_FORMAT, "the name of an operator has more than %d bytes", PERSON_NAME_MAX);
    memcpy(salted, salt, PERSON_SALT);
    memcpy(salted + PERSON_SALT, name, n);
    enum fl_err err = fl_sha256(salted, PERSON_SALT + n, hash);
    if (err)
        return fl_fail(why, err, "%s", fl_err_text(err));
    tag[0] = '#';
    fl_hex(hash, (PERSON_TAG - 2) / 2, tag + 1);
    return FL_OK;
}

static enum fl_err make(const char *name, struct person *p, struct fl_why *why)
{
    if (RAND_bytes(p->salt, sizeof p->salt) != 1)
        return fl_fail(why, FL_IO, "no random bytes to be had");
    enum fl_err err = person_tag_of(name, p->salt, p->tag, why);
    if (!err)
        memcpy(p->name, name, strlen(name) + 1);
    return err;
}

enum fl_err person_tag(sqlite3 *db, const char *name, struct person *made, char tag[static PERSON_TAG], struct fl_why *why)
{
    if (made)
        made->tag[0] = 0;
    if (is_tag(name)) {
        (void)snprintf(tag, PERSON_TAG, "%s", name);
        return FL_OK;
    }
    enum fl_err err = find(db, name, tag, why);
    if (err == FL_NOT_FOUND && !made)
        return fl_fail(why, err, "nobody is known as '%.100s'", name);
    if (err == FL_NOT_FOUND) {
        err = make(name, made, why);
        memcpy(tag, made->tag, PERSON_TAG);
    }
    return err;
}

enum fl_err person_forget(sqlite3 *db, const char *tag, struct fl_why *why)
{
    sqlite3_stmt *s;
    /* overwritten with zeroes in the file, not only unlinked */
    enum fl_err err = db_exec(db, "PRAGMA secure_delete = ON", why);
    if (!err)
        err = db_prepare(db, "DELETE FROM person WHERE tag = ?1", &s, why);
    if (err)
        return err;
    (void)sqlite3_bind_text(s, 1, tag, -1, SQLITE_STATIC);
    err = db_run(s, why);
    (void)sqlite3_finalize(s);
    return err;
}
