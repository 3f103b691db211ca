/* SPDX-License-Identifier: Apache-2.0
 *
 * tile.h: what a slot looks like to people, said once for terminal and browser: word, symbol, tone, rate, time left.
 *
 * A state is a word and a symbol; the tone (for colour) only repeats what they say. A PASS without a
 * durable leaf is never shown as one.
 *
 * Pure, except that a meter remembers the last sample; one owner.
 */
#ifndef FL_EVENT_TILE_H
#define FL_EVENT_TILE_H

#include "event/board.h"

enum tile_tone {
    TONE_IDLE, /* nothing to do */
    TONE_BUSY, /* leave it alone */
    TONE_GOOD, /* PASS: take it out */
    TONE_BAD,  /* FAIL: the unit is at fault */
    TONE_HELP, /* ERROR, closed slot: somebody must look at the station */
    TONE_NOTE, /* ABORTED, INTERRUPTED: insert again */
};

struct tile_look {
    const char *name;  /* lower case, for style sheets and language files: "pass", "work", ... */
    const char *word;  /* "PASS", at most 7 columns */
    const char *brief; /* the same where there is no room, at most 4: "CLSD" */
    const char *sign;  /* one column of UTF-8 */
    const char *ascii; /* the same in one ASCII character */
    enum tile_tone tone;
};
const struct tile_look *tile_look(const struct slot_view *v); /* static */

/* Has the slot anything that a person must do something about? */
bool tile_wants_hand(const struct slot_view *v);

/* How long what a scan did is shown; what was refused stays until somebody must have read it. board.js says the same. */
enum { TILE_SAID_MS = 10000, TILE_REFUSED_MS = 60000 };
bool tile_says(const struct slot_view *v, uint64_t now_ms);

/* Bytes a second of the running step, smoothed over about two seconds; 0 while unknown. */
struct tile_meter {
    const char *step;
    uint64_t started_ms, at_ms, done;
    uint64_t rate;
};
void tile_meter_add(struct tile_meter *m, const struct slot_view *v, uint64_t now_ms);
/* Milliseconds until the running step is done at this rate; -1 while unknown. */
int64_t tile_left_ms(const struct tile_meter *m, const struct slot_view *v);
/* Share of the running step, 0..1000; -1 when the step has no bytes to count. */
int tile_permille(const struct slot_view *v);

#endif
