/* SPDX-License-Identifier: Apache-2.0 */
#include "works/lot.h"

#include "store/lots.h"
#include "works/numbers.h"

#include <stdlib.h>
#include <string.h>

struct lot {
    struct rules_set rules;
    struct guard *guard;
    struct numbers *numbers; /* NULL: the lot has none */
    struct tally *tally;
};

/* ---- may it be made? ------------------------------------------------------------------------------------------- */

static bool pins(const json_t *lot, const struct profile *p)
{
    const json_t *list = json_object_get(lot, "profiles");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(fl_json_text(json_array_get(list, i), "hash"), p->hash) == 0)
            return true;
    return false;
}

enum fl_err lot_check(sqlite3 *db, const char *name, const struct profile *const *profiles, size_t n, json_t **facts,
                      struct fl_why *why)
{
    json_t *lots = NULL;
    *facts = NULL;
    enum fl_err err = lots_read(db, name, &lots, why);
    if (err)
        return err;
    json_t *l = json_array_get(lots, 0);
    const char *state = fl_json_text(l, "state");
    if (strcmp(state, "open") != 0)
        err = fl_fail(why, FL_REFUSED, "lot %s is %s", name, strcmp(state, "closed") == 0 ? "closed" : "not open");
    for (size_t i = 0; i < n && !err; i++)
        if (!pins(l, profiles[i]))
            err = fl_fail(why, FL_REFUSED, "lot %s was not opened with what %s is now: the profile or an image of it is another", name,
                          profiles[i]->path);
    *facts = json_incref(l);
    json_decref(lots);
    return err;
}

/* ---- its rules, with what was made before ---------------------------------------------------------------------- */

static void past(void *ctx, const struct line_past *p)
{
    struct lot *l = ctx;
    const uint8_t *mac = p->has_mac ? p->mac : NULL;
    if (p->kind == LINE_PAST_ATTEMPT) {
        guard_replay_attempt(l->guard, p->slot, p->outcome, p->fault, mac);
        tally_past(l->tally, p->outcome, mac);
    } else if (p->kind == LINE_PAST_STOP)
        guard_replay_stop(l->guard, p->slot, p->fault, p->why);
    else
        guard_replay_reopen(l->guard, p->slot);
}

static enum fl_err fill(struct lot *l, const struct lot_config *c, struct fl_why *why)
{
    if (rules_parse(json_object_get(c->facts, "rules"), &l->rules, why))
        return fl_why_wrap(why, FL_FORMAT, "the rules of lot %s: ", c->name);
    const struct guard_config g = {.rules = &l->rules, .lot = c->name, .facts = c->queue, .tally = c->tally};
    bool again = strcmp(fl_json_text(c->facts, "duplicates"), "reflash") == 0;
    l->guard = guard_new(&g);
    l->numbers = l->rules.serial[0] ? numbers_new(&l->rules, c->name, again) : NULL;
    if (!l->guard || (l->rules.serial[0] && !l->numbers))
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = line_past_read(c->db, c->name, past, l, why);
    if (!err && l->numbers)
        err = line_past_serials(c->db, numbers_past, l->numbers, why);
    if (!err)
        guard_replayed(l->guard);
    return err;
}

enum fl_err lot_new(const struct lot_config *c, struct lot **out, struct fl_why *why)
{
    struct lot *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return fl_fail(why, FL_NOMEM, "out of memory");
    l->tally = c->tally;
    tally_clear(l->tally);
    enum fl_err err = fill(l, c, why);
    if (err)
        lot_free(l);
    else
        *out = l;
    return err;
}

void lot_free(struct lot *l)
{
    if (!l)
        return;
    guard_free(l->guard);
    numbers_free(l->numbers);
    free(l);
}

struct guard *lot_guard(struct lot *l)
{
    return l ? l->guard : NULL;
}

const struct line_serials *lot_serials(const struct lot *l)
{
    return l && l->numbers ? numbers_serials(l->numbers) : NULL;
}

const struct rules_set *lot_rules(const struct lot *l)
{
    return &l->rules;
}
