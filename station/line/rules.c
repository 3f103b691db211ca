/* SPDX-License-Identifier: Apache-2.0 */
#include "line/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAULTS_MAX = 96, FIRST_CAP = 1024 }; /* more faults than fault.c has rows */

struct scope {
    bool stopped;
    unsigned in_a_row, units, first_passed;
    unsigned char of_fault[FAULTS_MAX]; /* counts, as high as they go; by the fault's place in its table */
};

struct rules {
    struct rules_set set;
    struct scope scope[RULES_SLOT_MAX + 1]; /* 0 is the line */
    bool shown[RULES_SAMPLES_MAX];
    uint64_t *seen; /* units that had their first attempt: MAC | 1 << 48, open addressing */
    size_t cap, n;
};

struct rules *rules_new(const struct rules_set *set)
{
    struct rules *r = calloc(1, sizeof *r);
    if (r)
        r->set = *set;
    return r;
}

void rules_free(struct rules *r)
{
    if (r)
        free(r->seen);
    free(r);
}

/* ---- units ---------------------------------------------------------------------------------------------- */

static uint64_t *place(uint64_t *seen, size_t cap, uint64_t key)
{
    size_t i = (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (cap - 1); /* 2^64 / golden ratio */
    while (seen[i] && seen[i] != key)
        i = (i + 1) & (cap - 1);
    return &seen[i];
}

/* True once for each unit. Without memory nobody is new: a rule that cannot count does not fire. */
static bool is_new(struct rules *r, const uint8_t *mac)
{
    uint64_t key = 1;
    for (int i = 0; i < 6; i++)
        key = key << 8 | mac[i];
    if (r->n >= r->cap / 2) {
        size_t cap = r->cap ? 2 * r->cap : FIRST_CAP;
        uint64_t *seen = calloc(cap, sizeof *seen);
        if (!seen)
            return false;
        for (size_t i = 0; i < r->cap; i++)
            if (r->seen[i])
                *place(seen, cap, r->seen[i]) = r->seen[i];
        free(r->seen);
        r->seen = seen;
        r->cap = cap;
    }
    uint64_t *p = place(r->seen, r->cap, key);
    if (*p)
        return false;
    *p = key;
    r->n++;
    return true;
}

/* ---- counting ------------------------------------------------------------------------------------------- */

static unsigned count_fault(struct scope *s, const char *fault)
{
    size_t n;
    const struct fault *table = fault_table(&n), *f = fault_find(fault);
    size_t i = f ? (size_t)(f - table) : FAULTS_MAX;
    if (i >= FAULTS_MAX)
        return 0;
    s->of_fault[i] = (unsigned char)(s->of_fault[i] + (s->of_fault[i] < 255));
    return s->of_fault[i];
}

#define SAY(stop, name, ...) \
    ((stop)->rule = (name), (void)snprintf((stop)->why, sizeof (stop)->why, __VA_ARGS__))

/* True: this scope stops by this attempt. */
static bool add(struct scope *s, const struct rules_limits *l, bool good, const char *fault, bool first,
                struct rules_stop *stop)
{
    unsigned same = 0;
    s->in_a_row = good ? 0 : s->in_a_row + 1;
    if (!good)
        same = count_fault(s, fault);
    if (first) {
        s->units++;
        s->first_passed += good;
    }
    if (s->stopped)
        return false;
    if (l->consecutive && s->in_a_row >= l->consecutive)
        SAY(stop, "consecutive", "%u attempt%s in a row did not pass; the last: %s", s->in_a_row,
            s->in_a_row == 1 ? "" : "s", fault);
    else if (l->same_fault && same >= l->same_fault)
        SAY(stop, "same_fault", "%u attempts ended with %s", same, fault);
    else if (l->yield && s->units >= l->after && s->units && 100u * s->first_passed < l->yield * s->units)
        SAY(stop, "yield", "%u of %u units passed at their first attempt, %u %% are asked for", s->first_passed, s->units,
            l->yield);
    else
        return false;
    s->stopped = true;
    return true;
}

size_t rules_add(struct rules *r, int slot, enum outcome outcome, const char *fault, const uint8_t *mac,
                 struct rules_stop stops[static RULES_STOPS_MAX])
{
    size_t n = 0;
    if (outcome == OUTCOME_ABORTED || outcome == OUTCOME_INTERRUPTED || slot < 1 || slot > RULES_SLOT_MAX)
        return 0;
    bool good = outcome == OUTCOME_PASS, first = mac && is_new(r, mac);
    if (add(&r->scope[slot], &r->set.slot, good, fault, first, &stops[n]))
        stops[n++].slot = slot;
    if (add(&r->scope[RULES_LINE], &r->set.line, good, fault, first, &stops[n]))
        stops[n++].slot = RULES_LINE;
    return n;
}

static struct scope *scope_of(struct rules *r, int slot)
{
    return &r->scope[slot >= 0 && slot <= RULES_SLOT_MAX ? slot : RULES_LINE];
}

void rules_stop(struct rules *r, int slot)
{
    scope_of(r, slot)->stopped = true;
}

void rules_reopen(struct rules *r, int slot)
{
    memset(scope_of(r, slot), 0, sizeof(struct scope));
}

bool rules_stopped(const struct rules *r, int slot)
{
    return slot >= 0 && slot <= RULES_SLOT_MAX && r->scope[slot].stopped;
}

/* ---- the shift's boards ---------------------------------------------------------------------------------- */

static size_t sample_of(const struct rules *r, const uint8_t *mac)
{
    size_t i = 0;
    while (i < r->set.n_samples && memcmp(r->set.samples[i].mac, mac, 6) != 0)
        i++;
    return i;
}

const char *rules_purpose(const struct rules *r, const uint8_t mac[static 6])
{
    size_t i = sample_of(r, mac);
    return i == r->set.n_samples ? NULL : r->set.samples[i].bad ? "known_bad" : "golden";
}

size_t rules_samples_left(const struct rules *r)
{
    size_t left = 0;
    for (size_t i = 0; i < r->set.n_samples; i++)
        left += !r->shown[i];
    return left;
}

size_t rules_sample(struct rules *r, const uint8_t mac[static 6], enum outcome outcome, const char *fault,
                    struct rules_stop stops[static RULES_STOPS_MAX])
{
    size_t i = sample_of(r, mac);
    if (i == r->set.n_samples || outcome == OUTCOME_ABORTED)
        return 0;
    bool bad = r->set.samples[i].bad, right = bad ? outcome == OUTCOME_FAIL : outcome == OUTCOME_PASS;
    r->shown[i] = right;
    if (right || r->scope[RULES_LINE].stopped)
        return 0;
    stops[0] = (struct rules_stop){.slot = RULES_LINE, .rule = "shift"};
    (void)snprintf(stops[0].why, sizeof stops[0].why, "the %s board ended %s%s%s: %s", bad ? "known-bad" : "golden",
                   outcome_name(outcome), *fault ? " " : "", fault,
                   bad ? "what should find it does not" : "slot, fixture or station is at fault");
    r->scope[RULES_LINE].stopped = true;
    return 1;
}
