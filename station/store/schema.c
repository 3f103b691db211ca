/* SPDX-License-Identifier: Apache-2.0
 *
 * The schema as it was embedded at build: db/NNN_*.sql, in order. */
#include "store/db.h"

#include "base/embedded.h"

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

enum fl_err db_apply_schema(sqlite3 *db, int from, int to, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    char sql[60];
    const struct fl_embedded *at_once = from == 0 && to == db_newest() ? fl_embedded_find(fl_embedded_schema, "newest.sql") : NULL;
    if (at_once) /* the same in a fifth of the time; record/t_migrate holds them against each other */
        err = db_exec(db, (const char *)at_once->bytes, why);
    for (const struct fl_embedded *f = fl_embedded_db; f->name && !err && !at_once; f++)
        if (version_of(f) > from && version_of(f) <= to) {
            err = db_exec(db, (const char *)f->bytes, why);
            if (err)
                err = fl_why_wrap(why, err, "%s: ", f->name);
        }
    (void)snprintf(sql, sizeof sql, "PRAGMA user_version = %d", to);
    return err ? err : db_exec(db, sql, why);
}
