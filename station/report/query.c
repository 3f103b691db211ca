/* SPDX-License-Identifier: Apache-2.0 */
#include "report/query.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum fl_err report_open(const char *data, struct report **out, struct fl_why *why)
{
    struct report *r = calloc(1, sizeof *r);
    char *path = fl_path_join(data, "flashline.db");
    *out = NULL;
    if (r)
        r->data = strdup(data);
    enum fl_err err = r && path && r->data ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && !fl_path_exists(path))
        err = fl_fail(why, FL_NOT_FOUND, "there is no station in %.300s", data);
    if (!err)
        err = db_open_reader(path, false, &r->reader, why);
    if (!err)
        err = db_check_version(r->reader.db, why); /* reports know the tables of exactly one */
    /* the views take records apart with JSON functions, which SQLite does not call from a schema it does not trust. This
     * schema may have been tampered with, but without loadable extensions nothing it could call does harm. */
    if (!err)
        err = db_exec(r->reader.db, "PRAGMA trusted_schema = ON", why);
    if (!err) /* one snapshot: the parts of a report agree with each other */
        err = db_exec(r->reader.db, "BEGIN", why);
    free(path);
    if (err)
        report_close(r);
    else
        *out = r;
    return err;
}

void report_close(struct report *r)
{
    if (!r)
        return;
    db_close_reader(&r->reader);
    free(r->data);
    free(r);
}

const char *query_text(sqlite3_stmt *s, int column)
{
    return (const char *)sqlite3_column_text(s, column);
}

enum fl_err query_each(struct report *r, const char *sql, enum fl_err (*row)(void *ctx, sqlite3_stmt *s), void *ctx,
                       struct fl_why *why)
{
    sqlite3_stmt *s;
    int rc = SQLITE_DONE;
    enum fl_err err = db_prepare(r->reader.db, sql, &s, why);
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        err = row(ctx, s);
        if (err)
            (void)fl_fail(why, err, "%s", fl_err_text(err));
    }
    if (!err && rc != SQLITE_DONE)
        err = db_fail(r->reader.db, why, "cannot read");
    (void)sqlite3_finalize(s);
    return err;
}

enum fl_err query_find(struct report *r, const char *sql, const char *text, int64_t *out, struct fl_why *why)
{
    sqlite3_stmt *s;
    enum fl_err err = db_prepare(r->reader.db, sql, &s, why);
    if (err)
        return err;
    (void)sqlite3_bind_text(s, 1, text, -1, SQLITE_STATIC);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(s, 0);
    else
        err = rc == SQLITE_DONE ? FL_NOT_FOUND : db_fail(r->reader.db, why, "cannot read");
    (void)sqlite3_finalize(s);
    return err;
}
