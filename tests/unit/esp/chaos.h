/* SPDX-License-Identifier: Apache-2.0
 * chaos.h: what nobody planned, between the engine and a simulated board: processes of chance with bursts, packets that
 * vanish, come twice or change places, bytes held back, bandwidth that is not there, reset lines that do something else,
 * a chip that restarts, a supply that fails at speed, a stub that dies, flash that reads otherwise now and then.
 *
 *   engine ──► storm (bytes) ──► packets (lost, twice, swapped) ──► held back, throttled ──► board
 *   engine ◄── held back, throttled ◄── packets ◄── storm ◄────────────────────────────────── board
 *
 * None of it is the simulator's own damage (sim/fault.h): what both got wrong together would not be seen there. It works on the
 * board's clock (board_link.h), and a seed gives the same run again. */
#ifndef FL_TESTS_ESP_CHAOS_H
#define FL_TESTS_ESP_CHAOS_H

#include "unit/esp/board_link.h"

#include "sim/board_impl.h"

enum { CH_TO_CHIP, CH_TO_HOST, CH_WAYS, CH_PACKET = 1024, CH_PACKETS = 4096, CH_LINES = 64 };

/* Damage byte by byte: two states, as interference comes and goes. Probabilities are per byte. */
struct ch_storm {
    double calm, wild;   /* damage in either state */
    double begin, end;   /* of the wild state */
    bool flip, drop, dup, insert;
    bool is_wild;
};

/* What a bridge, a hub or a network does to pieces of `size` bytes. */
struct ch_pieces {
    size_t size;            /* 0: as they come */
    double lost, twice, swapped;
    double stall;           /* a piece waits, and all behind it */
    uint32_t stall_ms;
    uint32_t hold_ms;       /* each piece at least: what comes meanwhile comes with it */
    uint32_t rate;          /* bytes a second; 0: as fast as they come */
    size_t room;            /* with rate: what does not fit is lost; 0: all fits */
};

enum ch_lines { CH_LINES_WELL, CH_LINES_DEAD, CH_DTR_DEAD, CH_RTS_DEAD, CH_LINES_SWAPPED, CH_LINES_GLUED, CH_LINES_INVERTED, CH_LINES_SLOW, CH_LINES_KINDS };

struct ch_plan {
    struct ch_storm storm[CH_WAYS];
    struct ch_pieces pieces[CH_WAYS];
    enum ch_lines lines;
    uint32_t reset_every_ms, resets;   /* the chip restarts by itself, on average so often; at most `resets` times */
    uint32_t brown_above, brown_each;  /* above this speed the supply fails behind so many bytes programmed, ... */
    uint32_t browns;                   /* ... so many times at most */
    uint32_t dies_each, deaths;        /* the loader stops behind so many bytes programmed */
    uint32_t flaky_every_ms, flaky_ms; /* a sector of the image reads otherwise for a while */
    uint32_t gone_ms;                  /* the port is away for good; 0: never */
};

struct ch_seen {
    uint64_t passed[CH_WAYS], hit[CH_WAYS]; /* bytes; damages of any kind */
    unsigned resets, browns, deaths, flakes;
    bool gone, hung;
};

struct ch_packet {
    uint64_t due;
    size_t n;
    uint8_t bytes[CH_PACKET];
};

struct ch_way {
    struct ch_packet *queue;
    size_t n;
    uint64_t free_at; /* the throttle's */
    uint64_t last;    /* nothing overtakes what is under way */
};

struct ch_link {
    struct link link; /* first */
    struct sim_board *board;
    const struct bl_images *images;
    struct ch_plan plan;
    struct sim_rng rng;
    uint64_t end, started;
    struct ch_way way[CH_WAYS];
    struct {
        uint64_t at;
        int dtr, rts;
    } lines[CH_LINES];
    size_t n_lines;
    int dtr, rts; /* as the host has set them */
    uint64_t reset_at, flaky_at, well_at;
    uint32_t flaky_addr;
    uint64_t programmed, brown_mark, die_mark;
    struct ch_seen *seen; /* what happened, for who judges the run */
};

static inline struct ch_link *ch_of(struct link *l)
{
    return (struct ch_link *)l;
}

/* Between nothing and twice the mean. */
static inline uint64_t ch_about(struct sim_rng *r, double mean)
{
    return (uint64_t)((double)(sim_rng_next(r) >> 11) * 0x1p-52 * mean);
}

/* ---- bytes ------------------------------------------------------------------------------------------------ */

static inline size_t ch_storm_pass(struct ch_link *c, int way, const uint8_t *in, size_t n, uint8_t *out)
{
    struct ch_storm *s = &c->plan.storm[way];
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (sim_rng_chance(&c->rng, s->is_wild ? s->end : s->begin))
            s->is_wild = !s->is_wild;
        c->seen->passed[way]++;
        if (!sim_rng_chance(&c->rng, s->is_wild ? s->wild : s->calm)) {
            out[m++] = in[i];
            continue;
        }
        c->seen->hit[way]++;
        bool can[] = {s->flip, s->drop, s->dup, s->insert};
        unsigned k = sim_rng_below(&c->rng, 4);
        while (!can[k])
            k = (k + 1) % 4;
        if (k == 0)
            out[m++] = (uint8_t)(in[i] ^ 1u << sim_rng_below(&c->rng, 8));
        if (k == 2)
            out[m++] = in[i];
        if (k == 3)
            out[m++] = (uint8_t)sim_rng_next(&c->rng);
        if (k >= 2)
            out[m++] = in[i];
    }
    return m;
}

/* ---- pieces ----------------------------------------------------------------------------------------------- */

static inline void ch_put(struct ch_link *c, int way, const uint8_t *bytes, size_t n)
{
    const struct ch_pieces *p = &c->plan.pieces[way];
    struct ch_way *w = &c->way[way];
    uint64_t due = own_now + (uint64_t)p->hold_ms * 1000000u;
    if (n == 0)
        return;
    if (p->rate) {
        uint64_t begin = w->free_at > own_now ? w->free_at : own_now, queued = (begin - own_now) * p->rate / 1000000000u;
        if (p->room && queued + n > p->room) {
            size_t fits = queued < p->room ? p->room - queued : 0;
            c->seen->hit[way] += n > fits;
            n = n < fits ? n : fits;
        }
        w->free_at = begin + (uint64_t)n * 1000000000u / p->rate;
        due = w->free_at > due ? w->free_at : due;
    }
    if (sim_rng_chance(&c->rng, p->stall))
        due += (uint64_t)p->stall_ms * 1000000u;
    due = due > w->last ? due : w->last;
    w->last = due;
    if (n == 0 || w->n == CH_PACKETS)
        return;
    struct ch_packet *q = &w->queue[w->n++];
    q->due = due;
    q->n = n;
    memcpy(q->bytes, bytes, n);
    if (w->n >= 2 && sim_rng_chance(&c->rng, p->swapped)) {
        struct ch_packet *before = q - 1, t = *before;
        before->n = q->n, memcpy(before->bytes, q->bytes, q->n);
        q->n = t.n, memcpy(q->bytes, t.bytes, t.n);
        c->seen->hit[way]++;
    }
}

static inline void ch_pieces_pass(struct ch_link *c, int way, const uint8_t *bytes, size_t n)
{
    const struct ch_pieces *p = &c->plan.pieces[way];
    size_t size = p->size && p->size < CH_PACKET ? p->size : CH_PACKET;
    for (size_t at = 0; at < n; at += size) {
        size_t part = n - at < size ? n - at : size;
        if (sim_rng_chance(&c->rng, p->lost)) {
            c->seen->hit[way]++;
            continue;
        }
        ch_put(c, way, bytes + at, part);
        if (sim_rng_chance(&c->rng, p->twice)) {
            ch_put(c, way, bytes + at, part);
            c->seen->hit[way]++;
        }
    }
}

static inline void ch_pass(struct ch_link *c, int way, const uint8_t *bytes, size_t n)
{
    uint8_t out[2 * CH_PACKET];
    for (size_t at = 0; at < n; at += CH_PACKET) {
        size_t part = n - at < CH_PACKET ? n - at : CH_PACKET;
        ch_pieces_pass(c, way, out, ch_storm_pass(c, way, bytes + at, part, out));
    }
}

/* ---- lines ------------------------------------------------------------------------------------------------ */

static inline void ch_lines_now(struct ch_link *c, int dtr, int rts)
{
    switch (c->plan.lines) {
    case CH_LINES_DEAD: dtr = rts = 0; break;
    case CH_DTR_DEAD: dtr = 0; break;
    case CH_RTS_DEAD: rts = 0; break;
    case CH_LINES_SWAPPED: { int t = dtr; dtr = rts; rts = t; break; }
    case CH_LINES_GLUED: dtr = rts; break;
    case CH_LINES_INVERTED: dtr = !dtr; rts = !rts; break;
    case CH_LINES_WELL: case CH_LINES_SLOW: case CH_LINES_KINDS: break;
    }
    sim_board_lines(c->board, own_now, dtr, rts);
}

/* ---- the board's own troubles ------------------------------------------------------------------------------ */

/* A byte of the first region reads otherwise; and as it is again, whatever was erased and programmed meanwhile. */
static inline void ch_flip_sector(struct ch_link *c, bool back)
{
    uint8_t *s = c->board->flash.sector[c->flaky_addr / SIM_SECTOR], *is = s ? s + c->flaky_addr % SIM_SECTOR : NULL;
    uint8_t wanted = c->images->regions[0].plain[c->flaky_addr - c->images->regions[0].offset];
    if (is && (!back || *is != wanted))
        *is ^= 0x10;
}

static inline bool ch_works(const struct ch_link *c)
{
    return c->board->mode == SIM_ROM || c->board->mode == SIM_STUB;
}

static inline void ch_troubles(struct ch_link *c)
{
    struct sim_board *b = c->board;
    uint64_t programmed = b->flash.bytes_programmed;
    if (c->plan.reset_every_ms && own_now >= c->reset_at) {
        c->reset_at = own_now + 1000000u + ch_about(&c->rng, c->plan.reset_every_ms * 1e6);
        if (ch_works(c) && c->seen->resets < c->plan.resets) {
            c->seen->resets++;
            sim_restart(b, SIM_CAUSE_WATCHDOG);
        }
    }
    if (c->plan.brown_each && ch_works(c) && b->chip_baud > c->plan.brown_above && c->seen->browns < c->plan.browns &&
        programmed >= c->brown_mark + c->plan.brown_each) {
        c->brown_mark = programmed;
        c->seen->browns++;
        sim_restart(b, SIM_CAUSE_BROWNOUT);
    }
    if (c->plan.dies_each && ch_works(c) && c->seen->deaths < c->plan.deaths && programmed >= c->die_mark + c->plan.dies_each) {
        c->die_mark = programmed;
        c->seen->deaths++;
        sim_halt(b);
        b->mode = SIM_STOPPED;
    }
    if (c->plan.flaky_every_ms && c->well_at == 0 && own_now >= c->flaky_at) {
        c->flaky_addr = c->images->regions[0].offset + sim_rng_below(&c->rng, c->images->regions[0].size);
        ch_flip_sector(c, false);
        c->seen->flakes++;
        c->well_at = own_now + (uint64_t)c->plan.flaky_ms * 1000000u;
    }
}

static inline void ch_well_again(struct ch_link *c)
{
    ch_flip_sector(c, true);
    c->well_at = 0;
    c->flaky_at = own_now + 1000000u + ch_about(&c->rng, c->plan.flaky_every_ms * 1e6);
}

/* ---- the clock --------------------------------------------------------------------------------------------- */

static inline uint64_t ch_least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t ch_due(const struct ch_link *c)
{
    uint64_t t = sim_board_due(c->board);
    if (c->way[CH_TO_CHIP].n)
        t = ch_least(t, c->way[CH_TO_CHIP].queue[0].due);
    if (c->way[CH_TO_HOST].n)
        t = ch_least(t, c->way[CH_TO_HOST].queue[0].due);
    if (c->n_lines)
        t = ch_least(t, c->lines[0].at);
    if (c->plan.reset_every_ms)
        t = ch_least(t, c->reset_at);
    if (c->plan.flaky_every_ms)
        t = ch_least(t, c->well_at ? c->well_at : c->flaky_at);
    return t;
}

static inline void ch_shift(struct ch_way *w)
{
    memmove(w->queue, w->queue + 1, --w->n * sizeof *w->queue);
}

static inline void ch_world(struct ch_link *c)
{
    uint8_t buf[2048];
    while (c->n_lines && c->lines[0].at <= own_now) {
        int dtr = c->lines[0].dtr, rts = c->lines[0].rts;
        memmove(c->lines, c->lines + 1, --c->n_lines * sizeof *c->lines);
        ch_lines_now(c, dtr, rts);
    }
    while (c->way[CH_TO_CHIP].n && c->way[CH_TO_CHIP].queue[0].due <= own_now) {
        sim_board_write(c->board, own_now, c->way[CH_TO_CHIP].queue[0].bytes, c->way[CH_TO_CHIP].queue[0].n);
        ch_shift(&c->way[CH_TO_CHIP]);
    }
    sim_board_run(c->board, own_now);
    if (c->well_at && own_now >= c->well_at)
        ch_well_again(c);
    ch_troubles(c);
    for (size_t n; (n = sim_board_read(c->board, own_now, buf, sizeof buf)) > 0;)
        ch_pass(c, CH_TO_HOST, buf, n);
}

static inline enum fl_err ch_enter(struct link *l)
{
    struct ch_link *c = ch_of(l);
    own_now += 1000;
    if (own_now > c->end) {
        c->seen->hung = true;
        return fl_fail(&l->why, FL_CANCELLED, "still at it after an hour");
    }
    ch_world(c);
    if (c->plan.gone_ms && own_now - c->started >= (uint64_t)c->plan.gone_ms * 1000000u)
        return c->seen->gone = true, fl_fail(&l->why, FL_GONE, "the port vanished");
    return FL_OK;
}

/* ---- the link ---------------------------------------------------------------------------------------------- */

static inline void ch_close(struct link *l)
{
    struct ch_link *c = ch_of(l);
    if (c->well_at)
        ch_well_again(c);
    free(c->way[0].queue);
    free(c->way[1].queue);
    free(c);
}

static inline enum fl_err ch_read(struct link *l, uint8_t *buf, size_t cap, size_t *got, struct fl_deadline d)
{
    struct ch_link *c = ch_of(l);
    struct ch_way *w = &c->way[CH_TO_HOST];
    *got = 0;
    for (;;) {
        enum fl_err err = ch_enter(l);
        if (err)
            return err;
        while (w->n && w->queue[0].due <= own_now && *got < cap) {
            struct ch_packet *q = &w->queue[0];
            size_t n = q->n < cap - *got ? q->n : cap - *got;
            memcpy(buf + *got, q->bytes, n);
            *got += n;
            if (n == q->n) {
                ch_shift(w);
            } else {
                q->n -= n;
                memmove(q->bytes, q->bytes + n, q->n);
            }
        }
        if (*got > 0)
            return FL_OK;
        if (own_now >= d.at_ns)
            return fl_fail(&l->why, FL_TIMEOUT, "the board says nothing");
        uint64_t due = ch_least(ch_least(ch_due(c), d.at_ns), c->end + 1000);
        own_now = due < own_now ? own_now : due;
    }
}

static inline enum fl_err ch_write(struct link *l, const uint8_t *bytes, size_t n, struct fl_deadline d)
{
    (void)d;
    enum fl_err err = ch_enter(l);
    if (!err)
        ch_pass(ch_of(l), CH_TO_CHIP, bytes, n);
    if (!err)
        ch_world(ch_of(l)); /* what is not held back is on the wire at once */
    return err;
}

static inline enum fl_err ch_drain(struct link *l, struct fl_deadline d)
{
    struct ch_link *c = ch_of(l);
    enum fl_err err = ch_enter(l);
    while (!err && (sim_board_backlog(c->board) > 0 || c->way[CH_TO_CHIP].n) && own_now < d.at_ns) {
        uint64_t due = ch_due(c);
        own_now = due > own_now && due < c->end ? due : own_now;
        err = ch_enter(l);
    }
    return err;
}

static inline enum fl_err ch_purge(struct link *l)
{
    enum fl_err err = ch_enter(l);
    struct ch_way *w = &ch_of(l)->way[CH_TO_HOST];
    while (!err && w->n && w->queue[0].due <= own_now)
        ch_shift(w);
    return err;
}

static inline enum fl_err ch_baud(struct link *l, uint32_t baud, struct fl_deadline d)
{
    (void)d;
    enum fl_err err = ch_enter(l);
    if (!err) {
        sim_board_baud(ch_of(l)->board, own_now, baud);
        l->baud = baud;
    }
    return err;
}

static inline enum fl_err ch_set_lines(struct link *l, enum link_wire dtr, enum link_wire rts, struct fl_deadline d)
{
    (void)d;
    struct ch_link *c = ch_of(l);
    enum fl_err err = ch_enter(l);
    if (err)
        return err;
    c->dtr = dtr == LINK_KEEP ? c->dtr : (int)dtr;
    c->rts = rts == LINK_KEEP ? c->rts : (int)rts;
    if (c->plan.lines != CH_LINES_SLOW || c->n_lines == CH_LINES) {
        ch_lines_now(c, c->dtr, c->rts);
        return FL_OK;
    }
    c->lines[c->n_lines].at = own_now + 20000000u + sim_rng_below(&c->rng, 120000000u);
    if (c->n_lines && c->lines[c->n_lines].at < c->lines[c->n_lines - 1].at)
        c->lines[c->n_lines].at = c->lines[c->n_lines - 1].at;
    c->lines[c->n_lines].dtr = c->dtr;
    c->lines[c->n_lines++].rts = c->rts;
    return FL_OK;
}

/* NULL: no memory. */
static inline struct link *ch_open(struct sim_board *board, const struct bl_images *images, const struct ch_plan *plan, uint64_t seed,
                                   struct ch_seen *seen)
{
    static const struct link_ops ops = {.close = ch_close, .read = ch_read, .write = ch_write, .drain = ch_drain,
                                        .purge = ch_purge, .set_baud = ch_baud, .set_lines = ch_set_lines};
    struct ch_link *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    link_init(&c->link, LINK_MEMORY, &ops, NULL);
    c->board = board;
    c->images = images;
    c->seen = seen;
    c->plan = *plan;
    c->rng.state = seed;
    c->started = own_now;
    c->end = own_now + (uint64_t)BL_HOUR_S * 1000000000u;
    c->way[0].queue = malloc(CH_PACKETS * sizeof *c->way[0].queue);
    c->way[1].queue = malloc(CH_PACKETS * sizeof *c->way[1].queue);
    c->reset_at = own_now + 1000000u + ch_about(&c->rng, plan->reset_every_ms * 1e6);
    c->flaky_at = own_now + 1000000u + ch_about(&c->rng, plan->flaky_every_ms * 1e6);
    c->link.info.has_lines = c->link.info.has_speed = true;
    memcpy(c->link.info.device, "board", sizeof "board");
    ch_lines_now(c, 0, 0);
    sim_board_baud(board, own_now, LINK_BAUD_AT_OPEN);
    return &c->link;
}

#endif
