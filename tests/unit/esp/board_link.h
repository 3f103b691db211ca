/* SPDX-License-Identifier: Apache-2.0
 * board_link.h: the whole engine against a simulated board in memory, in a time of their own.
 *
 * The link's two ends share one thread and one clock, which stands still while anybody computes and jumps to
 * whatever is due next when the engine waits. So every limit and every pause is the real one, a silence of
 * three seconds costs nothing, and a seed gives the same run again to the byte.
 *
 * Nothing in here asserts, as cmocka knows only the main thread: a run is judged by what bl_run gives back. */
#ifndef FL_TESTS_ESP_BOARD_LINK_H
#define FL_TESTS_ESP_BOARD_LINK_H

#include "unit/t.h"

#include "unit/esp/own_clock.h"

#include "esp/esp.h"
#include "link/link_internal.h"
#include "sim/board.h"
#include "sim/rng.h"

#include <zlib.h>

/* More than the engine's own limit for anything done here; whoever is still at it then hangs. */
enum { BL_HOUR_S = 3600 };

/* ---- the link ---------------------------------------------------------------------------------------- */

struct bl_link {
    struct link link; /* first */
    struct sim_board *board;
    uint64_t end;  /* nobody works longer than that */
    uint64_t lines_late; /* ns: what is done to the lines arrives so much later, as over a network */
    struct {
        uint64_t at;
        int dtr, rts;
    } under_way[64];
    size_t n_under_way;
    uint64_t again_late; /* ns: all that the board says comes once more, so much later */
    struct {
        uint64_t at;
        size_t n;
        uint8_t bytes[64];
    } again[256];
    size_t n_again;
    bool *hung; /* said here, where anybody wants to know */
};

static inline struct bl_link *bl_of(struct link *l)
{
    return (struct bl_link *)l;
}

/* A call costs a microsecond, so that time passes for a caller that only polls. */
static inline enum fl_err bl_enter(struct link *l)
{
    struct bl_link *b = bl_of(l);
    own_now += 1000;
    if (own_now > b->end) {
        if (b->hung)
            *b->hung = true;
        return fl_fail(&l->why, FL_CANCELLED, "still at it after an hour");
    }
    while (b->n_under_way > 0 && b->under_way[0].at <= own_now) {
        sim_board_run(b->board, b->under_way[0].at);
        sim_board_lines(b->board, b->under_way[0].at, b->under_way[0].dtr, b->under_way[0].rts);
        memmove(b->under_way, b->under_way + 1, --b->n_under_way * sizeof *b->under_way);
    }
    sim_board_run(b->board, own_now);
    if (!sim_board_port_up(b->board))
        return fl_fail(&l->why, FL_GONE, "the port vanished");
    return FL_OK;
}

static inline void bl_close(struct link *l)
{
    free(l);
}

/* What comes once more and is due. */
static inline size_t bl_echoed(struct bl_link *b, uint8_t *buf, size_t cap)
{
    if (b->n_again == 0 || b->again[0].at > own_now)
        return 0;
    size_t n = b->again[0].n < cap ? b->again[0].n : cap;
    memcpy(buf, b->again[0].bytes, n);
    memmove(b->again, b->again + 1, --b->n_again * sizeof *b->again);
    return n;
}

static inline void bl_keep(struct bl_link *b, const uint8_t *bytes, size_t n)
{
    for (size_t at = 0; b->again_late && at < n && b->n_again < T_COUNT(b->again); at += sizeof b->again[0].bytes) {
        size_t part = n - at < sizeof b->again[0].bytes ? n - at : sizeof b->again[0].bytes;
        b->again[b->n_again].at = own_now + b->again_late;
        b->again[b->n_again].n = part;
        memcpy(b->again[b->n_again++].bytes, bytes + at, part);
    }
}

static inline enum fl_err bl_read(struct link *l, uint8_t *buf, size_t cap, size_t *got, struct fl_deadline d)
{
    struct bl_link *b = bl_of(l);
    *got = 0;
    for (;;) {
        enum fl_err err = bl_enter(l);
        if (err)
            return err;
        *got = bl_echoed(b, buf, cap);
        if (*got > 0)
            return FL_OK;
        *got = sim_board_read(b->board, own_now, buf, cap);
        bl_keep(b, buf, *got);
        if (*got > 0)
            return FL_OK;
        if (own_now >= d.at_ns)
            return fl_fail(&l->why, FL_TIMEOUT, "the board says nothing");
        uint64_t due = sim_board_due(b->board);
        if (b->n_under_way > 0 && b->under_way[0].at < due)
            due = b->under_way[0].at;
        if (b->n_again > 0 && b->again[0].at < due)
            due = b->again[0].at;
        due = due < d.at_ns ? due : d.at_ns;
        own_now = due < own_now ? own_now : due < b->end ? due : b->end;
    }
}

static inline enum fl_err bl_write(struct link *l, const uint8_t *bytes, size_t n, struct fl_deadline d)
{
    (void)d; /* the bridge takes it all */
    enum fl_err err = bl_enter(l);
    if (!err)
        sim_board_write(bl_of(l)->board, own_now, bytes, n);
    return err;
}

static inline enum fl_err bl_drain(struct link *l, struct fl_deadline d)
{
    struct bl_link *b = bl_of(l);
    enum fl_err err = bl_enter(l);
    while (!err && sim_board_backlog(b->board) > 0 && own_now < d.at_ns) {
        uint64_t due = sim_board_due(b->board);
        own_now = due > own_now && due < b->end ? due : own_now;
        err = bl_enter(l);
    }
    return err;
}

static inline enum fl_err bl_purge(struct link *l)
{
    enum fl_err err = bl_enter(l);
    if (!err)
        sim_board_purge(bl_of(l)->board, own_now, false, true);
    return err;
}

static inline enum fl_err bl_baud(struct link *l, uint32_t baud, struct fl_deadline d)
{
    (void)d;
    enum fl_err err = bl_enter(l);
    if (!err) {
        sim_board_baud(bl_of(l)->board, own_now, baud);
        l->baud = baud;
    }
    return err;
}

static inline enum fl_err bl_lines(struct link *l, enum link_wire dtr, enum link_wire rts, struct fl_deadline d)
{
    (void)d;
    struct bl_link *b = bl_of(l);
    enum fl_err err = bl_enter(l);
    if (err)
        return err;
    if (b->lines_late == 0) {
        sim_board_lines(b->board, own_now, (int)dtr, (int)rts);
    } else if (b->n_under_way < T_COUNT(b->under_way)) {
        b->under_way[b->n_under_way].at = own_now + b->lines_late;
        b->under_way[b->n_under_way].dtr = (int)dtr;
        b->under_way[b->n_under_way++].rts = (int)rts;
    }
    return FL_OK;
}

/* Both lines released and 115200, as a port is when it is opened. NULL: no memory. */
static inline struct link *bl_open(struct sim_board *board)
{
    static const struct link_ops ops = {.close = bl_close, .read = bl_read, .write = bl_write, .drain = bl_drain,
                                        .purge = bl_purge, .set_baud = bl_baud, .set_lines = bl_lines};
    struct bl_link *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    link_init(&b->link, LINK_MEMORY, &ops, NULL);
    b->board = board;
    b->end = own_now + (uint64_t)BL_HOUR_S * 1000000000u;
    b->link.info.has_lines = b->link.info.has_speed = true;
    memcpy(b->link.info.device, "board", sizeof "board");
    sim_board_lines(board, own_now, 0, 0);
    sim_board_baud(board, own_now, LINK_BAUD_AT_OPEN);
    return &b->link;
}

/* ---- images ------------------------------------------------------------------------------------------ */

enum { BL_REGIONS = 2 };

struct bl_images {
    struct esp_region regions[BL_REGIONS];
};

/* Bytes of seven bits: a deflated stream that is nearly as long as they are, in which every byte counts. */
static inline void bl_images_make(struct bl_images *im, const uint32_t sizes[static BL_REGIONS])
{
    static const uint32_t offsets[BL_REGIONS] = {0x10000, 0x20000};
    struct sim_rng r = {2026};
    for (size_t i = 0; i < BL_REGIONS; i++) {
        uint8_t *plain = malloc(sizes[i]);
        uLongf n = compressBound(sizes[i]);
        uint8_t *z = malloc(n);
        assert_true(plain && z);
        for (uint32_t k = 0; k < sizes[i]; k++)
            plain[k] = (uint8_t)(sim_rng_next(&r) & 0x7f);
        assert_int_equal(compress2(z, &n, plain, sizes[i], 9), Z_OK);
        im->regions[i] = (struct esp_region){
            .offset = offsets[i], .size = sizes[i], .plain = plain, .deflated = z, .deflated_size = n};
        assert_int_equal(fl_md5(plain, sizes[i], im->regions[i].md5), FL_OK);
    }
}

static inline void bl_images_fini(struct bl_images *im)
{
    for (size_t i = 0; i < BL_REGIONS; i++) {
        free((void *)(uintptr_t)im->regions[i].plain);
        free((void *)(uintptr_t)im->regions[i].deflated);
    }
}

/* How many of the images' bytes the board's flash does not hold. */
static inline size_t bl_wrong_bytes(struct sim_board *board, const struct bl_images *im)
{
    size_t wrong = 0;
    for (size_t i = 0; i < BL_REGIONS; i++) {
        const struct esp_region *r = &im->regions[i];
        for (uint32_t at = 0; at < r->size; at += 4096) {
            uint8_t is[4096];
            uint32_t n = r->size - at < sizeof is ? r->size - at : (uint32_t)sizeof is;
            sim_board_flash(board, r->offset + at, is, n);
            for (uint32_t k = 0; memcmp(is, r->plain + at, n) != 0 && k < n; k++)
                wrong += is[k] != r->plain[at + k];
        }
    }
    return wrong;
}

/* ---- one run ----------------------------------------------------------------------------------------- */

struct bl_result {
    uint64_t lines_late, again_late; /* in: ns, see bl_link */
    enum fl_err err;
    struct esp_problem problem;
    bool hung;
    bool stranger;      /* it was said to be another board, or none */
    size_t wrong;       /* bytes of the images not in flash */
    double seconds;     /* on the board's clock */
    uint64_t bytes_out, bytes_in;
    uint32_t baud;      /* at the end */
    bool stub;
    unsigned taken[ESP_RUNG_COUNT], rungs; /* as told to the observer */
    unsigned mute_rungs; /* told without evidence */
    bool cause[ESP_FAULT_INTERNAL + 1];    /* named by a rung */
};

static inline void bl_on_rung(void *ctx, const struct esp_rung *r)
{
    struct bl_result *res = ctx;
    res->taken[r->kind]++;
    res->rungs++;
    res->mute_rungs += r->text[0] == '\0';
    res->cause[r->cause] = true;
}

/* One session from connect to verified over a link to the board; both as they stand. Rungs add up over sessions on one result.
 * Closes the link. */
static inline void bl_talk(struct link *l, struct sim_board *board, const struct esp_config *config, struct esp_tuning *tuning,
                           const struct bl_images *im, bool skip, struct bl_result *res)
{
    struct esp_observer o = {.ctx = res, .rung = bl_on_rung};
    struct esp_region_result results[BL_REGIONS];
    struct esp_flash_info flash;
    struct esp_unit unit;
    struct esp *e = NULL;
    uint64_t start = own_now;
    memset(&res->problem, 0, sizeof res->problem);
    enum fl_err err = l ? esp_open(l, config, tuning, &o, &e) : FL_NOMEM;
    if (!err)
        err = esp_connect(e, &res->problem);
    if (!err)
        err = esp_identify(e, &unit, &res->problem);
    res->stranger = !err && (!unit.has_mac || memcmp(unit.mac, sim_board_spec(board)->mac, sizeof unit.mac) != 0);
    if (!err)
        err = esp_prepare(e, &res->problem);
    if (!err)
        err = esp_attach_flash(e, 0, &flash, &res->problem);
    if (!err)
        err = esp_write(e, im->regions, BL_REGIONS, skip, results, &res->problem);
    res->err = err;
    res->stub = e && esp_has_stub(e);
    res->baud = e ? esp_baud(e) : 0;
    res->seconds += (double)(own_now - start) / 1e9;
    if (l) {
        res->bytes_out += link_counters(l).bytes_out;
        res->bytes_in += link_counters(l).bytes_in;
    }
    esp_close(e);
    link_close(l);
    res->wrong = bl_wrong_bytes(board, im);
}

static inline void bl_session(struct sim_board *board, const struct esp_config *config, const struct bl_images *im,
                              bool skip, struct bl_result *res)
{
    struct link *l = bl_open(board);
    if (l) {
        bl_of(l)->lines_late = res->lines_late, bl_of(l)->again_late = res->again_late;
        bl_of(l)->hung = &res->hung;
    }
    bl_talk(l, board, config, NULL, im, skip, res);
}

static inline struct sim_board *bl_board(const struct sim_spec *spec, const struct sim_stubs *stubs)
{
    struct sim_board *b = NULL;
    struct fl_why why = {0};
    own_now = 1000000000u;
    return sim_board_new(spec, stubs, own_now, &b, &why) ? NULL : b;
}

/* What is wrong with a result whatever the fault was; NULL: nothing. */
static inline const char *bl_never(const struct bl_result *r)
{
    if (r->hung)
        return "hangs";
    if (!r->err && r->wrong)
        return "PASS with wrong content";
    if (!r->err && r->stranger)
        return "PASS without the board's MAC address";
    if (r->err && (r->problem.fault == ESP_FAULT_NONE || r->problem.text[0] == '\0'))
        return "FAIL without a cause";
    if (r->err && r->problem.fault == ESP_FAULT_INTERNAL)
        return "the engine blames itself";
    if (r->mute_rungs)
        return "a rung without evidence";
    return NULL;
}

#endif
