/* SPDX-License-Identifier: Apache-2.0
 *
 * signer.h: whoever holds the log's key, behind three functions.
 *
 * A signer is a witness of its own: it remembers the last head it signed and signs the next only with a proof
 * that the tree grew from there. So a program that asks it can neither fork the log nor shorten it, unless it
 * steals the key itself. The one here lives in the process and forgets when it ends; room sign/ has one with a memory on
 * disk, in a process of its own or in this one, over a key file or a token.
 *
 * A signer with a memory knows a head before the one who asked has committed it, and a crash may come between. So it
 * also keeps what its last heads were made from (`redo`, opaque to it), and gives it back when it is opened by somebody who
 * is behind: then the next head is made again from the same records, byte for byte, and never another of its size. It is
 * opened again for the one after that. So one who asks may leave its own disk up to SIGNER_KEEPS - 1 heads behind.
 *
 * Thread rule: one owner at a time.
 */
#ifndef FL_AUDIT_SIGNER_H
#define FL_AUDIT_SIGNER_H

#include "audit/checkpoint.h"

struct signer; /* opaque; each kind has its own */

struct signer_request {
    const char *origin;
    uint64_t old_size, new_size;
    struct tree_hash old_root, new_root;
    const struct tree_proof *growth; /* from old to new; not looked at when old_size is 0 */
    const struct fl_buf *redo;       /* what the head is made from; NULL: nothing to keep */
    uint8_t *handover; /* not NULL: sign with the next key too, into these KEY_SIGNATURE bytes, and from now on only with
                          that one. FL_STATE: there is no next key here */
    bool alone; /* what earlier heads were made from is to be forgotten: the one who asks has all of them on its disk */
    const uint8_t *handover_to; /* its public half, KEY_PUBLIC bytes. FL_MISMATCH: the next key here is another */
    /* What the one who asks can do while a signer elsewhere works and waits for its disk; called at most once, NULL: nothing.
     * Its error ends the request, and nothing more may be asked. */
    enum fl_err (*meanwhile)(void *ctx, struct fl_why *why);
    void *ctx;
};

enum {
    SIGNER_REDO_MAX = 64 << 20,
    SIGNER_KEEPS = 16, /* heads whose redo a signer with a memory keeps, while the next one is being remembered: one less */
};

struct signer_kind {
    const char *name;
    /* `config` is the kind's own; `last` is the head the caller says was signed last, checked against what
     * the signer itself remembers where it has a memory: FL_MISMATCH.
     * `redo` takes what was kept for a head that the signer signed behind `last`; empty: none, the two agree. It must be
     * done, and signed again, before anything else. */
    FL_MUST enum fl_err (*open)(const void *config, const struct checkpoint *last, struct fl_buf *redo,
                                struct signer **out, struct fl_why *why);
    /* FL_MISMATCH: this would fork or shorten the log, or the clock went back; nothing was signed. The same head as last
     * time: the same signature again. */
    FL_MUST enum fl_err (*sign)(struct signer *s, const struct signer_request *r,
                                uint8_t out[static KEY_SIGNATURE], struct fl_why *why);
    void (*close)(struct signer *s); /* NULL is fine */
    bool remembers; /* worth giving it a redo */
    /* The one who asked has the last head on its own disk, and everything in front of it: whoever comes with less from now on
     * was put back. NULL where nothing is remembered. */
    FL_MUST enum fl_err (*settled)(struct signer *s, struct fl_why *why);
    /* Could it be asked now? Nothing is sent, nobody is waited for. FL_GONE: it ended. NULL where it cannot. */
    FL_MUST enum fl_err (*there)(struct signer *s, struct fl_why *why);
};

/* Is the request one that may be signed by a signer whose last head is `last`? Everything but who remembers it. */
FL_MUST enum fl_err signer_allows(struct fl_hash *h, const struct checkpoint *last, const struct signer_request *r,
                                  struct fl_why *why);

/* The key in this process's memory, and no memory of heads beyond it. config: struct key *, borrowed until close. */
extern const struct signer_kind signer_in_process;

#endif
