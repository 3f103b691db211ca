/* SPDX-License-Identifier: Apache-2.0 */
#include "prove/check_outbox.h"

#include "store/db.h"
#include "store/outbox_told.h"
#include "store/shapes.h"

#include <stdlib.h>
#include <string.h>

enum { OUTBOX_FINDINGS_MAX = 4 };

static const char parcels_sql[] = "SELECT o.id, o.kind, o.target, o.leaf, o.payload, c.root, o.job FROM outbox o "
                                  "LEFT JOIN checkpoint c ON o.job = 'head:' || c.size ORDER BY o.id";

/* The head of the size that its job names, signed by a key that this log had. */
static enum fl_err head_is_ours(sqlite3_stmt *s, const struct vkey *keys, const struct check_result *out, bool *ours)
{
    struct checkpoint head;
    const struct audit_report *r = &out->report;
    const void *note = sqlite3_column_blob(s, 4), *root = sqlite3_column_blob(s, 5);
    enum fl_err err = checkpoint_open(note ? note : "", (size_t)sqlite3_column_bytes(s, 4), keys, r->n_keys, keys[0].name, &head, NULL);
    *ours = !err && root && sqlite3_column_bytes(s, 5) == (int)sizeof head.root.b && memcmp(root, head.root.b, sizeof head.root.b) == 0;
    return err == FL_NOMEM ? err : FL_OK;
}

static enum fl_err check_parcel(struct shapes *shapes, sqlite3_stmt *s, const struct vkey *keys, struct check_result *out, size_t *found,
                                struct fl_why *why)
{
    const char *kind = db_text(s, 1);
    bool good = true, head = strcmp(kind, "witness") == 0 || strcmp(kind, "anchor") == 0;
    struct fl_why said = {0, "it follows from no record"};
    int64_t leaf = sqlite3_column_int64(s, 3);
    enum fl_err err = FL_OK;
    if (sqlite3_column_type(s, 3) != SQLITE_NULL) {
        err = outbox_told(shapes, leaf, kind, db_text(s, 2), db_text(s, 6), sqlite3_column_blob(s, 4), (size_t)sqlite3_column_bytes(s, 4), &said);
        good = err != FL_MISMATCH;
        err = good ? err : FL_OK;
    } else if (head) {
        err = head_is_ours(s, keys, out, &good);
        (void)fl_fail(&said, FL_MISMATCH, "its head is none of this log");
    } else {
        good = strcmp(kind, "label") != 0;
    }
    if (err)
        return fl_why_wrap(why, err, "the outbox: ");
    if (!good && (*found)++ < OUTBOX_FINDINGS_MAX)
        audit_add(&out->report, AUDIT_ROWS, (uint64_t)leaf, (uint64_t)leaf, "row %lld of the outbox: %.200s",
                  (long long)sqlite3_column_int64(s, 0), said.text);
    out->rows++;
    return FL_OK;
}

/* ---- is all there that the records tell? ---------------------------------------------------------------------- */

struct told {
    sqlite3_stmt *order, *row, *printed;
    int rc; /* of `order`, whose row is the first that no record was held against yet */
    struct shapes *shapes;
    struct check_result *out;
    size_t found;
};

static enum fl_err told_open(struct told *t, sqlite3 *db, struct shapes *shapes, struct check_result *out, struct fl_why *why)
{
    *t = (struct told){.shapes = shapes, .out = out};
    enum fl_err err = db_prepare(db, "SELECT id, leaf FROM outbox WHERE leaf IS NOT NULL ORDER BY leaf, id", &t->order, why);
    if (!err)
        err = db_prepare(db, "SELECT kind, target, payload, state FROM outbox WHERE id = ?1", &t->row, why);
    if (!err)
        err = db_prepare(db, "SELECT 1 FROM label WHERE attempt = ?1 AND state = 'printed'", &t->printed, why);
    t->rc = err ? SQLITE_DONE : sqlite3_step(t->order);
    return err;
}

static void told_close(struct told *t)
{
    (void)sqlite3_finalize(t->order);
    (void)sqlite3_finalize(t->row);
    (void)sqlite3_finalize(t->printed);
}

static bool has_row(sqlite3_stmt *s, int64_t value)
{
    bool there = sqlite3_bind_int64(s, 1, value) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW;
    (void)sqlite3_reset(s);
    return there;
}

/* The label of a unit that passed is called printed when that is on record, and not before (lineside/labels.c). */
static void is_it_printed(struct told *t, const json_t *record, int64_t id, int64_t leaf)
{
    if (strcmp(db_text(t->row, 0), "label") != 0 || sqlite3_column_int(t->row, 3) != PARCEL_SENT ||
        strcmp(fl_json_text(record, "event"), "attempt_result") != 0 || has_row(t->printed, leaf) || t->found++ >= OUTBOX_FINDINGS_MAX)
        return;
    audit_add(&t->out->report, AUDIT_ROWS, (uint64_t)leaf, (uint64_t)leaf,
              "row %lld of the outbox says that its label was printed, and no record does", (long long)id);
}

static bool is_text(const json_t *v, const char *text)
{
    return json_is_string(v) && strcmp(json_string_value(v), text) == 0;
}

/* Of what the record tells, take away what this row holds. */
static enum fl_err take_row(struct told *t, const json_t *record, json_t *sends, int64_t id, int64_t leaf, struct fl_why *why)
{
    char hex[OUTBOX_TOLD_HEX];
    enum fl_err err = FL_OK;
    if (sqlite3_bind_int64(t->row, 1, id) == SQLITE_OK && sqlite3_step(t->row) == SQLITE_ROW) {
        err = outbox_told_hex(db_text(t->row, 0), db_text(t->row, 1), sqlite3_column_blob(t->row, 2),
                              (size_t)sqlite3_column_bytes(t->row, 2), hex);
        size_t i = 0;
        while (!err && i < json_array_size(sends) && !is_text(json_array_get(sends, i), hex))
            i++;
        if (!err && i < json_array_size(sends)) {
            (void)json_array_remove(sends, i);
            is_it_printed(t, record, id, leaf);
        }
    }
    (void)sqlite3_reset(t->row);
    return err ? fl_fail(why, err, "out of memory") : FL_OK;
}

static enum fl_err check_record(struct told *t, int64_t leaf, const uint8_t *rec, size_t n, struct fl_why *why)
{
    json_t *record;
    if (fl_json_parse(rec, n, &record, NULL))
        return FL_OK; /* said where the log was verified */
    json_t *sends = json_object_get(record, "sends");
    enum fl_err err = FL_OK;
    while (t->rc == SQLITE_ROW && sqlite3_column_int64(t->order, 1) < leaf)
        t->rc = sqlite3_step(t->order);
    while (!err && t->rc == SQLITE_ROW && sqlite3_column_int64(t->order, 1) == leaf) {
        err = take_row(t, record, sends, sqlite3_column_int64(t->order, 0), leaf, why);
        t->rc = sqlite3_step(t->order);
    }
    if (!err && json_array_size(sends) && t->found++ < OUTBOX_FINDINGS_MAX)
        audit_add(&t->out->report, AUDIT_ROWS, (uint64_t)leaf, (uint64_t)leaf,
                  "the outbox lacks what record %lld tells that it sends: it was taken out or changed", (long long)leaf);
    json_decref(record);
    return err;
}

static enum fl_err check_told(sqlite3 *db, struct shapes *shapes, struct check_result *out, struct fl_why *why)
{
    static const char member[] = "\"sends\":["; /* in no text: there its quotes are escaped */
    struct told t;
    int64_t leaves = 0;
    enum fl_err err = db_int(db, "SELECT count(*) FROM leaf", 0, &leaves, why);
    if (!err)
        err = told_open(&t, db, shapes, out, why);
    else
        t = (struct told){.rc = SQLITE_DONE};
    for (int64_t i = 0; !err && i < leaves; i++) {
        const uint8_t *rec;
        size_t n;
        err = shapes_record(shapes, i, &rec, &n, why);
        if (!err && memmem(rec, n, member, sizeof member - 1))
            err = check_record(&t, i, rec, n, why);
        err = err == FL_NOT_FOUND || err == FL_FORMAT ? FL_OK : err; /* said where the log was verified */
    }
    if (!err && t.rc != SQLITE_DONE && t.rc != SQLITE_ROW)
        err = db_fail(db, why, "cannot read the outbox");
    told_close(&t);
    return err;
}

enum fl_err check_outbox(sqlite3 *db, struct check_result *out, struct fl_why *why)
{
    sqlite3_stmt *s = NULL;
    struct shapes *shapes = NULL;
    int rc = SQLITE_DONE;
    size_t found = 0;
    struct vkey *keys = calloc(AUDIT_KEYS_MAX, sizeof *keys);
    if (!keys)
        return fl_fail(why, FL_NOMEM, "out of memory");
    for (size_t i = 0; i < out->report.n_keys; i++)
        keys[i] = out->report.key[i].key;
    enum fl_err err = db_prepare(db, parcels_sql, &s, why);
    if (!err)
        err = shapes_new(db, &shapes, why);
    while (!err && out->report.n_keys && (rc = sqlite3_step(s)) == SQLITE_ROW)
        err = check_parcel(shapes, s, keys, out, &found, why);
    if (!err && rc != SQLITE_DONE)
        err = db_fail(db, why, "cannot read the outbox");
    if (!err && out->report.n_keys)
        err = check_told(db, shapes, out, why);
    (void)sqlite3_finalize(s);
    shapes_free(shapes);
    free(keys);
    return err;
}
