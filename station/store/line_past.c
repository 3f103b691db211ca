/* SPDX-License-Identifier: Apache-2.0 */
#include "store/line_past.h"

#include "store/db.h"
#include "store/folder.h"
#include "store/outbox_told.h"
#include "store/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char past_sql[] =
    "SELECT a.leaf, 0, s.slot, o.name, coalesce(f.text, ''), a.unit, '' FROM attempt a JOIN lot l ON l.id = a.lot "
    "JOIN slot s ON s.id = a.slot JOIN outcome o ON o.id = a.outcome LEFT JOIN word f ON f.id = a.fault "
    "WHERE l.name = ?1 AND a.purpose IS NULL "
    "UNION ALL SELECT leaf, 1, coalesce(slot, 0), '', rule, NULL, why FROM line_stop "
    "UNION ALL SELECT reopened, 2, coalesce(slot, 0), '', '', NULL, '' FROM line_stop WHERE reopened IS NOT NULL ORDER BY 1, 2";

static const char serials_sql[] = "SELECT s.serial, s.state, s.unit, l.name FROM serial s JOIN lot l ON l.id = s.lot ORDER BY s.id";

static bool mac_in(sqlite3_stmt *s, int column, uint8_t mac[static 6])
{
    int64_t v = sqlite3_column_int64(s, column);
    for (int i = 5; i >= 0; i--, v >>= 8)
        mac[i] = (uint8_t)(v & 0xff);
    return sqlite3_column_type(s, column) != SQLITE_NULL;
}

typedef void (*row_fn)(sqlite3_stmt *s, const void *each, void *ctx);

static enum fl_err read_rows(sqlite3 *db, const char *sql, const char *bound, int64_t number, row_fn row, const void *each, void *ctx,
                             struct fl_why *why)
{
    sqlite3_stmt *s;
    int rc = SQLITE_DONE;
    enum fl_err err = db_prepare(db, sql, &s, why);
    if (!err && bound)
        (void)sqlite3_bind_text(s, 1, bound, -1, SQLITE_STATIC);
    else if (!err && sqlite3_bind_parameter_count(s))
        (void)sqlite3_bind_int64(s, 1, number);
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW)
        row(s, each, ctx);
    if (!err && rc != SQLITE_DONE)
        err = db_fail(db, why, "cannot read what was recorded of the line");
    (void)sqlite3_finalize(s);
    return err;
}

/* The same for who asks once. */
static enum fl_err read_folder(const char *data, const char *sql, int64_t number, row_fn row, void *ctx, struct fl_why *why)
{
    struct db_reader reader;
    enum fl_err err = folder_open_reader(data, true, &reader, why);
    if (!err)
        err = read_rows(reader.db, sql, NULL, number, row, NULL, ctx, why);
    db_close_reader(&reader);
    return err;
}

struct past_call {
    void (*each)(void *ctx, const struct line_past *p);
};

static void past_row(sqlite3_stmt *s, const void *each, void *ctx)
{
    struct line_past p = {.kind = (enum line_past_kind)sqlite3_column_int(s, 1), .slot = sqlite3_column_int(s, 2),
                          .fault = db_text(s, 4), .why = db_text(s, 6)};
    if (p.kind == LINE_PAST_ATTEMPT && !outcome_parse(db_text(s, 3), &p.outcome))
        return;
    p.has_mac = mac_in(s, 5, p.mac);
    ((const struct past_call *)each)->each(ctx, &p);
}

enum fl_err line_past_read(sqlite3 *db, const char *lot, void (*each)(void *ctx, const struct line_past *p), void *ctx,
                           struct fl_why *why)
{
    const struct past_call call = {each};
    return read_rows(db, past_sql, lot, 0, past_row, &call, ctx, why);
}

struct serial_call {
    void (*each)(void *ctx, const struct line_past_serial *p);
};

static void serial_row(sqlite3_stmt *s, const void *each, void *ctx)
{
    struct line_past_serial p = {.serial = db_text(s, 0), .confirmed = strcmp(db_text(s, 1), "confirmed") == 0,
                                 .returned = strcmp(db_text(s, 1), "returned") == 0, .lot = db_text(s, 3)};
    p.has_mac = mac_in(s, 2, p.mac);
    ((const struct serial_call *)each)->each(ctx, &p);
}

enum fl_err line_past_serials(sqlite3 *db, void (*each)(void *ctx, const struct line_past_serial *p), void *ctx,
                              struct fl_why *why)
{
    const struct serial_call call = {each};
    return read_rows(db, serials_sql, NULL, 0, serial_row, &call, ctx, why);
}

/* ---- labels ------------------------------------------------------------------------------------------------- */

static const char attempt_sql[] = "SELECT mac, serial, lot FROM attempt_view WHERE leaf = ?1";
static const char label_sql[] = "SELECT b.target, b.payload, b.leaf, b.job FROM outbox b JOIN attempt a ON a.leaf = b.leaf "
                                "WHERE b.kind = 'label' AND a.unit = ?1 ORDER BY b.id DESC LIMIT 1";

static void attempt_row(sqlite3_stmt *s, const void *each, void *ctx)
{
    static const char *const names[] = {"mac", "serial", "lot"};
    json_t **out = ctx;
    (void)each;
    *out = json_object();
    for (int i = 0; i < 3 && *out; i++)
        if (*db_text(s, i) && json_object_set_new(*out, names[i], json_string(db_text(s, i))) != 0) {
            json_decref(*out);
            *out = NULL;
        }
}

enum fl_err line_past_attempt(const char *data, int64_t leaf, json_t **out, struct fl_why *why)
{
    *out = NULL;
    enum fl_err err = read_folder(data, attempt_sql, leaf, attempt_row, out, why);
    return !err && !*out ? fl_fail(why, FL_ARG, "no attempt ended with leaf %lld", (long long)leaf) : err;
}

struct label_call {
    struct line_past_label *out;
    enum fl_err err;
    struct fl_why *why;
};

static void label_row(sqlite3_stmt *s, const void *each, void *ctx)
{
    struct label_call *c = ctx;
    struct line_past_label *out = c->out;
    (void)each;
    (void)snprintf(out->printer, sizeof out->printer, "%s", db_text(s, 0));
    out->n = (size_t)sqlite3_column_bytes(s, 1);
    out->attempt = sqlite3_column_int64(s, 2);
    out->bytes = malloc(out->n + 1);
    if (!out->bytes) {
        c->err = fl_fail(c->why, FL_NOMEM, "out of memory");
        return;
    }
    if (out->n)
        memcpy(out->bytes, sqlite3_column_blob(s, 1), out->n);
    struct shapes *shapes;
    c->err = shapes_new(sqlite3_db_handle(s), &shapes, c->why);
    if (c->err)
        return;
    c->err = outbox_told(shapes, out->attempt, "label", out->printer, db_text(s, 3), sqlite3_column_blob(s, 1), out->n, c->why);
    shapes_free(shapes);
}

enum fl_err line_past_label(const char *data, const uint8_t mac[static 6], struct line_past_label *out, struct fl_why *why)
{
    int64_t unit = 0;
    for (int i = 0; i < 6; i++)
        unit = unit << 8 | mac[i];
    struct label_call c = {out, FL_OK, why};
    memset(out, 0, sizeof *out);
    enum fl_err err = read_folder(data, label_sql, unit, label_row, &c, why);
    if (!err && c.err)
        return c.err;
    return !err && !out->bytes ? fl_fail(why, FL_ARG, "no label was ever made for this unit") : err;
}

static void count_row(sqlite3_stmt *s, const void *each, void *ctx)
{
    (void)each;
    *(unsigned *)ctx = (unsigned)sqlite3_column_int(s, 0);
}

static const char stuck_sql[] =
    "SELECT kind, target, sum(state = 0), sum(state = 2), why, max(id) FROM outbox "
    "WHERE id IN (SELECT id FROM outbox WHERE state = 0 AND tries > 0 UNION "
    "             SELECT id FROM outbox WHERE state = 2 AND id > (SELECT max(id) FROM outbox) - 1000) GROUP BY kind, target";

static void stuck_row(sqlite3_stmt *s, const void *each, void *ctx)
{
    (void)each;
    (void)json_array_append_new(ctx, json_pack("{ss ss sI sI ss}", "kind", db_text(s, 0), "target", db_text(s, 1), "waiting",
                                               (json_int_t)sqlite3_column_int64(s, 2), "given_up",
                                               (json_int_t)sqlite3_column_int64(s, 3), "why", db_text(s, 4)));
}

enum fl_err line_past_stuck(const char *data, json_t **out, struct fl_why *why)
{
    *out = json_array();
    if (!*out)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = read_folder(data, stuck_sql, 0, stuck_row, *out, why);
    if (err) {
        json_decref(*out);
        *out = NULL;
    }
    return err;
}

enum fl_err line_past_labels_untried(const char *data, unsigned *n, struct fl_why *why)
{
    *n = 0;
    return read_folder(data, "SELECT count(*) FROM outbox WHERE kind = 'label' AND state = 0 AND tries = 0", 0, count_row, n, why);
}

enum fl_err line_past_label_waits(const char *data, int64_t leaf, bool *waits, struct fl_why *why)
{
    unsigned n = 0;
    enum fl_err err = read_folder(data, "SELECT count(*) FROM outbox WHERE leaf = ?1 AND kind = 'label' AND state = 0", leaf,
                                  count_row, &n, why);
    *waits = n > 0;
    return err;
}

enum fl_err line_past_label_printed(const char *data, int64_t leaf, bool *printed, struct fl_why *why)
{
    unsigned n = 0;
    enum fl_err err = read_folder(data, "SELECT count(*) FROM label WHERE attempt = ?1 AND state = 'printed'", leaf, count_row, &n, why);
    *printed = n > 0;
    return err;
}
