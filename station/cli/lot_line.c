/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/lot_line.h"

#include "base/buf.h"
#include "line/serial.h"
#include "store/line_past.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct owned { /* who has a number; only where a lot lets a unit in again */
    uint8_t mac[6];
    char serial[SERIAL_TEXT_MAX];
};

struct lot_line {
    struct rules_set rules;
    struct guard *guard;
    struct line_serials serials;
    const char *lot;
    struct tally *tally;
    bool reflash;
    pthread_mutex_t lock; /* guards the rest */
    uint64_t next;        /* counter of the next new number */
    char (*returned)[SERIAL_TEXT_MAX];
    size_t n_returned, cap_returned;
    struct owned *owned;
    size_t n_owned, cap_owned;
};

/* ---- serial numbers ---------------------------------------------------------------------------------------
 * The records decide (record/allow.c: a number that is taken is refused); here it is only known what to ask for. */

static bool grow(void **list, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return true;
    void *more = realloc(*list, (*cap ? 2 * *cap : 64) * size);
    if (!more)
        return false;
    *list = more;
    *cap = *cap ? 2 * *cap : 64;
    return true;
}

/* Without memory a number is not given again: a gap, never a number twice. */
static void give_back(struct lot_line *l, const char *serial)
{
    void *list = l->returned;
    if (!grow(&list, l->n_returned, &l->cap_returned, sizeof *l->returned))
        return;
    l->returned = list;
    (void)snprintf(l->returned[l->n_returned++], SERIAL_TEXT_MAX, "%s", serial);
}

static void own(struct lot_line *l, const uint8_t *mac, const char *serial)
{
    void *list = l->owned;
    if (!l->reflash || !grow(&list, l->n_owned, &l->cap_owned, sizeof *l->owned))
        return;
    l->owned = list;
    struct owned *o = &l->owned[l->n_owned++];
    memcpy(o->mac, mac, 6);
    (void)snprintf(o->serial, sizeof o->serial, "%s", serial);
}

static const char *owned_by(const struct lot_line *l, const uint8_t *mac)
{
    for (size_t i = l->n_owned; i > 0; i--)
        if (memcmp(l->owned[i - 1].mac, mac, 6) == 0)
            return l->owned[i - 1].serial;
    return NULL;
}

static void past_serial(void *ctx, const struct line_past_serial *p)
{
    struct lot_line *l = ctx;
    uint64_t n;
    if (!serial_counter(l->rules.serial, l->lot, p->serial, &n))
        return;
    if (n >= l->next)
        l->next = n + 1;
    if (p->returned)
        give_back(l, p->serial);
    else if (p->confirmed && p->has_mac && strcmp(p->lot, l->lot) == 0)
        own(l, p->mac, p->serial);
}

static enum fl_err take(void *ctx, int slot, const uint8_t mac[static 6], char out[static ATTEMPT_TEXT_MAX], struct fl_why *why)
{
    struct lot_line *l = ctx;
    enum fl_err err = FL_OK;
    (void)slot;
    (void)pthread_mutex_lock(&l->lock);
    const char *own_one = owned_by(l, mac);
    if (own_one)
        (void)snprintf(out, ATTEMPT_TEXT_MAX, "%s", own_one);
    else if (l->n_returned)
        (void)snprintf(out, ATTEMPT_TEXT_MAX, "%s", l->returned[--l->n_returned]);
    else
        err = serial_format(l->rules.serial, l->next++, l->lot, fl_wall_ms(), out);
    (void)pthread_mutex_unlock(&l->lock);
    return err ? fl_fail(why, err, "the serial number from '%s' is too long", l->rules.serial) : FL_OK;
}

/* Only the records know whether a refused start left the number with another unit: such a one is not asked for again. */
static void done(void *ctx, const struct attempt_facts *f)
{
    struct lot_line *l = ctx;
    uint64_t n;
    if (!serial_counter(l->rules.serial, l->lot, f->serial, &n))
        return; /* scanned by hand */
    (void)pthread_mutex_lock(&l->lock);
    if (f->outcome == OUTCOME_PASS)
        own(l, f->mac, f->serial);
    else if (strcmp(f->fault, "serial.used") != 0 && !owned_by(l, f->mac))
        give_back(l, f->serial);
    (void)pthread_mutex_unlock(&l->lock);
}

/* ---- rules ------------------------------------------------------------------------------------------------ */

static void past(void *ctx, const struct line_past *p)
{
    struct lot_line *l = ctx;
    const uint8_t *mac = p->has_mac ? p->mac : NULL;
    if (p->kind == LINE_PAST_ATTEMPT) {
        guard_replay_attempt(l->guard, p->slot, p->outcome, p->fault, mac);
        tally_past(l->tally, p->outcome, mac);
    } else if (p->kind == LINE_PAST_STOP)
        guard_replay_stop(l->guard, p->slot, p->fault, p->why);
    else
        guard_replay_reopen(l->guard, p->slot);
}

static int fill(struct lot_line *l, const struct lot_line_config *c)
{
    struct fl_why why = {0, ""};
    if (rules_parse(json_object_get(c->facts, "rules"), &l->rules, &why))
        return cli_fail(CLI_USAGE, "the rules of lot %s: %s", c->lot, why.text);
    const struct guard_config g = {.rules = &l->rules, .lot = c->lot, .facts = c->queue, .tally = c->tally};
    l->guard = guard_new(&g);
    l->reflash = strcmp(fl_json_text(c->facts, "duplicates"), "reflash") == 0;
    l->next = l->rules.serial_first;
    l->serials = (struct line_serials){.take = take, .done = done, .ctx = l};
    if (!l->guard)
        return cli_fail(CLI_STATION, "out of memory");
    enum fl_err err = line_past_read(c->data, c->lot, past, l, &why);
    if (!err && l->rules.serial[0])
        err = line_past_serials(c->data, past_serial, l, &why);
    if (err)
        return cli_fail(CLI_STATION, "%s", why.text);
    guard_replayed(l->guard);
    return CLI_OK;
}

int lot_line_new(const struct lot_line_config *c, struct lot_line **out)
{
    struct lot_line *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l || pthread_mutex_init(&l->lock, NULL) != 0) {
        free(l);
        return cli_fail(CLI_STATION, "out of memory");
    }
    l->lot = c->lot;
    l->tally = c->tally;
    tally_clear(l->tally);
    int code = fill(l, c);
    if (code)
        lot_line_free(l);
    else
        *out = l;
    return code;
}

void lot_line_free(struct lot_line *l)
{
    if (!l)
        return;
    guard_free(l->guard);
    (void)pthread_mutex_destroy(&l->lock);
    free(l->returned);
    free(l->owned);
    free(l);
}

struct guard *lot_line_guard(struct lot_line *l)
{
    return l ? l->guard : NULL;
}

const struct line_serials *lot_line_serials(struct lot_line *l)
{
    return l && l->rules.serial[0] ? &l->serials : NULL;
}

const struct rules_set *lot_line_rules(const struct lot_line *l)
{
    return &l->rules;
}
