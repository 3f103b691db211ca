/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ledger_inside.h"

#include "ledger/redo.h"
#include "store/db.h"

#include <string.h>

/* Of what the signer keeps. A quarter is left: the disk has the time of so many commits to answer before anybody must wait for it. */
enum { FLUSH_EVERY = SIGNER_KEEPS * 3 / 4 };

uint64_t ledger_size(const struct ledger *l)
{
    return l->range.size;
}

/* ---- growing -------------------------------------------------------------------------------------- */

enum fl_err ledger_begin(struct ledger *l, struct fl_why *why)
{
    struct checkpoint head;
    struct signatures by;
    int64_t leaves;
    enum fl_err err = db_run(l->begin, why);
    fl_buf_clear(&l->redo);
    l->handing_over = false;
    if (err)
        return err;
    /* nobody else writes here; if somebody did, signing on would make a fork of it */
    err = ledger_read_head(l, &head, &by, &leaves, why);
    if (!err && (head.size != l->head.size || (uint64_t)leaves != l->head.size ||
                 !tree_hash_same(&head.root, &l->head.root)))
        err = fl_fail(why, FL_MISMATCH, "the log was written by somebody else while this station had it open");
    if (err)
        ledger_rollback(l);
    return err;
}

enum fl_err ledger_find(struct ledger *l, const char *job, enum event_kind kind, int64_t *index, struct fl_why *why)
{
    uint8_t bytes[JOB_MAX];
    size_t n = job ? job_bytes(job, bytes) : 0;
    enum fl_err err = FL_OK;
    *index = -1;
    if (!n)
        return FL_OK;
    if (sqlite3_bind_blob(l->find, 1, bytes, (int)n, SQLITE_TRANSIENT) != SQLITE_OK ||
        sqlite3_bind_int64(l->find, 2, l->kind_id[kind]) != SQLITE_OK)
        return db_fail(l->db, why, "cannot look for a job");
    int rc = sqlite3_step(l->find);
    if (rc == SQLITE_ROW)
        *index = sqlite3_column_int64(l->find, 0);
    else if (rc != SQLITE_DONE)
        err = db_fail(l->db, why, "cannot look for a job");
    (void)sqlite3_reset(l->find);
    return err;
}

static enum fl_err insert_leaf(struct ledger *l, enum event_kind kind, const char *job, const struct fl_buf *bytes,
                               const struct tree_hash *hash, struct fl_why *why)
{
    uint8_t id[JOB_MAX];
    size_t n = job ? job_bytes(job, id) : 0;
    if (job && !n)
        return fl_fail(why, FL_FORMAT, "'%.70s' is neither a UUID nor a SHA-256", job);
    const struct beside beside = {.job = n ? id : NULL, .job_n = n};
    const uint8_t *stored;
    size_t stored_n;
    enum fl_err err = shapes_store(l->shapes, (int64_t)l->range.size, bytes->bytes, bytes->len, &beside, &stored, &stored_n, why);
    if (err)
        return err;
    bool ok = sqlite3_bind_int64(l->leaf, 1, (sqlite3_int64)l->range.size) == SQLITE_OK &&
              sqlite3_bind_blob(l->leaf, 2, stored, (int)stored_n, SQLITE_STATIC) == SQLITE_OK &&
              sqlite3_bind_blob(l->leaf, 3, hash->b, sizeof hash->b, SQLITE_TRANSIENT) == SQLITE_OK &&
              sqlite3_bind_int64(l->leaf, 4, l->kind_id[kind]) == SQLITE_OK &&
              (n ? sqlite3_bind_blob(l->leaf, 5, id, (int)n, SQLITE_TRANSIENT) : sqlite3_bind_null(l->leaf, 5)) ==
                  SQLITE_OK;
    err = ok ? db_run(l->leaf, why) : db_fail(l->db, why, "cannot bind a leaf");
    (void)sqlite3_clear_bindings(l->leaf);
    return err;
}

static enum fl_err insert_nodes(struct ledger *l, const struct tree_made *made, size_t n, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < n && !err; i++) {
        uint64_t id = tree_stored_index(made[i].level, made[i].index);
        if (sqlite3_bind_int64(l->node, 1, (sqlite3_int64)id) != SQLITE_OK ||
            sqlite3_bind_blob(l->node, 2, made[i].hash.b, sizeof made[i].hash.b, SQLITE_TRANSIENT) != SQLITE_OK)
            return db_fail(l->db, why, "cannot bind a node");
        err = db_run(l->node, why);
    }
    return err;
}

/* What a key_rotate leaf means for the seal. */
static enum fl_err hand_over(struct ledger *l, const json_t *leaf, struct fl_why *why)
{
    int64_t handovers = 0;
    enum fl_err err = db_int(l->db, "SELECT count(*) FROM handover", 0, &handovers, why);
    if (err)
        return err;
    if (handovers >= AUDIT_KEYS_MAX - 1) /* one more, and the log would never verify again */
        return fl_fail(why, FL_FORMAT, "a log has at most %d keys: close it (flashline key retire) and begin the next one", AUDIT_KEYS_MAX);
    err = vkey_parse(fl_json_text(leaf, "vkey"), &l->next_vkey, why);
    if (!err && (l->next_vkey.type != KEY_NOTE || strcmp(l->next_vkey.name, l->vkey.name) != 0))
        err = fl_fail(why, FL_FORMAT, "the key that is to follow is not one of this log");
    l->handing_over = !err;
    return err ? FL_FORMAT : FL_OK;
}

static void forget_unprojected(struct ledger *l)
{
    json_decref(l->unprojected.leaf);
    l->unprojected.leaf = NULL;
}

/* The rows that were put off: their record may be signed already, and cannot be refused alone any more. */
static enum fl_err project_now(struct ledger *l, struct fl_why *why)
{
    if (!l->unprojected.leaf)
        return FL_OK;
    enum fl_err err = projector_leaf(l->rows, l->unprojected.index, l->unprojected.leaf, why);
    forget_unprojected(l);
    return err == FL_FORMAT ? fl_why_wrap(why, FL_STATE, "a record that was taken for sound has no rows: ") : err;
}

static enum fl_err project(struct ledger *l, bool later, int64_t index, const json_t *leaf, struct fl_why *why)
{
    if (!later)
        return projector_leaf(l->rows, index, leaf, why);
    l->unprojected.index = index;
    l->unprojected.leaf = json_incref((json_t *)(uintptr_t)leaf);
    return FL_OK;
}

static enum fl_err append(struct ledger *l, enum event_kind kind, bool later, const char *job, const json_t *leaf,
                          const struct fl_buf *bytes, struct fl_why *why)
{
    struct tree_made made[TREE_LEVELS];
    struct tree_hash hash;
    size_t n;
    int64_t index = (int64_t)l->range.size;
    enum fl_err err = tree_leaf(l->hasher, bytes->bytes, bytes->len, &hash);
    if (!err)
        err = insert_leaf(l, kind, job, bytes, &hash, why);
    if (!err)
        err = tree_range_add(l->hasher, &l->range, &hash, made, &n);
    if (!err)
        err = insert_nodes(l, made, n, why);
    if (!err && kind == EVENT_KEY_ROTATE)
        err = hand_over(l, leaf, why);
    return err ? err : project(l, later, index, leaf, why);
}

/* What was read of records that are gone again: their places will be others'. */
static void forget_undone(struct ledger *l)
{
    shapes_forget(l->shapes);
    if (l->rows)
        projector_forget(l->rows);
}

static enum fl_err append_one(struct ledger *l, enum event_kind kind, bool later, const char *job, const json_t *leaf,
                              const struct fl_buf *bytes, struct fl_why *why)
{
    struct tree_range before = l->range;
    struct fl_why undone = {0, ""};
    if (l->handing_over)
        return fl_fail(why, FL_STATE, "a record behind a hand-over of the key, in the same commit");
    if (bytes->len > LEAF_BYTES_MAX)
        return fl_fail(why, FL_FORMAT, "the record has %zu bytes, more than %d", bytes->len, LEAF_BYTES_MAX);
    enum fl_err err = kind == EVENT_UNIT_FINAL ? FL_OK : project_now(l, why); /* rows in the order of their records; that kind has none */
    if (!err)
        err = db_run(l->save, why);
    if (err)
        return err;
    err = append(l, kind, later, job, leaf, bytes, why);
    if (err == FL_FORMAT) {
        l->range = before;
        l->handing_over = false;
        forget_undone(l);
        if (db_run(l->undo, &undone) || db_run(l->release, &undone)) {
            if (why)
                *why = undone;
            err = FL_IO;
        }
        return err;
    }
    return err ? err : db_run(l->release, why);
}

enum fl_err ledger_append(struct ledger *l, enum event_kind kind, const char *job, const json_t *leaf,
                          const struct fl_buf *bytes, struct fl_why *why)
{
    return append_one(l, kind, false, job, leaf, bytes, why);
}

enum fl_err ledger_append_sure(struct ledger *l, enum event_kind kind, const char *job, const json_t *leaf,
                               const struct fl_buf *bytes, struct fl_why *why)
{
    return append_one(l, kind, true, job, leaf, bytes, why);
}

struct fl_buf *ledger_redo(struct ledger *l)
{
    return l->kind->remembers ? &l->redo : NULL;
}

/* ---- sealing: nothing is signed that was not read back --------------------------------------------- */

static bool column_is(sqlite3_stmt *s, int column, const struct tree_hash *h)
{
    const void *p = sqlite3_column_blob(s, column);
    return p && sqlite3_column_bytes(s, column) == (int)sizeof h->b && memcmp(p, h->b, sizeof h->b) == 0;
}

static enum fl_err reread_nodes(struct ledger *l, const struct tree_made *made, size_t n, struct fl_why *why)
{
    for (size_t i = 0; i < n; i++) {
        bool same = sqlite3_step(l->reread_nodes) == SQLITE_ROW &&
                    (uint64_t)sqlite3_column_int64(l->reread_nodes, 0) ==
                        tree_stored_index(made[i].level, made[i].index) &&
                    column_is(l->reread_nodes, 1, &made[i].hash);
        if (!same)
            return fl_fail(why, FL_MISMATCH, "a tree node read back differs from what was written: memory or disk is at fault");
    }
    return FL_OK;
}

/* Read every leaf and node of this transaction back, hash again, and tell the root they give. */
static enum fl_err reread(struct ledger *l, struct tree_hash *root, struct fl_why *why)
{
    struct tree_range range = l->committed;
    struct tree_made made[TREE_LEVELS];
    enum fl_err err = FL_OK;
    bool ok = sqlite3_bind_int64(l->reread_leaves, 1, (sqlite3_int64)range.size) == SQLITE_OK &&
              sqlite3_bind_int64(l->reread_nodes, 1, (sqlite3_int64)tree_stored_count(range.size)) == SQLITE_OK;
    if (!ok)
        err = db_fail(l->db, why, "cannot read back");
    while (!err && sqlite3_step(l->reread_leaves) == SQLITE_ROW) {
        struct tree_hash hash;
        size_t n;
        const struct beside beside = {.job = sqlite3_column_blob(l->reread_leaves, 3),
                                      .job_n = (size_t)sqlite3_column_bytes(l->reread_leaves, 3)};
        const uint8_t *rec;
        size_t len;
        err = shapes_load(l->shapes, (int64_t)range.size, sqlite3_column_blob(l->reread_leaves, 1),
                          (size_t)sqlite3_column_bytes(l->reread_leaves, 1), &beside, &rec, &len, why);
        if (!err)
            err = tree_leaf(l->hasher, rec, len, &hash);
        if (!err && (!column_is(l->reread_leaves, 2, &hash) ||
                     (uint64_t)sqlite3_column_int64(l->reread_leaves, 0) != range.size))
            err = fl_fail(why, FL_MISMATCH, "a record read back differs from what was written: memory or disk is at fault");
        if (!err && l->kind->remembers)
            redo_add_leaf(&l->redo, rec, len);
        if (!err)
            err = tree_range_add(l->hasher, &range, &hash, made, &n);
        if (!err)
            err = reread_nodes(l, made, n, why);
    }
    (void)sqlite3_reset(l->reread_leaves);
    (void)sqlite3_reset(l->reread_nodes);
    if (!err && range.size != l->range.size)
        err = fl_fail(why, FL_MISMATCH, "%llu records were written and %llu are there", (unsigned long long)l->range.size,
                      (unsigned long long)range.size);
    return err ? err : tree_range_root(l->hasher, &range, root);
}

static enum fl_err while_it_signs(void *ctx, struct fl_why *why)
{
    struct ledger *l = ctx;
    enum fl_err err = project_now(l, why);
    return err ? err : db_write_ahead(l->db, why);
}

static enum fl_err sign(struct ledger *l, const struct tree_hash *root, struct fl_why *why)
{
    struct tree_proof growth = {.n = 0};
    char text[CHECKPOINT_TEXT_MAX];
    struct signatures *by = &l->next_signed_by;
    struct signer_request r = {.origin = l->vkey.name, .old_size = l->head.size, .new_size = l->range.size,
                               .old_root = l->head.root, .new_root = *root, .growth = &growth, .redo = &l->redo,
                               .handover = l->handing_over ? by->by[1] : NULL, .handover_to = l->next_vkey.key,
                               .meanwhile = while_it_signs, .ctx = l};
    enum fl_err err = fl_buf_err(&l->redo, why);
    /* what the signer forgets with this one must be on the disk here */
    r.alone = l->kind->remembers && redo_holds(&l->redo, REDO_FORGOTTEN);
    if (!err && r.alone)
        err = ledger_durable(l, why);
    else if (!err && l->flush && l->commits >= SIGNER_KEEPS)
        err = flush_wait(l->flush, l->commits + 1 - SIGNER_KEEPS, why);
    if (!err && l->head.size)
        err = tree_prove_growth(l->hasher, &l->tree, l->head.size, l->range.size, &growth, why);
    if (!err)
        err = l->kind->sign(l->signer, &r, by->by[0], why);
    if (!err)
        err = project_now(l, why); /* a signer in this process leaves no time between */
    if (err)
        return err;
    size_t n = checkpoint_format(l->vkey.name, r.new_size, root, text);
    if (vkey_verify(l->vkey.key, text, n, by->by[0]) != FL_OK ||
        (l->handing_over && vkey_verify(l->next_vkey.key, text, n, by->by[1]) != FL_OK))
        return fl_fail(why, FL_MISMATCH, "the signer gave a signature that does not verify");
    by->id[0] = l->vkey.id;
    by->id[1] = l->handing_over ? l->next_vkey.id : 0;
    l->next = l->head;
    l->next.size = r.new_size;
    l->next.root = *root;
    return FL_OK;
}

static enum fl_err insert_handover(struct ledger *l, struct fl_why *why)
{
    bool ok = sqlite3_bind_int64(l->handover, 1, (sqlite3_int64)l->next.size) == SQLITE_OK &&
              sqlite3_bind_int64(l->handover, 2, l->next_signed_by.id[1]) == SQLITE_OK &&
              sqlite3_bind_blob(l->handover, 3, l->next_signed_by.by[1], KEY_SIGNATURE, SQLITE_TRANSIENT) == SQLITE_OK;
    return ok ? db_run(l->handover, why) : db_fail(l->db, why, "cannot bind a hand-over");
}

enum fl_err ledger_seal(struct ledger *l, struct fl_why *why)
{
    struct tree_hash root, stored, running;
    if (l->range.size == l->head.size) {
        l->next = l->head;
        l->next_signed_by = l->signed_by;
        return FL_OK;
    }
    /* three roads to the root: bytes read back, subtrees as stored, hashes kept while writing */
    enum fl_err err = reread(l, &root, why);
    if (!err)
        err = tree_stored_root(l->hasher, &l->tree, l->range.size, &stored, why);
    if (!err)
        err = tree_range_root(l->hasher, &l->range, &running);
    if (!err && (!tree_hash_same(&root, &stored) || !tree_hash_same(&root, &running)))
        err = fl_fail(why, FL_MISMATCH, "the tree that was written is not the one that was meant: memory or disk is at fault");
    if (!err)
        err = sign(l, &root, why);
    if (err)
        return err;
    bool ok = sqlite3_bind_int64(l->checkpoint, 1, (sqlite3_int64)l->next.size) == SQLITE_OK &&
              sqlite3_bind_blob(l->checkpoint, 2, l->next.root.b, sizeof l->next.root.b, SQLITE_TRANSIENT) == SQLITE_OK &&
              sqlite3_bind_int64(l->checkpoint, 3, l->next_signed_by.id[0]) == SQLITE_OK &&
              sqlite3_bind_blob(l->checkpoint, 4, l->next_signed_by.by[0], KEY_SIGNATURE, SQLITE_TRANSIENT) == SQLITE_OK;
    err = ok ? db_run(l->checkpoint, why) : db_fail(l->db, why, "cannot bind a head");
    return err || !l->handing_over ? err : insert_handover(l, why);
}

enum fl_err ledger_commit(struct ledger *l, struct fl_why *why)
{
    enum fl_err err = db_run(l->commit, why);
    if (err)
        return err;
    bool kept = l->next.size != l->head.size && !l->handing_over; /* by the signer: it was asked, and it is an ordinary one */
    l->commits++;
    if (l->flush && l->commits % FLUSH_EVERY == 0)
        flush_begin(l->flush, l->commits);
    l->head = l->next;
    l->signed_by = l->next_signed_by;
    l->committed = l->range;
    if (l->handing_over)
        l->vkey = l->next_vkey;
    l->handing_over = false;
    return kept ? FL_OK : ledger_durable(l, why);
}

enum fl_err ledger_durable(struct ledger *l, struct fl_why *why)
{
    if (!l->flush)
        return FL_OK;
    flush_begin(l->flush, l->commits);
    return flush_wait(l->flush, l->commits, why);
}

enum fl_err ledger_settle(struct ledger *l, struct fl_why *why)
{
    enum fl_err err = ledger_durable(l, why);
    return err || !l->kind->settled ? err : l->kind->settled(l->signer, why);
}

enum fl_err ledger_there(struct ledger *l, struct fl_why *why)
{
    return l->kind->there ? l->kind->there(l->signer, why) : FL_OK;
}

enum fl_err ledger_end(struct ledger *l, struct fl_why *why)
{
    enum fl_err err = ledger_settle(l, why);
    if (!err && l->flush)
        (void)sqlite3_db_config(l->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return err;
}

void ledger_rollback(struct ledger *l)
{
    if (!sqlite3_get_autocommit(l->db))
        (void)sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL); /* SQLite has often done it itself */
    l->range = l->committed;
    l->handing_over = false;
    forget_unprojected(l);
    forget_undone(l);
}

enum fl_err ledger_head(struct ledger *l, struct fl_buf *out, struct fl_why *why)
{
    struct vkey by = l->vkey; /* a line names key and ID: at a hand-over the ID is not that of the key that signs now */
    by.id = l->signed_by.id[0];
    if (l->head.size)
        checkpoint_note(out, &by, l->vkey.name, l->head.size, &l->head.root, l->signed_by.by[0]);
    if (l->head.size && l->signed_by.id[1])
        note_add_line(out, l->vkey.name, l->signed_by.id[1], l->signed_by.by[1], KEY_SIGNATURE);
    return fl_buf_err(out, why);
}
