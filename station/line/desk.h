/* SPDX-License-Identifier: Apache-2.0
 *
 * desk.h: what the people at the line have said by scanning: who stands there, and which serial number the next unit of
 * which slot gets.
 *
 *   slot code, then a number within DESK_SLOT_MS     that slot's next unit
 *   a number alone                                    where there is one slot only
 *   the number is used by PASS; a board that leaves without one takes it along
 *
 * Thread rule: any thread; one leaf lock.
 */
#ifndef FL_LINE_DESK_H
#define FL_LINE_DESK_H

#include "event/event.h"

enum { DESK_SLOT_MS = 30000, DESK_SLOT_MAX = 999 };

struct desk; /* opaque */
struct desk *desk_new(const char *operator_id, const int *slots, size_t n_slots); /* NULL: no memory. Copied */
void desk_free(struct desk *d);                                                   /* NULL is fine */

/* ---- said: FL_OK and a sentence for the operator, or why nothing was done ---------------------------------------
 * *concerns: the slot that it is about, where it is known; else as it was. */

FL_MUST enum fl_err desk_operator(struct desk *d, const char *name, struct fl_why *said);
FL_MUST enum fl_err desk_slot(struct desk *d, const char *number, uint64_t now_ms, int *concerns, struct fl_why *said);
FL_MUST enum fl_err desk_serial(struct desk *d, const char *serial, uint64_t now_ms, int *concerns, struct fl_why *said);
/* The slot whose serial number is waited for now, or the only one there is; 0 neither. */
int desk_waits_for(struct desk *d, uint64_t now_ms);

/* ---- asked by slots ------------------------------------------------------------------------------------------- */

void desk_who(struct desk *d, char out[static ATTEMPT_TEXT_MAX]);
/* "" none. */
void desk_number(struct desk *d, int slot, char out[static ATTEMPT_TEXT_MAX]);
/* This number was used, or went with its board; one that was scanned since for the next unit stays. */
void desk_forget(struct desk *d, int slot, const char *serial);

#endif
