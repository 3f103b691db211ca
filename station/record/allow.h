/* SPDX-License-Identifier: Apache-2.0
 *
 * allow.h: may this event become a record now? Asked by the recorder inside the transaction that would hold it, so that
 * neither a crash nor slots that end together can slip between question and record.
 *
 *   attempt_start    in a lot: the lot is open, the profile one of its own, a place of the authorised quantity is free
 *                    (passed units + units being worked on), the unit has not passed there (unless the lot reflashes), has
 *                    not used up its tries since the last "rework", is not scrapped; its serial number is free. Anywhere:
 *                    the unit is not being worked on in another slot
 *   attempt_result   a PASS that counts in an open lot has a start that was let in, and a MAC
 *   others           name a lot, a unit, a serial number, a stop that there is; have the members that rows need
 *
 * The place that a start takes is its row in open_attempt; any end gives it back, also INTERRUPTED at the next opening.
 * golden boards and dry runs take no place and are no duplicates.
 *
 * Thread rule: as the connection.
 */
#ifndef FL_RECORD_ALLOW_H
#define FL_RECORD_ALLOW_H

#include "event/event.h"

#include <sqlite3.h>

struct allow; /* opaque: prepared questions */

FL_MUST enum fl_err allow_new(sqlite3 *db, struct allow **out, struct fl_why *why);
void allow_free(struct allow *a); /* NULL is fine; before the connection is closed */

/* FL_REFUSED: *fault is the name (event/fault.h) of an attempt's reason, "" where it is another event's. */
FL_MUST enum fl_err allow_event(struct allow *a, enum event_kind kind, const json_t *body, const char **fault,
                                struct fl_why *why);

#endif
