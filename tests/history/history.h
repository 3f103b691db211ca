/* SPDX-License-Identifier: Apache-2.0
 * history.h: a line's history made up attempt by attempt, with a truth that is known: a bad slot, lot, hour, image or kind
 * of bridge, bad units, or nothing at all. The same seed gives the same history on every machine.
 *
 * The line: every slot takes the next board when it is free, after some seconds of handling; a unit that failed is tried
 * again later, up to three times, in whatever slot is free then. Lots follow each other; each has one profile; boards carry
 * one of the kinds of bridge. Every attempt fails by chance with probability `base`; with `bad` where the truth applies.
 * Included by one program each. */
#ifndef FL_TESTS_HISTORY_H
#define FL_TESTS_HISTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum history_truth { TRUTH_NOTHING, TRUTH_SLOT, TRUTH_LOT, TRUTH_HOUR, TRUTH_IMAGE, TRUTH_BRIDGE, TRUTH_UNITS, TRUTH_COUNT };
static const char *const history_truths[TRUTH_COUNT] = {"nothing", "slot", "lot", "hour", "image", "bridge", "units"};

enum { HISTORY_SLOTS = 64, HISTORY_AGAIN = 4096, HISTORY_TRIES = 3 };

struct history_config {
    uint64_t seed;
    enum history_truth truth;
    int64_t units;
    int slots, lots, profiles, models;
    double base, bad;
    int64_t start_ms; /* of the first attempt; a whole hour */
};

struct history_attempt {
    int64_t unit;            /* 0, 1, ... */
    int number, lot, slot, model, profile; /* from 0; slot from 1, number from 1 */
    int first_slot;          /* of the unit's first attempt */
    int64_t first_ms;
    bool pass;
    int64_t start_ms, ms;
};

struct history {
    struct history_config c;
    uint64_t random;
    int64_t next_unit, lot_size;
    int64_t free_ms[HISTORY_SLOTS];
    struct history_attempt again[HISTORY_AGAIN]; /* failed and waiting */
    size_t n_again;
    int64_t bad; /* which slot, lot, ...: from the seed; an hour as hours since 1970 */
};

static uint64_t history_random(struct history *h) /* splitmix64: S. Vigna, public domain */
{
    uint64_t z = h->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t history_roll(struct history *h, uint64_t n)
{
    return history_random(h) % n;
}

static bool history_chance(struct history *h, double p)
{
    return (double)(history_random(h) >> 11) * 0x1p-53 < p;
}

/* Is this unit one of the bad ones? By its number, so that it stays so. */
static bool history_bad_unit(int64_t unit)
{
    return ((uint64_t)unit * UINT64_C(0x9e3779b97f4a7c15) >> 40) % 25 == 0; /* 4 % */
}

static void history_open(struct history *h, const struct history_config *c)
{
    memset(h, 0, sizeof *h);
    h->c = *c;
    h->random = c->seed * UINT64_C(0xd1342543de82ef95) + 1;
    h->lot_size = (c->units + c->lots - 1) / c->lots;
    for (int s = 0; s < c->slots; s++)
        h->free_ms[s] = c->start_ms + (int64_t)history_roll(h, 30000);
    int64_t hours = c->units * 35 / c->slots / 3600; /* a unit takes about 35 s of its slot */
    switch (c->truth) {
    case TRUTH_SLOT: h->bad = 1 + (int64_t)history_roll(h, (uint64_t)c->slots); break;
    case TRUTH_LOT: h->bad = (int64_t)history_roll(h, (uint64_t)c->lots); break;
    case TRUTH_HOUR: h->bad = c->start_ms / 3600000 + 1 + (int64_t)history_roll(h, (uint64_t)(hours > 2 ? hours - 2 : 1)); break;
    case TRUTH_IMAGE: h->bad = (int64_t)history_roll(h, (uint64_t)c->profiles); break;
    case TRUTH_BRIDGE: h->bad = (int64_t)history_roll(h, (uint64_t)c->models); break;
    default: h->bad = -1;
    }
}

static bool history_applies(const struct history *h, const struct history_attempt *a)
{
    switch (h->c.truth) {
    case TRUTH_SLOT: return a->slot == h->bad;
    case TRUTH_LOT: return a->lot == h->bad;
    case TRUTH_HOUR: return a->start_ms / 3600000 == h->bad;
    case TRUTH_IMAGE: return a->profile == h->bad;
    case TRUTH_BRIDGE: return a->model == h->bad;
    case TRUTH_UNITS: return history_bad_unit(a->unit);
    default: return false;
    }
}

/* The next attempt; false when all units are through. */
static bool history_next(struct history *h, struct history_attempt *a)
{
    int slot = 0;
    for (int s = 1; s < h->c.slots; s++)
        if (h->free_ms[s] < h->free_ms[slot])
            slot = s;
    bool retry = h->n_again && (h->next_unit == h->c.units || h->n_again == HISTORY_AGAIN || history_chance(h, 0.2));
    if (!retry && h->next_unit == h->c.units)
        return false;
    if (retry) {
        size_t i = (size_t)history_roll(h, h->n_again);
        *a = h->again[i];
        h->again[i] = h->again[--h->n_again];
        a->number++;
    } else {
        int64_t unit = h->next_unit++;
        int lot = (int)(unit / h->lot_size);
        *a = (struct history_attempt){.unit = unit, .number = 1, .lot = lot, .profile = lot % h->c.profiles,
                                      .model = (int)history_roll(h, (uint64_t)h->c.models), .first_slot = slot + 1};
    }
    a->slot = slot + 1;
    a->start_ms = h->free_ms[slot];
    a->first_ms = a->number == 1 ? a->start_ms : a->first_ms;
    a->pass = !history_chance(h, history_applies(h, a) ? h->c.bad : h->c.base);
    a->ms = a->pass ? 20000 + (int64_t)history_roll(h, 6000) : 2000 + (int64_t)history_roll(h, 20000);
    h->free_ms[slot] += a->ms + 5000 + (int64_t)history_roll(h, 15000);
    if (!a->pass && a->number < HISTORY_TRIES && h->n_again < HISTORY_AGAIN)
        h->again[h->n_again++] = *a;
    return true;
}

#endif
