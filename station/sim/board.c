/* SPDX-License-Identifier: Apache-2.0
 * The board's clock, lines and bridge; see board.h for the picture. */
#include "sim/board_impl.h"

#include <stdlib.h>
#include <string.h>

enum {
    SLICE_MAX = 4096,          /* bytes given to the chip at once, up to the next C0 */
    CHUNK_US = 1000,           /* bytes given to the host at once: what a USB frame carries */
    HOLD_NS = 250000000,       /* see read_straps */
    TOLERANCE_PERCENT = 3,     /* a UART that is further off reads other bytes */
    GARBLED_MAX = 4,           /* bytes that one byte at a wrong speed can look like */
    UNREAD_MAX = 65536,        /* what a bridge keeps for a host that does not read */
};

const struct sim_fault *sim_habit(const struct sim_board *b, enum sim_fault_kind kind)
{
    return sim_fault_habit(b->spec.faults, b->spec.n_faults, kind);
}

uint64_t sim_takes(const struct sim_board *b, double us)
{
    return b->spec.pace_real ? (uint64_t)(us * 1000) : 0;
}

static uint64_t half_usb(const struct sim_board *b)
{
    return sim_takes(b, b->spec.timing.usb_us / 2.0);
}

/* What had left the chip by then has reached the host now. */
static uint64_t seen_by_host(const struct sim_board *b)
{
    return b->now > half_usb(b) ? b->now - half_usb(b) : 0;
}

/* ---- life ------------------------------------------------------------------------------------------------ */

enum fl_err sim_board_new(const struct sim_spec *spec, const struct sim_stubs *stubs, uint64_t now,
                          struct sim_board **out, struct fl_why *why)
{
    struct sim_board *b = calloc(1, sizeof *b);
    *out = NULL;
    if (!b)
        return fl_fail(why, FL_NOMEM, "out of memory");
    b->spec = *spec;
    b->stubs = stubs;
    b->rng.state = spec->seed;
    b->now = now;
    b->port_up = true;
    b->strap_at = b->port_at = SIM_NEVER;
    b->host_baud = 115200;
    b->track_down.op = b->track_up.op = SIM_OP_ANY;
    b->talk.text = FL_BUF(SIM_TALK_MAX);
    b->burst.lose_at = SIZE_MAX;
    enum fl_err err = sim_flash_init(&b->flash, &spec->flash, spec->state, why);
    if (err) {
        free(b);
        return err;
    }
    sim_start(b, spec->power_up == SIM_POWER_UP_DOWNLOAD, SIM_CAUSE_POWER);
    *out = b;
    return FL_OK;
}

void sim_board_free(struct sim_board *b)
{
    if (!b)
        return;
    sim_halt(b);
    sim_flash_fini(&b->flash);
    sim_wire_fini(&b->down);
    sim_wire_fini(&b->up);
    fl_buf_fini(&b->talk.text);
    free(b);
}

/* ---- chip to host ---------------------------------------------------------------------------------------- */

struct sending {
    struct sim_board *b;
    uint64_t at;
};

static void put_up(void *ctx, const uint8_t *bytes, size_t n)
{
    struct sending *s = ctx;
    sim_wire_put(&s->b->up, s->at, s->b->chip_baud, s->b->spec.pace_real, bytes, n);
}

void sim_send(struct sim_board *b, uint64_t delay, const uint8_t *bytes, size_t n)
{
    struct sending s = {b, b->now + delay};
    if (!b->port_up || sim_habit(b, SIM_FAULT_SILENT) || sim_habit(b, SIM_FAULT_ECHO))
        return;
    sim_fault_wire(b->spec.faults, b->spec.n_faults, &b->rng, &b->track_up, SIM_TO_HOST, bytes, n, put_up,
                   &s);
}

uint64_t sim_send_frame(struct sim_board *b, uint64_t delay, const uint8_t *body, size_t n)
{
    uint8_t out[2 * 4200 + 2];
    size_t len = 0;
    out[len++] = 0xC0;
    for (size_t i = 0; i < n && len < sizeof out - 3; i++) {
        bool special = body[i] == 0xC0 || body[i] == 0xDB;
        out[len++] = special ? 0xDB : body[i];
        if (special)
            out[len++] = body[i] == 0xC0 ? 0xDC : 0xDD;
    }
    out[len++] = 0xC0;
    sim_send(b, delay, out, len);
    uint64_t end = b->now + delay;
    return b->spec.pace_real && b->up.free_at > end ? b->up.free_at : end;
}

void sim_switch_baud(struct sim_board *b, uint32_t baud, uint64_t at)
{
    b->next_baud = baud;
    b->next_baud_at = at;
    if (at <= b->now) {
        b->chip_baud = baud;
        b->next_baud_at = SIM_NEVER;
    }
}

/* ---- what a line at the wrong speed makes of bytes -------------------------------------------------------- */

static bool same_speed(uint32_t a, uint32_t b)
{
    uint64_t off = a > b ? a - b : b - a;
    return off * 100 <= (uint64_t)b * TOLERANCE_PERCENT;
}

/* `in` was sent at one speed and is heard at another: as many bytes as the listener counts, none of them
 * right. At the same speed, but above what the line can hold, some are damaged. Returns how many. */
static size_t heard(struct sim_board *b, uint32_t sent, uint32_t listens, const uint8_t *in, size_t n,
                    uint8_t *out)
{
    const struct sim_fault *limit = sim_habit(b, SIM_FAULT_BAUD_LIMIT);
    if (!same_speed(sent, listens)) {
        uint64_t count = (uint64_t)n * listens / (sent ? sent : 1);
        count = count == 0 ? 1 : count > GARBLED_MAX * n ? GARBLED_MAX * n : count;
        for (uint64_t i = 0; i < count; i++)
            out[i] = (uint8_t)sim_rng_next(&b->rng);
        return (size_t)count;
    }
    memcpy(out, in, n);
    for (size_t i = 0; limit && sent > limit->above && i < n; i++)
        if (sim_rng_chance(&b->rng, limit->rate))
            out[i] ^= (uint8_t)(1u << sim_rng_below(&b->rng, 8));
    return n;
}

/* ---- host to chip ---------------------------------------------------------------------------------------- */

static void put_down(void *ctx, const uint8_t *bytes, size_t n)
{
    struct sending *s = ctx;
    sim_wire_put(&s->b->down, s->at, s->b->host_baud, s->b->spec.pace_real, bytes, n);
}

static void to_wire(struct sim_board *b, const uint8_t *bytes, size_t n)
{
    struct sending s = {b, b->now + half_usb(b)};
    sim_fault_wire(b->spec.faults, b->spec.n_faults, &b->rng, &b->track_down, SIM_TO_CHIP, bytes, n,
                   put_down, &s);
}

/* Where in this burst the next byte is lost: soon after each full burst length, so that a frame of one and
 * a half lengths is always hit. */
static size_t next_loss(struct sim_board *b, size_t after)
{
    const struct sim_bridge_spec *br = &b->spec.bridge;
    if (br->burst == 0 || !sim_rng_chance(&b->rng, br->loss))
        return SIZE_MAX;
    return after + br->burst + sim_rng_below(&b->rng, br->burst / 64 + 1);
}

/* The bridge that loses bytes: see struct sim_bridge_spec. */
static void through_bridge(struct sim_board *b, const uint8_t *bytes, size_t n)
{
    struct sim_burst *u = &b->burst;
    const struct sim_bridge_spec *br = &b->spec.bridge;
    if (br->burst == 0) {
        to_wire(b, bytes, n);
        return;
    }
    if (u->count == 0 || b->now - u->last >= (uint64_t)br->gap_us * 1000) {
        u->count = 0;
        u->lose_at = next_loss(b, 0);
    }
    u->last = b->now;
    while (u->lose_at >= u->count && u->lose_at - u->count < n) {
        size_t before = u->lose_at - u->count;
        to_wire(b, bytes, before);
        bytes += before + 1;
        n -= before + 1;
        u->count = u->lose_at + 1;
        u->lose_at = next_loss(b, u->count);
    }
    to_wire(b, bytes, n);
    u->count += n;
}

void sim_board_write(struct sim_board *b, uint64_t now, const uint8_t *bytes, size_t n)
{
    sim_board_run(b, now);
    if (!b->port_up)
        return;
    if (sim_habit(b, SIM_FAULT_ECHO)) /* its TX and RX are joined: the chip is not on that line */
        sim_wire_put(&b->up, b->now, b->host_baud, b->spec.pace_real, bytes, n);
    else if (!sim_habit(b, SIM_FAULT_TX_DEAD))
        through_bridge(b, bytes, n);
    sim_board_run(b, now);
}

size_t sim_board_backlog(const struct sim_board *b)
{
    return b->down.len;
}

void sim_board_baud(struct sim_board *b, uint64_t now, uint32_t baud)
{
    sim_board_run(b, now);
    if (baud > 0)
        b->host_baud = baud;
}

void sim_board_purge(struct sim_board *b, uint64_t now, bool to_chip, bool to_host)
{
    sim_board_run(b, now);
    if (to_chip)
        sim_wire_clear(&b->down, now);
    while (to_host && sim_wire_run(&b->up)) {
        size_t k = sim_wire_arrived(sim_wire_run(&b->up), seen_by_host(b));
        if (k == 0)
            break;
        sim_wire_take(&b->up, k);
    }
}

/* ---- lines: the two transistors of the usual auto-reset circuit -------------------------------------------- */

/* EN rises with its capacitor, and the chip reads its boot strap when it has. Both lines asserted is a
 * passing state of every reset sequence that changes one line after the other: on a USB port it lasts
 * less than EN takes to rise; over a network it may last longer, so that the straps wait for it to end. */
static void read_straps(struct sim_board *b)
{
    if (b->dtr && b->rts && b->now < b->hold_until) {
        b->strap_at = b->hold_until;
        return;
    }
    b->strap_at = SIM_NEVER;
    sim_start(b, b->dtr && !b->rts, SIM_CAUSE_POWER);
}

static void reset_circuit(struct sim_board *b)
{
    bool reset = b->rts && !b->dtr;
    if (reset) {
        sim_halt(b);
        sim_wire_clear(&b->up, b->now);
        b->strap_at = SIM_NEVER;
    } else if (b->mode == SIM_OFF) {
        b->mode = SIM_STARTING;
        b->strap_at = b->now + (uint64_t)b->spec.timing.en_us * 1000;
        b->hold_until = b->now + HOLD_NS;
    } else if (b->mode == SIM_STARTING && b->strap_at == b->hold_until) {
        b->strap_at = b->now;
    }
}

/* USB-Serial/JTAG has no transistors: DTR without RTS notes "download", both released forgets it, RTS
 * without DTR resets the core at once. */
static void jtag_circuit(struct sim_board *b, bool was_reset)
{
    if (!b->rts)
        b->jtag_download = b->dtr;
    else if (!b->dtr && !was_reset)
        sim_start(b, b->jtag_download, SIM_CAUSE_POWER);
}

void sim_board_lines(struct sim_board *b, uint64_t now, int dtr, int rts)
{
    sim_board_run(b, now);
    bool was_reset = b->rts && !b->dtr;
    if (dtr >= 0)
        b->dtr = dtr != 0;
    if (rts >= 0)
        b->rts = rts != 0;
    if (b->mode == SIM_DEAD || !b->port_up || sim_habit(b, SIM_FAULT_NO_RESET))
        return;
    if (b->spec.bridge.kind == SIM_USB_JTAG)
        jtag_circuit(b, was_reset);
    else
        reset_circuit(b);
    sim_board_run(b, now);
}

/* ---- port ------------------------------------------------------------------------------------------------ */

void sim_port_down(struct sim_board *b, uint64_t back_at)
{
    sim_halt(b); /* USB feeds the board */
    sim_wire_clear(&b->down, b->now);
    sim_wire_clear(&b->up, b->now);
    b->strap_at = SIM_NEVER;
    b->port_up = false;
    b->port_at = back_at;
}

static void port_back(struct sim_board *b)
{
    b->port_up = true;
    b->port_at = SIM_NEVER;
    b->dtr = b->rts = false;
    b->host_baud = 115200;
    sim_start(b, b->spec.power_up == SIM_POWER_UP_DOWNLOAD, SIM_CAUSE_POWER);
}

bool sim_board_port_up(const struct sim_board *b)
{
    return b->port_up;
}

/* ---- clock ----------------------------------------------------------------------------------------------- */

/* The next bytes for the chip: up to and with the next C0, as nothing outside can see more. */
static size_t slice(const struct sim_board *b)
{
    const struct sim_run *r = sim_wire_run(&b->down);
    size_t n = r->n - r->sent < SLICE_MAX ? r->n - r->sent : SLICE_MAX;
    const uint8_t *end = memchr(sim_wire_bytes(&b->down), 0xC0, n);
    return end ? (size_t)(end - sim_wire_bytes(&b->down)) + 1 : n;
}

static uint64_t slice_due(const struct sim_board *b)
{
    const struct sim_run *r = sim_wire_run(&b->down);
    return r ? sim_wire_arrival(r, slice(b)) : SIM_NEVER;
}

static void give_slice(struct sim_board *b)
{
    uint8_t in[SLICE_MAX], out[GARBLED_MAX * SLICE_MAX];
    const struct sim_run *r = sim_wire_run(&b->down);
    size_t n = slice(b);
    uint32_t sent = r->baud;
    bool more = r->n - r->sent > n || sim_wire_goes_on(&b->down);
    memcpy(in, sim_wire_bytes(&b->down), n);
    sim_wire_take(&b->down, n);
    if (b->autobaud && b->mode == SIM_ROM)
        b->chip_baud = sent;
    size_t got = heard(b, sent, b->chip_baud, in, n, out);
    if (b->mode == SIM_ROM)
        sim_rom_receive(b, out, got);
    else if (b->mode == SIM_STUB)
        sim_stub_receive(b, out, got, more);
}

/* What of the host's side is due: the next chunk that has arrived. */
static uint64_t read_due(const struct sim_board *b)
{
    const struct sim_run *r = sim_wire_run(&b->up);
    if (!r)
        return SIM_NEVER;
    size_t left = r->n - r->sent, chunk = (size_t)r->baud / 10 * CHUNK_US / 1000000 + 1;
    return sim_wire_arrival(r, left < chunk ? left : chunk) + half_usb(b);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The next thing that happens inside; what the host reads is not among them. */
static uint64_t inner_due(const struct sim_board *b)
{
    uint64_t t = least(least(b->strap_at, b->port_at), least(b->next_baud_at, slice_due(b)));
    return least(t, least(sim_stub_due(b), sim_talk_due(b)));
}

static void step(struct sim_board *b)
{
    uint64_t t = b->now;
    if (b->next_baud_at <= t)
        sim_switch_baud(b, b->next_baud, t);
    else if (b->strap_at <= t)
        read_straps(b);
    else if (b->port_at <= t)
        port_back(b);
    else if (sim_stub_due(b) <= t)
        sim_stub_tick(b);
    else if (sim_talk_due(b) <= t)
        sim_talk_tick(b);
    else
        give_slice(b);
}

void sim_board_run(struct sim_board *b, uint64_t now)
{
    for (uint64_t t = inner_due(b); t <= now; t = inner_due(b)) {
        if (t > b->now)
            b->now = t;
        step(b);
    }
    if (now > b->now)
        b->now = now;
    if (b->up.len > UNREAD_MAX) { /* nobody reads */
        const struct sim_run *r = sim_wire_run(&b->up);
        sim_wire_take(&b->up, r->n - r->sent);
    }
}

uint64_t sim_board_due(const struct sim_board *b)
{
    return least(inner_due(b), read_due(b));
}

size_t sim_board_read(struct sim_board *b, uint64_t now, uint8_t *out, size_t cap)
{
    size_t got = 0;
    sim_board_run(b, now);
    while (cap - got >= GARBLED_MAX && sim_wire_run(&b->up)) {
        const struct sim_run *r = sim_wire_run(&b->up);
        size_t k = sim_wire_arrived(r, seen_by_host(b));
        if (k > (cap - got) / GARBLED_MAX)
            k = (cap - got) / GARBLED_MAX;
        if (k == 0)
            break;
        got += heard(b, r->baud, b->host_baud, sim_wire_bytes(&b->up), k, out + got);
        sim_wire_take(&b->up, k);
    }
    return got;
}

/* ---- for tests ------------------------------------------------------------------------------------------- */

void sim_board_flash(const struct sim_board *b, uint32_t addr, void *out, size_t n)
{
    sim_flash_read(&b->flash, addr, out, n);
}

const struct sim_spec *sim_board_spec(const struct sim_board *b)
{
    return &b->spec;
}

enum sim_mode sim_board_mode(const struct sim_board *b)
{
    return b->mode;
}

uint32_t sim_board_chip_baud(const struct sim_board *b)
{
    return b->chip_baud;
}

uint64_t sim_board_sectors_erased(const struct sim_board *b)
{
    return b->flash.sectors_erased;
}
