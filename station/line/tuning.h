/* SPDX-License-Identifier: Apache-2.0
 *
 * tuning.h: what a slot has learned about its bridge and cable, and when it dares more again.
 *
 *   a unit needed a rung ──► the engine leaves a lower setting in `now`; the slot starts there
 *   `need` clean units   ──► the next one tries one step up (speed, then pauses, then the stub)
 *        clean ──► kept, and counted anew
 *        a rung ─► back to what held, and `need` doubles: a marginal cable is not asked every 20 units
 *
 * Sizes of blocks are not stepped up: small ones cost next to nothing.
 *
 * It is kept for each kind of bridge (VID:PID and driver), not for each bridge: boards that carry their own have a serial
 * number each, and all behave alike. Every change is told, so that the record can give it back after a start.
 *
 * Pure. Thread rule: one owner.
 */
#ifndef FL_LINE_TUNING_H
#define FL_LINE_TUNING_H

#include "esp/esp.h"

enum { TUNING_CLEAN = 20, TUNING_CLEAN_MAX = 320, TUNING_KINDS = 8, TUNING_KIND_MAX = 80 };

/* Zeroed: nothing learned. */
struct tuning {
    struct esp_tuning now;  /* the engine's: goes in, is updated */
    struct esp_tuning held; /* while a step up is tried: what worked before */
    bool trying;
    unsigned clean; /* units in a row without a rung */
    unsigned need;  /* so many before the next try; 0: TUNING_CLEAN */
};

/* One step above `t`, towards `config`. False: there is none. */
bool tuning_step_up(struct esp_tuning *t, const struct esp_config *config);

/* Before a unit: a step up when it is time. Asked again before its result it changes nothing. */
void tuning_before(struct tuning *t, const struct esp_config *config);
/* After it: did it pass, and how many rungs did it need? */
void tuning_after(struct tuning *t, bool pass, size_t rungs);

/* ---- kinds of bridges ------------------------------------------------------------------------------------ */

struct tuning_entry {
    char kind[TUNING_KIND_MAX];
    struct tuning t;
    struct esp_tuning told; /* what the record holds */
    unsigned used;          /* a clock of uses */
};
struct tuning_book { /* zeroed: empty */
    struct tuning_entry list[TUNING_KINDS];
    size_t n;
    unsigned clock;
};

/* "1a86:55d4 ch341": how a kind of bridge is called. `usb_id` and `driver` may be "" where there is none. */
void tuning_kind(char out[static TUNING_KIND_MAX], const char *usb_id, const char *driver);
/* The place of a kind, made when there is none; a full book forgets the one that was not used for longest. */
struct tuning_entry *tuning_of(struct tuning_book *b, const char *kind);
/* As the record gives it back: the kind begins there. */
void tuning_recall(struct tuning_book *b, const char *kind, const struct esp_tuning *t);
/* What to tell: "learned" or "step_up", with the setting in *t; NULL: nothing that was not told. */
const char *tuning_news(const struct tuning_entry *e, struct esp_tuning *t);

#endif
