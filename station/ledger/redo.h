/* SPDX-License-Identifier: Apache-2.0
 *
 * redo.h: what a head was made from, as bytes that a signer keeps and gives back when a crash came between its
 * signature and the commit (audit/signer.h): the records of that commit, and the parcels that ride on them.
 *
 *   again and again:  1 letter, 4 n (little endian), n bytes
 *     'L'  a leaf: its canonical bytes, in order
 *     'P'  a parcel: 8 index of its leaf or -1, then kind, target and job each with a closing zero, then the payload
 *
 * Thread rule: pure.
 */
#ifndef FL_LEDGER_REDO_H
#define FL_LEDGER_REDO_H

#include "base/buf.h"
#include "event/parcel.h"

#include <stdbool.h>

void redo_add_leaf(struct fl_buf *redo, const void *bytes, size_t n);
/* Of a list, those that are new; results of earlier ones are told again when the parcel is sent again. */
void redo_add_parcels(struct fl_buf *redo, const struct parcel *first, int64_t leaf);

struct redo_item {
    char what; /* 'L' or 'P' */
    const uint8_t *bytes; /* of a leaf; borrowed */
    size_t n;
    struct parcel parcel; /* its bytes borrowed */
    int64_t leaf;
};
/* The item at *at, which then stands behind it: FL_OK, FL_NOT_FOUND at the end, FL_FORMAT. */
FL_MUST enum fl_err redo_next(const struct fl_buf *redo, size_t *at, struct redo_item *out, struct fl_why *why);

#endif
