/* SPDX-License-Identifier: Apache-2.0
 *
 * ledger_inside.h: what the files of the ledger share. Not for other files.
 *
 *   ledger_open.c   the stored state found again, the signer, and what it gives back made again
 *   ledger.c        growing: append, read back, seal, commit
 *   ledger_wal.c    the WAL kept short
 *   ledger_read.c   the log as stored, for verification and proofs
 */
#ifndef FL_LEDGER_LEDGER_INSIDE_H
#define FL_LEDGER_LEDGER_INSIDE_H

#include "ledger/ledger.h"
#include "store/flush.h"
#include "store/shapes.h"

/* The signatures under a head, by one key, or by two at a hand-over. */
struct signatures {
    uint32_t id[2]; /* id[1] 0: one only */
    uint8_t by[2][KEY_SIGNATURE];
};

struct ledger {
    sqlite3 *db;
    struct vkey vkey;      /* signs now */
    struct vkey next_vkey; /* named by a key_rotate leaf of the open transaction */
    bool handing_over;
    const struct signer_kind *kind;
    struct signer *signer;
    struct projector *rows;
    struct shapes *shapes;
    struct fl_hash *hasher;
    struct ledger_tree stored;
    struct tree_reader tree;
    int64_t kind_id[EVENT_KIND_COUNT]; /* of the table event_kind */

    struct checkpoint head; /* last one committed */
    struct signatures signed_by;
    struct checkpoint next; /* signed, not committed */
    struct signatures next_signed_by;
    struct tree_range range;     /* of all leaves, those of the open transaction counted */
    struct tree_range committed; /* of the head */
    struct {
        int64_t index;
        json_t *leaf; /* NULL: none */
    } unprojected;               /* a record of the open transaction whose rows are written while the signer works */
    struct fl_buf redo;          /* of the open transaction, for a signer that remembers */
    struct flush *flush;         /* of the WAL; NULL: SQLite itself makes every commit durable */
    uint64_t commits;            /* since it was opened */
    struct {
        int measure;             /* pages that are many */
        int pages;               /* in the WAL now */
        int move_at, wait_at;    /* pages: when they go into the file, when readers are waited for */
        int wait_ms;
    } wal;                       /* with `flush` */
    uint64_t recovered;          /* leaves made again when it was opened */

    sqlite3_stmt *begin, *commit, *save, *release, *undo, *find, *leaf, *node, *checkpoint, *reread_leaves,
        *reread_nodes, *last, *handover;
};

/* The newest head that is stored, who signed it, and how many leaves there are. */
FL_MUST enum fl_err ledger_read_head(struct ledger *l, struct checkpoint *head, struct signatures *by, int64_t *leaves,
                                     struct fl_why *why);

/* From here on the WAL is ours to keep short. `measure` 0: the usual one. */
FL_MUST enum fl_err ledger_wal_open(struct ledger *l, int measure, struct fl_why *why);

#endif
