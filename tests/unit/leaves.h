/* SPDX-License-Identifier: Apache-2.0
 * leaves.h: a tree of LEAVES leaves, each hash 32 bytes of its number, to prove growth in. Included by one test program
 * each. */
#ifndef FL_TESTS_LEAVES_H
#define FL_TESTS_LEAVES_H

#include "audit/tree.h"

enum { LEAVES = 40 };
static struct tree_hash leaf[LEAVES];
static struct fl_hash *hasher;

static enum fl_err read_leaf(void *ctx, unsigned level, uint64_t index, struct tree_hash *out, struct fl_why *why)
{
    struct tree_range r = {0};
    (void)ctx;
    (void)why;
    for (uint64_t i = index << level; i < (index + 1) << level; i++)
        if (tree_range_add(hasher, &r, &leaf[i], NULL, NULL))
            return FL_NOMEM;
    return tree_range_root(hasher, &r, out);
}
static const struct tree_reader tree = {NULL, read_leaf};

static int leaves_make(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < LEAVES; i++)
        memset(leaf[i].b, i, sizeof leaf[i].b);
    return fl_hash_new(FL_HASH_SHA256, &hasher) ? -1 : 0;
}
static int leaves_forget(void **state)
{
    (void)state;
    fl_hash_free(hasher);
    return 0;
}

#endif
