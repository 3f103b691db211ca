/* SPDX-License-Identifier: Apache-2.0 */
#include "prove/check_outbox.h"

#include "store/db.h"
#include "store/outbox_told.h"
#include "store/shapes.h"

#include <stdlib.h>
#include <string.h>

enum { OUTBOX_FINDINGS_MAX = 4 };

static const char parcels_sql[] = "SELECT o.id, o.kind, o.target, o.leaf, o.payload, c.root FROM outbox o "
                                  "LEFT JOIN checkpoint c ON o.job = 'head:' || c.size ORDER BY o.id";

static const char *text_at(sqlite3_stmt *s, int column)
{
    const char *t = (const char *)sqlite3_column_text(s, column);
    return t ? t : "";
}

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
    const char *kind = text_at(s, 1);
    bool good = true, head = strcmp(kind, "witness") == 0 || strcmp(kind, "anchor") == 0;
    struct fl_why said = {0, "it follows from no record"};
    int64_t leaf = sqlite3_column_int64(s, 3);
    enum fl_err err = FL_OK;
    if (sqlite3_column_type(s, 3) != SQLITE_NULL) {
        err = outbox_told(shapes, leaf, kind, text_at(s, 2), sqlite3_column_blob(s, 4), (size_t)sqlite3_column_bytes(s, 4), &said);
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
    (void)sqlite3_finalize(s);
    shapes_free(shapes);
    free(keys);
    return err;
}
