/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/tree.h"

#include <string.h>

enum { LEAF_COPIED = 2048 };

bool tree_hash_same(const struct tree_hash *a, const struct tree_hash *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

enum fl_err tree_leaf(struct fl_hash *h, const void *data, size_t n, struct tree_hash *out)
{
    uint8_t in[LEAF_COPIED];
    in[0] = 0x00;
    /* most records are short: copying one costs less than a second call into the digest */
    if (n < sizeof in) {
        memcpy(in + 1, data, n);
        fl_hash_add(h, in, n + 1);
    } else {
        fl_hash_add(h, in, 1);
        fl_hash_add(h, data, n);
    }
    return fl_hash_end(h, out->b);
}

enum fl_err tree_node(struct fl_hash *h, const struct tree_hash *left, const struct tree_hash *right,
                      struct tree_hash *out)
{
    uint8_t in[1 + 2 * FL_SHA256_SIZE];
    in[0] = 0x01;
    memcpy(in + 1, left->b, FL_SHA256_SIZE);
    memcpy(in + 1 + FL_SHA256_SIZE, right->b, FL_SHA256_SIZE);
    fl_hash_add(h, in, sizeof in);
    return fl_hash_end(h, out->b);
}

uint64_t tree_stored_count(uint64_t size)
{
    uint64_t n = 0;
    for (; size; size >>= 1)
        n += size;
    return n;
}

uint64_t tree_stored_index(unsigned level, uint64_t index)
{
    /* the last leaf under the subtree completes it: it stands `level` places behind that leaf */
    uint64_t leaf = index;
    for (unsigned l = level; l > 0; l--)
        leaf = 2 * leaf + 1;
    return tree_stored_count(leaf) + level;
}

enum fl_err tree_range_add(struct fl_hash *h, struct tree_range *r, const struct tree_hash *leaf,
                           struct tree_made *made, size_t *n_made)
{
    struct tree_hash up = *leaf;
    unsigned level = 0;
    if (n_made)
        *n_made = 0;
    if (r->size >= TREE_SIZE_MAX)
        return FL_LIMIT;
    for (; r->size >> level & 1; level++) {
        enum fl_err err = tree_node(h, &r->at[level], &up, &up);
        if (err)
            return err;
        if (made)
            made[(*n_made)++] = (struct tree_made){level + 1, r->size >> (level + 1), up};
    }
    r->at[level] = up;
    r->size++;
    return FL_OK;
}

enum fl_err tree_range_root(struct fl_hash *h, const struct tree_range *r, struct tree_hash *out)
{
    bool any = false;
    for (unsigned level = 0; level < TREE_LEVELS; level++) {
        if (!(r->size >> level & 1))
            continue;
        if (!any)
            *out = r->at[level];
        enum fl_err err = any ? tree_node(h, &r->at[level], out, out) : FL_OK;
        if (err)
            return err;
        any = true;
    }
    return any ? FL_OK : fl_hash_end(h, out->b);
}

enum fl_err tree_range_load(const struct tree_reader *t, uint64_t size, struct tree_range *r,
                            struct fl_why *why)
{
    r->size = size;
    for (unsigned level = 0; level < TREE_LEVELS; level++) {
        if (!(size >> level & 1))
            continue;
        /* the subtree of this bit is the last one of its level under the leaves of the bits above */
        enum fl_err err = t->read(t->ctx, level, (size >> level) - 1, &r->at[level], why);
        if (err)
            return err;
    }
    return FL_OK;
}

enum fl_err tree_stored_root(struct fl_hash *h, const struct tree_reader *t, uint64_t size,
                             struct tree_hash *out, struct fl_why *why)
{
    struct tree_range r;
    enum fl_err err = tree_range_load(t, size, &r, why);
    return err ? err : tree_range_root(h, &r, out);
}
