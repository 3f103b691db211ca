/* SPDX-License-Identifier: Apache-2.0
 * log.h: a small log whose truth is known: SIZE records, signed heads of it, and a head of another history, all by keys
 * from fixed seeds, so that an input kept today is as good tomorrow. Made once. */
#ifndef FL_TESTS_FUZZ_LOG_H
#define FL_TESTS_FUZZ_LOG_H

#include "fuzz.h"

#include "audit/cosign.h"
#include "audit/proof_file.h"
#include "audit/tree.h"

#define LOG_ORIGIN "factory.example/station1"
enum { LOG_SIZE = 7, LOG_RECORD = 600 };

struct log {
    struct key *key, *witness_key;
    struct vkey vkey, witness;
    struct fl_hash *hasher;
    char record[LOG_SIZE][LOG_RECORD];
    struct tree_hash leaf[LOG_SIZE], root[LOG_SIZE + 1]; /* root[n]: over the first n */
    struct fl_buf head[LOG_SIZE + 1];                    /* signed, by size; 0 is empty */
};

/* A hash of any complete subtree, from the leaves. */
static inline enum fl_err log_node(void *ctx, unsigned level, uint64_t index, struct tree_hash *out, struct fl_why *why)
{
    struct log *l = ctx;
    struct tree_hash left, right;
    if (level == 0) {
        *out = l->leaf[index];
        return FL_OK;
    }
    enum fl_err err = log_node(l, level - 1, 2 * index, &left, why);
    if (!err)
        err = log_node(l, level - 1, 2 * index + 1, &right, why);
    return err ? err : tree_node(l->hasher, &left, &right, out);
}

/* A checkpoint of these that the log's key signed, whatever it says. */
static inline void log_sign(const struct log *l, uint64_t size, const struct tree_hash *root, struct fl_buf *out)
{
    char text[CHECKPOINT_TEXT_MAX];
    uint8_t signature[KEY_SIGNATURE];
    size_t n = checkpoint_format(LOG_ORIGIN, size, root, text);
    FUZZ_HOLDS(key_sign(l->key, text, n, signature, NULL) == FL_OK);
    checkpoint_note(out, &l->vkey, LOG_ORIGIN, size, root, signature);
    FUZZ_HOLDS(fl_buf_err(out, NULL) == FL_OK);
}

static inline void log_key(uint8_t seed, const char *name, enum key_type type, struct key **key, struct vkey *vkey)
{
    uint8_t bytes[KEY_SEED], public[KEY_PUBLIC];
    memset(bytes, seed, sizeof bytes);
    FUZZ_HOLDS(key_from_seed(bytes, key, NULL) == FL_OK);
    key_public(*key, public);
    FUZZ_HOLDS(vkey_make(name, type, public, vkey, NULL) == FL_OK);
}

static inline struct log *log_make(void)
{
    struct log *l = calloc(1, sizeof *l);
    FUZZ_HOLDS(l && fl_hash_new(FL_HASH_SHA256, &l->hasher) == FL_OK);
    log_key(1, LOG_ORIGIN, KEY_NOTE, &l->key, &l->vkey);
    log_key(2, "witness.example/w1", KEY_COSIGN, &l->witness_key, &l->witness);
    const struct tree_reader t = {l, log_node};
    for (unsigned i = 0; i < LOG_SIZE; i++) {
        (void)snprintf(l->record[i], LOG_RECORD,
                       "{\"boot\":0,\"clock\":\"sync\",\"event\":\"unit_final\",\"log\":\"" LOG_ORIGIN "\",\"mac\":\"24:6f:28:00:00:%02x\","
                       "\"mono_ms\":%u,\"outcome\":\"PASS\",\"seq\":%u,\"station\":\"station1\",\"sw\":\"flashline 0.1.0\","
                       "\"time\":\"2026-11-22T08:00:00.000Z\",\"v\":1}", i, i, i);
        FUZZ_HOLDS(tree_leaf(l->hasher, l->record[i], strlen(l->record[i]), &l->leaf[i]) == FL_OK);
    }
    for (unsigned n = 0; n <= LOG_SIZE; n++) {
        FUZZ_HOLDS(tree_stored_root(l->hasher, &t, n, &l->root[n], NULL) == FL_OK);
        l->head[n] = FL_BUF(4096);
        log_sign(l, n, &l->root[n], &l->head[n]);
    }
    return l;
}

/* The certificate of record `index` under the head of `size`. */
static inline void log_certificate(struct log *l, unsigned index, unsigned size, struct fl_buf *out)
{
    const struct tree_reader t = {l, log_node};
    struct tree_proof p;
    FUZZ_HOLDS(tree_prove_leaf(l->hasher, &t, index, size, &p, NULL) == FL_OK);
    proof_file_write(out, l->record[index], strlen(l->record[index]), index, &p, l->head[size].bytes, l->head[size].len);
    FUZZ_HOLDS(fl_buf_err(out, NULL) == FL_OK);
}

#endif
