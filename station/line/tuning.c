/* SPDX-License-Identifier: Apache-2.0 */
#include "line/tuning.h"

enum { CONNECT_BAUD = 115200 };

/* The lowest speed of the configuration above `now`. */
static uint32_t faster(uint32_t now, const struct esp_config *c)
{
    uint32_t best = c->baud ? c->baud : CONNECT_BAUD;
    for (size_t i = 0; i < ESP_STEP_DOWN_MAX && c->step_down[i]; i++)
        if (c->step_down[i] > now && c->step_down[i] < best)
            best = c->step_down[i];
    if (CONNECT_BAUD > now && CONNECT_BAUD < best)
        best = CONNECT_BAUD;
    return best;
}

bool tuning_step_up(struct esp_tuning *t, const struct esp_config *c)
{
    uint32_t top = c->baud ? c->baud : CONNECT_BAUD;
    if (t->baud && t->baud < top) {
        t->baud = faster(t->baud, c);
        if (t->baud == top)
            t->baud = 0;
        return true;
    }
    if (t->burst) { /* all at once: the ladder finds the gentlest pause again by itself */
        t->burst = t->burst_gap_us = 0;
        return true;
    }
    if (t->rom_only) {
        t->rom_only = false;
        return true;
    }
    if (t->slow_reset) {
        t->slow_reset = false;
        return true;
    }
    if (t->late_speed) {
        t->late_speed = false;
        return true;
    }
    return false;
}

void tuning_before(struct tuning *t, const struct esp_config *config)
{
    struct esp_tuning up = t->now;
    if (t->trying || t->clean < (t->need ? t->need : TUNING_CLEAN) || !tuning_step_up(&up, config))
        return;
    t->held = t->now;
    t->now = up;
    t->trying = true;
}

void tuning_after(struct tuning *t, bool pass, size_t rungs)
{
    if (rungs > 0) {
        if (t->trying) {
            unsigned need = 2 * (t->need ? t->need : TUNING_CLEAN);
            t->need = need < TUNING_CLEAN_MAX ? need : TUNING_CLEAN_MAX;
            t->now = t->held;
        }
        t->trying = false;
        t->clean = 0;
        return;
    }
    if (!pass)
        return; /* failed for a reason that has nothing to do with the line */
    if (t->trying) {
        t->trying = false;
        t->need = 0;
        t->clean = 0;
    }
    t->clean++;
}
