/* SPDX-License-Identifier: Apache-2.0 */
#include "record/migrate.h"

#include "base/embedded.h"
#include "record/db.h"
#include "record/rows.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static int version_of(const struct fl_embedded *f)
{
    return atoi(f->name); /* "001_log.sql" */
}

int db_newest(void)
{
    int v = 0;
    for (const struct fl_embedded *f = fl_embedded_db; f->name; f++) {
        assert(version_of(f) == v + 1); /* 001, 002, ... without holes */
        v = version_of(f);
    }
    return v;
}

enum fl_err db_check_version(sqlite3 *db, struct fl_why *why)
{
    int64_t have, want = db_newest(), id;
    const char *path = sqlite3_db_filename(db, "main");
    enum fl_err err = db_int(db, "PRAGMA user_version", 0, &have, why);
    if (!err)
        err = db_int(db, "PRAGMA application_id", 0, &id, why);
    if (!err && id != DB_APPLICATION_ID)
        err = fl_fail(why, FL_MISMATCH, "%.250s is not a station's database", path);
    if (!err && have != want)
        err = fl_fail(why, FL_UNSUPPORTED, "%.200s has schema %d, this flashline reads %d: %s", path, (int)have, (int)want,
                      have < want ? "start the station once, that brings it up to date" : "use the newer flashline");
    return err;
}

enum fl_err migrate_schema(sqlite3 *db, int from, int to, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    char sql[60];
    for (const struct fl_embedded *f = fl_embedded_db; f->name && !err; f++)
        if (version_of(f) > from && version_of(f) <= to) {
            err = db_exec(db, (const char *)f->bytes, why);
            if (err)
                err = fl_why_wrap(why, err, "%s: ", f->name);
        }
    (void)snprintf(sql, sizeof sql, "PRAGMA user_version = %d", to);
    return err ? err : db_exec(db, sql, why);
}

static enum fl_err keep_copy(sqlite3 *db, const char *path, int version, struct fl_why *why)
{
    char *sql = sqlite3_mprintf("VACUUM INTO '%q.v%d.bak'", path, version);
    if (!sql)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = db_exec(db, sql, why);
    sqlite3_free(sql);
    return err;
}

/* A newer program's rows say more of the same leaves. */
static enum fl_err rows_again(sqlite3 *db, struct fl_why *why)
{
    int64_t leaf;
    enum fl_err err = rows_renew(db, &leaf, why);
    return err && leaf >= 0 ? fl_why_wrap(why, err, "record %lld: ", (long long)leaf) : err;
}

enum fl_err migrate_to_newest(sqlite3 *db, const char *path, struct fl_why *why)
{
    int64_t have, id, newest = db_newest();
    enum fl_err err = db_int(db, "PRAGMA user_version", 0, &have, why);
    if (!err)
        err = db_int(db, "PRAGMA application_id", 0, &id, why);
    if (err)
        return err;
    if (have > newest)
        return fl_fail(why, FL_UNSUPPORTED,
                       "%.200s was made by a newer flashline (schema %d, this one knows %d): install that one", path,
                       (int)have, (int)newest);
    if (have > 0 && id != DB_APPLICATION_ID)
        return fl_fail(why, FL_MISMATCH, "%.200s is a database of another program", path);
    if (have == newest)
        return FL_OK;
    if (have > 0)
        err = keep_copy(db, path, (int)have, why);
    if (!err)
        err = db_exec(db, "BEGIN IMMEDIATE", why);
    if (err)
        return err;
    err = migrate_schema(db, (int)have, (int)newest, why);
    if (!err && have > 0)
        err = rows_again(db, why);
    if (!err)
        err = db_exec(db, "COMMIT", why);
    if (err)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* nothing to undo is fine */
    return err;
}
