/* SPDX-License-Identifier: Apache-2.0 */
#include "rows/rows.h"

#include "rows/project.h"
#include "store/db.h"
#include "store/shapes.h"

#include <stdio.h>

enum fl_err rows_project(sqlite3 *from, sqlite3 *to, int64_t *stopped, struct fl_why *why)
{
    struct projector *p = NULL;
    struct shapes *shapes = NULL;
    sqlite3_stmt *s = NULL;
    int rc = SQLITE_ROW;
    *stopped = -1;
    enum fl_err err = projector_new(to, from, &p, why);
    if (!err)
        err = shapes_new(from, &shapes, why);
    if (!err)
        err = db_prepare(from, "SELECT idx, rec, job FROM leaf ORDER BY idx", &s, why);
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        json_t *leaf = NULL;
        *stopped = sqlite3_column_int64(s, 0);
        const struct beside beside = {.job = sqlite3_column_blob(s, 2), .job_n = (size_t)sqlite3_column_bytes(s, 2)};
        const uint8_t *rec;
        size_t n;
        err = shapes_load(shapes, *stopped, sqlite3_column_blob(s, 1), (size_t)sqlite3_column_bytes(s, 1), &beside, &rec, &n, why);
        if (!err)
            err = fl_json_parse(rec, n, &leaf, why);
        if (!err)
            err = projector_leaf(p, *stopped, leaf, why);
        json_decref(leaf);
    }
    if (!err && rc != SQLITE_DONE)
        err = db_fail(from, why, "cannot read the leaves");
    (void)sqlite3_finalize(s);
    shapes_free(shapes);
    projector_free(p);
    return err;
}

/* Tables refer to those in front of them: emptied from the end. */
static enum fl_err empty_from(sqlite3 *db, const struct projected_table *t, struct fl_why *why)
{
    char sql[120];
    if (!t->name)
        return FL_OK;
    enum fl_err err = empty_from(db, t + 1, why);
    (void)snprintf(sql, sizeof sql, "DELETE FROM %s%s%s%s", t->name, t->seeds ? " WHERE NOT (" : "", t->seeds ? t->seeds : "",
                   t->seeds ? ")" : "");
    return err ? err : db_exec(db, sql, why);
}

enum fl_err rows_renew(sqlite3 *db, int64_t *stopped, struct fl_why *why)
{
    *stopped = -1;
    enum fl_err err = empty_from(db, projected_tables, why);
    return err ? err : rows_project(db, db, stopped, why);
}
