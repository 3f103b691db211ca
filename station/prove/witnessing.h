/* SPDX-License-Identifier: Apache-2.0
 *
 * witnessing.h: the station has its newest head signed by witnesses on the network, beside its work.
 *
 * Which: the lines `witness NAME VKEY URL` of the file `policy` in the data folder (C2SP tlog-policy). A thread of its own asks
 * each at the start, and every minute after that when the log has grown; what they sign is kept by cosigned.h. It reads the
 * database and writes only files: no slot, no commit, no shutdown waits for it, and a witness that is away is asked again.
 *
 * Thread rule: start and stop from one thread.
 */
#ifndef FL_PROVE_WITNESSING_H
#define FL_PROVE_WITNESSING_H

#include "audit/key.h"
#include "base/wake.h"

#include <stdint.h>

struct witness_push {
    const char *data, *url; /* url: without /add-checkpoint */
    const struct vkey *witness;
    struct fl_wake *stop; /* may be NULL */
};
/* Once, now. FL_REFUSED: the witness refused, or answered something else. FL_MISMATCH: it has signed what is no head of
 * this log. Others: it was not reached, or the records could not be read. */
FL_MUST enum fl_err witness_push(const struct witness_push *p, uint64_t *size, struct fl_why *why);

struct witnessing; /* opaque */

/* *out NULL: there is no policy, or no witness with an address in it. `say` is called from the thread, with one line when a
 * witness's state changes. FL_FORMAT: the policy cannot be read. */
FL_MUST enum fl_err witnessing_start(const char *data, void (*say)(const char *line), struct witnessing **out, struct fl_why *why);
void witnessing_stop(struct witnessing *w); /* ends the request under way; NULL is fine */

#endif
