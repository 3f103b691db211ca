/* SPDX-License-Identifier: Apache-2.0 */
#include "line/tuning.h"

#include <stdio.h>
#include <string.h>

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

/* ---- kinds of bridges ------------------------------------------------------------------------------------ */

void tuning_kind(char out[static TUNING_KIND_MAX], const char *usb_id, const char *driver)
{
    (void)snprintf(out, TUNING_KIND_MAX, "%s %s", usb_id, driver);
}

struct tuning_entry *tuning_of(struct tuning_book *b, const char *kind)
{
    size_t i = 0, oldest = 0;
    while (i < b->n && strcmp(b->list[i].kind, kind) != 0)
        i++;
    for (size_t k = 1; i == TUNING_KINDS && k < TUNING_KINDS; k++)
        if (b->list[k].used < b->list[oldest].used)
            oldest = k;
    struct tuning_entry *e = &b->list[i == TUNING_KINDS ? oldest : i];
    if (i == b->n || i == TUNING_KINDS) {
        *e = (struct tuning_entry){{0}, {.need = 0}, {0}, 0};
        (void)snprintf(e->kind, sizeof e->kind, "%s", kind);
        b->n += i < TUNING_KINDS;
    }
    e->used = ++b->clock;
    return e;
}

void tuning_recall(struct tuning_book *b, const char *kind, const struct esp_tuning *t)
{
    struct tuning_entry *e = tuning_of(b, kind);
    e->t = (struct tuning){.now = *t};
    e->told = *t;
}

static bool same(const struct esp_tuning *a, const struct esp_tuning *b)
{
    return a->baud == b->baud && a->ram_block == b->ram_block && a->flash_block == b->flash_block && a->burst == b->burst &&
           a->burst_gap_us == b->burst_gap_us && a->rom_only == b->rom_only &&
           a->slow_reset == b->slow_reset && a->late_speed == b->late_speed;
}

/* Is `a` in some part a higher setting than `b`? 0 is the highest, of speeds and of bursts. */
static bool above(const struct esp_tuning *a, const struct esp_tuning *b)
{
    return (b->baud && (!a->baud || a->baud > b->baud)) || (b->burst && (!a->burst || a->burst > b->burst)) ||
           (b->rom_only && !a->rom_only) || (b->slow_reset && !a->slow_reset) || (b->late_speed && !a->late_speed);
}

const char *tuning_news(const struct tuning_entry *e, struct esp_tuning *t)
{
    *t = e->t.trying ? e->t.held : e->t.now;
    if (same(t, &e->told))
        return NULL;
    return above(t, &e->told) ? "step_up" : "learned";
}
