/* SPDX-License-Identifier: Apache-2.0
 * The log as stored: a source for verification, stored subtrees for proofs. */
#include "ledger/ledger.h"

#include "base/json.h"
#include "store/db.h"
#include "store/shapes.h"

#include <stdio.h>
#include <string.h>

/* ---- a source --------------------------------------------------------------------------------------- */

static enum fl_err step(sqlite3_stmt *s, struct fl_why *why)
{
    int rc = sqlite3_step(s);
    return rc == SQLITE_ROW ? FL_OK
           : rc == SQLITE_DONE ? FL_NOT_FOUND
                               : db_fail(sqlite3_db_handle(s), why, "cannot read the log");
}

/* A hash column: 32 bytes, or zeroes, which no record gives. */
static void hash_at(sqlite3_stmt *s, int column, struct tree_hash *out)
{
    const void *p = sqlite3_column_blob(s, column);
    memset(out, 0, sizeof *out);
    if (p && sqlite3_column_bytes(s, column) == (int)sizeof out->b)
        memcpy(out->b, p, sizeof out->b);
}

static enum fl_err next_leaf(void *ctx, struct audit_leaf *out, struct fl_why *why)
{
    static const uint8_t no_hash[FL_SHA256_SIZE];
    struct ledger_reader *r = ctx;
    sqlite3_stmt *s = r->leaves;
    enum fl_err err = step(s, why);
    if (err)
        return err;
    int64_t kind = sqlite3_column_int64(s, 3);
    const uint8_t *hash = sqlite3_column_blob(s, 2);
    const uint8_t *job = sqlite3_column_blob(s, 4);
    job_text(job, job ? (size_t)sqlite3_column_bytes(s, 4) : 0, r->job);
    bool has_job = sqlite3_column_type(s, 4) != SQLITE_NULL;
    int64_t index = sqlite3_column_int64(s, 0);
    *out = (struct audit_leaf){
        .index = (uint64_t)index,
        .rec = sqlite3_column_blob(s, 1),
        .n = (size_t)sqlite3_column_bytes(s, 1),
        .hash = hash && sqlite3_column_bytes(s, 2) == FL_SHA256_SIZE ? hash : no_hash,
        .event = kind >= 0 && kind < LEDGER_KINDS_MAX ? r->kind[kind] : "",
        .job = has_job ? r->job : NULL,
    };
    if (!out->rec)
        out->rec = no_hash; /* zero bytes long: the verifier says what it is */
    const struct beside beside = {job, job ? (size_t)sqlite3_column_bytes(s, 4) : 0, index == r->next ? r->before : NULL, has_job ? r->job : NULL};
    err = shapes_load(r->shapes, index, out->rec, out->n, &beside, &out->rec, &out->n, why);
    memcpy(r->before, out->hash, sizeof r->before);
    r->next = index < INT64_MAX ? index + 1 : 0;
    return err == FL_FORMAT ? FL_OK : err; /* what cannot be read comes as it is: that is no record */
}

static enum fl_err next_node(void *ctx, struct audit_node *out, struct fl_why *why)
{
    struct ledger_reader *r = ctx;
    enum fl_err err = step(r->nodes, why);
    if (err)
        return err;
    out->id = (uint64_t)sqlite3_column_int64(r->nodes, 0);
    hash_at(r->nodes, 1, &out->hash);
    return FL_OK;
}

static enum fl_err next_head(void *ctx, struct audit_head *out, struct fl_why *why)
{
    struct ledger_reader *r = ctx;
    enum fl_err err = step(r->heads, why);
    if (err)
        return err;
    memset(out, 0, sizeof *out);
    out->size = (uint64_t)sqlite3_column_int64(r->heads, 0);
    hash_at(r->heads, 1, &out->root);
    out->key_id = (uint32_t)sqlite3_column_int64(r->heads, 2);
    const void *sig = sqlite3_column_blob(r->heads, 3);
    if (sig && sqlite3_column_bytes(r->heads, 3) == KEY_SIGNATURE)
        memcpy(out->signature, sig, KEY_SIGNATURE);
    out->handover_id = (uint32_t)sqlite3_column_int64(r->heads, 4);
    sig = sqlite3_column_blob(r->heads, 5);
    if (sig && sqlite3_column_bytes(r->heads, 5) == KEY_SIGNATURE)
        memcpy(out->handover, sig, KEY_SIGNATURE);
    return FL_OK;
}

static enum fl_err read_kinds(sqlite3 *db, struct ledger_reader *r, struct fl_why *why)
{
    sqlite3_stmt *s;
    int rc;
    enum fl_err err = db_prepare(db, "SELECT id, name FROM event_kind", &s, why);
    if (err)
        return err;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(s, 0);
        const char *name = db_text(s, 1);
        if (id >= 0 && id < LEDGER_KINDS_MAX)
            (void)snprintf(r->kind[id], sizeof r->kind[id], "%s", name);
    }
    if (rc != SQLITE_DONE)
        err = db_fail(db, why, "cannot read the kinds of events");
    (void)sqlite3_finalize(s);
    return err;
}

/* A database of an older schema knows no hand-overs, and is read as it is. */
static enum fl_err prepare_heads(sqlite3 *db, sqlite3_stmt **out, struct fl_why *why)
{
    bool knows;
    enum fl_err err = db_has_table(db, "handover", &knows, why);
    if (err)
        return err;
    return db_prepare(db, knows ? "SELECT c.size, c.root, c.key, c.signature, h.key, h.signature FROM checkpoint c "
                                  "LEFT JOIN handover h ON h.size = c.size ORDER BY c.size"
                                : "SELECT size, root, key, signature, 0, NULL FROM checkpoint ORDER BY size", out, why);
}

enum fl_err ledger_reader_open(sqlite3 *db, struct ledger_reader *r, struct audit_source *out, struct fl_why *why)
{
    memset(r, 0, sizeof *r);
    r->next = -1;
    *out = (struct audit_source){r, next_leaf, next_node, next_head};
    enum fl_err err = read_kinds(db, r, why);
    if (!err)
        err = db_prepare(db, "SELECT idx, rec, hash, kind, job FROM leaf ORDER BY idx", &r->leaves, why);
    if (!err)
        err = db_prepare(db, "SELECT id, hash FROM node ORDER BY id", &r->nodes, why);
    if (!err)
        err = shapes_new(db, &r->shapes, why);
    if (!err)
        err = prepare_heads(db, &r->heads, why);
    if (err)
        ledger_reader_close(r);
    return err;
}

void ledger_reader_close(struct ledger_reader *r)
{
    (void)sqlite3_finalize(r->leaves);
    (void)sqlite3_finalize(r->nodes);
    (void)sqlite3_finalize(r->heads);
    shapes_free(r->shapes);
    r->shapes = NULL;
    r->leaves = r->nodes = r->heads = NULL;
}

/* ---- keys ------------------------------------------------------------------------------------------- */

/* The key that this record hands the log over to. */
static enum fl_err read_key(struct shapes *shapes, int64_t index, struct vkey *out, struct fl_why *why)
{
    const uint8_t *rec;
    size_t n;
    json_t *leaf = NULL;
    enum fl_err err = shapes_record(shapes, index, &rec, &n, why);
    if (!err)
        err = fl_json_parse(rec, n, &leaf, why);
    if (!err)
        err = vkey_parse(fl_json_text(leaf, "vkey"), out, why);
    json_decref(leaf);
    return err;
}

enum fl_err ledger_keys(sqlite3 *db, const struct vkey *first, struct vkey out[static AUDIT_KEYS_MAX], size_t *n, struct fl_why *why)
{
    sqlite3_stmt *s = NULL;
    struct shapes *shapes = NULL;
    bool knows;
    int rc = SQLITE_DONE;
    out[0] = *first;
    *n = 1;
    enum fl_err err = db_has_table(db, "handover", &knows, why);
    if (err || !knows)
        return err;
    err = db_prepare(db, "SELECT size - 1 FROM handover ORDER BY size", &s, why); /* the last record under such a head names the key */
    if (!err)
        err = shapes_new(db, &shapes, why);
    while (!err && *n < AUDIT_KEYS_MAX && (rc = sqlite3_step(s)) == SQLITE_ROW)
        err = read_key(shapes, sqlite3_column_int64(s, 0), &out[(*n)++], why);
    if (!err && rc != SQLITE_DONE && rc != SQLITE_ROW)
        err = db_fail(db, why, "cannot read the hand-overs");
    shapes_free(shapes);
    (void)sqlite3_finalize(s);
    return err;
}

/* ---- stored subtrees -------------------------------------------------------------------------------- */

static enum fl_err read_subtree(void *ctx, unsigned level, uint64_t index, struct tree_hash *out, struct fl_why *why)
{
    struct ledger_tree *t = ctx;
    sqlite3_stmt *s = level ? t->node : t->leaf;
    uint64_t id = level ? tree_stored_index(level, index) : index;
    (void)sqlite3_reset(s);
    if (sqlite3_bind_int64(s, 1, (sqlite3_int64)id) != SQLITE_OK)
        return db_fail(sqlite3_db_handle(s), why, "cannot read the tree");
    enum fl_err err = step(s, why);
    if (!err)
        hash_at(s, 0, out);
    else if (err == FL_NOT_FOUND)
        err = fl_fail(why, FL_MISMATCH, "the stored tree has no subtree %u/%llu", level, (unsigned long long)index);
    (void)sqlite3_reset(s);
    return err;
}

enum fl_err ledger_tree_open(sqlite3 *db, struct ledger_tree *t, struct tree_reader *out, struct fl_why *why)
{
    *t = (struct ledger_tree){NULL, NULL};
    *out = (struct tree_reader){t, read_subtree};
    enum fl_err err = db_prepare(db, "SELECT hash FROM leaf WHERE idx = ?", &t->leaf, why);
    if (!err)
        err = db_prepare(db, "SELECT hash FROM node WHERE id = ?", &t->node, why);
    if (err)
        ledger_tree_close(t);
    return err;
}

void ledger_tree_close(struct ledger_tree *t)
{
    (void)sqlite3_finalize(t->leaf);
    (void)sqlite3_finalize(t->node);
    t->leaf = t->node = NULL;
}
