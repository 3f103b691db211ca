/* SPDX-License-Identifier: Apache-2.0
 *
 * ledger.h: the signed log inside the database: leaves, tree nodes, checkpoints, and the rule by which they grow.
 *
 *   ledger_begin ─► ledger_append ... ─► ledger_seal ─► ledger_commit        any error: ledger_rollback
 *                    leaf, nodes, rows     re-read what was written, hash it again, root by two roads,
 *                                          sign, verify the signature, checkpoint row
 *
 * After a commit the state in memory is that on disk. After a failed one nobody knows: the ledger must not be used
 * again (the next opening finds out).
 *
 * When a commit is durable. A signer that keeps what a head is made from (signer_kind.remembers) has it on its disk before
 * its signature leaves, and gives it back at the next opening: so the commit is durable there when ledger_commit returns. The
 * database's own pages follow for several commits at once, by a thread of its own (store/flush.h), and always before the
 * signer forgets what they were made from:
 *
 *   signer    [flush 7]           [flush 8]           [flush 9]            keeps the last SIGNER_KEEPS
 *   database             COMMIT 7 [flush until 7 ...]           COMMIT 9
 *                        answer              COMMIT 8 answer    answer
 *
 * One wait for the disk a commit instead of two; while the signer waits for it, the rows of the last record are written and all
 * pages go into the WAL, where nobody sees them before the COMMIT. Wherever the power goes, what was answered is in the database, or the
 * signer has it. What the signer does not keep (a commit without a leaf, a hand-over) and everything with a signer that does not
 * remember is durable in the database itself when ledger_commit returns.
 *
 * What is stored: leaf.rec is the record, mostly by shape (store/shapes.h); leaf.hash is the tree's level 0; node holds complete
 * subtrees of level 1 and up under their stored
 * index (audit/tree.h); checkpoint holds what is needed to write the signed note again, byte for byte, because the
 * text follows from origin, size and root, and Ed25519 is deterministic.
 *
 * Thread rule: one owner at a time.
 */
#ifndef FL_LEDGER_LEDGER_H
#define FL_LEDGER_LEDGER_H

#include "audit/signer.h"
#include "audit/verify.h"
#include "event/event.h"
#include "rows/project.h"
#include "store/job.h"

struct ledger; /* opaque */
struct shapes;

struct ledger_config {
    sqlite3 *db; /* borrowed */
    const struct vkey *vkey; /* the key that signs now; its name: the origin; copied */
    const struct signer_kind *signer;
    const void *signer_config; /* borrowed */
    int wal_pages; /* for tests: pages in the WAL that are many; 0: as usual (ledger_wal.c) */
};
/* When the signer is some heads ahead, because a crash came before their commits were on the disk, they are made
 * again, from what the signer kept, before this returns. FL_MISMATCH: the signer and the log contradict each other. */
FL_MUST enum fl_err ledger_open(const struct ledger_config *c, struct ledger **out, struct fl_why *why);
uint64_t ledger_recovered(const struct ledger *l); /* how many records were made again so */
void ledger_close(struct ledger *l); /* NULL is fine */

uint64_t ledger_size(const struct ledger *l); /* leaves, those of an open transaction counted */

FL_MUST enum fl_err ledger_begin(struct ledger *l, struct fl_why *why);
/* The leaf that this job has of this kind already, or -1. `job` NULL: -1. */
FL_MUST enum fl_err ledger_find(struct ledger *l, const char *job, enum event_kind kind, int64_t *index,
                                struct fl_why *why);
/* Append one leaf: its canonical bytes, and the same as a value for the rows. FL_FORMAT: it cannot be projected or
 * breaks a constraint; it alone is undone and the transaction goes on. Any other error ends the transaction.
 * A key_rotate leaf must be the last of its transaction: the head over it is signed by the key it names too, and from the
 * commit on that key alone signs. Then ledger_seal may give FL_STATE: the signer has no next key; FL_MISMATCH: its next key is
 * another one. */
FL_MUST enum fl_err ledger_append(struct ledger *l, enum event_kind kind, const char *job, const json_t *leaf,
                                  const struct fl_buf *bytes, struct fl_why *why);
/* The same for a transaction's last record with rows, when they are sure to be possible (event.h, typed): they are written while
 * the signer works. Nobody could refuse such a record alone any more: a constraint that it breaks ends the transaction. */
FL_MUST enum fl_err ledger_append_sure(struct ledger *l, enum event_kind kind, const char *job, const json_t *leaf,
                                       const struct fl_buf *bytes, struct fl_why *why);
/* Where to note what this transaction writes besides leaves and what follows from them: parcels, names of people. Whoever
 * makes it again must know (redo.h). NULL: nobody would make it again. */
struct fl_buf *ledger_redo(struct ledger *l);
/* Nothing appended: nothing signed. */
FL_MUST enum fl_err ledger_seal(struct ledger *l, struct fl_why *why);
FL_MUST enum fl_err ledger_commit(struct ledger *l, struct fl_why *why);
/* When nobody waits for an answer: puts pages from the WAL into the database's file, where there are many. Where there are very
 * many, because readers never all end, it waits for them, for seconds (ledger_wal.c). */
FL_MUST enum fl_err ledger_tidy(struct ledger *l, struct fl_why *why);
/* Until the database's own file holds everything that was committed: before a head is written where a start compares it. */
FL_MUST enum fl_err ledger_durable(struct ledger *l, struct fl_why *why);
void ledger_rollback(struct ledger *l);
/* Durable, and the signer knows it: a database that is put back behind this head is refused from here on, for no crash can have
 * taken what was there. */
FL_MUST enum fl_err ledger_settle(struct ledger *l, struct fl_why *why);
/* Could the signer be asked now? Without asking it: for somebody who has nothing to sign and would learn it too late. */
FL_MUST enum fl_err ledger_there(struct ledger *l, struct fl_why *why);
/* As ledger_settle, at an orderly end. */
FL_MUST enum fl_err ledger_end(struct ledger *l, struct fl_why *why);
/* Get ready what the first records would wait for: for a thread that has nothing to do yet. */
void ledger_warm(struct ledger *l);

/* The newest signed head as a note, at a hand-over with both lines; nothing when the log is empty. */
FL_MUST enum fl_err ledger_head(struct ledger *l, struct fl_buf *out, struct fl_why *why);

/* ---- reading a log for verification ---------------------------------------------------------------- */

enum { LEDGER_KINDS_MAX = 64 };
struct ledger_reader {
    sqlite3_stmt *leaves, *nodes, *heads;
    struct shapes *shapes;
    uint8_t before[FL_SHA256_SIZE]; /* hash of the leaf in front of the next one */
    int64_t next;                   /* its place, where `before` is the right one; -1 */
    char kind[LEDGER_KINDS_MAX][24]; /* names by id of the table event_kind, "" none */
    char job[JOB_TEXT];
};
/* A source over the log in `db`, which must stay open; one transaction should be, so that a writer beside cannot
 * come between leaves and heads. */
FL_MUST enum fl_err ledger_reader_open(sqlite3 *db, struct ledger_reader *r, struct audit_source *out,
                                       struct fl_why *why);
void ledger_reader_close(struct ledger_reader *r);

/* The keys that the log in `db` ever had: `first`, then those that it was handed over to, as its records name them. */
FL_MUST enum fl_err ledger_keys(sqlite3 *db, const struct vkey *first, struct vkey out[static AUDIT_KEYS_MAX], size_t *n, struct fl_why *why);

/* Subtrees stored in `db`, for proofs. `out` borrows `t`. */
struct ledger_tree {
    sqlite3_stmt *leaf, *node;
};
FL_MUST enum fl_err ledger_tree_open(sqlite3 *db, struct ledger_tree *t, struct tree_reader *out,
                                     struct fl_why *why);
void ledger_tree_close(struct ledger_tree *t);

#endif
