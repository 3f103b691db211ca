/* SPDX-License-Identifier: Apache-2.0
 *
 * recorder_inside.h: how the files of the recorder share the work. Not for other files.
 *
 *   recorder_open.c    folder, lock, log verified, first leaves, and the way back
 *   recorder_append.c  one event becomes its leaves, inside an open transaction
 *   recorder.c         the thread: batches, commits, the mark, health
 */
#ifndef FL_RECORD_RECORDER_INSIDE_H
#define FL_RECORD_RECORDER_INSIDE_H

#include "ledger/ledger.h"
#include "record/allow.h"
#include "record/recorder_hooks.h"
#include "rows/abridge.h"
#include "store/folder.h"
#include "store/outbox_rows.h"

#include "base/file.h"
#include "store/db.h"

#include <pthread.h>
#include <stdatomic.h>

enum { WATCHERS_MAX = 80 }; /* of the outbox: a printer, an authority, 64 witnesses */

struct recorder {
    struct folder folder;
    struct fl_lock lock;
    struct recorder_hooks hooks;
    struct vkey vkey;
    char station[FOLDER_STATION_MAX];
    struct key *key;
    struct remote *signer; /* sent for and not met yet; NULL else */
    sqlite3 *db;
    struct db_place place; /* of db; file 0: before the first commit */
    struct ledger *ledger;
    struct outbox_writer outbox;
    struct allow *allow;
    struct abridge *abridge;
    struct fl_buf bytes; /* of the leaf in hand */

    struct fl_queue queue;
    bool queue_on, thread_on;
    pthread_t thread;
    atomic_bool closing;

    const json_t *previous;      /* during open only; recorder_config */
    const struct recorder_clock *clock; /* during open only; recorder_config */
    bool retired;                /* the log was closed for good just now */
    int64_t boot;                /* index of this run's boot leaf */
    int64_t last_wall, last_mono; /* of the last leaf; last_mono -1: of an earlier run */
    uint64_t beat_ms, mark_ms, look_ms; /* monotonic: last leaf, last mark, last look whether it could record */
    uint64_t marked;             /* size in the file `checkpoint` */

    pthread_mutex_t health_lock; /* guards all below; a leaf */
    enum fl_err health;
    struct fl_why why;
    struct fl_wake *watcher[WATCHERS_MAX]; /* of the outbox; NULL: free */
};

struct moment {
    int64_t wall, mono;
};
struct moment recorder_now(const struct recorder *r);

/* One event as its leaves: refused (FL_REFUSED with *fault, FL_FORMAT) it has left nothing, but a clock_step where the clock was set.
 * *index is that of its leaf, also
 * of one that was there already. */
FL_MUST enum fl_err recorder_append(struct recorder *r, enum event_kind kind, const json_t *body, struct moment now,
                                    int64_t *index, const char **fault, struct fl_why *why);
/* The same for the last event of a commit, when its rows are sure (event.h, typed). */
FL_MUST enum fl_err recorder_append_sure(struct recorder *r, enum event_kind kind, const json_t *body, struct moment now,
                                         int64_t *index, const char **fault, struct fl_why *why);
FL_MUST enum fl_err recorder_commit(struct recorder *r, struct fl_why *why); /* sign, then make durable */
FL_MUST enum fl_err recorder_mark(struct recorder *r, struct fl_why *why);   /* the newest head as the file `checkpoint` */

void recorder_sick(struct recorder *r, enum fl_err err, const struct fl_why *why); /* the first failure stays */
void recorder_own_leaf(struct recorder *r, enum event_kind kind); /* an event without a body, in a commit of its own */
void *recorder_main(void *recorder);                              /* the thread, until recorder.closing */

#endif
