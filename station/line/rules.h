/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.h: when a slot is closed and when the line stops. Pure: state, event -> action; no clock, no file.
 *
 *   rules of a lot (data) ─► struct rules_set ─┐
 *   an attempt that counts ended ──────────────┴► rules_add ─► which scope stops, by which rule, in a sentence
 *   somebody named reopened a scope ─────────────► rules_reopen: that scope counts from nothing
 *
 *   rule          a scope stops when, since it was opened,
 *   consecutive   so many attempts in a row ended FAIL or ERROR
 *   same_fault    so many ended with one fault
 *   yield         less than so many percent of its units passed at their first attempt, once `after` units ran
 *   shift         a golden board did not pass, or a known-bad one did
 *
 * A scope is a slot or the whole line; a slot counts what ended in it. ABORTED and INTERRUPTED attempts count nowhere. A unit is counted
 * for the yield where its first attempt was; an attempt without a MAC is no unit. What stops a scope that is stopped
 * already is not said again.
 *
 * The form, as the lot keeps it (all members may be left out; how people write it: profile/rules_file.h):
 *
 *   {"slot": {"consecutive": 3, "same_fault": 4, "yield": 80, "after": 10},
 *    "line": {"consecutive": 6, "same_fault": 8, "yield": 90, "after": 50},
 *    "shift": {"golden": ["24:6f:28:00:00:01"], "known_bad": ["24:6f:28:00:00:02"]},
 *    "takt": 20, "serial": {"template": "M5-{yy}{ww}-{n:6}", "first": 1}}
 *
 * shift: at the start of a line each of these boards must be shown once, the golden ones must PASS and the known-bad
 * ones must FAIL, before any other unit is let in. takt: seconds wanted from unit to unit. serial: line/serial.h.
 *
 * Thread rule: one owner.
 */
#ifndef FL_LINE_RULES_H
#define FL_LINE_RULES_H

#include "event/event.h"

enum { RULES_SAMPLES_MAX = 8, RULES_TEMPLATE_MAX = 64, RULES_SLOT_MAX = 999, RULES_LINE = 0 };

struct rules_limits {
    unsigned consecutive, same_fault, yield, after; /* 0: no such rule */
};
struct rules_sample {
    uint8_t mac[6];
    bool bad; /* must FAIL */
};
struct rules_set {
    struct rules_limits slot, line;
    struct rules_sample samples[RULES_SAMPLES_MAX];
    size_t n_samples;
    uint32_t takt_ms;
    char serial[RULES_TEMPLATE_MAX]; /* template; "" none */
    uint64_t serial_first;
};
/* NULL or null: no rules. FL_FORMAT: the sentence says which member. */
FL_MUST enum fl_err rules_parse(const json_t *o, struct rules_set *out, struct fl_why *why);

struct rules; /* opaque: the state */
struct rules *rules_new(const struct rules_set *set); /* copied. NULL: no memory */
void rules_free(struct rules *r);

struct rules_stop {
    int slot;         /* RULES_LINE: the whole line */
    const char *rule; /* static */
    char why[160];
};
enum { RULES_STOPS_MAX = 2 };

/* An attempt ended and its record is durable. Returns how many scopes stop by it. */
size_t rules_add(struct rules *r, int slot, enum outcome outcome, const char *fault, const uint8_t *mac,
                 struct rules_stop stops[static RULES_STOPS_MAX]);
/* A stop that somebody else found (a changed file), or that the records hold from before. */
void rules_stop(struct rules *r, int slot);
void rules_reopen(struct rules *r, int slot);
bool rules_stopped(const struct rules *r, int slot); /* itself; not: because the line is */

/* ---- the boards of the shift's start --------------------------------------------------------------------- */

/* "golden", "known_bad", or NULL: production. */
const char *rules_purpose(const struct rules *r, const uint8_t mac[static 6]);
/* How many are still to be shown (again). */
size_t rules_samples_left(const struct rules *r);
/* One was shown. A result that is not the right one stops the line. */
size_t rules_sample(struct rules *r, const uint8_t mac[static 6], enum outcome outcome, const char *fault,
                    struct rules_stop stops[static RULES_STOPS_MAX]);

#endif
