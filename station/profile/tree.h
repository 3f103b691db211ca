/* SPDX-License-Identifier: Apache-2.0
 *
 * tree.h: one YAML document as a small tree in which every node knows its place.
 *
 * Inside the room only. The dialect: one document of mappings, lists and plain or quoted text, in
 * UTF-8, at most 1 MB. All scalars are text here: what `off` or `0x1000` means is for the schema to
 * say, so that no two YAML versions can read a file differently. Anchors, aliases and tags are
 * refused, because a profile must say what it means at the place where it says it.
 *
 * Ownership: the tree owns all its text. Thread rule: read-only after tree_read.
 */
#ifndef FL_PROFILE_TREE_H
#define FL_PROFILE_TREE_H

#include "profile/problems.h"

enum { TREE_BYTES_MAX = 1 << 20, TREE_DEPTH_MAX = 8, TREE_NODES_MAX = 20000 };

enum node_kind {
    NODE_TEXT,
    NODE_LIST,
    NODE_MAP,
    NODE_REFUSED, /* already complained about: say nothing more */
};

struct node {
    enum node_kind kind;
    struct place at;
    char *text;               /* NODE_TEXT: UTF-8, no zero inside; "" for an empty value */
    bool quoted;
    struct node *first, *last; /* items of a list, values of a map, in order */
    size_t n;
    struct node *next;
    char *key;                /* where the parent is a map */
    struct place key_at;
};

/* The root of what `text` says, or NULL with c->err set. Problems of YAML itself end the reading at the first;
 * refused things (anchors, ...) are all told. */
struct node *tree_read(const void *text, size_t n, struct critic *c);
void tree_free(struct node *root); /* NULL is fine */

/* The value of `key` in a map; NULL when there is none, or `map` is NULL or no map. */
const struct node *tree_get(const struct node *map, const char *key);

#endif
