/* SPDX-License-Identifier: Apache-2.0
 *
 * cosigned.h: the station's side of witnesses: what is offered to one, and what it signed, kept in the data folder as
 * cosigned/<key ID of the witness>.note: the newest head that it signed, with the log's lines and its own; and
 * cosigned/quorum.note: the newest head that witnesses enough for the folder's policy signed, with all their lines. These files
 * are evidence about the log, no part of it; they can be lost and asked for again. A start refuses a log that they contradict
 * (ledger/start.h).
 *
 * Reads the database only, so that a station may be at work. Thread rule: one call, one thread.
 */
#ifndef FL_PROVE_COSIGNED_H
#define FL_PROVE_COSIGNED_H

#include "audit/key.h"
#include "base/buf.h"

#include <sqlite3.h>

enum { COSIGNED_ANY = -1 };

/* The request (audit/witness.h) for a head. `old`: the size the witness signed last, as it said itself (409); COSIGNED_ANY: as the
 * file of `witness` says, or 0. `note` (may be NULL) is the head to offer; where it is empty it takes the newest. FL_EXISTS: the
 * head is older than what the witness signed. */
FL_MUST enum fl_err cosigned_offer(const char *data, const struct vkey *witness, int64_t old, struct fl_buf *request, struct fl_buf *note,
                                   struct fl_why *why);

/* Keep a head that a witness signed. FL_MISMATCH: not signed by the log and by it, or not a head of this log's history;
 * FL_EXISTS: a newer one is there. `size` takes its size. */
FL_MUST enum fl_err cosigned_keep(const char *data, const void *note, size_t n, const struct vkey *witness, uint64_t *size,
                                  struct fl_why *why);

/* The head to put a certificate of record `index` under: its note, with the lines of all witnesses that signed it, and its size.
 * One that makes the quorum of the folder's policy before one that does not, more witnesses before fewer, a newer before an
 * older. FL_NOT_FOUND: no witness signed a head over it. (cosigned_over.c) */
FL_MUST enum fl_err cosigned_over(const char *data, uint64_t index, struct fl_buf *note, uint64_t *size, struct fl_why *why);

/* Keep the head of `size` records as quorum.note if the witnesses that signed it are enough, and it is newer than that. */
FL_MUST enum fl_err cosigned_keep_quorum(const char *data, uint64_t size, struct fl_why *why);

#endif
