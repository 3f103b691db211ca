/* SPDX-License-Identifier: Apache-2.0
 *
 * abridge.h: what an earlier record of this run has told in the same words is not told again.
 *
 * A station flashes the same thing in the same slots all day. A record of an attempt may therefore leave two groups of
 * members out, and say in `as` where they stand in full, always in an earlier record of the same log:
 *
 *   "as":[17,42]     the order as in record 17, the board as in record 42; -1: told here (or there is none)
 *
 *   order   profile, lot, operator, purpose, port, bridge (but for its serial number: boards may carry their bridge)
 *   board   chip, revision, flash_id, flash_size, secure_boot, flash_encryption, secure_download, jtag_off, security_flags,
 *           loader, baud, plain_bytes; the names of the steps; offset, size and expected MD5 of the regions
 *
 * With the board left out, `steps` is [ms or [ms, rungs], ...] and `regions` one letter for each region, with `found`
 * [[n, md5], ...] for those whose MD5 was another. A record that is referred to tells the group in full: one look is
 * enough, there are no chains. Rows, and everything that reads records by this room's functions, see the members restored;
 * the SQL views of db/ do the same.
 *
 * Thread rule: one owner.
 */
#ifndef FL_ROWS_ABRIDGE_H
#define FL_ROWS_ABRIDGE_H

#include "event/event.h"

#include <sqlite3.h>

/* ---- writing -------------------------------------------------------------------------------------------- */

struct abridge; /* opaque: what was told in full since it was made */
FL_MUST enum fl_err abridge_new(struct abridge **out, struct fl_why *why);
void abridge_free(struct abridge *a);

/* The body to be recorded: `body` itself, or a shorter one that restores to exactly the same. New reference. */
FL_MUST enum fl_err abridge_body(struct abridge *a, enum event_kind kind, const json_t *body, json_t **out, struct fl_why *why);
/* `told`, as given by abridge_body, has become record `index`: what it tells in full can be referred to. */
void abridge_told(struct abridge *a, enum event_kind kind, const json_t *told, int64_t index);

/* ---- reading -------------------------------------------------------------------------------------------- */

struct restore; /* opaque: a statement, and the records it read last */
FL_MUST enum fl_err restore_new(sqlite3 *leaves, struct restore **out, struct fl_why *why);
void restore_free(struct restore *r); /* before the connection is closed */
/* Something was undone: a record that this one read may be another now. */
void restore_forget(struct restore *r);

/* The record in place `index`. Borrowed, until some others were asked for. FL_FORMAT: it is not there, or no JSON. */
FL_MUST enum fl_err restore_record(struct restore *r, int64_t index, const json_t **out, struct fl_why *why);

/* The record (or body) with everything that it left out. New reference; the same object where nothing is left out.
 * FL_FORMAT: it refers to what is not there. */
FL_MUST enum fl_err restore_leaf(struct restore *r, const json_t *leaf, json_t **out, struct fl_why *why);

#endif
