/* SPDX-License-Identifier: Apache-2.0
 *
 * tuning.h: what a slot has learned about its bridge and cable, and when it dares more again.
 *
 *   a unit needed a rung ──► the engine leaves a lower setting in `now`; the slot starts there
 *   `need` clean units   ──► the next one tries one step up (speed, then pauses, then the stub)
 *        clean ──► kept, and counted anew
 *        a rung ─► back to what held, and `need` doubles: a marginal cable is not asked every 20 units
 *
 * Sizes of blocks are not stepped up: small ones cost next to nothing. Pure. Thread rule: one owner.
 */
#ifndef FL_LINE_TUNING_H
#define FL_LINE_TUNING_H

#include "esp/esp.h"

enum { TUNING_CLEAN = 20, TUNING_CLEAN_MAX = 320 };

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

#endif
