/* SPDX-License-Identifier: Apache-2.0 */
#include "line/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_MS = 120000 }; /* room in the facts queue: a disk that takes longer is broken */

struct stop {
    bool recorded;
    char rule[24], why[160];
};

struct guard {
    struct guard_config c;
    pthread_mutex_t lock; /* guards the rest */
    struct rules *rules;
    struct stop stop[RULES_SLOT_MAX + 1]; /* what stopped a scope; only where rules_stopped */
};

struct guard *guard_new(const struct guard_config *c)
{
    struct guard *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->c = *c;
    g->rules = rules_new(c->rules);
    if (!g->rules || pthread_mutex_init(&g->lock, NULL) != 0) {
        rules_free(g->rules);
        free(g);
        return NULL;
    }
    return g;
}

void guard_free(struct guard *g)
{
    if (!g)
        return;
    (void)pthread_mutex_destroy(&g->lock);
    rules_free(g->rules);
    free(g);
}

/* ---- stops ------------------------------------------------------------------------------------------------
 * Found under the lock, told after it: the queue may have to wait for room. */

enum { NEWS_MAX = RULES_STOPS_MAX, NAMED_MAX = 3 }; /* more slots than this are only counted: nobody reads a page of them */

struct news {
    struct event *event[NEWS_MAX];
    size_t n;
    bool show;
    char alarm[TALLY_ALARM];
    int stopped[TALLY_STOPS];
    size_t n_stopped;
};

static void alarm_locked(struct guard *g, struct news *news)
{
    char *text = news->alarm;
    size_t n = 0, cap = sizeof news->alarm, closed = 0;
    bool line = rules_stopped(g->rules, RULES_LINE);
    news->show = true;
    news->n_stopped = 0;
    text[0] = 0;
    if (line)
        n = (size_t)snprintf(text, cap, "the line is stopped: %s (flashline line ack)", g->stop[RULES_LINE].why);
    for (int scope = RULES_LINE; scope <= RULES_SLOT_MAX; scope++) {
        if (!rules_stopped(g->rules, scope))
            continue;
        if (news->n_stopped < TALLY_STOPS)
            news->stopped[news->n_stopped++] = scope;
        if (line || ++closed > NAMED_MAX)
            continue;
        if (n < cap)
            n += (size_t)snprintf(text + n, cap - n, "%sslot %d is closed: %s (flashline line ack --slot %d)", n ? "; " : "",
                                  scope, g->stop[scope].why, scope);
    }
    if (closed > NAMED_MAX && n < cap)
        (void)snprintf(text + n, cap - n, "; and %zu more slot%s", closed - NAMED_MAX, closed == NAMED_MAX + 1 ? "" : "s");
}

static void tell(struct guard *g, const struct news *news)
{
    for (size_t i = 0; i < news->n; i++)
        if (fl_queue_put(g->c.facts, news->event[i], fl_deadline_in_ms(RECORD_MS)) != FL_OK)
            event_free(news->event[i]); /* a queue that takes nothing belongs to a station that is stopping */
    if (news->show && g->c.tally) {
        tally_alarm(g->c.tally, news->alarm);
        tally_stops(g->c.tally, news->stopped, news->n_stopped);
    }
}

static struct event *stop_event(const struct guard *g, int slot)
{
    const struct stop *s = &g->stop[slot];
    char job[EVENT_JOB_TEXT];
    if (event_job(job))
        return NULL;
    json_t *b = json_pack("{ss,ss,ss}", "job", job, "rule", s->rule, "why", s->why);
    bool ok = b != NULL;
    if (ok && slot != RULES_LINE)
        ok = json_object_set_new(b, "slot", json_integer(slot)) == 0;
    if (ok && g->c.lot)
        ok = json_object_set_new(b, "lot", json_string(g->c.lot)) == 0;
    if (ok)
        return event_new(EVENT_LINE_STOP, b, NULL);
    json_decref(b);
    return NULL;
}

static void record_locked(struct guard *g, int slot, struct news *news)
{
    if (g->stop[slot].recorded || news->n == NEWS_MAX)
        return;
    struct event *e = stop_event(g, slot);
    if (e)
        news->event[news->n++] = e;
    g->stop[slot].recorded = true;
}

static void stopped_locked(struct guard *g, int slot, const char *rule, const char *why)
{
    struct stop *s = &g->stop[slot];
    s->recorded = false;
    (void)snprintf(s->rule, sizeof s->rule, "%s", rule);
    (void)snprintf(s->why, sizeof s->why, "%s", why);
}

static void stops_locked(struct guard *g, const struct rules_stop *stops, size_t n, struct news *news)
{
    for (size_t i = 0; i < n; i++) {
        stopped_locked(g, stops[i].slot, stops[i].rule, stops[i].why);
        if (news)
            record_locked(g, stops[i].slot, news);
    }
    if (n && news)
        alarm_locked(g, news);
}

/* ---- from before -------------------------------------------------------------------------------------------- */

void guard_replay_attempt(struct guard *g, int slot, enum outcome outcome, const char *fault, const uint8_t *mac)
{
    struct rules_stop stops[RULES_STOPS_MAX];
    stops_locked(g, stops, rules_add(g->rules, slot, outcome, fault, mac, stops), NULL);
}

void guard_replay_stop(struct guard *g, int slot, const char *rule, const char *why)
{
    if (slot < 0 || slot > RULES_SLOT_MAX)
        return;
    rules_stop(g->rules, slot);
    stopped_locked(g, slot, rule, why);
    g->stop[slot].recorded = true;
}

void guard_replay_reopen(struct guard *g, int slot)
{
    rules_reopen(g->rules, slot);
}

void guard_replayed(struct guard *g)
{
    struct news news = {.n = 0};
    for (int slot = 0; slot <= RULES_SLOT_MAX; slot++)
        if (rules_stopped(g->rules, slot)) {
            record_locked(g, slot, &news);
            tell(g, &news);
            news.n = 0;
        }
    alarm_locked(g, &news);
    tell(g, &news);
}

/* ---- at work ------------------------------------------------------------------------------------------------- */

static const char *fault_of(const char *rule)
{
    char name[40];
    (void)snprintf(name, sizeof name, "rule.%s", rule);
    const struct fault *f = fault_find(name);
    return f ? f->name : "rule.stopped";
}

const char *guard_holds(struct guard *g, int slot, char why[static ATTEMPT_WHY_MAX])
{
    const char *fault = NULL;
    (void)pthread_mutex_lock(&g->lock);
    int scope = rules_stopped(g->rules, RULES_LINE) ? RULES_LINE : slot;
    if (rules_stopped(g->rules, scope)) {
        fault = fault_of(g->stop[scope].rule);
        (void)snprintf(why, ATTEMPT_WHY_MAX, "%s stopped: %s", scope == RULES_LINE ? "the line is" : "this slot is",
                       g->stop[scope].why);
    }
    (void)pthread_mutex_unlock(&g->lock);
    return fault;
}

/* A file that is no more what was loaded stops all slots: every one of them would flash it. */
static bool files_changed(struct guard *g, const struct profile *p, char why[static ATTEMPT_WHY_MAX])
{
    struct fl_why what = {0};
    if (profile_recheck(p, &what) == FL_OK)
        return false;
    (void)snprintf(why, ATTEMPT_WHY_MAX, "%.299s", what.text);
    struct rules_stop stop = {.slot = RULES_LINE, .rule = "image"};
    (void)snprintf(stop.why, sizeof stop.why, "%.159s", what.text);
    struct news news = {.n = 0};
    (void)pthread_mutex_lock(&g->lock);
    bool first = !rules_stopped(g->rules, RULES_LINE);
    rules_stop(g->rules, RULES_LINE);
    stops_locked(g, &stop, first, &news);
    (void)pthread_mutex_unlock(&g->lock);
    tell(g, &news);
    return true;
}

const char *guard_unit(struct guard *g, int slot, const uint8_t mac[static 6], const struct profile *p,
                       const char **purpose, char why[static ATTEMPT_WHY_MAX])
{
    const char *fault = guard_holds(g, slot, why);
    (void)pthread_mutex_lock(&g->lock);
    const char *sample = rules_purpose(g->rules, mac);
    size_t left = rules_samples_left(g->rules);
    (void)pthread_mutex_unlock(&g->lock);
    if (sample)
        *purpose = sample;
    if (fault)
        return fault; /* a sample is one also where it is refused: it must not be counted */
    if (left && !(*purpose && **purpose)) {
        (void)snprintf(why, ATTEMPT_WHY_MAX, "%zu board%s of the shift's start must be shown first", left, left == 1 ? "" : "s");
        return "lot.shift";
    }
    return files_changed(g, p, why) ? "station.image" : NULL;
}

bool guard_ended(struct guard *g, const struct attempt_facts *f)
{
    struct rules_stop stops[RULES_STOPS_MAX];
    const uint8_t *mac = f->has_mac ? f->mac : NULL;
    bool sample = f->purpose && *f->purpose;
    struct news news = {.n = 0};
    (void)pthread_mutex_lock(&g->lock);
    size_t n = sample && mac ? rules_sample(g->rules, mac, f->outcome, f->fault, stops)
               : sample      ? 0
                             : rules_add(g->rules, f->slot, f->outcome, f->fault, mac, stops);
    stops_locked(g, stops, n, &news);
    (void)pthread_mutex_unlock(&g->lock);
    tell(g, &news);
    return n > 0;
}

bool guard_reopen(struct guard *g, int slot)
{
    (void)pthread_mutex_lock(&g->lock);
    struct news news = {.n = 0};
    bool was = rules_stopped(g->rules, slot);
    if (was)
        rules_reopen(g->rules, slot);
    alarm_locked(g, &news);
    (void)pthread_mutex_unlock(&g->lock);
    tell(g, &news);
    return was;
}
