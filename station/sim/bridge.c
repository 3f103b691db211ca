/* SPDX-License-Identifier: Apache-2.0
 * Bytes through the bridge and over the line, both ways: what is lost in bursts, what faults do, what a wrong
 * speed makes of them, when they arrive. */
#include "sim/board_impl.h"

#include <string.h>

enum {
    SLICE_MAX = 4096,          /* bytes given to the chip in one piece */
    CHUNK_US = 1000,           /* bytes given to the host at once: what a USB frame carries */
    TOLERANCE_PERCENT = 3,     /* a UART that is further off reads other bytes */
    GARBLED_MAX = 4,           /* bytes that one byte at a wrong speed can look like */
};

static uint64_t half_usb(const struct sim_board *b)
{
    return sim_takes(b, b->spec.timing.usb_us / 2.0);
}

/* What had left the chip by then has reached the host now. */
static uint64_t seen_by_host(const struct sim_board *b)
{
    return b->now > half_usb(b) ? b->now - half_usb(b) : 0;
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
    if (!b->port_up || sim_habit(b, SIM_FAULT_SILENT) || sim_habit(b, SIM_FAULT_SHORTED))
        return;
    b->burst.answered = true;
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
    /* without the wire's time a host that is quick would otherwise send many answered blocks as one burst */
    bool waited = u->answered && !b->spec.pace_real;
    u->answered = false;
    if (u->count == 0 || waited || b->now - u->last >= (uint64_t)br->gap_us * 1000) {
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
    bool shorted = sim_habit(b, SIM_FAULT_SHORTED) != NULL;
    if (shorted || sim_habit(b, SIM_FAULT_ECHO))
        sim_wire_put(&b->up, b->now, b->host_baud, b->spec.pace_real, bytes, n);
    if (!shorted && !sim_habit(b, SIM_FAULT_TX_DEAD))
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

/* ---- at the ends ------------------------------------------------------------------------------------------ */

/* The next bytes for the chip: up to and with the next C0, as nothing outside can see more. */
static size_t slice(const struct sim_board *b)
{
    const struct sim_run *r = sim_wire_run(&b->down);
    size_t n = r->n - r->sent;
    const uint8_t *end = memchr(sim_wire_bytes(&b->down), 0xC0, n);
    return end ? (size_t)(end - sim_wire_bytes(&b->down)) + 1 : n;
}

uint64_t sim_slice_due(const struct sim_board *b)
{
    const struct sim_run *r = sim_wire_run(&b->down);
    return r ? sim_wire_arrival(r, slice(b)) : SIM_NEVER;
}

void sim_give_slice(struct sim_board *b)
{
    uint8_t in[SLICE_MAX], out[GARBLED_MAX * SLICE_MAX];
    const struct sim_run *r = sim_wire_run(&b->down);
    size_t all = slice(b), n = all < SLICE_MAX ? all : SLICE_MAX; /* the rest of it is due in the same moment */
    uint32_t sent = r->baud;
    bool more = r->n - r->sent > n || sim_wire_goes_on(&b->down);
    memcpy(in, sim_wire_bytes(&b->down), n);
    sim_wire_take(&b->down, n);
    b->bytes_down += n;
    if (b->autobaud && b->mode == SIM_ROM)
        b->chip_baud = sent;
    size_t got = heard(b, sent, b->chip_baud, in, n, out);
    if (b->mode == SIM_ROM)
        sim_rom_receive(b, out, got);
    else if (b->mode == SIM_STUB)
        sim_stub_receive(b, out, got, more);
}

/* What of the host's side is due: the next chunk that has arrived. */
uint64_t sim_read_due(const struct sim_board *b)
{
    const struct sim_run *r = sim_wire_run(&b->up);
    if (!r)
        return SIM_NEVER;
    size_t left = r->n - r->sent, chunk = (size_t)r->baud / 10 * CHUNK_US / 1000000 + 1;
    return sim_wire_arrival(r, left < chunk ? left : chunk) + half_usb(b);
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
    b->bytes_up += got;
    return got;
}
