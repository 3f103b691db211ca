/* SPDX-License-Identifier: Apache-2.0
 * Units lie in an open-addressing table keyed by MAC: key = 48 bits of MAC, 1 bit "is used", 1 bit
 * "has passed". Passes of the last hour lie in sixty one-minute buckets. */
#include "event/tally.h"

#include "base/utf8.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTES = 60, FIRST_CAP = 1024 };
#define USED   ((uint64_t)1 << 48)
#define PASSED ((uint64_t)1 << 49)
#define MAC48  (USED - 1)

struct tally {
    pthread_mutex_t lock; /* guards the rest; a leaf */
    struct tally_head head;
    uint64_t *unit;
    size_t cap, n; /* places, a power of two or 0; units that lie there */
    uint32_t minute[MINUTES];
    uint64_t minute_at, began_ms; /* latest minute counted; when the first attempt ended */
    bool begun, put;
};

struct tally *tally_new(void)
{
    struct tally *t = calloc(1, sizeof *t);
    if (t && pthread_mutex_init(&t->lock, NULL) != 0) {
        free(t);
        return NULL;
    }
    return t;
}

void tally_free(struct tally *t)
{
    if (t) {
        (void)pthread_mutex_destroy(&t->lock);
        free(t->unit);
        free(t);
    }
}

/* As much of it as there is room for: a letter that is cut in two becomes '?', or no JSON would hold the text. */
static void set(char *to, size_t n, const char *from)
{
    (void)snprintf(to, n, "%s", from ? from : "");
    fl_utf8_clean(to, false);
}

void tally_title(struct tally *t, const char *station, const char *product, const char *lot,
                 uint64_t planned, uint32_t takt_ms)
{
    (void)pthread_mutex_lock(&t->lock);
    set(t->head.station, sizeof t->head.station, station);
    set(t->head.product, sizeof t->head.product, product);
    set(t->head.lot, sizeof t->head.lot, lot);
    t->head.planned = planned;
    t->head.takt_ms = takt_ms;
    (void)pthread_mutex_unlock(&t->lock);
}

void tally_alarm(struct tally *t, const char *text)
{
    (void)pthread_mutex_lock(&t->lock);
    set(t->head.alarm, sizeof t->head.alarm, text);
    (void)pthread_mutex_unlock(&t->lock);
}

void tally_stops(struct tally *t, const int *stopped, size_t n)
{
    (void)pthread_mutex_lock(&t->lock);
    memset(t->head.stopped, 0, sizeof t->head.stopped);
    t->head.n_stopped = n < TALLY_STOPS ? n : TALLY_STOPS;
    for (size_t i = 0; i < t->head.n_stopped; i++)
        t->head.stopped[i] = stopped[i];
    (void)pthread_mutex_unlock(&t->lock);
}

void tally_say(struct tally *t, bool refused, const char *text, uint64_t now_ms)
{
    (void)pthread_mutex_lock(&t->lock);
    set(t->head.said, sizeof t->head.said, text);
    t->head.refused = refused;
    t->head.said_ms = now_ms;
    (void)pthread_mutex_unlock(&t->lock);
}

/* The place of `key` in a table that has room: its own, or the free one where it belongs. */
static uint64_t *place(uint64_t *unit, size_t cap, uint64_t key)
{
    uint64_t h = key * UINT64_C(0x9E3779B97F4A7C15); /* 2^64 / golden ratio: MACs run in sequence */
    size_t i = (size_t)(h >> 32) & (cap - 1);
    while (unit[i] && (unit[i] & MAC48) != key)
        i = (i + 1) & (cap - 1);
    return &unit[i];
}

static bool room_locked(struct tally *t)
{
    if (t->cap && t->n < t->cap / 2)
        return true;
    size_t cap = t->cap ? 2 * t->cap : FIRST_CAP;
    uint64_t *unit = cap / 2 <= TALLY_UNITS_MAX ? calloc(cap, sizeof *unit) : NULL;
    if (!unit)
        return false;
    for (size_t i = 0; i < t->cap; i++)
        if (t->unit[i])
            *place(unit, cap, t->unit[i] & MAC48) = t->unit[i];
    free(t->unit);
    t->unit = unit;
    t->cap = cap;
    return true;
}

static void turn_minutes_locked(struct tally *t, uint64_t now_ms)
{
    uint64_t now = now_ms / 60000;
    for (unsigned i = 0; i < MINUTES && t->minute_at < now; i++)
        t->minute[++t->minute_at % MINUTES] = 0;
    t->minute_at = now;
}

/* `now_ms` UINT64_MAX: in no minute. */
static void count_unit_locked(struct tally *t, enum outcome outcome, const uint8_t *mac, uint64_t now_ms)
{
    uint64_t key = 0, elsewhere = 0;
    for (int i = 0; i < 6; i++)
        key = key << 8 | mac[i];
    bool room = room_locked(t);
    uint64_t *u = t->cap ? place(t->unit, t->cap, key) : &elsewhere;
    bool known = *u != 0, was = (*u & PASSED) != 0, is = outcome == OUTCOME_PASS;
    if (!known && !room)
        u = &elsewhere; /* counted, and not known again: the record has the truth */
    t->n += !known && room;
    *u = key | USED | (is || was ? PASSED : 0);
    t->head.units += !known;
    t->head.first_passed += !known && is;
    if (is && !was) {
        t->head.passed++;
        if (now_ms != UINT64_MAX) {
            turn_minutes_locked(t, now_ms);
            t->minute[t->minute_at % MINUTES]++;
        }
    }
}

void tally_add(struct tally *t, enum outcome outcome, const uint8_t *mac, uint64_t now_ms)
{
    (void)pthread_mutex_lock(&t->lock);
    if (!t->begun) {
        t->begun = true;
        t->began_ms = now_ms;
        t->minute_at = now_ms / 60000;
    }
    t->head.outcomes[outcome]++;
    if (mac && outcome != OUTCOME_ABORTED)
        count_unit_locked(t, outcome, mac, now_ms);
    (void)pthread_mutex_unlock(&t->lock);
}

void tally_past(struct tally *t, enum outcome outcome, const uint8_t *mac)
{
    (void)pthread_mutex_lock(&t->lock);
    t->head.outcomes[outcome]++;
    if (mac && outcome != OUTCOME_ABORTED)
        count_unit_locked(t, outcome, mac, UINT64_MAX);
    (void)pthread_mutex_unlock(&t->lock);
}

void tally_clear(struct tally *t)
{
    (void)pthread_mutex_lock(&t->lock);
    struct tally_head *h = &t->head;
    memset(h->outcomes, 0, sizeof h->outcomes);
    h->units = h->passed = h->first_passed = h->per_hour = 0;
    memset(t->minute, 0, sizeof t->minute);
    free(t->unit);
    t->unit = NULL;
    t->cap = t->n = 0;
    t->begun = false;
    (void)pthread_mutex_unlock(&t->lock);
}

void tally_put(struct tally *t, const struct tally_head *head)
{
    (void)pthread_mutex_lock(&t->lock);
    t->head = *head;
    t->put = true;
    (void)pthread_mutex_unlock(&t->lock);
}

void tally_get(struct tally *t, uint64_t now_ms, struct tally_head *out)
{
    (void)pthread_mutex_lock(&t->lock);
    *out = t->head;
    if (!t->put)
        out->per_hour = 0;
    if (t->begun && !t->put) {
        uint64_t sum = 0, ms = now_ms - t->began_ms;
        turn_minutes_locked(t, now_ms);
        for (int i = 0; i < MINUTES; i++)
            sum += t->minute[i];
        ms = ms > 3600000 ? 3600000 : ms;
        if (ms >= 60000) /* less than a minute says nothing about an hour */
            out->per_hour = sum * 3600000 / ms;
    }
    (void)pthread_mutex_unlock(&t->lock);
}
