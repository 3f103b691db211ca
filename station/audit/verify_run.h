/* SPDX-License-Identifier: Apache-2.0
 *
 * verify_run.h: inside verify*.c and findings.c only: the state of one walk through a log.
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

/* A head that was trustworthy when it was gone by. */
struct audit_good {
    uint64_t size;
    struct tree_hash root;
};
/* To go back to one of them: all there were while they are few, then every second, every fourth, ... Memory does not grow. */
enum { AUDIT_GOOD_MAX = 2048 };

struct audit_run {
    const struct audit_source *src;
    const struct audit_config *cfg;
    struct audit_report *out;
    struct fl_hash *hasher;
    struct tree_range range;
    uint64_t count;   /* leaves gone through: the next one's place */
    uint64_t proven;  /* size of the last head whose root was right: leaves below are what was signed */
    bool tree_ok, nodes_ok; /* false after the first that was not */
    size_t doubts;          /* findings of those heads */
    bool doubt, forked;     /* a head that was no good, and none since that was; a head from outside denies the records */
    struct audit_good *good; /* AUDIT_GOOD_MAX */
    size_t n_good;
    uint64_t good_seen, good_each;
    struct audit_good agreed; /* newest head from outside that agreed; size 0: none */

    bool more_heads, more_nodes;
    struct audit_head head; /* the next one */
    struct audit_node node;
    uint64_t heads_seen;

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

/* A finding about a signed head alone (findings.c, as audit_add and its like). */
void audit_doubt(struct audit_run *r, enum audit_class class, uint64_t first, uint64_t last, const char *fmt, ...) FL_PRINTF(5, 6);
/* A head that is trustworthy: the last one, and one to come back to. */
void audit_trust(struct audit_run *r, uint64_t size, const struct tree_hash *root);
/* A finding about record `first`, or those behind it, came when heads over it were gone by already: back to one that is not. */
void audit_retreat(struct audit_run *r, uint64_t first);

/* verify_outside.c: before the walk; behind each record; behind the last. FL_NOMEM. */
FL_MUST enum fl_err audit_outside_open(struct audit_run *r, struct fl_why *why);
FL_MUST enum fl_err audit_outside_due(struct audit_run *r);
void audit_outside_ahead(struct audit_run *r);

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
