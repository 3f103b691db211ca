/* SPDX-License-Identifier: Apache-2.0
 *
 * verify_run.h: inside verify*.c only: the state of one walk through a log.
 */
#ifndef FL_AUDIT_VERIFY_RUN_H
#define FL_AUDIT_VERIFY_RUN_H

#include "audit/verify.h"

struct audit_run {
    const struct audit_source *src;
    const struct audit_config *cfg;
    struct audit_report *out;
    struct fl_hash *hasher;
    struct tree_range range;
    uint64_t count;   /* leaves gone through: the next one's place */
    uint64_t proven;  /* size of the last head whose root was right: leaves below are what was signed */
    bool tree_ok, nodes_ok, signed_ok; /* false after the first that was not */

    bool more_heads, more_nodes;
    struct audit_head head; /* the next one */
    struct audit_node node;
    uint64_t heads_seen, last_head_size;

    struct checkpoint *outside; /* sorted by size */
    size_t n_outside, next_outside;

    /* the life of the station, as its leaves tell it */
    bool in_run;
    int64_t last_time, last_mono, last_boot;
};

/* Bytes, form, place, time, copies of one leaf; what it means for the station's life. Gives the hash to
 * build the tree with. */
enum fl_err audit_leaf_check(struct audit_run *r, const struct audit_leaf *leaf, struct tree_hash *hash);

#endif
