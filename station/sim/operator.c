/* SPDX-License-Identifier: Apache-2.0
 * The operator of a shift: hands, boards and what the tiles say. The picture stands in operator.h. */
#include "sim/operator.h"

#include "base/clock.h"
#include "base/file.h"
#include "sim/truth.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_NS = 20000000,    /* how often the tiles are looked at */
    HUNG_PATIENCES = 8,    /* a board whose tile works on and on is pulled after so many patiences */
    MOVED_MS = 400,        /* how long at most one that is to be moved is left at its work */
    ELSEWHERE_MS = 300,    /* from one slot to another, at least */
    WAITING_MAX = 256,
};

enum place { EMPTY, COMING, IN, GOING, DOWN };

struct carried { /* a board, in a slot, in the hand or waiting to be plugged in once more */
    struct shift_unit unit;
    struct sim_board *board;
    unsigned visits, errors, not_slot; /* not_slot: where it was before */
    uint64_t not_before;
};

struct place_now {
    enum place place;
    struct carried *in;
    uint64_t at, since;   /* when the hand arrives; since when the board is in (or the slot was last looked at as new) */
    int64_t from_ms, leaf_before;
    const char *why;      /* GOING */
    bool hub, bad_cable, new_cable;
    double rate;
    unsigned boards;      /* that have been in this slot */
};

struct operator {
    struct shift shift;
    struct operator_config c;
    FILE *truth;
    struct sim_rng rng;
    struct place_now *slot;
    struct carried *waiting[WAITING_MAX];
    size_t n_waiting;
    uint32_t taken, done, busy_hands;
    unsigned visits, turn;
    uint64_t hub_back;    /* SIM_NEVER: not let go, or it is over */
    bool hub_done, ended;
    pthread_mutex_t lock; /* guards the two below */
    struct sim_tile *tile;
    bool sees;
};

/* ---- eyes ---------------------------------------------------------------------------------------------------- */

void operator_see(struct operator *op, unsigned slot, const struct sim_tile *tile)
{
    if (slot == 0 || slot > op->c.slots)
        return;
    (void)pthread_mutex_lock(&op->lock);
    op->tile[slot - 1] = *tile;
    op->sees = true;
    (void)pthread_mutex_unlock(&op->lock);
}

void operator_blind(struct operator *op)
{
    (void)pthread_mutex_lock(&op->lock);
    op->sees = false;
    (void)pthread_mutex_unlock(&op->lock);
}

static bool look(struct operator *op, unsigned i, struct sim_tile *tile)
{
    (void)pthread_mutex_lock(&op->lock);
    bool sees = op->sees;
    *tile = op->tile[i];
    (void)pthread_mutex_unlock(&op->lock);
    return sees;
}

static bool outcome(const struct sim_tile *t)
{
    return t->leaf >= 0 && (strcmp(t->state, "pass") == 0 || strcmp(t->state, "fail") == 0 ||
                            strcmp(t->state, "error") == 0 || strcmp(t->state, "aborted") == 0);
}

/* Not one at work, still on the board before, which was pulled too early: what it comes to would be taken for the
 * next one's. */
static bool takes_a_board(const struct sim_tile *t)
{
    return strcmp(t->state, "work") != 0 && strcmp(t->state, "record") != 0 && strcmp(t->state, "closed") != 0;
}

/* ---- boards ---------------------------------------------------------------------------------------------------- */

static void put_away(struct carried *k)
{
    if (k)
        sim_board_free(k->board);
    free(k);
}

/* The next board for a slot: one that waits, else one out of the box. NULL: none. */
static struct carried *next_board(struct operator *op, unsigned slot, uint64_t now)
{
    for (size_t i = 0; i < op->n_waiting; i++) {
        struct carried *k = op->waiting[i];
        bool only = op->c.slots == 1;
        if (now < k->not_before || (k->not_slot == slot && !only))
            continue;
        op->waiting[i] = op->waiting[--op->n_waiting];
        return k;
    }
    if (op->taken == op->shift.units)
        return NULL;
    struct carried *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    shift_unit(&op->shift, op->taken + 1, &k->unit);
    if (op->c.no_lines && k->unit.spec.power_up == SIM_POWER_UP_USUAL)
        k->unit.spec.power_up = SIM_POWER_UP_DOWNLOAD;
    op->taken++;
    return k;
}

static void once_more(struct operator *op, struct carried *k, unsigned slot, uint64_t now)
{
    if (op->n_waiting == WAITING_MAX) {
        put_away(k);
        op->done++;
        return;
    }
    k->not_slot = slot;
    k->not_before = now + ELSEWHERE_MS * 1000000ull;
    op->waiting[op->n_waiting++] = k;
}

/* The port appears, or vanishes, with its board. */
static bool appear(struct operator *op, unsigned i)
{
    struct sim_end *e = &op->c.end[i];
    e->board = op->slot[i].in->board;
    e->there = e->ops->appear(e, NULL) == FL_OK;
    e->due = 0;
    return e->there;
}

static void vanish(struct operator *op, unsigned i)
{
    struct sim_end *e = &op->c.end[i];
    e->ops->vanish(e);
    e->there = false;
    e->board = NULL;
    e->due = SIM_NEVER;
}

/* The cable's rate for the board that comes now: none, then more with each. */
static double wear(struct operator *op, unsigned i)
{
    const struct shift *s = &op->shift;
    unsigned over = s->cable.over ? s->cable.over : 1, n = op->slot[i].boards;
    if (s->cable.slot != i + 1 || n <= s->cable.after || op->slot[i].new_cable)
        return 0;
    unsigned k = n - s->cable.after;
    return s->cable.rate * (k < over ? k : over) / over;
}

/* Somebody comes to a closed slot and changes its cable, which was the bad one. */
static void mind_cable(struct operator *op, unsigned i, const struct sim_tile *t)
{
    struct place_now *p = &op->slot[i];
    if (!p->bad_cable || p->new_cable || strcmp(t->state, "closed") != 0)
        return;
    p->new_cable = true;
    p->bad_cable = false;
    truth_cable(op->truth, i + 1, false);
}

static void plug(struct operator *op, unsigned i, uint64_t now)
{
    struct place_now *p = &op->slot[i];
    struct carried *k = p->in;
    struct sim_tile t;
    (void)look(op, i, &t);
    bool fresh = !k->board;
    if (fresh && sim_board_new(&k->unit.spec, op->c.stubs, now, &k->board, NULL) != FL_OK)
        return; /* no memory: tried again */
    if (fresh)
        sim_board_journal(k->board, op->c.journal);
    p->boards++;
    p->rate = wear(op, i);
    if (p->rate > 0 && !p->bad_cable)
        truth_cable(op->truth, i + 1, true);
    p->bad_cable = p->rate > 0;
    sim_board_cable(k->board, p->rate);
    if (k->visits > 0)
        sim_board_plug(k->board, now);
    k->visits++;
    p->leaf_before = t.leaf;
    p->from_ms = fl_wall_ms();
    p->since = now;
    p->hub = false;
    p->place = IN;
    (void)appear(op, i); /* a port that is taken for a moment: tried again while the board is in */
}

static void write_visit(struct operator *op, unsigned i, const char *why)
{
    const struct place_now *p = &op->slot[i];
    struct sim_tile t;
    (void)look(op, i, &t);
    const struct truth_visit v = {
        .unit = &p->in->unit, .board = p->in->board, .slot = i + 1, .visit = p->in->visits, .from_ms = p->from_ms,
        .to_ms = fl_wall_ms(), .leaf = t.leaf == p->leaf_before ? -1 : t.leaf, .why = why, .saw = t.state,
        .cable = p->rate, .hub = p->hub};
    truth_visit(op->truth, &v);
    op->visits++;
}

static void pull(struct operator *op, unsigned i, uint64_t now)
{
    struct place_now *p = &op->slot[i];
    struct carried *k = p->in;
    struct sim_tile t;
    (void)look(op, i, &t);
    vanish(op, i);
    sim_board_unplug(k->board, now);
    write_visit(op, i, p->why);
    p->place = EMPTY;
    p->in = NULL;
    bool moved = strcmp(p->why, "moved") == 0, error = strcmp(t.state, "error") == 0;
    bool again = moved || (k->unit.twice && strcmp(t.state, "pass") == 0) ||
                 (error && !k->unit.planted && k->errors < op->shift.errors_again);
    k->errors += error;
    if (!moved && strcmp(t.state, "pass") == 0)
        k->unit.twice = false;
    k->unit.moved = false;
    if (again) {
        once_more(op, k, i + 1, now);
    } else {
        put_away(k);
        op->done++;
    }
}

/* ---- hands ------------------------------------------------------------------------------------------------------- */

/* A free hand reaches for the slot: when it is there. 0: all hands are busy. */
static bool reach(struct operator *op, struct place_now *p, enum place what, const struct shift_range *ms, uint64_t now)
{
    if (op->busy_hands >= op->shift.hands)
        return false;
    op->busy_hands++;
    p->at = now + (uint64_t)shift_draw(ms, &op->rng) * 1000000u;
    p->place = what;
    return true;
}

static void watch_in(struct operator *op, unsigned i, uint64_t now)
{
    struct place_now *p = &op->slot[i];
    struct sim_tile t;
    uint64_t patience = (uint64_t)op->shift.patience_ms * 1000000u;
    const struct shift_range quick = {0, MOVED_MS};
    if (!op->c.end[i].there && sim_board_port_up(p->in->board))
        (void)appear(op, i);
    if (!look(op, i, &t)) {
        p->since = now; /* nothing is to be seen: nothing is done, and patience does not run out */
        return;
    }
    const char *why = p->in->unit.moved && strcmp(t.state, "work") == 0          ? "moved"
                      : outcome(&t) && t.leaf != p->leaf_before                   ? "done"
                      : strcmp(t.state, "closed") == 0                            ? "done"
                      : strcmp(t.state, "empty") == 0 && now - p->since > patience ? "patience"
                      : now - p->since > patience * HUNG_PATIENCES                ? "hung"
                                                                                  : NULL;
    if (!why)
        return;
    p->why = why;
    (void)reach(op, p, GOING, strcmp(why, "moved") == 0 ? &quick : &op->shift.unplug_ms, now);
}

/* The hand is there: is it still to be pulled? A tile that works again was not done. */
static void arrive(struct operator *op, unsigned i, uint64_t now)
{
    struct place_now *p = &op->slot[i];
    struct sim_tile t;
    op->busy_hands--;
    bool sees = look(op, i, &t);
    bool waits = strcmp(p->why, "done") == 0 && !outcome(&t) && strcmp(t.state, "closed") != 0;
    if (!sees || waits || (strcmp(p->why, "patience") == 0 && strcmp(t.state, "empty") != 0)) {
        p->place = IN;
        return;
    }
    pull(op, i, now);
}

/* ---- the hub -------------------------------------------------------------------------------------------------------- */

static bool on_hub(const struct operator *op, unsigned slot)
{
    for (size_t k = 0; k < op->shift.hub.n; k++)
        if (op->shift.hub.slot[k] == slot)
            return true;
    return false;
}

static void hub_lets_go(struct operator *op, uint64_t now)
{
    op->hub_done = true;
    op->hub_back = now + (uint64_t)op->shift.hub.ms * 1000000u;
    truth_hub(op->truth, &op->shift, fl_wall_ms(), fl_wall_ms() + (int64_t)op->shift.hub.ms);
    for (unsigned i = 0; i < op->c.slots; i++) {
        struct place_now *p = &op->slot[i];
        if (!on_hub(op, i + 1) || (p->place != IN && p->place != GOING))
            continue;
        op->busy_hands -= p->place == GOING;
        vanish(op, i);
        sim_board_unplug(p->in->board, now);
        p->hub = true;
        p->place = DOWN;
    }
}

static void hub_is_back(struct operator *op, uint64_t now)
{
    op->hub_back = SIM_NEVER;
    for (unsigned i = 0; i < op->c.slots; i++) {
        struct place_now *p = &op->slot[i];
        if (p->place != DOWN)
            continue;
        sim_board_plug(p->in->board, now);
        p->place = IN;
        p->since = now;
        (void)appear(op, i);
    }
}

/* ---- the shift --------------------------------------------------------------------------------------------------------- */

static void slot_tick(struct operator *op, unsigned i, uint64_t now)
{
    struct place_now *p = &op->slot[i];
    struct sim_tile t;
    switch (p->place) {
    case EMPTY:
        if (look(op, i, &t))
            mind_cable(op, i, &t);
        if (op->busy_hands < op->shift.hands && look(op, i, &t) && takes_a_board(&t) && (p->in = next_board(op, i + 1, now)))
            (void)reach(op, p, COMING, &op->shift.plug_ms, now);
        break;
    case COMING:
        if (p->at <= now && !(op->hub_back != SIM_NEVER && on_hub(op, i + 1))) {
            plug(op, i, now);
            op->busy_hands -= p->place == IN;
        }
        break;
    case IN: watch_in(op, i, now); break;
    case GOING:
        if (p->at <= now)
            arrive(op, i, now);
        break;
    case DOWN: break;
    }
}

bool operator_over(const struct operator *op)
{
    return op->done == op->shift.units;
}

uint64_t operator_tick(struct operator *op, uint64_t now)
{
    if (op->hub_back <= now)
        hub_is_back(op, now);
    if (op->shift.hub.n && !op->hub_done && op->done >= op->shift.hub.after)
        hub_lets_go(op, now);
    /* another slot comes first each time, so that with few hands none is left for last */
    op->turn = (op->turn + 1) % op->c.slots;
    for (unsigned k = 0; k < op->c.slots; k++)
        slot_tick(op, (op->turn + k) % op->c.slots, now);
    if (operator_over(op) && !op->ended) {
        op->ended = true;
        truth_end(op->truth, op->done, op->visits);
    }
    return now + LOOK_NS;
}

uint64_t operator_seed(const struct operator *op)
{
    return op->shift.seed;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

static enum fl_err check_slots(const struct operator *op, struct fl_why *why)
{
    const struct shift *s = &op->shift;
    if (s->cable.slot > op->c.slots)
        return fl_fail(why, FL_FORMAT, "%s: cable: there is no slot %u", op->c.script, s->cable.slot);
    for (size_t k = 0; k < s->hub.n; k++)
        if (s->hub.slot[k] == 0 || s->hub.slot[k] > op->c.slots)
            return fl_fail(why, FL_FORMAT, "%s: hub: there is no slot %u", op->c.script, s->hub.slot[k]);
    return FL_OK;
}

enum fl_err operator_new(const struct operator_config *c, struct operator **out, struct fl_why *why)
{
    struct operator *op = calloc(1, sizeof *op);
    *out = NULL;
    if (!op || pthread_mutex_init(&op->lock, NULL) != 0) {
        free(op);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    op->c = *c;
    op->hub_back = SIM_NEVER;
    op->slot = calloc(c->slots, sizeof *op->slot);
    op->tile = calloc(c->slots, sizeof *op->tile);
    enum fl_err err = op->slot && op->tile ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = shift_load(c->script, c->chip, c->pace_real, c->seed, &op->shift, why);
    if (!err)
        err = check_slots(op, why);
    if (!err && c->truth && !(op->truth = fl_file_create(c->truth)))
        err = fl_fail_os(why, "%s", c->truth);
    for (unsigned i = 0; op->tile && i < c->slots; i++)
        op->tile[i] = (struct sim_tile){.leaf = -1};
    op->rng.state = op->shift.seed;
    truth_shift(op->truth, op->shift.seed, op->shift.units, c->slots);
    if (err)
        operator_free(op, 0);
    else
        *out = op;
    return err;
}

void operator_free(struct operator *op, uint64_t now)
{
    if (!op)
        return;
    for (unsigned i = 0; op->slot && i < op->c.slots; i++) {
        struct place_now *p = &op->slot[i];
        if (p->in && p->place != COMING) {
            if (p->place != DOWN)
                vanish(op, i);
            sim_board_unplug(p->in->board, now);
            write_visit(op, i, "end");
        }
        put_away(p->in);
    }
    for (size_t i = 0; i < op->n_waiting; i++)
        put_away(op->waiting[i]);
    if (op->truth)
        (void)fclose(op->truth);
    (void)pthread_mutex_destroy(&op->lock);
    free(op->slot);
    free(op->tile);
    free(op);
}
