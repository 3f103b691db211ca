/* SPDX-License-Identifier: Apache-2.0
 *
 * witnessing.h: a head of the station signed by a witness on the network. What it signs is kept by cosigned.h.
 *
 * Reads the database and writes only files. Thread rule: one call, one thread.
 */
#ifndef FL_PROVE_WITNESSING_H
#define FL_PROVE_WITNESSING_H

#include "audit/key.h"
#include "base/wake.h"

#include <stdint.h>

struct witness_push {
    const char *data, *url; /* url: without /add-checkpoint */
    const struct vkey *witness;
    const void *note; /* the head; NULL: the newest */
    size_t n;
    struct fl_wake *stop; /* may be NULL */
};
/* Once, now. A witness that signed a newer head than the one given is given the newest, so that its word is not lost.
 * FL_REFUSED: the witness refused, or answered something else. FL_MISMATCH: it has signed what is no head of
 * this log. Others: it was not reached, or the records could not be read. */
FL_MUST enum fl_err witness_push(const struct witness_push *p, uint64_t *size, struct fl_why *why);

#endif
