/* SPDX-License-Identifier: Apache-2.0
 *
 * tree.h: the Merkle tree of RFC 6962 section 2.1 (the same in RFC 9162), over SHA-256.
 *
 *   empty tree  SHA-256("")
 *   leaf        SHA-256(00 || data)
 *   node        SHA-256(01 || left || right)
 *   MTH(D[n])   node(MTH(D[0:k]), MTH(D[k:n])), k the largest power of two below n
 *
 * Complete subtrees never change once made, so they are all that is worth storing. (level, index)
 * names the one over the leaves index << level .. (index + 1) << level; its stored index counts complete
 * subtrees in the order in which appending leaves completes them (Crosby and Wallach):
 *
 *   leaf 0 = 0, leaf 1 = 1, (1,0) = 2, leaf 2 = 3, leaf 3 = 4, (1,1) = 5, (2,0) = 6, leaf 4 = 7
 *
 * A compact range keeps one hash for each set bit of the size: enough to append and to tell the root.
 * Sizes are below 2^63, as everywhere in this family of formats.
 *
 * Hashing goes through the caller's hasher (FL_HASH_SHA256), so that a million calls share one.
 * Thread rule: pure but for the hasher, which has one owner.
 */
#ifndef FL_AUDIT_TREE_H
#define FL_AUDIT_TREE_H

#include "base/hash.h"

enum {
    TREE_LEVELS = 64,
    TREE_PROOF_MAX = 64, /* hashes: inclusion at most 63, consistency at most 64 */
};
#define TREE_SIZE_MAX ((uint64_t)INT64_MAX)

struct tree_hash {
    uint8_t b[FL_SHA256_SIZE];
};
bool tree_hash_same(const struct tree_hash *a, const struct tree_hash *b);

FL_MUST enum fl_err tree_leaf(struct fl_hash *h, const void *data, size_t n, struct tree_hash *out);
FL_MUST enum fl_err tree_node(struct fl_hash *h, const struct tree_hash *left,
                              const struct tree_hash *right, struct tree_hash *out);

/* Where a complete subtree stands in storage order. level < 63. */
uint64_t tree_stored_index(unsigned level, uint64_t index);
/* How many complete subtrees, leaves counted, a tree of `size` leaves has. */
uint64_t tree_stored_count(uint64_t size);

/* ---- compact range ------------------------------------------------------------------------------ */

struct tree_range {
    uint64_t size;
    struct tree_hash at[TREE_LEVELS]; /* at[l] counts where bit l of size is set */
};

/* A complete subtree that an append made. */
struct tree_made {
    unsigned level; /* at least 1 */
    uint64_t index;
    struct tree_hash hash;
};

/* Append one leaf's hash. `made` (NULL: not wanted) takes up to TREE_LEVELS subtrees of level 1 and up,
 * in storage order. FL_LIMIT when full. On error the range is as before. */
FL_MUST enum fl_err tree_range_add(struct fl_hash *h, struct tree_range *r,
                                   const struct tree_hash *leaf, struct tree_made *made,
                                   size_t *n_made);
FL_MUST enum fl_err tree_range_root(struct fl_hash *h, const struct tree_range *r,
                                    struct tree_hash *out);

/* ---- reading stored subtrees -------------------------------------------------------------------- */

/* Gives the hash of one complete subtree; level 0 is a leaf's hash. */
struct tree_reader {
    void *ctx;
    FL_MUST enum fl_err (*read)(void *ctx, unsigned level, uint64_t index, struct tree_hash *out,
                                struct fl_why *why);
};

/* The range of the tree's first `size` leaves, read from storage. */
FL_MUST enum fl_err tree_range_load(const struct tree_reader *t, uint64_t size, struct tree_range *r,
                                    struct fl_why *why);
/* MTH(D[0:size]), read from storage. */
FL_MUST enum fl_err tree_stored_root(struct fl_hash *h, const struct tree_reader *t, uint64_t size,
                                     struct tree_hash *out, struct fl_why *why);

/* ---- proofs ------------------------------------------------------------------------------------- */

struct tree_proof {
    size_t n;
    struct tree_hash path[TREE_PROOF_MAX];
};

/* That leaf `index` is in the tree of `size` leaves; the leaf's sibling comes first. FL_ARG unless
 * index < size <= TREE_SIZE_MAX. */
FL_MUST enum fl_err tree_prove_leaf(struct fl_hash *h, const struct tree_reader *t, uint64_t index,
                                    uint64_t size, struct tree_proof *out, struct fl_why *why);
/* That the tree of `from` leaves is the beginning of the tree of `to` leaves. FL_ARG unless
 * 0 < from <= to: from the empty tree no proof exists, and none is needed. */
FL_MUST enum fl_err tree_prove_growth(struct fl_hash *h, const struct tree_reader *t, uint64_t from,
                                      uint64_t to, struct tree_proof *out, struct fl_why *why);

/* FL_OK: proven. FL_MISMATCH: not. FL_NOMEM. */
FL_MUST enum fl_err tree_check_leaf(struct fl_hash *h, const struct tree_hash *leaf, uint64_t index,
                                    uint64_t size, const struct tree_proof *proof,
                                    const struct tree_hash *root);
/* from = 0 accepts exactly the empty proof, the empty root and any tree above it. */
FL_MUST enum fl_err tree_check_growth(struct fl_hash *h, uint64_t from,
                                      const struct tree_hash *from_root, uint64_t to,
                                      const struct tree_hash *to_root,
                                      const struct tree_proof *proof);

#endif
