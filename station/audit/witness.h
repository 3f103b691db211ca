/* SPDX-License-Identifier: Apache-2.0
 *
 * witness.h: the C2SP tlog-witness protocol v1.0.0: what is asked, and what a witness answers.
 *
 *   POST <prefix>/add-checkpoint                    the same bytes go on a stick as a file
 *     old <size the witness signed last>
 *     base64 hash ...                               0 to 63: that the tree grew from there (tree_prove_growth)
 *     (empty line)
 *     signed checkpoint
 *
 *   200  signature lines          it grew from what was signed last; persisted before this is said
 *   400                           malformed, or old is beyond the checkpoint
 *   403                           not signed by a key of that log
 *   404                           no log that this witness knows
 *   409  size and a newline       old is not what was signed last
 *   422                           same size and another root, a proof that does not hold, a proof from nothing
 *
 * A witness signs for one log one history only: that is all that it is for.
 * Thread rule: pure; who calls witness_answer makes look-up, storing and answering one step (a lock), or two requests side by
 * side could both be signed.
 */
#ifndef FL_AUDIT_WITNESS_H
#define FL_AUDIT_WITNESS_H

#include "audit/checkpoint.h"

enum { WITNESS_REQUEST_MAX = 16384, WITNESS_PROOF_MAX = 63 };

/* ---- asking -------------------------------------------------------------------------------------------------------- */

/* Append the request. `proof` may be NULL for none. */
void witness_request(uint64_t old, const struct tree_proof *proof, const void *note, size_t n, struct fl_buf *out);

/* The witness's line among those of its answer (unknown lines are ignored), over the checkpoint in `note`: the note with
 * the log's own lines and that one, appended to `out`. FL_MISMATCH: it is not good. FL_NOT_FOUND: there is none. */
FL_MUST enum fl_err witness_take(const void *note, size_t note_n, const void *answer, size_t answer_n, const struct vkey *witness,
                                 struct fl_buf *out, struct fl_why *why);

/* ---- answering ----------------------------------------------------------------------------------------------------- */

/* What a witness remembers of one log. */
struct witness_log {
    const struct vkey *keys; /* trusted for it: all of one name, the origin */
    size_t n_keys;
    uint64_t size;           /* signed last; 0: never */
    struct tree_hash root;   /* looked at when size is not 0 */
};

struct witness {
    void *ctx;
    const struct key *key;    /* signs */
    const struct vkey *vkey;  /* its public half, KEY_COSIGN */
    /* The log of this origin: FL_OK, or FL_NOT_FOUND. */
    FL_MUST enum fl_err (*find)(void *ctx, const char *origin, struct witness_log *out);
    /* Keep this head for ever, before it returns: FL_OK only when a power cut cannot take it away. `note` is the checkpoint with
     * the log's lines and the cosignature. */
    FL_MUST enum fl_err (*store)(void *ctx, const struct checkpoint *head, const void *note, size_t n, struct fl_why *why);
};

struct witness_reply {
    int status;
    const char *type;   /* Content-Type */
    struct fl_buf body; /* owned; also says why, where the protocol leaves the body open */
    struct fl_buf note; /* owned; 200: the whole note that was stored */
};

/* FL_OK: see the reply, also for a refusal. Else it could not be stored or signed: nothing may be answered but 500. */
FL_MUST enum fl_err witness_answer(const struct witness *w, const void *request, size_t n, int64_t now_s, struct witness_reply *out,
                                   struct fl_why *why);
void witness_reply_fini(struct witness_reply *r);

#endif
