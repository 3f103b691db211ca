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
        text = db_text(s, c);
        if (!*text)
            fl_buf_adds(b, "\"\""); /* an empty text is no NULL */
        else
            add_field(b, text);
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
        return json_string(db_text(s, c));
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

/* ---- SQL -------------------------------------------------------------------------------------------------- */

static void add_quoted(struct fl_buf *b, const char *text, char mark)
{
    fl_buf_addc(b, mark);
    for (; *text; text++) {
        if (*text == mark)
            fl_buf_addc(b, mark);
        fl_buf_addc(b, *text);
    }
    fl_buf_addc(b, mark);
}

static void sql_value(struct fl_buf *b, sqlite3_stmt *s, int c)
{
    switch (sqlite3_column_type(s, c)) {
    case SQLITE_NULL:
        fl_buf_adds(b, "NULL");
        return;
    case SQLITE_INTEGER:
        fl_buf_addf(b, "%lld", (long long)sqlite3_column_int64(s, c));
        return;
    case SQLITE_FLOAT:
        fl_buf_addf(b, "%.17g", sqlite3_column_double(s, c));
        return;
    case SQLITE_BLOB:
        fl_buf_adds(b, "x'");
        add_hex(b, s, c);
        fl_buf_addc(b, '\'');
        return;
    default:
        add_quoted(b, db_text(s, c), '\'');
    }
}

static void sql_row(struct fl_buf *b, sqlite3_stmt *s, const char *table)
{
    fl_buf_adds(b, "INSERT INTO ");
    add_quoted(b, table, '"');
    for (int c = 0; c < sqlite3_column_count(s); c++) {
        fl_buf_adds(b, c ? "," : " VALUES(");
        sql_value(b, s, c);
    }
    fl_buf_adds(b, ");\n");
}

/* A table as it was made; what a view shows becomes a table with its columns. */
static enum fl_err sql_create(sqlite3 *db, const char *table, sqlite3_stmt *rows, struct fl_buf *b, struct fl_why *why)
{
    sqlite3_stmt *s;
    enum fl_err err = db_prepare(db, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1", &s, why);
    if (err)
        return err;
    (void)sqlite3_bind_text(s, 1, table, -1, SQLITE_STATIC);
    if (sqlite3_step(s) == SQLITE_ROW) {
        fl_buf_adds(b, db_text(s, 0));
    } else {
        fl_buf_adds(b, "CREATE TABLE ");
        add_quoted(b, table, '"');
        for (int c = 0; c < sqlite3_column_count(rows); c++) {
            fl_buf_adds(b, c ? ", " : " (");
            add_quoted(b, sqlite3_column_name(rows, c), '"');
        }
        fl_buf_addc(b, ')');
    }
    fl_buf_adds(b, ";\n");
    (void)sqlite3_finalize(s);
    return FL_OK;
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

struct writing {
    enum export_form form;
    enum fl_err (*write)(void *ctx, const void *bytes, size_t n);
    void *ctx;
    struct fl_buf b;
};

static enum fl_err flush(struct writing *w, size_t least, struct fl_why *why)
{
    enum fl_err err = fl_buf_err(&w->b, why);
    if (!err && w->b.len && w->b.len >= least) {
        err = w->write(w->ctx, w->b.bytes, w->b.len);
        fl_buf_clear(&w->b);
    }
    return err;
}

static enum fl_err one_row(struct writing *w, sqlite3_stmt *s, const char *table, struct fl_why *why)
{
    if (w->form == EXPORT_JSON)
        return json_row(&w->b, s, why);
    if (w->form == EXPORT_CSV)
        csv_row(&w->b, s, false);
    else
        sql_row(&w->b, s, table);
    return FL_OK;
}

static enum fl_err all_rows(sqlite3 *db, const char *table, struct writing *w, struct fl_why *why)
{
    sqlite3_stmt *s = NULL;
    int rc = SQLITE_ROW;
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", table);
    enum fl_err err = sql ? db_prepare(db, sql, &s, why) : fl_fail(why, FL_NOMEM, "out of memory");
    sqlite3_free(sql);
    if (!err && w->form == EXPORT_CSV)
        csv_row(&w->b, s, true);
    if (!err && w->form == EXPORT_SQL)
        err = sql_create(db, table, s, &w->b, why);
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        err = one_row(w, s, table, why);
        if (!err)
            err = flush(w, PIECE, why);
    }
    if (!err && rc != SQLITE_DONE)
        err = db_fail(db, why, "cannot read");
    (void)sqlite3_finalize(s);
    return err;
}

enum fl_err export_table(const char *data, const char *table, enum export_form form,
                         enum fl_err (*write)(void *ctx, const void *bytes, size_t n), void *ctx, struct fl_why *why)
{
    struct db_reader r;
    struct writing w = {form, write, ctx, FL_BUF(ROW_MAX)};
    enum fl_err err = open_reader(data, &r, why);
    if (!err)
        err = known(r.db, table, why);
    if (!err && form == EXPORT_SQL)
        fl_buf_adds(&w.b, "BEGIN;\n");
    if (!err)
        err = all_rows(r.db, table, &w, why);
    if (!err && form == EXPORT_SQL)
        fl_buf_adds(&w.b, "COMMIT;\n");
    if (!err)
        err = flush(&w, 0, why);
    fl_buf_fini(&w.b);
    db_close_reader(&r);
    return err;
}

/* ---- the whole database ------------------------------------------------------------------------------------- */

/* Tables in the order in which they were made: those they refer to come first. */
static enum fl_err all_tables(sqlite3 *db, struct writing *w, struct fl_why *why)
{
    sqlite3_stmt *s;
    int rc = SQLITE_DONE;
    enum fl_err err = db_prepare(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite^_%' ESCAPE '^' ORDER BY rowid",
                                 &s, why);
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW)
        err = all_rows(db, db_text(s, 0), w, why);
    if (!err && rc != SQLITE_DONE)
        err = db_fail(db, why, "cannot read");
    (void)sqlite3_finalize(s);
    return err;
}

/* Triggers come last: they would refuse rows that are put in, or count them a second time. */
static enum fl_err the_rest(sqlite3 *db, struct writing *w, struct fl_why *why)
{
    sqlite3_stmt *s;
    int rc = SQLITE_DONE;
    enum fl_err err = db_prepare(db, "SELECT sql FROM sqlite_schema WHERE type <> 'table' AND sql NOT NULL ORDER BY type = 'trigger', rowid", &s, why);
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW)
        fl_buf_addf(&w->b, "%s;\n", db_text(s, 0));
    if (!err && rc != SQLITE_DONE)
        err = db_fail(db, why, "cannot read");
    (void)sqlite3_finalize(s);
    return err;
}

enum fl_err export_database(const char *data, enum fl_err (*write)(void *ctx, const void *bytes, size_t n), void *ctx, struct fl_why *why)
{
    struct db_reader r;
    struct writing w = {EXPORT_SQL, write, ctx, FL_BUF(ROW_MAX)};
    enum fl_err err = open_reader(data, &r, why);
    if (!err) /* one moment's state of all tables */
        err = db_exec(r.db, "BEGIN", why);
    fl_buf_addf(&w.b, "PRAGMA foreign_keys = OFF;\nBEGIN;\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;\n", DB_APPLICATION_ID, db_newest());
    if (!err)
        err = all_tables(r.db, &w, why);
    if (!err)
        err = the_rest(r.db, &w, why);
    fl_buf_adds(&w.b, "COMMIT;\n");
    if (!err)
        err = flush(&w, 0, why);
    fl_buf_fini(&w.b);
    db_close_reader(&r);
    return err;
}

enum fl_err export_names(const char *data, json_t **out, struct fl_why *why)
{
    struct db_reader r;
    sqlite3_stmt *s = NULL;
    int rc = SQLITE_DONE;
    json_t *list = json_array();
    *out = NULL;
    enum fl_err err = open_reader(data, &r, why);
    if (!err)
        err = db_prepare(r.db, "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite^_%' "
                               "ESCAPE '^' ORDER BY type DESC, name", &s, why);
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW)
        if (json_array_append_new(list, json_pack("{ss,ss}", "name", db_text(s, 0), "type",
                                                  db_text(s, 1))) != 0)
            err = fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && rc != SQLITE_DONE)
        err = db_fail(r.db, why, "cannot read the schema");
    (void)sqlite3_finalize(s);
    db_close_reader(&r);
    if (err)
        json_decref(list);
    else
        *out = list;
    return err;
}
