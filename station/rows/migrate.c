/* SPDX-License-Identifier: Apache-2.0 */
#include "rows/migrate.h"

#include "base/file.h"
#include "rows/rows.h"
#include "store/db.h"

static enum fl_err keep_copy(sqlite3 *db, const char *path, int version, struct fl_why *why)
{
    char *to = sqlite3_mprintf("%s.v%d.bak", path, version), *part = sqlite3_mprintf("%s.part", to);
    enum fl_err err = to && part ? db_copy(db, part, why) : fl_fail(why, FL_NOMEM, "out of memory");
    /* one that is there is of a migration that a crash cut off behind this: it is as good, and replaced */
    if (!err)
        err = fl_file_move(part, to, why);
    sqlite3_free(to);
    sqlite3_free(part);
    return err;
}

/* A newer program's rows say more of the same leaves. */
static enum fl_err rows_again(sqlite3 *db, struct fl_why *why)
{
    int64_t leaf;
    enum fl_err err = rows_renew(db, &leaf, why);
    return err && leaf >= 0 ? fl_why_wrap(why, err, "record %lld: ", (long long)leaf) : err;
}

/* What migrations change is not there, or is another: somebody worked on the schema. The records are enough to make it anew. */
static enum fl_err wrong_schema(sqlite3 *db, enum fl_err err, struct fl_why *why)
{
    int code = sqlite3_errcode(db);
    return code == SQLITE_ERROR || code == SQLITE_CONSTRAINT
               ? fl_why_wrap(why, err, "its schema is not as it was made: flashline db rebuild makes it anew from the records: ")
               : err;
}

enum fl_err migrate_to_newest(sqlite3 *db, const char *path, struct fl_why *why)
{
    int64_t have, newest = db_newest();
    enum fl_err err = db_int(db, "PRAGMA user_version", 0, &have, why);
    if (err || have == newest) /* newer, or of another program: db_open_writer let none of those through */
        return err;
    if (have > 0)
        err = keep_copy(db, path, (int)have, why);
    if (!err)
        err = db_exec(db, "BEGIN IMMEDIATE", why);
    if (err)
        return err;
    err = db_apply_schema(db, (int)have, (int)newest, why);
    if (err && have > 0)
        err = wrong_schema(db, err, why);
    if (!err && have > 0)
        err = rows_again(db, why);
    if (!err)
        err = db_exec(db, "COMMIT", why);
    if (err)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* nothing to undo is fine */
    return err;
}
