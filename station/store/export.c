/* SPDX-License-Identifier: Apache-2.0 */
#include "store/export.h"

#include "base/hash.h"
#include "store/db.h"
#include "store/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 65536, ROW_MAX = 64 << 20 };

static enum fl_err open_reader(const char *data, struct db_reader *r, struct fl_why *why)
{
    enum fl_err err = folder_open_reader(data, true, r, why);
    /* views take records apart with JSON functions; without extensions nothing that a schema could call does harm */
    if (!err)
        err = db_exec(r->db, "PRAGMA trusted_schema = ON", why);
    return err;
}

static void add_hex(struct fl_buf *b, sqlite3_stmt *s, int c)
{
    const uint8_t *p = sqlite3_column_blob(s, c);
    char hex[3];
    for (int i = 0; i < sqlite3_column_bytes(s, c); i++) {
        fl_hex(p + i, 1, hex);
        fl_buf_adds(b, hex);
    }
}

static void add_field(struct fl_buf *b, const char *text)
{
    bool quote = strpbrk(text, ",\"\r\n") != NULL || *text == ' ';
    if (quote)
        fl_buf_addc(b, '"');
    for (; *text; text++) {
        if (*text == '"')
            fl_buf_addc(b, '"');
        fl_buf_addc(b, *text);
    }
    if (quote)
        fl_buf_addc(b, '"');
}

static void csv_value(struct fl_buf *b, sqlite3_stmt *s, int c)
{
    const char *text;
    switch (sqlite3_column_type(s, c)) {
    case SQLITE_NULL:
        break;
    case SQLITE_BLOB:
        add_hex(b, s, c);
        break;
    default:
        text = (const char *)sqlite3_column_text(s, c);
        if (text && !*text)
            fl_buf_adds(b, "\"\""); /* an empty text is no NULL */
        else
            add_field(b, text ? text : "");
    }
}

static void csv_row(struct fl_buf *b, sqlite3_stmt *s, bool header)
{
    for (int c = 0; c < sqlite3_column_count(s); c++) {
        if (c)
            fl_buf_addc(b, ',');
        if (header)
            add_field(b, sqlite3_column_name(s, c));
        else
            csv_value(b, s, c);
    }
    fl_buf_adds(b, "\r\n");
}

static json_t *json_value(sqlite3_stmt *s, int c)
{
    struct fl_buf hex = FL_BUF(ROW_MAX);
    json_t *v = NULL;
    switch (sqlite3_column_type(s, c)) {
    case SQLITE_NULL:
        return json_null();
    case SQLITE_INTEGER:
        return json_integer(sqlite3_column_int64(s, c));
    case SQLITE_FLOAT:
        return json_real(sqlite3_column_double(s, c));
    case SQLITE_BLOB:
        add_hex(&hex, s, c);
        v = fl_buf_err(&hex, NULL) ? NULL : json_string(fl_buf_text(&hex));
        fl_buf_fini(&hex);
        return v;
    default:
        return json_string((const char *)sqlite3_column_text(s, c));
    }
}

static enum fl_err json_row(struct fl_buf *b, sqlite3_stmt *s, struct fl_why *why)
{
    json_t *o = json_object();
    bool ok = o != NULL;
    for (int c = 0; ok && c < sqlite3_column_count(s); c++)
        ok = json_object_set_new(o, sqlite3_column_name(s, c), json_value(s, c)) == 0;
    if (!ok) {
        json_decref(o);
        o = NULL;
    }
    return fl_json_write(o, JSON_COMPACT | JSON_PRESERVE_ORDER, b) ? fl_fail(why, FL_NOMEM, "out of memory") : FL_OK;
}

static enum fl_err known(sqlite3 *db, const char *table, struct fl_why *why)
{
    sqlite3_stmt *s;
    enum fl_err err = db_prepare(db, "SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ?1", &s, why);
    if (err)
        return err;
    (void)sqlite3_bind_text(s, 1, table, -1, SQLITE_STATIC);
    if (sqlite3_step(s) != SQLITE_ROW)
        err = fl_fail(why, FL_ARG, "there is no table or view '%.100s'", table);
    (void)sqlite3_finalize(s);
    return err;
}

static enum fl_err all_rows(sqlite3_stmt *s, enum export_form form, enum fl_err (*write)(void *ctx, const void *bytes, size_t n),
                            void *ctx, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(ROW_MAX);
    enum fl_err err = FL_OK;
    int rc = SQLITE_ROW;
    if (form == EXPORT_CSV)
        csv_row(&b, s, true);
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        if (form == EXPORT_CSV)
            csv_row(&b, s, false);
        else
            err = json_row(&b, s, why);
        if (!err)
            err = fl_buf_err(&b, why);
        if (!err && b.len >= PIECE) {
            err = write(ctx, b.bytes, b.len);
            fl_buf_clear(&b);
        }
    }
    if (!err && rc != SQLITE_DONE)
        err = db_fail(sqlite3_db_handle(s), why, "cannot read");
    if (!err && b.len)
        err = write(ctx, b.bytes, b.len);
    fl_buf_fini(&b);
    return err;
}

enum fl_err export_table(const char *data, const char *table, enum export_form form,
                         enum fl_err (*write)(void *ctx, const void *bytes, size_t n), void *ctx, struct fl_why *why)
{
    struct db_reader r;
    sqlite3_stmt *s = NULL;
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", table);
    enum fl_err err = open_reader(data, &r, why);
    if (!err && !sql)
        err = fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = known(r.db, table, why);
    if (!err)
        err = db_prepare(r.db, sql, &s, why);
    if (!err)
        err = all_rows(s, form, write, ctx, why);
    (void)sqlite3_finalize(s);
    sqlite3_free(sql);
    db_close_reader(&r);
    return err;
}

enum fl_err export_names(const char *data, json_t **out, struct fl_why *why)
{
    struct db_reader r;
    sqlite3_stmt *s = NULL;
    json_t *list = json_array();
    *out = NULL;
    enum fl_err err = open_reader(data, &r, why);
    if (!err)
        err = db_prepare(r.db, "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite^_%' "
                               "ESCAPE '^' ORDER BY type DESC, name", &s, why);
    while (!err && sqlite3_step(s) == SQLITE_ROW)
        if (json_array_append_new(list, json_pack("{ss,ss}", "name", (const char *)sqlite3_column_text(s, 0), "type",
                                                  (const char *)sqlite3_column_text(s, 1))) != 0)
            err = fl_fail(why, FL_NOMEM, "out of memory");
    (void)sqlite3_finalize(s);
    db_close_reader(&r);
    if (err)
        json_decref(list);
    else
        *out = list;
    return err;
}
