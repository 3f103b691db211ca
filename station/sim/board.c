/* SPDX-License-Identifier: Apache-2.0
 * The board's life and clock; see board.h for the picture. Its lines are in circuit.c, its bytes in bridge.c. */
#include "sim/board_impl.h"

#include <stdlib.h>
#include <string.h>

enum { UNREAD_MAX = 65536 }; /* what a bridge keeps for a host that does not read */

const struct sim_fault *sim_habit(const struct sim_board *b, enum sim_fault_kind kind)
{
    return sim_fault_habit(b->spec.faults, b->spec.n_faults, kind);
}

uint64_t sim_takes(const struct sim_board *b, double us)
{
    return b->spec.pace_real ? (uint64_t)(us * 1000) : 0;
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
    b->strap_at = b->port_at = b->watchdog_at = SIM_NEVER;
    b->host_baud = 115200;
    b->track_down.op = b->track_up.op = SIM_OP_ANY;
    b->talk.text = FL_BUF(SIM_TALK_MAX);
    b->burst.lose_at = SIZE_MAX;
    enum fl_err err = sim_flash_init(&b->flash, &spec->flash, spec->state, why);
    if (err) {
        free(b);
        return err;
    }
    sim_power_up(b);
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

void sim_board_journal(struct sim_board *b, struct sim_journal *j)
{
    b->journal = j;
}

/* ---- clock ----------------------------------------------------------------------------------------------- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The next thing that happens inside; what the host reads is not among them. */
static uint64_t inner_due(const struct sim_board *b)
{
    uint64_t t = least(least(b->strap_at, b->port_at), least(b->next_baud_at, sim_slice_due(b)));
    t = least(t, b->watchdog_at);
    return least(t, least(sim_stub_due(b), sim_talk_due(b)));
}

static void step(struct sim_board *b)
{
    uint64_t t = b->now;
    if (b->next_baud_at <= t)
        sim_switch_baud(b, b->next_baud, t);
    else if (b->strap_at <= t)
        sim_read_straps(b);
    else if (b->port_at <= t)
        sim_port_back(b);
    else if (b->watchdog_at <= t)
        sim_restart(b, SIM_CAUSE_WATCHDOG);
    else if (sim_stub_due(b) <= t)
        sim_stub_tick(b);
    else if (sim_talk_due(b) <= t)
        sim_talk_tick(b);
    else
        sim_give_slice(b);
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
    return least(inner_due(b), sim_read_due(b));
}

bool sim_board_owes(const struct sim_board *b)
{
    return b->stub.owed.data != NULL;
}

void sim_board_work(struct sim_board *b)
{
    sim_stub_finish(b);
}

/* ---- for tests ------------------------------------------------------------------------------------------- */

void sim_board_flash(struct sim_board *b, uint32_t addr, void *out, size_t n)
{
    sim_stub_finish(b);
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

uint64_t sim_board_sectors_erased(struct sim_board *b)
{
    sim_stub_finish(b);
    return b->flash.sectors_erased;
}
