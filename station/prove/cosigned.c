/* SPDX-License-Identifier: Apache-2.0 */
#include "prove/cosigned.h"

#include "audit/witness.h"
#include "base/file.h"
#include "ledger/ledger.h"
#include "prove/certificate.h"
#include "store/db.h"
#include "store/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOTE_MAX = 65536 };

struct reading {
    struct folder folder;
    struct db_reader reader;
    struct ledger_tree stored;
    struct tree_reader tree;
    struct fl_hash *hasher;
    struct vkey key[AUDIT_KEYS_MAX]; /* that the log ever had, the first one first */
    size_t n_keys;
};

static enum fl_err open_reading(const char *data, struct reading *r, struct fl_why *why)
{
    char station[FOLDER_STATION_MAX];
    memset(r, 0, sizeof *r);
    enum fl_err err = folder_paths(data, &r->folder, why);
    if (err)
        return err;
    struct vkey first;
    err = folder_identity(&r->folder, station, &first, why);
    if (!err)
        err = db_open_reader(r->folder.db, false, &r->reader, why);
    if (!err)
        err = db_exec(r->reader.db, "BEGIN", why);
    if (!err)
        err = ledger_keys(r->reader.db, &first, r->key, &r->n_keys, why);
    if (!err)
        err = ledger_tree_open(r->reader.db, &r->stored, &r->tree, why);
    if (!err && fl_hash_new(FL_HASH_SHA256, &r->hasher))
        err = fl_fail(why, FL_NOMEM, "out of memory");
    return err;
}

static void close_reading(struct reading *r)
{
    ledger_tree_close(&r->stored);
    fl_hash_free(r->hasher);
    db_close_reader(&r->reader);
    folder_fini(&r->folder);
}

static char *path_of(const char *data, const struct vkey *witness)
{
    char name[40];
    (void)snprintf(name, sizeof name, "cosigned/%08x.note", witness->id);
    return fl_path_join(data, name);
}

/* Size of the head in a note, unverified: what is kept here was verified when it came. */
static enum fl_err size_of(const struct fl_buf *note, uint64_t *size)
{
    struct checkpoint c;
    const char *blank = note->len ? memmem(note->bytes, note->len, "\n\n", 2) : NULL;
    enum fl_err err = blank ? checkpoint_parse((const char *)note->bytes, (size_t)(blank + 1 - (const char *)note->bytes), &c, NULL) : FL_FORMAT;
    *size = err ? 0 : c.size;
    return err;
}

static uint64_t kept_size(const char *data, const struct vkey *witness)
{
    uint64_t size = 0;
    struct fl_buf b = FL_BUF(NOTE_MAX);
    char *path = path_of(data, witness);
    if (!path || fl_file_read(path, &b, NULL) || size_of(&b, &size))
        size = 0; /* unknown: the witness tells it with a 409 */
    free(path);
    fl_buf_fini(&b);
    return size;
}

/* ---- offering ------------------------------------------------------------------------------------------------------- */

static enum fl_err offer(struct reading *r, uint64_t old, struct fl_buf *request, struct fl_buf *note, struct fl_why *why)
{
    uint64_t size;
    struct tree_proof proof = {.n = 0};
    enum fl_err err = note->len ? FL_OK : certificate_head(r->reader.db, note, why);
    int64_t newest = 0;
    if (!err)
        err = db_int(r->reader.db, "SELECT coalesce(max(size), 0) FROM checkpoint", 0, &newest, why);
    if (!err && size_of(note, &size))
        err = fl_fail(why, FL_FORMAT, "the newest head is damaged");
    if (!err && old > (uint64_t)newest)
        err = fl_fail(why, FL_MISMATCH, "the witness signed a head of %llu records, here are %lld: this log was cut or put back",
                      (unsigned long long)old, (long long)newest);
    if (!err && old > size)
        err = fl_fail(why, FL_EXISTS, "the witness signed a newer head already");
    if (!err && old)
        err = tree_prove_growth(r->hasher, &r->tree, old, size, &proof, why);
    if (err)
        return err;
    witness_request(old, &proof, note->bytes, note->len, request);
    return fl_buf_err(request, why);
}

enum fl_err cosigned_offer(const char *data, const struct vkey *witness, int64_t old, struct fl_buf *request, struct fl_buf *note,
                           struct fl_why *why)
{
    struct reading r;
    struct fl_buf own = FL_BUF(NOTE_MAX);
    enum fl_err err = open_reading(data, &r, why);
    uint64_t from = old >= 0 ? (uint64_t)old : witness ? kept_size(data, witness) : 0;
    if (!err)
        err = offer(&r, from, request, note ? note : &own, why);
    fl_buf_fini(&own);
    close_reading(&r);
    return err;
}

/* ---- keeping -------------------------------------------------------------------------------------------------------- */

/* Signed by the log and by the witness, and of our history. */
static enum fl_err judge(struct reading *r, const void *bytes, size_t n, const struct vkey *witness, uint64_t *size, struct fl_why *why)
{
    struct checkpoint head, same;
    struct tree_hash root;
    struct fl_why w = {0, ""};
    *size = 0;
    enum fl_err err = checkpoint_open(bytes, n, r->key, r->n_keys, r->key[0].name, &head, why);
    if (!err)
        err = checkpoint_open(bytes, n, witness, 1, r->key[0].name, &same, why);
    if (err == FL_NOT_FOUND)
        err = fl_fail(why, FL_MISMATCH, "not signed by both this log and the witness %.120s", witness->name);
    if (err)
        return err;
    *size = head.size;
    err = head.size ? tree_stored_root(r->hasher, &r->tree, head.size, &root, &w) : FL_MISMATCH;
    if (err && err != FL_NOMEM)
        return fl_fail(why, FL_MISMATCH, "the head of %llu records is not of this log's history: it has fewer", (unsigned long long)head.size);
    if (!err && !tree_hash_same(&root, &head.root))
        return fl_fail(why, FL_MISMATCH, "the head of %llu records has another root than this log: a fork", (unsigned long long)head.size);
    return err;
}

enum fl_err cosigned_keep(const char *data, const void *note, size_t n, const struct vkey *witness, uint64_t *size, struct fl_why *why)
{
    struct reading r;
    char *path = path_of(data, witness), *dir = path ? fl_path_dir(path) : NULL;
    enum fl_err err = open_reading(data, &r, why);
    if (!err && !dir)
        err = fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = judge(&r, note, n, witness, size, why);
    if (!err && kept_size(data, witness) > *size)
        err = fl_fail(why, FL_EXISTS, "a newer head that this witness signed is kept already");
    if (!err)
        err = fl_dir_make(dir, why);
    if (!err)
        err = fl_file_replace(path, note, n, 0644, why);
    if (!err)
        err = cosigned_keep_quorum(data, *size, why);
    free(dir);
    free(path);
    close_reading(&r);
    return err;
}
