/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_inside.h: inside bundle*.c only: a bundle while it is verified.
 */
#ifndef FL_AUDIT_BUNDLE_INSIDE_H
#define FL_AUDIT_BUNDLE_INSIDE_H

#include "audit/bundle.h"
#include "audit/tiles.h"

#include <stdio.h>

struct bundle {
    const char *dir;
    const struct vkey *keys;
    size_t n_keys;
    FILE *records;
    uint8_t *line; /* LEAF_BYTES_MAX + 2 */
    uint64_t at;   /* the next record's place */
    struct audit_head *head;
    size_t n_heads, cap_heads, at_head;
    uint64_t size; /* of the newest head */
    struct tree_hash tile[TILE_HASHES]; /* of level 0 around `at` */
    bool has_tile, use_tiles, differ; /* give their hashes to the verifier; one differs from its record */
    struct tiles *tiles;
    struct account *account;
    struct fl_hash *hasher;
    uint64_t compared;
    char wrong[TILE_PATH_MAX + 40]; /* first tile that differs */
};

/* One of its files. */
FL_MUST enum fl_err bundle_file(const char *dir, const char *name, struct fl_buf *out, struct fl_why *why);

/* bundle_heads.c: all of its signed heads, sorted, into b->head; what is none becomes a finding. */
FL_MUST enum fl_err bundle_heads(struct bundle *b, struct check_result *out, struct fl_why *why);

/* bundle_self.c: what it says of itself. Its file `key`; findings where that, or its file `policy`, is not what the records tell. */
FL_MUST enum fl_err bundle_key(const char *dir, struct vkey *out, struct fl_why *why);
void bundle_judge_key(const struct bundle *b, struct check_result *out);
FL_MUST enum fl_err bundle_judge_policy(const struct bundle *b, const struct trust *t, struct check_result *out);

#endif
