/* SPDX-License-Identifier: Apache-2.0
 *
 * Proofs made from the recursive definitions of RFC 6962 sections 2.1.1 and 2.1.2, and checked by the
 * iterative ones of RFC 9162 sections 2.1.3.2 and 2.1.4.2: two different roads to the same answer.
 */
#include "audit/tree.h"

#include <assert.h>
#include <string.h>

/* Largest power of two below n; n >= 2. */
static uint64_t split(uint64_t n)
{
    uint64_t k = 1;
    while (k < n - k)
        k <<= 1;
    return k;
}

struct maker {
    struct fl_hash *h;
    const struct tree_reader *t;
    struct tree_proof *out;
    struct fl_why *why;
};

/* MTH(D[at : at + n]) where `at` is a multiple of the power of two at or above n: complete subtrees,
 * folded from the right. */
static enum fl_err subtree(const struct maker *m, uint64_t at, uint64_t n, struct tree_hash *out)
{
    bool any = false;
    for (unsigned level = 0; level < TREE_LEVELS - 1; level++) {
        if (!(n >> level & 1))
            continue;
        struct tree_hash left;
        uint64_t index = (at >> level) + (n >> level) - 1;
        enum fl_err err = m->t->read(m->t->ctx, level, index, &left, m->why);
        if (!err && any)
            err = tree_node(m->h, &left, out, out);
        else if (!err)
            *out = left;
        if (err)
            return err;
        any = true;
    }
    return FL_OK;
}

static enum fl_err push_subtree(const struct maker *m, uint64_t at, uint64_t n)
{
    assert(m->out->n < TREE_PROOF_MAX);
    return subtree(m, at, n, &m->out->path[m->out->n++]);
}

/* The proof's hashes come out from the top down; the format wants the bottom first. */
static void turn_round(struct tree_proof *p)
{
    for (size_t i = 0; i < p->n / 2; i++) {
        struct tree_hash swap = p->path[i];
        p->path[i] = p->path[p->n - 1 - i];
        p->path[p->n - 1 - i] = swap;
    }
}

enum fl_err tree_prove_leaf(struct fl_hash *h, const struct tree_reader *t, uint64_t index,
                            uint64_t size, struct tree_proof *out, struct fl_why *why)
{
    struct maker m = {h, t, out, why};
    out->n = 0;
    if (index >= size || size > TREE_SIZE_MAX)
        return fl_fail(why, FL_ARG, "there is no leaf %llu in a tree of %llu",
                       (unsigned long long)index, (unsigned long long)size);
    /* PATH(i, D[at : at + n]): walk down, keeping the side that is not taken */
    uint64_t at = 0, n = size, i = index;
    while (n > 1) {
        uint64_t k = split(n);
        enum fl_err err = i < k ? push_subtree(&m, at + k, n - k) : push_subtree(&m, at, k);
        if (err)
            return err;
        if (i < k) {
            n = k;
        } else {
            at += k;
            i -= k;
            n -= k;
        }
    }
    turn_round(out);
    return FL_OK;
}

enum fl_err tree_prove_growth(struct fl_hash *h, const struct tree_reader *t, uint64_t from,
                              uint64_t to, struct tree_proof *out, struct fl_why *why)
{
    struct maker m = {h, t, out, why};
    enum fl_err err = FL_OK;
    out->n = 0;
    if (from == 0 || from > to || to > TREE_SIZE_MAX)
        return fl_fail(why, FL_ARG, "no growth from %llu to %llu leaves can be proven",
                       (unsigned long long)from, (unsigned long long)to);
    /* SUB(m, D[at : at + n], whole): `whole` while the old tree is the very subtree looked at */
    uint64_t at = 0, n = to, old = from;
    bool whole = true;
    while (old != n && !err) {
        uint64_t k = split(n);
        if (old <= k) {
            err = push_subtree(&m, at + k, n - k);
            n = k;
        } else {
            err = push_subtree(&m, at, k);
            at += k;
            old -= k;
            n -= k;
            whole = false;
        }
    }
    if (!err && !whole)
        err = push_subtree(&m, at, n);
    turn_round(out);
    return err;
}

enum fl_err tree_check_leaf(struct fl_hash *h, const struct tree_hash *leaf, uint64_t index,
                            uint64_t size, const struct tree_proof *proof,
                            const struct tree_hash *root)
{
    if (index >= size || size > TREE_SIZE_MAX || proof->n > TREE_PROOF_MAX)
        return FL_MISMATCH;
    uint64_t fn = index, sn = size - 1;
    struct tree_hash r = *leaf;
    for (size_t i = 0; i < proof->n; i++) {
        enum fl_err err;
        if (sn == 0)
            return FL_MISMATCH;
        if (fn & 1 || fn == sn) {
            err = tree_node(h, &proof->path[i], &r, &r);
            for (; !(fn & 1) && fn != 0; fn >>= 1)
                sn >>= 1;
        } else {
            err = tree_node(h, &r, &proof->path[i], &r);
        }
        if (err)
            return err;
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && tree_hash_same(&r, root) ? FL_OK : FL_MISMATCH;
}

/* from = 0: the old root must be the empty tree's. */
static enum fl_err check_from_nothing(struct fl_hash *h, const struct tree_hash *from_root, uint64_t to,
                                      const struct tree_hash *to_root, size_t proof_n)
{
    static const struct tree_range nothing;
    struct tree_hash empty;
    enum fl_err err = tree_range_root(h, &nothing, &empty);
    if (err)
        return err;
    if (proof_n || !tree_hash_same(from_root, &empty))
        return FL_MISMATCH;
    return to == 0 && !tree_hash_same(to_root, &empty) ? FL_MISMATCH : FL_OK;
}

enum fl_err tree_check_growth(struct fl_hash *h, uint64_t from, const struct tree_hash *from_root,
                              uint64_t to, const struct tree_hash *to_root,
                              const struct tree_proof *proof)
{
    if (from > to || to > TREE_SIZE_MAX || proof->n > TREE_PROOF_MAX)
        return FL_MISMATCH;
    if (from == 0)
        return check_from_nothing(h, from_root, to, to_root, proof->n);
    if (from == to)
        return proof->n == 0 && tree_hash_same(from_root, to_root) ? FL_OK : FL_MISMATCH;
    size_t i = 0;
    uint64_t fn = from - 1, sn = to - 1;
    struct tree_hash fr, sr;
    if ((from & (from - 1)) == 0) {
        fr = *from_root; /* a complete old tree is itself the first hash and is not sent */
    } else {
        if (proof->n == 0)
            return FL_MISMATCH;
        fr = proof->path[i++];
    }
    sr = fr;
    if (i == proof->n)
        return FL_MISMATCH; /* a larger tree needs at least one more hash */
    for (; fn & 1; fn >>= 1)
        sn >>= 1;
    for (; i < proof->n; i++) {
        const struct tree_hash *c = &proof->path[i];
        enum fl_err err = FL_OK;
        if (sn == 0)
            return FL_MISMATCH;
        if (fn & 1 || fn == sn) {
            err = tree_node(h, c, &fr, &fr);
            if (!err)
                err = tree_node(h, c, &sr, &sr);
            for (; !(fn & 1) && fn != 0; fn >>= 1)
                sn >>= 1;
        } else {
            err = tree_node(h, &sr, c, &sr);
        }
        if (err)
            return err;
        fn >>= 1;
        sn >>= 1;
    }
    bool same = sn == 0 && tree_hash_same(&fr, from_root) && tree_hash_same(&sr, to_root);
    return same ? FL_OK : FL_MISMATCH;
}
