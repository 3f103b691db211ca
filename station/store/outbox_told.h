/* SPDX-License-Identifier: Apache-2.0
 *
 * outbox_told.h: is a parcel in the outbox the one that its record tells? The outbox is no record and nothing signs it, so that
 * whoever can write the file could have a label printed with other words on it.
 *
 * The record that a parcel follows from has the member `sends`: for each of its parcels the SHA-256, in hex, of its kind, a zero,
 * its target, a zero, its bytes. Programs that write it say so in the `boot` record of their run, which has `sends`, 1: where that
 * says nothing, an older program wrote the record, and nobody can tell.
 *
 * Thread rule: as the connection of `shapes`.
 */
#ifndef FL_STORE_OUTBOX_TOLD_H
#define FL_STORE_OUTBOX_TOLD_H

#include "base/json.h"
#include "event/parcel.h"

struct shapes;

/* The member `sends` for these parcels, those of them that say what became of one left out. NULL: no memory. */
json_t *outbox_sends(const struct parcel *first);

/* A parcel as `sends` tells it, in hex. FL_NOMEM. */
enum { OUTBOX_TOLD_HEX = 65 };
FL_MUST enum fl_err outbox_told_hex(const char *kind, const char *target, const void *bytes, size_t n, char out[static OUTBOX_TOLD_HEX]);

/* `shapes` (store/shapes.h) reads the records. FL_OK: its record tells it, or is of an older program. FL_MISMATCH: it is
 * another one, or one once more (its job is not parcel_job, by which a record's parcel is there once), or there is no such record. */
FL_MUST enum fl_err outbox_told(struct shapes *shapes, int64_t leaf, const char *kind, const char *target, const char *job, const void *bytes,
                                size_t n, struct fl_why *why);

#endif
