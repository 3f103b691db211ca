/* SPDX-License-Identifier: Apache-2.0
 *
 * recorder.h: the only writer of the station's database and log.
 *
 *   facts queue ─► take a batch ─► BEGIN ─► leaves, nodes, rows ─► re-read, re-hash ─► sign checkpoint
 *                                                                        │
 *                             tickets answered  ◄─ COMMIT ◄─ checkpoint row ┘
 *
 * Leaves, tree nodes, checkpoint and rows share one SQLite transaction (WAL). It is durable when it is answered: with the
 * signer, which keeps on its disk what the head was made from, or in the database itself (ledger/ledger.h). Events that
 * wait together share a commit. Any failure before COMMIT undoes the batch; a failure of COMMIT, or
 * of anything that puts memory and disk in doubt, or the database taken away or replaced under it (FL_GONE), is
 * sticky: every later event is answered with it,
 * and the station must stop. A signer that ended and a database that was taken away are noticed within a second, also while there
 * is nothing to record.
 *
 * Opening: takes the folder's lock, makes what is missing (only with `create`), migrates, verifies
 * the whole log, appends `boot`, turns attempts without an end into INTERRUPTED. While it runs it
 * appends a `heartbeat` every 15 minutes, so that silence means something, and `clock_step` when the wall
 * clock jumped. At most once a second, and at the end, the signed head is also written to the file `checkpoint`:
 * that file shows a database that was put back. It may lag by a second, because two more fsyncs for
 * every commit would cost more than the commit.
 *
 * An event whose body cannot be a leaf is answered FL_FORMAT and harms nobody else; one that the rules refuse
 * (record/allow.h: lots, quantities, duplicates) FL_REFUSED; one whose job has a leaf of its kind already is answered
 * FL_OK with that leaf's index. Names of operators become tags (store/person.h).
 *
 * Thread rule: open and close from one thread; the recorder runs its own; recorder_queue's queue from any.
 */
#ifndef FL_RECORD_RECORDER_H
#define FL_RECORD_RECORDER_H

#include "base/json.h"
#include "base/wake.h"
#include "event/event.h"

struct recorder; /* opaque */
struct sqlite3;

/* The clock was ahead when the newest record was written, and is right now. */
struct recorder_clock {
    const char *operator_id, *why; /* who answers for it, and how it came; both go into the clock_step record */
};

struct recorder_config {
    const char *data;    /* the data folder */
    bool create;         /* make folder, key and log when there is none */
    const char *station; /* name for a new one; NULL: from the host's name */
    /* Passphrase of an encrypted key, borrowed during open only; NULL: none. A new key is encrypted with it. */
    const char *passphrase;
    /* Sign in a process of its own: at the socket that the file key/signer names, else in a child that is started with
     * the folder's key. False: in this process, without a memory of its own, as tests do. */
    bool signer_apart;
    bool handover; /* with signer_apart: a key_rotate will come, the signer needs its next key too */
    struct recorder *early; /* of recorder_early, with the same config otherwise: taken by recorder_open, also when that fails */
    const json_t *previous; /* of a new log: what it says of the one in front of it (audit/previous.h); NULL: nothing. Borrowed */
    bool adopt; /* with signer_apart: the signer is to believe this log, whatever it remembers or does not. A person's decision */
    /* Asked once, when all is verified and before the recorder begins: what a start reads of its records need not open the
     * database again, whose schema takes longer to read than the answer. For reading, during this call. An error ends
     * the opening. NULL: nothing is asked. */
    enum fl_err (*look)(void *ctx, struct sqlite3 *db, struct fl_why *why);
    void *look_ctx;
    const struct recorder_clock *clock; /* with signer_apart: the signer may sign one head that is dated before its last; NULL: not.
                                           FL_STATE: the clock is not behind. Borrowed during open only */
};

/* What opening did, to be told to the user. */
struct recorder_opened {
    bool created;         /* the folder, the key and the log are new */
    bool closed;          /* the log was closed for good (key retire): it could not be opened, FL_STATE */
    bool encrypted;       /* the key is */
    char vkey[256];       /* verifier key of the log: the first one, which stands for it for ever */
    char origin[128], station[64];
    int64_t leaves;       /* in the log now */
    char now[256];        /* verifier key of the key that signs now */
    char promise[65];     /* SHA-256 of the public half of the one after it, as the log promised; "": none is promised */
    unsigned recovered;   /* records that the signer had signed and the database had lost, made again just now */
    unsigned interrupted; /* attempts closed as INTERRUPTED just now */
};

/* The beginning of recorder_open, for somebody who has other work to do meanwhile: an existing folder's lock is taken, its
 * signer starts. NULL: nothing was begun; recorder_open does all of it, and tells what is in the way. Goes to recorder_open,
 * or to recorder_drop when it will not be opened after all. */
struct recorder *recorder_early(const struct recorder_config *c);
void recorder_drop(struct recorder *early); /* NULL is fine */

/* FL_BUSY: another flashline works on this folder. FL_MISMATCH: the log does not verify: production is
 * refused (`flashline audit` says where; a file incident-*.txt in the folder keeps the evidence).
 * FL_NOT_FOUND: no station there and !create. FL_STATE: the log was closed for good. FL_ACCESS: the folder cannot be written,
 * or the key cannot be read. */
FL_MUST enum fl_err recorder_open(const struct recorder_config *c, struct recorder **out,
                                  struct recorder_opened *opened, struct fl_why *why);
/* Drains the queue, appends `log_close`, joins the thread. NULL is fine. */
void recorder_close(struct recorder *r);

/* Makers put their events here (event/event.h says who owns what). Lives until recorder_close. */
struct fl_queue *recorder_queue(struct recorder *r);

/* Raise `w` whenever parcels were put into the outbox (outbox.h). At most 80. Any thread; `w` must live until it is
 * unwatched. */
FL_MUST enum fl_err recorder_watch_outbox(struct recorder *r, struct fl_wake *w, struct fl_why *why);
void recorder_unwatch_outbox(struct recorder *r, struct fl_wake *w);

/* FL_OK, or the sticky failure: the station turns red with this sentence. Any thread. */
FL_MUST enum fl_err recorder_health(struct recorder *r, struct fl_why *why);

#endif
