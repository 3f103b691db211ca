/* SPDX-License-Identifier: Apache-2.0
 * The stored state found again, the signer, and what it gives back made again. */
#include "ledger/ledger_inside.h"

#include "base/clock.h"
#include "ledger/redo.h"
#include "store/db.h"
#include "store/outbox_rows.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum fl_err prepare_all(struct ledger *l, struct fl_why *why)
{
    const struct {
        sqlite3_stmt **to;
        const char *sql;
    } row[] = {
        {&l->begin, "BEGIN IMMEDIATE"},
        {&l->commit, "COMMIT"},
        {&l->save, "SAVEPOINT one"},
        {&l->release, "RELEASE one"},
        {&l->undo, "ROLLBACK TO one"},
        {&l->find, "SELECT idx FROM leaf WHERE job = ? AND kind = ?"},
        {&l->leaf, "INSERT INTO leaf (idx, rec, hash, kind, job) VALUES (?, ?, ?, ?, ?)"},
        {&l->node, "INSERT INTO node (id, hash) VALUES (?, ?)"},
        {&l->checkpoint, "INSERT INTO checkpoint (size, root, key, signature) VALUES (?, ?, ?, ?)"},
        {&l->reread_leaves, "SELECT idx, rec, hash, job FROM leaf WHERE idx >= ? ORDER BY idx"},
        {&l->reread_nodes, "SELECT id, hash FROM node WHERE id >= ? ORDER BY id"},
        {&l->last, "SELECT c.size, c.root, c.signature, (SELECT max(idx) + 1 FROM leaf), c.key, h.key, h.signature "
                   "FROM checkpoint c LEFT JOIN handover h ON h.size = c.size ORDER BY c.size DESC LIMIT 1"},
        {&l->handover, "INSERT INTO handover (size, key, signature) VALUES (?, ?, ?)"},
    };
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < sizeof row / sizeof *row && !err; i++)
        err = db_prepare(l->db, row[i].sql, row[i].to, why);
    return err;
}

static enum fl_err load_kinds(struct ledger *l, struct fl_why *why)
{
    sqlite3_stmt *s;
    enum event_kind k;
    enum fl_err err = db_prepare(l->db, "SELECT id, name FROM event_kind", &s, why);
    if (err)
        return err;
    while (sqlite3_step(s) == SQLITE_ROW) {
        const char *name = db_text(s, 1);
        if (event_kind_parse(name, &k))
            l->kind_id[k] = sqlite3_column_int64(s, 0);
    }
    (void)sqlite3_finalize(s);
    for (int i = 0; i < EVENT_KIND_COUNT; i++)
        if (!l->kind_id[i])
            return fl_fail(why, FL_MISMATCH, "the database does not know the event %s", event_kind_name((enum event_kind)i));
    return FL_OK;
}

/* The last head on disk; `leaves` how many leaves there are. */
enum fl_err ledger_read_head(struct ledger *l, struct checkpoint *head, struct signatures *by, int64_t *leaves,
                             struct fl_why *why)
{
    static const struct tree_range nothing;
    enum fl_err err = FL_OK;
    *head = (struct checkpoint){.size = 0};
    *by = (struct signatures){.id = {0, 0}};
    *leaves = 0;
    memcpy(head->origin, l->vkey.name, sizeof head->origin);
    int rc = sqlite3_step(l->last);
    const void *root = rc == SQLITE_ROW ? sqlite3_column_blob(l->last, 1) : NULL;
    const void *sig = rc == SQLITE_ROW ? sqlite3_column_blob(l->last, 2) : NULL;
    const void *second = rc == SQLITE_ROW ? sqlite3_column_blob(l->last, 6) : NULL;
    if (rc == SQLITE_ROW && root && sig) {
        head->size = (uint64_t)sqlite3_column_int64(l->last, 0);
        memcpy(head->root.b, root, sizeof head->root.b);
        by->id[0] = (uint32_t)sqlite3_column_int64(l->last, 4);
        memcpy(by->by[0], sig, KEY_SIGNATURE);
        by->id[1] = (uint32_t)sqlite3_column_int64(l->last, 5);
        if (second)
            memcpy(by->by[1], second, KEY_SIGNATURE);
        *leaves = sqlite3_column_int64(l->last, 3);
    } else if (rc == SQLITE_DONE) {
        err = tree_range_root(l->hasher, &nothing, &head->root);
    } else {
        err = db_fail(l->db, why, "cannot read the last head");
    }
    (void)sqlite3_reset(l->last);
    return err;
}

/* A record that the signer kept, appended again as it was. */
static enum fl_err replay_leaf(struct ledger *l, const struct redo_item *item, struct fl_why *why)
{
    enum event_kind kind;
    json_t *leaf = NULL;
    struct fl_buf bytes = {.bytes = (uint8_t *)(uintptr_t)item->bytes, .len = item->n};
    enum fl_err err = fl_json_parse(item->bytes, item->n, &leaf, why);
    if (!err && !event_kind_parse(fl_json_text(leaf, "event"), &kind))
        err = fl_fail(why, FL_MISMATCH, "what the signer kept holds a record of an unknown kind");
    if (!err)
        err = ledger_append(l, kind, json_string_value(json_object_get(leaf, "job")), leaf, &bytes, why);
    l->recovered += !err;
    json_decref(leaf);
    return err;
}

static enum fl_err replay_item(struct ledger *l, struct outbox_writer *w, const struct redo_item *item, struct fl_why *why)
{
    switch (item->what) {
    case REDO_LEAF:
        return replay_leaf(l, item, why);
    case REDO_PARCEL:
    case REDO_RESULT:
        return outbox_write(w, &item->parcel, item->leaf, fl_wall_ms(), why);
    case REDO_PERSON:
        return person_put(l->db, &item->person, why);
    case REDO_FORGOTTEN:
        return person_forget(l->db, item->person.tag, why);
    }
    return fl_fail(why, FL_FORMAT, "what the signer kept holds something of an unknown kind");
}

static enum fl_err replay(struct ledger *l, const struct fl_buf *redo, struct fl_why *why)
{
    struct outbox_writer w;
    struct redo_item item;
    enum fl_err err = outbox_writer_open(l->db, &w, why);
    if (err)
        return err;
    err = ledger_begin(l, why);
    for (int rest = 0; rest < 2 && !err; rest++) { /* leaves first: parcels refer to them */
        size_t at = 0;
        while (!err && (err = redo_next(redo, &at, &item, why)) == FL_OK)
            if ((item.what != REDO_LEAF) == rest)
                err = replay_item(l, &w, &item, why);
        if (err == FL_NOT_FOUND)
            err = FL_OK;
    }
    if (!err)
        err = ledger_seal(l, why);
    if (!err)
        err = ledger_commit(l, why);
    if (!err)
        err = ledger_durable(l, why);
    if (err)
        ledger_rollback(l);
    outbox_writer_close(&w);
    return err ? fl_why_wrap(why, err, "making the last commit again: ") : FL_OK;
}

/* Each commit that is made again has an opening of its own: the signer says what comes next. */
static enum fl_err open_signer(struct ledger *l, const void *config, struct fl_why *why)
{
    struct fl_buf redo = FL_BUF(SIGNER_REDO_MAX);
    enum fl_err err = FL_OK;
    for (int again = 0; again <= SIGNER_KEEPS && !err; again++) {
        if (l->signer)
            l->kind->close(l->signer);
        err = l->kind->open(config, &l->head, &redo, &l->signer, why);
        if (err || !redo.len)
            break;
        err = again < SIGNER_KEEPS ? replay(l, &redo, why)
                                   : fl_fail(why, FL_MISMATCH, "the signer gives back more than it can have kept");
    }
    fl_buf_fini(&redo);
    return err;
}

/* A signer that remembers has what a commit was made from on its disk before it answers: the commit is durable there, and its
 * pages may follow while the next one is made. See ledger.h. */
static enum fl_err open_flush(struct ledger *l, int wal_pages, struct fl_why *why)
{
    const char *path = sqlite3_db_filename(l->db, "main"), *wal = path && *path ? sqlite3_filename_wal(path) : NULL;
    enum fl_err err = db_temp_in_memory(l->db, why);
    if (err || !l->kind->remembers || !wal || access(wal, F_OK) != 0)
        return err;
    /* Into the file first: after an fdatasync that failed, the system may show what the disk does not hold, and call it clean. */
    err = db_exec(l->db, "PRAGMA wal_checkpoint(PASSIVE)", why);
    if (!err)
        err = flush_new(wal, &l->flush, why);
    if (err)
        return err;
    /* Pages go from the WAL into the file only when it is known that the disk has the WAL: a sync that failed is told to who asked
     * for it, here to the flush, and SQLite's own would find all clean. So not by itself, nor when it is closed in trouble. */
    err = ledger_wal_open(l, wal_pages, why);
    (void)sqlite3_db_config(l->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return err ? err : db_exec(l->db, "PRAGMA synchronous = NORMAL", why);
}

uint64_t ledger_recovered(const struct ledger *l)
{
    return l->recovered;
}

enum fl_err ledger_open(const struct ledger_config *c, struct ledger **out, struct fl_why *why)
{
    int64_t leaves;
    struct tree_hash root;
    struct ledger *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return fl_fail(why, FL_NOMEM, "out of memory");
    l->db = c->db;
    l->vkey = *c->vkey;
    l->kind = c->signer;
    l->redo = FL_BUF(SIGNER_REDO_MAX);
    enum fl_err err = fl_hash_new(FL_HASH_SHA256, &l->hasher);
    if (!err)
        err = open_flush(l, c->wal_pages, why);
    if (!err)
        err = prepare_all(l, why);
    if (!err)
        err = load_kinds(l, why);
    if (!err)
        err = ledger_tree_open(l->db, &l->stored, &l->tree, why);
    if (!err)
        err = shapes_new(l->db, &l->shapes, why);
    if (!err)
        err = projector_new(l->db, l->db, &l->rows, why);
    if (!err)
        err = ledger_read_head(l, &l->head, &l->signed_by, &leaves, why);
    if (!err && (uint64_t)leaves != l->head.size)
        err = fl_fail(why, FL_MISMATCH, "the newest head covers %llu records, there are %lld",
                      (unsigned long long)l->head.size, (long long)leaves);
    if (!err)
        err = tree_range_load(&l->tree, l->head.size, &l->range, why);
    if (!err)
        err = tree_range_root(l->hasher, &l->range, &root);
    if (!err && !tree_hash_same(&root, &l->head.root))
        err = fl_fail(why, FL_MISMATCH, "the stored tree does not give the root of the newest head");
    l->committed = l->range;
    if (!err)
        err = open_signer(l, c->signer_config, why);
    if (err)
        ledger_close(l);
    else
        *out = l;
    return err;
}

void ledger_warm(struct ledger *l)
{
    projector_warm(l->rows);
}

void ledger_close(struct ledger *l)
{
    if (!l)
        return;
    sqlite3_stmt *all[] = {l->begin, l->commit, l->save, l->release, l->undo, l->find, l->leaf, l->node, l->checkpoint,
                           l->reread_leaves, l->reread_nodes, l->last, l->handover};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        (void)sqlite3_finalize(all[i]);
    json_decref(l->unprojected.leaf);
    ledger_tree_close(&l->stored);
    projector_free(l->rows);
    shapes_free(l->shapes);
    if (l->signer)
        l->kind->close(l->signer);
    flush_free(l->flush);
    fl_hash_free(l->hasher);
    fl_buf_fini(&l->redo);
    free(l);
}
