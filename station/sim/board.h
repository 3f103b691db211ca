/* SPDX-License-Identifier: Apache-2.0
 *
 * board.h: one simulated board, without sockets: bytes, lines and speed in, bytes out, a clock given.
 *
 *   host bytes ─► bridge ─► wire faults ─► line (10 bits a byte) ─► UART ─► ROM ─┬─► flash, RAM, registers
 *   host bytes ◄─ bridge ◄─ wire faults ◄─ line                  ◄─ UART ◄─ stub ┘
 *
 * Every call is told the time (ns on any clock that does not go back); the board does what was due until
 * then, in order. It never waits and never asks a clock itself, so a test can run an hour in no time.
 *
 * Thread rule: one owner. Boards share nothing but the immutable stubs.
 */
#ifndef FL_SIM_BOARD_H
#define FL_SIM_BOARD_H

#include "sim/ram.h"
#include "sim/spec.h"

#define SIM_NEVER UINT64_MAX /* a time that does not come */

struct sim_board; /* opaque; board_impl.h for the simulator's own files */

/* Powers the board up. `stubs` is borrowed for its life. */
FL_MUST enum fl_err sim_board_new(const struct sim_spec *spec, const struct sim_stubs *stubs,
                                  uint64_t now, struct sim_board **out, struct fl_why *why);
void sim_board_free(struct sim_board *b); /* NULL is fine */
struct sim_journal;
void sim_board_journal(struct sim_board *b, struct sim_journal *j); /* borrowed from here on; journal.h */

/* What the host does to its end of the bridge. Lines: 1 asserted, 0 released, -1 as it was; both change
 * in one step. */
void sim_board_lines(struct sim_board *b, uint64_t now, int dtr, int rts);
void sim_board_baud(struct sim_board *b, uint64_t now, uint32_t baud);
void sim_board_write(struct sim_board *b, uint64_t now, const uint8_t *bytes, size_t n);
/* Bytes that have reached the host by now; returns how many. Nobody reading: they are dropped when the
 * bridge has no room, as a closed port does. */
size_t sim_board_read(struct sim_board *b, uint64_t now, uint8_t *out, size_t cap);
/* Throw away what has not reached its end: what the host has sent, what it has not read. */
void sim_board_purge(struct sim_board *b, uint64_t now, bool to_chip, bool to_host);
/* Host bytes still waiting in the bridge: the caller stops reading its socket when there are many. */
size_t sim_board_backlog(const struct sim_board *b);

/* When something will happen next: call sim_board_run (or any call above) then. SIM_NEVER: not by itself. */
uint64_t sim_board_due(const struct sim_board *b);
void sim_board_run(struct sim_board *b, uint64_t now);

/* With pace real the computing behind an answer that has gone out (inflating, programming) is put off until something
 * needs its result. An owner of many boards calls sim_board_work when none of them is due. */
bool sim_board_owes(const struct sim_board *b);
void sim_board_work(struct sim_board *b);

/* False while the port has vanished from the bus. */
bool sim_board_port_up(const struct sim_board *b);
/* The board is pulled out, flash kept, until it is plugged in again. */
void sim_board_unplug(struct sim_board *b, uint64_t now);
void sim_board_plug(struct sim_board *b, uint64_t now);
/* The cable it hangs on from now: each byte has one bit flipped with probability `rate`, both ways. 0: a good one. */
void sim_board_cable(struct sim_board *b, double rate);

/* What lies in flash, for tests and for whoever checks a station's work. */
void sim_board_flash(struct sim_board *b, uint32_t addr, void *out, size_t n);
const struct sim_spec *sim_board_spec(const struct sim_board *b);

/* For tests: what the chip is doing. */
enum sim_mode {
    SIM_OFF,      /* EN is low, or no power */
    SIM_STARTING, /* EN is rising */
    SIM_ROM,      /* the boot ROM's download mode */
    SIM_STUB,
    SIM_APP,      /* an application, or a chip that finds none and restarts for ever */
    SIM_STOPPED,  /* crashed, hung or out of its loader: silent until reset */
    SIM_DEAD,
};
enum sim_mode sim_board_mode(const struct sim_board *b);
uint32_t sim_board_chip_baud(const struct sim_board *b);
uint64_t sim_board_sectors_erased(struct sim_board *b);

#endif
