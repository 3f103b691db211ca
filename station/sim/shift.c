/* SPDX-License-Identifier: Apache-2.0
 * The script of a shift: tables of keys over yaml.h, and who of the units is what. */
#include "sim/shift.h"

#include "sim/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct sim_yaml yaml;
typedef yaml_node_t node;

enum { TIME_MAX_MS = 3600000 };

static double share(yaml *y, node *v)
{
    return sim_yaml_real(y, v, 0, 1);
}

/* ---- small maps ------------------------------------------------------------------------------------------ */

struct range_taking {
    struct shift_range *r;
    unsigned n;
};

static void range_one(yaml *y, node *v, void *to)
{
    struct range_taking *t = to;
    uint32_t ms = (uint32_t)sim_yaml_number(y, v, TIME_MAX_MS);
    if (t->n < 2)
        *(t->n ? &t->r->most : &t->r->least) = ms;
    t->n++;
}

static void range(yaml *y, node *v, struct shift_range *r)
{
    struct range_taking t = {r, 0};
    sim_yaml_each(y, v, range_one, &t);
    if (!y->err && (t.n != 2 || r->least > r->most))
        sim_yaml_fail(y, v, "expected the least and the most, as [200, 800]");
}

static void cable_slot(yaml *y, node *v, void *to) { ((struct shift *)to)->cable.slot = (uint32_t)sim_yaml_number(y, v, 10000); }
static void cable_after(yaml *y, node *v, void *to) { ((struct shift *)to)->cable.after = (uint32_t)sim_yaml_number(y, v, SHIFT_UNITS_MAX); }
static void cable_over(yaml *y, node *v, void *to) { ((struct shift *)to)->cable.over = (uint32_t)sim_yaml_number(y, v, SHIFT_UNITS_MAX); }
static void cable_rate(yaml *y, node *v, void *to) { ((struct shift *)to)->cable.rate = share(y, v); }

static const struct sim_key cable_keys[] = {
    {"slot", cable_slot}, {"after", cable_after}, {"over", cable_over}, {"rate", cable_rate}, {NULL, NULL},
};

static void hub_slot(yaml *y, node *v, void *to)
{
    struct shift *s = to;
    uint32_t slot = (uint32_t)sim_yaml_number(y, v, 10000);
    if (s->hub.n == SHIFT_HUB_MAX)
        sim_yaml_fail(y, v, "a hub has %d slots at most", SHIFT_HUB_MAX);
    else
        s->hub.slot[s->hub.n++] = slot;
}

static void hub_slots(yaml *y, node *v, void *to) { sim_yaml_each(y, v, hub_slot, to); }
static void hub_after(yaml *y, node *v, void *to) { ((struct shift *)to)->hub.after = (uint32_t)sim_yaml_number(y, v, SHIFT_UNITS_MAX); }
static void hub_ms(yaml *y, node *v, void *to) { ((struct shift *)to)->hub.ms = (uint32_t)sim_yaml_number(y, v, TIME_MAX_MS); }

static const struct sim_key hub_keys[] = {
    {"slots", hub_slots}, {"after", hub_after}, {"ms", hub_ms}, {NULL, NULL},
};

/* ---- what is planted ---------------------------------------------------------------------------------------- */

static void planted_name(yaml *y, node *v, void *to)
{
    struct shift_planted *p = to;
    (void)snprintf(p->name, sizeof p->name, "%s", sim_yaml_text(y, v));
}

static void planted_share(yaml *y, node *v, void *to) { ((struct shift_planted *)to)->share = share(y, v); }

static void expect_one(yaml *y, node *v, void *to)
{
    struct shift_planted *p = to;
    if (p->n_expect == SHIFT_CODES_MAX)
        sim_yaml_fail(y, v, "more than %d codes", SHIFT_CODES_MAX);
    else
        (void)snprintf(p->expect[p->n_expect++], sizeof p->expect[0], "%s", sim_yaml_text(y, v));
}

static void planted_expect(yaml *y, node *v, void *to) { sim_yaml_each(y, v, expect_one, to); }
static void later(yaml *y, node *v, void *to) { (void)y, (void)v, (void)to; }

static const struct sim_key planted_keys[] = {
    {"name", planted_name}, {"share", planted_share}, {"expect", planted_expect}, {"board", later}, {NULL, NULL},
};

static void planted_one(yaml *y, node *v, void *to)
{
    struct shift *s = to;
    if (s->n_planted == SHIFT_PLANTED_MAX) {
        sim_yaml_fail(y, v, "more than %d kinds", SHIFT_PLANTED_MAX);
        return;
    }
    struct shift_planted *p = &s->planted[s->n_planted++];
    p->board = s->board;
    sim_yaml_map(y, v, planted_keys, p);
    node *board = y->err ? NULL : sim_yaml_get(y, v, "board");
    if (board)
        sim_scenario_board(y, board, &p->board);
    if (!y->err && (!p->name[0] || p->n_expect == 0))
        sim_yaml_fail(y, v, "it needs a name and what is expected, as {name: weak sector, expect: [verify.md5], ...}");
}

/* ---- the file ------------------------------------------------------------------------------------------------ */

static void units(yaml *y, node *v, void *to) { ((struct shift *)to)->units = (uint32_t)sim_yaml_number(y, v, SHIFT_UNITS_MAX); }
static void seed(yaml *y, node *v, void *to) { ((struct shift *)to)->seed = sim_yaml_number(y, v, UINT64_MAX); }
static void hands(yaml *y, node *v, void *to) { ((struct shift *)to)->hands = (uint32_t)sim_yaml_number(y, v, 1000); }
static void plug_ms(yaml *y, node *v, void *to) { range(y, v, &((struct shift *)to)->plug_ms); }
static void unplug_ms(yaml *y, node *v, void *to) { range(y, v, &((struct shift *)to)->unplug_ms); }
static void patience(yaml *y, node *v, void *to) { ((struct shift *)to)->patience_ms = (uint32_t)sim_yaml_number(y, v, TIME_MAX_MS); }
static void errors_again(yaml *y, node *v, void *to) { ((struct shift *)to)->errors_again = (uint32_t)sim_yaml_number(y, v, 10); }
static void twice(yaml *y, node *v, void *to) { ((struct shift *)to)->twice = share(y, v); }
static void moved(yaml *y, node *v, void *to) { ((struct shift *)to)->moved = share(y, v); }
static void cable(yaml *y, node *v, void *to) { sim_yaml_map(y, v, cable_keys, to); }
static void hub(yaml *y, node *v, void *to) { sim_yaml_map(y, v, hub_keys, to); }

static const struct sim_key keys[] = {
    {"units", units},       {"seed", seed},           {"hands", hands},               {"plug_ms", plug_ms},
    {"unplug_ms", unplug_ms}, {"patience_ms", patience}, {"errors_again", errors_again}, {"board", later},
    {"planted", later},     {"twice", twice},         {"moved", moved},               {"cable", cable},
    {"hub", hub},           {NULL, NULL},
};

/* The board of all first: a bad one is one of them with something changed. */
static void read_shift(yaml *y, node *root, struct shift *s)
{
    node *board = sim_yaml_get(y, root, "board"), *planted = sim_yaml_get(y, root, "planted");
    sim_yaml_map(y, root, keys, s);
    if (!y->err && board)
        sim_scenario_board(y, board, &s->board);
    if (!y->err && planted)
        sim_yaml_each(y, planted, planted_one, s);
    double sum = 0;
    for (size_t i = 0; i < s->n_planted; i++)
        sum += s->planted[i].share;
    if (!y->err && s->units == 0)
        sim_yaml_fail(y, root, "how many boards are in the box? units: 120");
    else if (!y->err && s->hands == 0)
        sim_yaml_fail(y, root, "a shift needs a hand at least");
    else if (!y->err && sum > 1)
        sim_yaml_fail(y, root, "more than all boards are bad");
}

enum fl_err shift_load(const char *file, const struct sim_chip *chip, bool pace_real, uint64_t seed_,
                       struct shift *out, struct fl_why *why)
{
    yaml y = {.file = "", .why = why};
    node *root = NULL;
    *out = (struct shift){.seed = seed_, .hands = 2, .patience_ms = 10000, .errors_again = 1,
                          .plug_ms = {200, 800}, .unplug_ms = {200, 600}, .cable = {.over = 1}};
    sim_spec_init(&out->board, chip, 1, seed_);
    out->board.pace_real = pace_real;
    sim_yaml_open(&y, file, &root, why);
    if (!y.err && !root)
        sim_yaml_fail(&y, NULL, "it is empty");
    if (!y.err)
        read_shift(&y, root, out);
    return sim_yaml_close(&y);
}

/* ---- units ----------------------------------------------------------------------------------------------------- */

void shift_unit(const struct shift *s, uint32_t number, struct shift_unit *out)
{
    struct sim_rng r = {s->seed * 0x9E3779B97F4A7C15u + number};
    double u = (double)(sim_rng_next(&r) >> 11) * 0x1p-53;
    *out = (struct shift_unit){.spec = s->board};
    for (size_t i = 0; i < s->n_planted && !out->planted; i++) {
        if (u < s->planted[i].share)
            out->planted = &s->planted[i];
        u -= s->planted[i].share;
    }
    if (out->planted)
        out->spec = out->planted->board;
    struct sim_spec own;
    sim_spec_init(&own, out->spec.chip, number, s->seed);
    out->spec.number = number;
    out->spec.seed = own.seed;
    memcpy(out->spec.mac, own.mac, sizeof own.mac);
    bool is_twice = sim_rng_chance(&r, s->twice), is_moved = sim_rng_chance(&r, s->moved);
    out->twice = is_twice && !out->planted;
    out->moved = is_moved && !out->planted;
}

uint32_t shift_draw(const struct shift_range *r, struct sim_rng *rng)
{
    return r->least + sim_rng_below(rng, r->most - r->least + 1);
}
