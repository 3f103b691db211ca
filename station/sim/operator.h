/* SPDX-License-Identifier: Apache-2.0
 *
 * operator.h: who plugs the boards of a shift (shift.h) in and out.
 *
 *            a hand is free, plug_ms         the tile has a new outcome,          unplug_ms
 *   EMPTY ──────────────────────────► IN ── or the board is to be moved, ──► GOING ─────────► EMPTY
 *     ▲                               ▲ │   or patience is over                 │ it is tried again by itself: it stays
 *     │                               │ └────────── the hub lets go ──► DOWN    │
 *     └── (nothing was in it) ────────┴──────────── and is back ◄────────┘  ◄───┘ (to IN)
 *
 * The operator knows what a person at the line knows: which board is in the hand, and what the slot's tile shows. It
 * is told the tiles from outside (operator_see); it never asks a simulated board how it is. A new outcome is a tile
 * with an outcome and another record number than when the board went in; where the tile is working again when the
 * hand arrives (the station tried once more), the board stays. No board goes into a slot whose tile is at work or closed; where
 * the closed one's cable is the bad one, it gets a new cable.
 *
 * Truth file: a JSON object a line, written as it happens; times are milliseconds since 1970.
 *
 *   {"type":"shift","seed":7,"units":120,"slots":16,"at":1700000000000}
 *   {"type":"visit","unit":17,"mac":"24:6f:28:a1:b2:44","chip":"esp32","slot":3,"visit":1,"planted":null,"expect":[],
 *    "from":1700000001000,"to":1700000003000,"why":"done","saw":"pass","leaf":41,"cable":0,"hub":false,"flash":"<64 hex digits>"}
 *   {"type":"cable","slot":3,"bad":true,"at":...}     the first board on a cable that flips bits; false: a new cable
 *   {"type":"hub","slots":[5,6],"at":...,"back":...}
 *   {"type":"end","units":120,"visits":125,"at":...}
 *
 *   visit    the unit's first, second, ... stay in a slot
 *   planted  the name in the script of what is wrong with it; expect: the codes of which one must be found
 *   why      "done" (the tile had an outcome), "moved" (pulled while the tile was at work, or just behind it), "patience" (the tile stayed
 *            empty), "hung" (it never came to an outcome), "end" (the simulator was stopped)
 *   saw      the tile's state when the board was pulled, leaf its record number, -1 none
 *   cable    chance of a flip a byte on this slot's cable; hub: the hub let go while the board was in
 *   flash    SHA-256 of the whole flash as the board left
 *
 * Thread rule: operator_see and operator_blind from any thread, the rest on sim.c's.
 */
#ifndef FL_SIM_OPERATOR_H
#define FL_SIM_OPERATOR_H

#include "sim/end.h"
#include "sim/ram.h"
#include "sim/sim.h"

struct operator; /* opaque */

struct operator_config {
    const char *script, *truth; /* truth NULL: none is written */
    const struct sim_chip *chip;
    bool pace_real, no_lines; /* no_lines: boards wait in the loader */
    uint64_t seed;
    struct sim_end *end; /* the slots' ends, none with a board; borrowed */
    unsigned slots;
    const struct sim_stubs *stubs;
    struct sim_journal *journal; /* NULL: none; a board's number in it is the unit's */
};

FL_MUST enum fl_err operator_new(const struct operator_config *c, struct operator **out, struct fl_why *why);
/* Boards that are still in are written down as pulled. NULL is fine. */
void operator_free(struct operator *op, uint64_t now);

void operator_see(struct operator *op, unsigned slot, const struct sim_tile *tile);
void operator_blind(struct operator *op);

/* What is due; returns when the next thing is. */
uint64_t operator_tick(struct operator *op, uint64_t now);
bool operator_over(const struct operator *op); /* the box is empty and every board is out */
uint64_t operator_seed(const struct operator *op);

#endif
