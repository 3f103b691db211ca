/* SPDX-License-Identifier: Apache-2.0
 *
 * signer.h: whoever holds the log's key, behind three functions.
 *
 * A signer is a witness of its own: it remembers the last head it signed and signs the next only with a proof
 * that the tree grew from there. So a program that asks it can neither fork the log nor shorten it, unless it
 * steals the key itself. Today's signer lives in the process; one in its own process, or a token, is
 * another table of the same three functions.
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
};

struct signer_kind {
    const char *name;
    /* `config` is the kind's own; `last` is the head the caller says was signed last, checked against what
     * the signer itself remembers where it has a memory: FL_MISMATCH. */
    FL_MUST enum fl_err (*open)(const void *config, const struct checkpoint *last, struct signer **out,
                                struct fl_why *why);
    /* FL_MISMATCH: this would fork or shorten the log; nothing was signed. */
    FL_MUST enum fl_err (*sign)(struct signer *s, const struct signer_request *r,
                                uint8_t out[static KEY_SIGNATURE], struct fl_why *why);
    void (*close)(struct signer *s); /* NULL is fine */
};

/* The key in this process's memory. config: struct key *, borrowed until close. */
extern const struct signer_kind signer_in_process;

#endif
