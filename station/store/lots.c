/* SPDX-License-Identifier: Apache-2.0 */
#include "store/lots.h"

#include "store/db.h"

#include <string.h>

static const char lots_sql[] =
    "SELECT lot, product, state, planned, authorised, passed, running, (SELECT count(*) FROM unit_lot u WHERE u.lot = lot_view.id) "
    "AS units, duplicates, tries, rules, opened, opened_by, closed, closed_by, leaf, closed_leaf, id "
    "FROM lot_view WHERE ?1 IS NULL OR lot = ?1 ORDER BY id";
static const char profiles_sql[] = "SELECT lower(hex(p.hash)) AS hash, p.name, p.version FROM lot_profile l "
                                   "JOIN profile p ON p.id = l.profile WHERE l.lot = ?1 ORDER BY p.id";

static json_t *value(sqlite3_stmt *s, int c)
{
    const char *text = db_text(s, c);
    json_t *v = NULL;
    if (sqlite3_column_type(s, c) == SQLITE_NULL)
        return json_null();
    if (sqlite3_column_type(s, c) == SQLITE_INTEGER)
        return json_integer(sqlite3_column_int64(s, c));
    if (strcmp(sqlite3_column_name(s, c), "rules") == 0 && fl_json_parse(text, strlen(text), &v, NULL) == FL_OK)
        return v;
    return json_string(text);
}

/* All columns of the row. NULL: no memory. */
static json_t *row(sqlite3_stmt *s)
{
    json_t *o = json_object();
    for (int c = 0; o && c < sqlite3_column_count(s); c++)
        if (json_object_set_new(o, sqlite3_column_name(s, c), value(s, c)) != 0) {
            json_decref(o);
            o = NULL;
        }
    return o;
}

static enum fl_err rows(sqlite3_stmt *s, json_t *list, struct fl_why *why)
{
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW)
        if (json_array_append_new(list, row(s)) != 0)
            return fl_fail(why, FL_NOMEM, "out of memory");
    return rc == SQLITE_DONE ? FL_OK : db_fail(sqlite3_db_handle(s), why, "cannot read the lots");
}

static enum fl_err add_profiles(sqlite3 *db, json_t *lot, struct fl_why *why)
{
    sqlite3_stmt *s;
    json_t *list = json_array();
    enum fl_err err = db_prepare(db, profiles_sql, &s, why);
    if (!err) {
        (void)sqlite3_bind_int64(s, 1, fl_json_int(lot, "id", 0));
        err = rows(s, list, why);
    }
    (void)sqlite3_finalize(s);
    (void)json_object_del(lot, "id");
    return json_object_set_new(lot, "profiles", list) != 0 ? fl_fail(why, FL_NOMEM, "out of memory") : err;
}

static enum fl_err read_lots(sqlite3 *db, const char *name, json_t *list, struct fl_why *why)
{
    sqlite3_stmt *s;
    enum fl_err err = db_prepare(db, lots_sql, &s, why);
    if (err)
        return err;
    if (name)
        (void)sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    err = rows(s, list, why);
    (void)sqlite3_finalize(s);
    for (size_t i = 0; i < json_array_size(list) && !err; i++)
        err = add_profiles(db, json_array_get(list, i), why);
    if (!err && name && json_array_size(list) == 0)
        err = fl_fail(why, FL_ARG, "there is no lot %.100s", name);
    return err;
}

enum fl_err lots_read(sqlite3 *db, const char *name, json_t **out, struct fl_why *why)
{
    json_t *list = json_array();
    *out = NULL;
    enum fl_err err = list ? read_lots(db, name, list, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (err)
        json_decref(list);
    else
        *out = list;
    return err;
}
