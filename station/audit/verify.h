/* SPDX-License-Identifier: Apache-2.0
 *
 * verify.h: a whole log read from its first byte to its last, and a verdict.
 *
 *   leaves, in order ──► bytes hashed, form, place, time ──► compact range ──► root at every signed head
 *   stored nodes     ──► equal to those the leaves make                         signature by a key the
 *   heads, by size   ──────────────────────────────────────────────────────►   caller trusts
 *   heads known outside (a file, a certificate, a witness) ──► not ahead of the log, same root at their size
 *
 * The log comes through three functions that each give the next item, so that a database, an exported
 * bundle and a test's array are the same to the verifier. Memory does not grow with the log.
 *
 * What signatures cannot show: a log cut off at the end, with its own older head, is a good log. Only heads
 * kept elsewhere show that (`outside`).
 *
 * Thread rule: one call, one thread; calls share nothing.
 */
#ifndef FL_AUDIT_VERIFY_H
#define FL_AUDIT_VERIFY_H

#include "audit/account.h"
#include "audit/checkpoint.h"
#include "audit/policy_told.h"
#include "audit/previous.h"

/*  class        name in reports    what it means
 * New ones come last: the place of a class is its exit code (audit_class_exit), which scripts rely on. */
#define AUDIT_CLASSES(X)                                                                           \
    X(GOOD, "good", "everything that was checked is right")                                        \
    X(CHANGED, "changed", "a record's bytes are not those that were hashed")                       \
    X(MISSING, "missing", "records are gone")                                                      \
    X(ORDER, "order", "a record does not stand in its place")                                      \
    X(FORM, "form", "a record is not in the form this program writes")                             \
    X(FOREIGN, "foreign", "a record belongs to another log")                                       \
    X(TIME, "time", "time goes backwards without a clock_step record")                             \
    X(COPY, "copy", "a column kept beside a record differs from the record")                       \
    X(NODE, "node", "the stored tree differs from the records")                                    \
    X(ROOT, "root", "the records are not those that were signed")                                  \
    X(SIGNATURE, "signature", "a head's signature is not good")                                    \
    X(KEY, "key", "signed by a key that is not trusted")                                           \
    X(UNSIGNED, "unsigned", "records behind the newest signed head")                               \
    X(ROLLBACK, "rollback", "a newer head exists elsewhere: the log was cut or put back")          \
    X(FORK, "fork", "two different signed heads of one size")                                      \
    X(ROWS, "rows", "the tables differ from what the records say")                                 \
    X(SCHEMA, "schema", "the database's own structure was changed")                                \
    X(DATABASE, "database", "the database file is damaged")                                        \
    X(PROOF, "proof", "a proof does not lead from its record to the signed head")                  \
    X(MALFORMED, "malformed", "a file is not what it should be")                                   \
    X(WITNESS, "witness", "fewer witnesses signed than were asked for")                            \
    X(TOKEN, "token", "a timestamp from outside is not good")                                      \
    X(OTHER, "other", "a file proves something else than what was asked for")                      \
    X(TWICE, "twice", "one attempt has two ends")

enum audit_class {
#define X(id, name, text) AUDIT_##id,
    AUDIT_CLASSES(X)
#undef X
    AUDIT_CLASS_COUNT
};
const char *audit_class_name(enum audit_class c);
const char *audit_class_text(enum audit_class c);
/* 0 for GOOD, 10 and up for the others, in their order: 10 changed, 11 missing, ... */
int audit_class_exit(enum audit_class c);

/* ---- what is verified --------------------------------------------------------------------------- */

struct audit_leaf {
    uint64_t index;     /* where it is stored */
    const uint8_t *rec; /* its bytes; borrowed until the next call */
    size_t n;
    const uint8_t *hash;  /* 32 bytes stored beside it, NULL: none */
    const char *event;    /* copy of the member `event`, NULL: none is kept */
    const char *job;      /* copy of `job`, NULL: the record must have none (only looked at with `event`) */
};
struct audit_node {
    uint64_t id; /* stored index (tree.h); level 1 and up only */
    struct tree_hash hash;
};
struct audit_head {
    uint64_t size;
    struct tree_hash root;
    uint32_t key_id;
    uint8_t signature[KEY_SIGNATURE];
    uint32_t handover_id; /* of the key that this one is handed over to, which signed too; 0: none did */
    uint8_t handover[KEY_SIGNATURE];
};

/* Each gives the next item: FL_OK, FL_NOT_FOUND at the end, or what went wrong in reading. */
struct audit_source {
    void *ctx;
    FL_MUST enum fl_err (*leaf)(void *ctx, struct audit_leaf *out, struct fl_why *why);
    FL_MUST enum fl_err (*node)(void *ctx, struct audit_node *out, struct fl_why *why); /* NULL: not kept */
    FL_MUST enum fl_err (*head)(void *ctx, struct audit_head *out, struct fl_why *why);
};

/* A head that somebody else kept. */
struct audit_outside {
    const char *name; /* "the file /var/lib/flashline/checkpoint" */
    const void *note; /* a signed note; borrowed */
    size_t n;
    int64_t stamped_ms; /* an authority saw it then, and record `anchor` holds its word: what is under the head is older, what is
                           behind the record is younger. 0: not */
    uint64_t anchor;
    bool agreed;      /* set by audit_verify: same root at its size */
    uint64_t size;    /* and that size */
};

struct audit_config {
    const struct vkey *keys; /* trusted, of type KEY_NOTE; the first one's name is the log's origin. One that the log ever
                                had is enough: the log itself tells and proves which came before and after */
    size_t n_keys;
    uint64_t heads;      /* how many heads there are, when known; 0: not known */
    uint64_t signatures; /* check this many of the newest heads' signatures; 0: all. Needs `heads` */
    struct audit_outside *outside;
    size_t n_outside;
    struct account *account; /* takes every record, and is ended at the end: report.account; NULL: not asked for */
};

/* ---- what is found ------------------------------------------------------------------------------ */

enum { AUDIT_KEYS_MAX = 64 };

/* A key of the log and the heads it may sign (verify_keys.c). */
struct audit_key {
    struct vkey key;
    uint64_t from, to; /* sizes; to UINT64_MAX: in force */
    bool trusted;      /* it was among those given */
};

enum { AUDIT_FINDINGS_MAX = 32, AUDIT_TEXT_MAX = 400, AUDIT_GAPS_MAX = 16 };

struct audit_finding {
    enum audit_class class;
    bool beside;          /* about what is kept beside the log, or was brought to it: the records may all be right */
    bool head;            /* about a signed head alone, which is no good: a doubt about the records since the last good one, */
    bool covered;         /* until a later good head covers them */
    uint64_t first, last; /* leaves concerned: no leaf below `first` is */
    char text[AUDIT_TEXT_MAX];
};
struct audit_gap {
    uint64_t leaf;   /* the first leaf after the silence */
    uint64_t ms;     /* how long nothing was written in a running station */
};

/* The clock was set: so far it went against the time that had passed, and what an engineer said to it. */
struct audit_step {
    uint64_t leaf;
    int64_t ms; /* negative: back */
    char why[120]; /* "" nobody said anything */
};
enum { AUDIT_STEPS_MAX = 16 };

struct audit_report {
    enum audit_class verdict; /* of audit_worst; GOOD: nothing was found */
    size_t n_findings;        /* all of them; the list holds the first AUDIT_FINDINGS_MAX */
    struct audit_finding finding[AUDIT_FINDINGS_MAX];

    size_t n_log_findings;    /* those about the records themselves, not about what is kept beside them, nor about heads that are covered */
    size_t n_covered;         /* heads that are no good, over records that a later good head covers */

    uint64_t leaves, nodes, heads, signatures, outside; /* checked */
    uint64_t outside_size;                              /* the largest outside head that agreed */
    uint64_t bytes;                                     /* of leaves */
    bool has_head;
    struct audit_head head;   /* the newest one there is, good or not */
    /* The last trustworthy head: the newest that is signed by the key of its time and is over the records as they are here, with
     * no finding about a record below it. A head that is no good itself (damaged, by another key) lowers it to the one before, and
     * no longer when a later good one covers the same records. Where a head from outside denies it: the newest from outside that
     * agreed, or a head before that. */
    bool has_trusted;
    uint64_t trusted_size;
    struct tree_hash trusted_root;
    bool tree_intact;         /* the newest head is good, and so is every root under a good head: what is changed is changed in
                                 place only, and every record that no finding names is what was signed */

    size_t n_keys;            /* in the order in which they came; 0: the log names none */
    struct audit_key key[AUDIT_KEYS_MAX];
    char next_key[2 * FL_SHA256_SIZE + 1]; /* SHA-256 of the public half of the key that comes next, as promised; "" none */
    bool retired;             /* the log was closed for good */
    struct audit_previous previous; /* the log in front of it, if its first record names one */
    struct audit_policy policy; /* which witnesses the log asks for, as its records say */

    int64_t first_ms, last_ms; /* wall times of the first and last leaf */
    uint64_t boots, closes, unclosed, heartbeats, clock_steps, starts, results, interrupted;
    bool open;                /* the last run has no log_close: it is running, or was cut off */
    bool accounted;           /* the next is there */
    struct account_result account;
    size_t n_steps;           /* the list holds the largest AUDIT_STEPS_MAX, in their order */
    struct audit_step step[AUDIT_STEPS_MAX];
    size_t n_gaps;            /* all; the list holds the first AUDIT_GAPS_MAX */
    struct audit_gap gap[AUDIT_GAPS_MAX];
};

/* So far a station's clock and an authority's may lie apart before the one is held against the other. */
enum { AUDIT_SKEW_MS = 10 * 60 * 1000 };

/* A silence of a running station longer than this is a gap: it writes a heartbeat every 15 minutes. */
enum { AUDIT_HEARTBEAT_MS = 15 * 60 * 1000, AUDIT_GAP_MS = AUDIT_HEARTBEAT_MS + 60 * 1000 };

/* FL_OK: the log was read to its end, see the report's verdict. Anything else: it could not be read. */
FL_MUST enum fl_err audit_verify(const struct audit_source *source, const struct audit_config *config,
                                 struct audit_report *out, struct fl_why *why);

/* Add a finding that was made outside (rows, schema, database) and judge again. */
void audit_add(struct audit_report *r, enum audit_class class, uint64_t first, uint64_t last,
               const char *fmt, ...) FL_PRINTF(5, 6);
/* The same about something that was brought to the log and is no good itself, whatever its class. */
void audit_add_beside(struct audit_report *r, enum audit_class class, const char *fmt, ...) FL_PRINTF(3, 4);
/* The finding that concerns the lowest leaf, those of the log before those beside it; NULL when there is none. */
const struct audit_finding *audit_worst(const struct audit_report *r);

#endif
