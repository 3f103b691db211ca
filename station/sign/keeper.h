/* SPDX-License-Identifier: Apache-2.0
 *
 * keeper.h: a key, a memory and the rule between them: the signer itself, without the question how it is asked.
 *
 * It remembers its last head L and what it was made from, and the same for the heads before it, SIGNER_KEEPS in all.
 *
 *   asked for               remembered                                 answer
 *   growth from L           L                                          checked, remembered durably, then the signature
 *   L, or one before it,    all of these                               the signature remembered, nothing written
 *   again from the same
 *   anything else                                                      FL_MISMATCH, nothing signed
 *   whatever                wall clock more than CLOCK_BACK_MS behind  FL_MISMATCH: wait, set the clock, or say that it was
 *                                                                      ahead then: set_clock lets one head pass, and from
 *                                                                      then on its time counts. The log tells it (clock_step)
 *
 * And when it is opened by a log whose newest head is D:
 *
 *   D                                   what happened                                   answer
 *   = L                                 nothing                                         go on
 *   one that another was made from      the log's commits behind it were lost in a      go on; the next is to be made again
 *                                       crash                                           from its redo, then it is opened again
 *   size 0, nothing remembered          a new log                                       it is remembered as this signer's
 *   size > 0, nothing remembered        the memory is gone, or another's                FL_MISMATCH, unless told to adopt
 *   smaller than L, not kept            the log was put back, or its end cut off        FL_MISMATCH: ROLLBACK
 *   larger than L                       the memory was put back                         FL_MISMATCH
 *   of the size of one kept, other root two histories                                   FL_MISMATCH: FORK
 *
 * When the station ends in order it says that all of it is on its own disk (settled): from then on nothing is given back, and
 * a log that is one head behind is a ROLLBACK.
 *
 * A hand-over to the next key is remembered with both signatures; from then on only the next key signs, also when the
 * keeper is opened anew with both at hand.
 *
 * Thread rule: one owner.
 */
#ifndef FL_SIGN_KEEPER_H
#define FL_SIGN_KEEPER_H

#include "audit/signer.h"
#include "sign/memory.h"
#include "sign/seal.h"

enum { KEEPER_CLOCK_BACK_MS = 120000 };

struct keeper; /* opaque */

struct keeper_config {
    struct seal *key, *next; /* taken, zeroed; next may be NULL: it cannot hand over. Either may be the one that the memory
                                names as the present one */
    const char *memory;      /* path (memory.h) */
    bool adopt;              /* believe the first log that comes, whatever its size. A person's decision */
    bool set_clock;          /* the clock was ahead when it signed last: the next head may be dated before it. A person's decision */
    int64_t (*wall_ms)(void *ctx); /* tests: another clock; NULL: the machine's */
    void *ctx;
};
/* FL_MISMATCH: neither key is the one that the memory names. */
FL_MUST enum fl_err keeper_new(const struct keeper_config *c, struct keeper **out, struct fl_why *why);
void keeper_free(struct keeper *k); /* NULL is fine */

void keeper_public(const struct keeper *k, uint8_t out[static KEY_PUBLIC]); /* of the key that signs now */
/* "" when no log is remembered. */
const char *keeper_origin(const struct keeper *k);

/* What is remembered, for a check of the log: anybody may know it, for all of it was signed to be shown. */
void keeper_tell(const struct keeper *k, struct remembered *out);

/* As in struct signer_kind. */
FL_MUST enum fl_err keeper_open(struct keeper *k, const struct checkpoint *last, struct fl_buf *redo, struct fl_why *why);
FL_MUST enum fl_err keeper_sign(struct keeper *k, const struct signer_request *r, uint8_t out[static KEY_SIGNATURE],
                                struct fl_why *why);
FL_MUST enum fl_err keeper_settled(struct keeper *k, struct fl_why *why);

/* A keeper in this process, as a signer. config: struct keeper **, borrowed until close. */
extern const struct signer_kind signer_keeper;

#endif
