/* SPDX-License-Identifier: Apache-2.0
 * What a proof out of a tree of millions of leaves costs, and how large the certificate is that is made of it. */
#include "log.h"

#include "audit/proof_file.h"
#include "ledger/ledger.h"
#include "store/db.h"
#include "store/folder.h"
#include "store/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hash_of(uint64_t i, struct tree_hash *h)
{
    memset(h, 0, sizeof *h);
    memcpy(h->b, &i, sizeof i);
}

/* A record of a unit that passed, as certificates prove it. */
static void unit_of(const char *data, struct fl_buf *rec)
{
    struct fl_why why = {0, ""};
    struct folder f;
    struct db_reader reader;
    struct shapes *shapes;
    int64_t index;
    const uint8_t *bytes;
    size_t n;
    if (folder_paths(data, &f, &why) || db_open_reader(f.db, false, &reader, &why) || shapes_new(reader.db, &shapes, &why) ||
        db_int(reader.db, "SELECT max(l.idx) FROM leaf l JOIN event_kind k ON k.id = l.kind WHERE k.name = 'unit_final'", -1, &index, &why) ||
        shapes_record(shapes, index, &bytes, &n, &why))
        bench_die("unit", &why);
    fl_buf_add(rec, bytes, n);
    shapes_free(shapes);
    db_close_reader(&reader);
    folder_fini(&f);
}

/* Bytes of the certificate of the unit in place `at`: made and checked like any other, under a head signed here. */
static double certificate(struct fl_hash *hasher, const struct tree_reader *tree, const struct fl_buf *rec, uint64_t at, uint64_t n)
{
    static const char origin[] = "factory.example/line-3/station-a/2026";
    struct fl_buf note = FL_BUF(4096), file = FL_BUF(65536);
    struct tree_proof proof;
    struct proof_file parsed;
    struct checkpoint head = {.size = n};
    struct vkey vkey;
    struct key *key;
    struct fl_why why = {0, ""};
    char text[CHECKPOINT_TEXT_MAX];
    uint8_t public[KEY_PUBLIC], signature[KEY_SIGNATURE];
    if (key_new(&key, &why) || tree_stored_root(hasher, tree, n, &head.root, &why) || tree_prove_leaf(hasher, tree, at, n, &proof, &why))
        bench_die("certificate", &why);
    key_public(key, public);
    if (vkey_make(origin, KEY_NOTE, public, &vkey, &why) ||
        key_sign(key, text, checkpoint_format(origin, n, &head.root, text), signature, &why))
        bench_die("certificate", &why);
    checkpoint_note(&note, &vkey, origin, n, &head.root, signature);
    proof_file_write(&file, rec->bytes, rec->len, at, &proof, note.bytes, note.len);
    if (proof_file_parse(file.bytes, file.len, &parsed, &why) ||
        proof_file_check(&parsed, rec->bytes, rec->len, &vkey, 1, origin, NULL, &why))
        bench_die("certificate", &why);
    double bytes = (double)file.len;
    proof_file_fini(&parsed);
    fl_buf_fini(&note);
    fl_buf_fini(&file);
    key_free(key);
    return bytes;
}

/* `unit` is the record in place `at`; of the others there are only hashes. */
static sqlite3 *make_tree(const char *dir, uint64_t n, struct fl_hash *hasher, uint64_t at, const struct fl_buf *unit)
{
    char path[300];
    struct fl_why why = {0, ""};
    sqlite3 *db;
    sqlite3_stmt *leaf, *node;
    struct tree_range range = {.size = 0};
    (void)snprintf(path, sizeof path, "%s/tree.db", dir);
    if (sqlite3_open(path, &db) != SQLITE_OK || db_exec(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                                                             "CREATE TABLE leaf (idx INTEGER PRIMARY KEY, hash BLOB);"
                                                             "CREATE TABLE node (id INTEGER PRIMARY KEY, hash BLOB); BEGIN", &why) ||
        db_prepare(db, "INSERT INTO leaf VALUES (?, ?)", &leaf, &why) || db_prepare(db, "INSERT INTO node VALUES (?, ?)", &node, &why))
        bench_die("tree", &why);
    for (uint64_t i = 0; i < n; i++) {
        struct tree_made made[TREE_LEVELS];
        struct tree_hash h;
        size_t k;
        hash_of(i, &h);
        if (i == at && tree_leaf(hasher, unit->bytes, unit->len, &h))
            exit(1);
        (void)sqlite3_bind_int64(leaf, 1, (sqlite3_int64)i);
        (void)sqlite3_bind_blob(leaf, 2, h.b, sizeof h.b, SQLITE_STATIC);
        if (db_run(leaf, &why) || tree_range_add(hasher, &range, &h, made, &k))
            bench_die("tree", &why);
        for (size_t m = 0; m < k; m++) {
            (void)sqlite3_bind_int64(node, 1, (sqlite3_int64)tree_stored_index(made[m].level, made[m].index));
            (void)sqlite3_bind_blob(node, 2, made[m].hash.b, sizeof made[m].hash.b, SQLITE_STATIC);
            if (db_run(node, &why))
                bench_die("tree", &why);
        }
    }
    (void)sqlite3_finalize(leaf);
    (void)sqlite3_finalize(node);
    if (db_exec(db, "COMMIT", &why))
        bench_die("tree", &why);
    return db;
}

void bench_proofs(const char *dir, const char *data, uint64_t n)
{
    struct fl_buf record = FL_BUF(LEAF_BYTES_MAX), *unit = &record;
    struct fl_hash *hasher;
    struct ledger_tree t;
    struct tree_reader reader;
    struct tree_proof proof;
    struct tree_hash h, root;
    struct fl_why why = {0, ""};
    if (fl_hash_new(FL_HASH_SHA256, &hasher))
        exit(1);
    unit_of(data, unit);
    const uint64_t at = 1000; /* at the beginning no path is short */
    sqlite3 *db = make_tree(dir, n, hasher, at, unit);
    if (ledger_tree_open(db, &t, &reader, &why) || tree_stored_root(hasher, &reader, n, &root, &why))
        bench_die("proof", &why);
    double worst = 0;
    uint64_t x = 88172645463325252u; /* xorshift64: places all over the tree, the same each time */
    for (int i = 0; i < 1000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        double start = bench_core_seconds();
        if (tree_prove_leaf(hasher, &reader, x % n, n, &proof, &why))
            bench_die("proof", &why);
        double took = bench_core_seconds() - start;
        worst = took > worst ? took : worst;
        hash_of(x % n, &h);
        if (x % n != at && tree_check_leaf(hasher, &h, x % n, n, &proof, &root))
            exit(1);
    }
    char what[80], note[80];
    (void)snprintf(what, sizeof what, "slowest of 1000 proofs from %llu M leaves", (unsigned long long)n / 1000000);
    bench_row(what, worst * 1000, "ms", 0, 5, true, "");
    (void)snprintf(what, sizeof what, "certificate of a unit among %llu M leaves", (unsigned long long)n / 1000000);
    (void)snprintf(note, sizeof note, "a record of %zu bytes", unit->len);
    bench_row(what, certificate(hasher, &reader, unit, at, n), "bytes", 0, 2047, true, note);
    ledger_tree_close(&t);
    (void)sqlite3_close(db);
    fl_hash_free(hasher);
    fl_buf_fini(unit);
}
