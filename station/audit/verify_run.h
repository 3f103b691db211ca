/* SPDX-License-Identifier: Apache-2.0
 *
 * verify_run.h: inside verify*.c only: the state of one walk through a log.
 */
#ifndef FL_AUDIT_VERIFY_RUN_H
#define FL_AUDIT_VERIFY_RUN_H

#include "audit/verify.h"

/* A head kept elsewhere. Its signature is judged when the keys of its time are known. */
struct audit_outside_head {
    struct checkpoint head;
    size_t at;     /* in the config's list */
    bool verified; /* by a key that was given; else its text is not to be believed yet */
};

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

    struct audit_outside_head *outside; /* sorted by size */
    size_t n_outside, next_outside;

    uint64_t handover_due; /* size of the head that two keys must sign; 0: none */

    /* the life of the station, as its leaves tell it */
    bool in_run;
    int64_t last_time, last_mono, last_boot;

    /* held against the clocks of authorities */
    int64_t latest;       /* time of the record that is dated latest so far */
    uint64_t latest_at;
    int64_t not_before;   /* what comes now is younger; INT64_MIN: nothing known */
    uint64_t not_before_by; /* the record that proves it */
};

/* Bytes, form, place, time, copies of one leaf; what it means for the station's life. Gives the hash to
 * build the tree with. */
enum fl_err audit_leaf_check(struct audit_run *r, const struct audit_leaf *leaf, struct tree_hash *hash);

/* verify_leaf.c: an authority stamped a head over the records so far. */
void audit_stamped(struct audit_run *r, const struct audit_outside *o);

/* verify_keys.c: what a record says about keys; whether the key of its time signed a head (adds the finding when not); at
 * the end, whether any key was one that was given; a note from elsewhere by a key of the log. */
void audit_keys_learn(struct audit_run *r, const struct leaf_view *v, uint64_t index);
bool audit_keys_signed(struct audit_run *r, const struct audit_head *h);
void audit_keys_end(struct audit_run *r);
enum fl_err audit_keys_note(struct audit_run *r, const void *note, size_t n, uint64_t size, struct checkpoint *out,
                            struct fl_why *why);

#endif
