/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/start.h"

#include "base/file.h"
#include "ledger/ledger.h"
#include "store/db.h"

#include <stdlib.h>
#include <string.h>

enum { NOTE_MAX = 65536 };
typedef unsigned long long ull;

struct held {
    const struct start_found *found;
    struct tree_reader tree;
    struct fl_hash *hasher;
    uint64_t size;
};

static enum fl_err contradicted(const char *name, const struct checkpoint *head, uint64_t size, const struct tree_hash *ours,
                                struct fl_why *why)
{
    char theirs[2 * FL_SHA256_SIZE + 1], root[2 * FL_SHA256_SIZE + 1];
    fl_hex(head->root.b, sizeof head->root.b, theirs);
    fl_hex(ours->b, sizeof ours->b, root);
    if (head->size > size)
        return fl_fail(why, FL_MISMATCH, "ROLLBACK: %.40s holds a signed head of %llu records with the root %s, this log has %llu, root %s: "
                       "it was cut off, or an older copy was put back", name, (ull)head->size, theirs, (ull)size, root);
    return fl_fail(why, FL_MISMATCH, "FORK: %.40s holds a signed head of %llu records with the root %s, this log has the root %s at that size",
                   name, (ull)head->size, theirs, root);
}

static enum fl_err judge(struct held *h, const char *name, const struct fl_buf *note, struct fl_why *why)
{
    static const struct tree_range nothing;
    struct checkpoint head;
    struct tree_hash root;
    const struct start_found *f = h->found; /* an empty log has no keys yet but the one it will begin with */
    enum fl_err err = checkpoint_open(note->bytes, note->len, f->n_keys ? f->key : &f->now, f->n_keys ? f->n_keys : 1, f->now.name, &head, NULL);
    if (err)
        return err == FL_NOMEM ? fl_fail(why, err, "out of memory") : FL_OK;
    const uint64_t at = head.size < h->size ? head.size : h->size;
    err = at ? tree_stored_root(h->hasher, &h->tree, at, &root, why) : tree_range_root(h->hasher, &nothing, &root);
    if (err || (head.size <= h->size && tree_hash_same(&root, &head.root)))
        return err;
    return contradicted(name, &head, h->size, &root, why);
}

static enum fl_err judge_all(struct held *h, const char *dir, struct fl_why *why)
{
    struct fl_names notes;
    enum fl_err err = FL_OK;
    if (fl_dir_names(dir, ".note", &notes, NULL) == FL_NOMEM) /* where nobody may look there are none */
        return fl_fail(why, FL_NOMEM, "out of memory");
    for (size_t i = 0; i < notes.n && !err; i++) {
        struct fl_buf note = FL_BUF(NOTE_MAX);
        char *path = fl_path_join(dir, notes.name[i]);
        if (!path)
            err = fl_fail(why, FL_NOMEM, "out of memory");
        else if (fl_file_read(path, &note, NULL) == FL_OK)
            err = judge(h, notes.name[i], &note, why);
        fl_buf_fini(&note);
        free(path);
    }
    fl_names_free(&notes);
    return err;
}

enum fl_err start_cosigned(const struct folder *f, sqlite3 *db, const struct start_found *found, struct fl_why *why)
{
    struct ledger_tree stored = {NULL, NULL};
    struct held h = {.found = found};
    int64_t size = 0;
    char *dir = fl_path_join(f->dir, "cosigned");
    enum fl_err err = dir ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && fl_path_exists(dir)) {
        err = db_int(db, "SELECT coalesce(max(size), 0) FROM checkpoint", 0, &size, why);
        if (!err)
            err = ledger_tree_open(db, &stored, &h.tree, why);
        if (!err && fl_hash_new(FL_HASH_SHA256, &h.hasher))
            err = fl_fail(why, FL_NOMEM, "out of memory");
        h.size = (uint64_t)size;
        if (!err)
            err = judge_all(&h, dir, why);
        fl_hash_free(h.hasher);
        ledger_tree_close(&stored);
    }
    free(dir);
    return err;
}
