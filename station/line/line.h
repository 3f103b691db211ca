/* SPDX-License-Identifier: Apache-2.0
 *
 * line.h: making. One worker thread a slot takes a board from plugged in to recorded.
 *
 *              ┌────────────────────────────────────────────────────────────┐
 *              ▼                                                            │ run: board gone
 *   EMPTY ─► CONNECT ─► WORK: identify ─► gate ─► stub ─► baud ─► write ─► verify ─► boot-check ─► RECORD ─► DONE
 *              │ nothing there (run)           │ attempt_start durable before the first changing byte
 *              └──────► EMPTY                  └─ any fault ────────────────────────────► RECORD
 *
 * A slot shows an outcome only when its leaf is durable: no record, no PASS.
 *
 * Thread rule: line_start, line_wait, line_stop and line_free from one thread; line_cancel from any
 * thread or signal handler. Each worker owns its link and session; they share the profiles (const), the
 * facts queue and the board.
 */
#ifndef FL_LINE_LINE_H
#define FL_LINE_LINE_H

#include "event/board.h"
#include "line/tuning.h"
#include "profile/profile.h"
#include "profile/station_file.h"

struct line; /* opaque */

struct guard;
struct desk;

/* Serial numbers of the lot: taken when a unit is known, given back when its record is durable. Any slot's thread. */
struct line_serials {
    /* FL_OK with "" in `out`: this unit gets none. */
    enum fl_err (*take)(void *ctx, int slot, const uint8_t mac[static 6], char out[static ATTEMPT_TEXT_MAX], struct fl_why *why);
    void (*done)(void *ctx, const struct attempt_facts *f);
    void *ctx;
};

enum line_mode {
    LINE_ONCE, /* one attempt on each slot, then done */
    LINE_STAY, /* flash each board that appears, until cancelled */
};

/* What a slot had learned about a kind of bridge when the station last worked. */
struct line_learned {
    int slot;
    const char *port; /* as the station file names it */
    char kind[TUNING_KIND_MAX];
    struct esp_tuning tuning;
};

struct line_config {
    enum line_mode mode;
    /* One, or several for different chips: each board gets the one for its chip, the first where none fits
     * (and then fails with chip.wrong). */
    const struct profile *const *profiles;
    size_t n_profiles;
    const struct station_slot *slots;
    size_t n_slots;
    struct fl_queue *facts; /* recorder_queue() */
    struct board *board;
    const struct line_learned *learned; /* needed only until line_start is back */
    size_t n_learned;
    const struct profile_hook *before, *after; /* the station's own; NULL: none */
    struct guard *guard;                 /* rules of the lot (line/guard.h); NULL: none */
    const struct line_serials *serials;  /* NULL: none */
    struct desk *desk; /* who stands there, numbers that were scanned (line/desk.h); NULL: see operator_id */
    const char *operator_id; /* NULL: none */
    const char *lot;         /* NULL: none. The recorder lets no unit in that the lot's rules refuse (record/allow.h) */
    const char *purpose;     /* "golden", "known_bad", "dry_run", outlives the line; NULL: production */
    /* Called on the slot's thread before the record of a PASS is queued: put on `e` what is to leave the station with it
     * (event/parcel.h). An error makes the attempt ERROR station.internal. NULL: nothing. */
    enum fl_err (*parcels)(void *ctx, const struct attempt_facts *f, struct event *e, struct fl_why *why);
    void *parcels_ctx;
    /* Called on the slot's thread after the record of an attempt is durable (leaf >= 0) or could not be made
     * (leaf < 0: the attempt then ends as ERROR station.record). `changes` nothing; must be quick. */
    void (*finished)(void *ctx, const struct attempt_facts *f, int64_t leaf);
    void *ctx;
};

FL_MUST enum fl_err line_start(const struct line_config *c, struct line **out, struct fl_why *why);
/* Until every worker ended by itself (LINE_ONCE), or the deadline: FL_OK or FL_TIMEOUT. */
FL_MUST enum fl_err line_wait(struct line *l, struct fl_deadline d);
/* Workers finish their attempt as ABORTED at their next wait. Async-signal-safe. */
void line_cancel(struct line *l);
void line_free(struct line *l); /* cancels, joins */

#endif
