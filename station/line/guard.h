/* SPDX-License-Identifier: Apache-2.0
 *
 * guard.h: the rules of the lot (rules.h) on a line at work: asked before a board is begun and before anything on it is
 * changed, told of every recorded attempt; it records the stops and shows them.
 *
 *   slot idle ─► guard_holds ── a rule fired: the slot shows it and waits for guard_reopen
 *   unit known ─► guard_unit ── golden board of the shift first; profile and images as they were
 *   recorded ─► guard_ended ── rules ─► line_stop recorded ─► slots wake up and show it
 *
 * An attempt that runs while another stops the line comes to its end.
 *
 * Thread rule: new, replay and free by one thread while no line works; the rest from any. One leaf lock. The
 * record of a stop is queued and not waited for: a station that cannot record stops by itself.
 */
#ifndef FL_LINE_GUARD_H
#define FL_LINE_GUARD_H

#include "event/board.h"
#include "line/rules.h"
#include "profile/profile.h"

struct guard; /* opaque */

struct guard_config {
    const struct rules_set *rules;
    const char *lot;          /* borrowed; NULL: none */
    struct fl_queue *facts;   /* recorder_queue() */
    struct tally *tally;      /* shows the alarm; may be NULL */
};
struct guard *guard_new(const struct guard_config *c); /* NULL: no memory */
void guard_free(struct guard *g);                      /* NULL is fine */

/* ---- what the records hold from before, oldest first ------------------------------------------------------ */

void guard_replay_attempt(struct guard *g, int slot, enum outcome outcome, const char *fault, const uint8_t *mac);
void guard_replay_stop(struct guard *g, int slot, const char *rule, const char *why);
void guard_replay_reopen(struct guard *g, int slot);
/* All is told: a stop that a crash left unrecorded is recorded now. */
void guard_replayed(struct guard *g);

/* ---- at work ----------------------------------------------------------------------------------------------- */

/* NULL: the slot may begin. Else the name of the fault (event/fault.h), and why. */
const char *guard_holds(struct guard *g, int slot, char why[static ATTEMPT_WHY_MAX]);

/* Before anything is changed on this unit. NULL: go on; else the fault. Reads the profile's files again.
 * *purpose: the attempt's own (NULL or "": production), and becomes golden or known_bad where the rules name this MAC,
 * refused or not. */
const char *guard_unit(struct guard *g, int slot, const uint8_t mac[static 6], const struct profile *p,
                       const char **purpose, char why[static ATTEMPT_WHY_MAX]);

/* The attempt's record is durable. True: something stopped by it, and idle slots should look. */
bool guard_ended(struct guard *g, const struct attempt_facts *f);

/* The reopening is recorded. False: that scope was not stopped. `slot` RULES_LINE: the line. */
bool guard_reopen(struct guard *g, int slot);

#endif
