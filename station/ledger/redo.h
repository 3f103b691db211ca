/* SPDX-License-Identifier: Apache-2.0
 *
 * redo.h: what a head was made from, as bytes that a signer keeps and gives back when a crash came between its
 * signature and the commit (audit/signer.h): the records of that commit, and whatever else it wrote that does not follow
 * from them. A table that is neither the log nor a projection of it must have its letter here (t_redo.c holds them against
 * the schema).
 *
 *   again and again:  1 letter, 4 n (little endian), n bytes
 *     'L'  a leaf: its canonical bytes, in order
 *     'P'  a new parcel: 8 index of its leaf or -1, then kind, target and job each with a closing zero, then the payload
 *     'R'  what became of an earlier parcel: 8 its row, 1 state, 8 not before (wall), why with a closing zero
 *     'N'  a person's name: tag and name each with a closing zero, 16 salt
 *     'F'  a person forgotten: tag with a closing zero
 *
 * Thread rule: pure.
 */
#ifndef FL_LEDGER_REDO_H
#define FL_LEDGER_REDO_H

#include "base/buf.h"
#include "event/parcel.h"
#include "store/person.h"

#include <stdbool.h>

enum redo_what { REDO_LEAF = 'L', REDO_PARCEL = 'P', REDO_RESULT = 'R', REDO_PERSON = 'N', REDO_FORGOTTEN = 'F' };

/* `redo` NULL: nobody keeps it, nothing is done. */
void redo_add_leaf(struct fl_buf *redo, const void *bytes, size_t n);
void redo_add_parcels(struct fl_buf *redo, const struct parcel *first, int64_t leaf); /* a list: new ones and results */
void redo_add_person(struct fl_buf *redo, const struct person *p);
void redo_add_forgotten(struct fl_buf *redo, const char *tag);

bool redo_holds(const struct fl_buf *redo, enum redo_what what); /* of what this program wrote itself */

struct redo_item {
    enum redo_what what;
    const uint8_t *bytes; /* of a leaf; borrowed */
    size_t n;
    struct parcel parcel; /* its bytes borrowed */
    int64_t leaf;
    struct person person; /* forgotten: the tag only */
};
/* The item at *at, which then stands behind it: FL_OK, FL_NOT_FOUND at the end, FL_FORMAT. */
FL_MUST enum fl_err redo_next(const struct fl_buf *redo, size_t *at, struct redo_item *out, struct fl_why *why);

#endif
