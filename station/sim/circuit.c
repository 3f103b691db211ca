/* SPDX-License-Identifier: Apache-2.0
 * What the bridge's two lines, and the cable itself, do to the chip. */
#include "sim/board_impl.h"
#include "sim/journal.h"

enum { HOLD_NS = 250000000 }; /* see sim_read_straps */

void sim_power_up(struct sim_board *b)
{
    bool download = b->spec.power_up == SIM_POWER_UP_DOWNLOAD;
    b->hand_download = download && b->spec.bridge.kind == SIM_USB_JTAG;
    sim_start(b, download, SIM_CAUSE_POWER);
}

/* ---- lines: the two transistors of the usual auto-reset circuit -------------------------------------------- */

/* EN rises with its capacitor, and the chip reads its boot strap when it has. Both lines asserted is a
 * passing state of every reset sequence that changes one line after the other: on a USB port it lasts
 * less than EN takes to rise; over a network it may last longer, so that the straps wait for it to end. */
void sim_read_straps(struct sim_board *b)
{
    if (b->dtr && b->rts && b->now < b->hold_until) {
        b->strap_at = b->hold_until;
        return;
    }
    b->strap_at = SIM_NEVER;
    sim_start(b, b->dtr && !b->rts, SIM_CAUSE_POWER);
}

void sim_restart(struct sim_board *b, enum sim_cause cause)
{
    b->hand_download = false;
    sim_start(b, b->spec.bridge.kind != SIM_USB_JTAG && b->dtr && !b->rts, cause);
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
 * without DTR resets the core at once. Such a reset does not look at the strap pin: what was held at
 * power-up stays. */
static void jtag_circuit(struct sim_board *b, bool was_reset)
{
    if (!b->rts)
        b->jtag_download = b->dtr;
    else if (!b->dtr && !was_reset)
        sim_start(b, b->jtag_download || b->hand_download, SIM_CAUSE_POWER);
}

void sim_board_lines(struct sim_board *b, uint64_t now, int dtr, int rts)
{
    sim_board_run(b, now);
    bool was_reset = b->rts && !b->dtr;
    if (dtr >= 0)
        b->dtr = dtr != 0;
    if (rts >= 0)
        b->rts = rts != 0;
    sim_journal_lines(b);
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

void sim_port_back(struct sim_board *b)
{
    b->port_up = true;
    b->port_at = SIM_NEVER;
    b->dtr = b->rts = false;
    b->host_baud = 115200;
    sim_power_up(b);
}

bool sim_board_port_up(const struct sim_board *b)
{
    return b->port_up;
}

void sim_board_unplug(struct sim_board *b, uint64_t now)
{
    sim_board_run(b, now);
    sim_port_down(b, SIM_NEVER);
}

void sim_board_plug(struct sim_board *b, uint64_t now)
{
    sim_board_run(b, now);
    sim_port_back(b);
}

void sim_board_cable(struct sim_board *b, double rate)
{
    static const enum sim_fault_dir ways[] = {SIM_TO_CHIP, SIM_TO_HOST};
    b->spec.n_faults -= b->cable_faults; /* they stand last */
    b->cable_faults = 0;
    for (size_t i = 0; rate > 0 && i < 2 && b->spec.n_faults < SIM_FAULTS_MAX; i++) {
        struct sim_fault f = sim_fault_of(SIM_FAULT_FLIP);
        f.dir = ways[i];
        f.rate = rate;
        f.count = 0;
        b->spec.faults[b->spec.n_faults++] = f;
        b->cable_faults++;
    }
}
