/* SPDX-License-Identifier: Apache-2.0
 *
 * sim.h: boards without hardware: chip, boot ROM, flasher stub, flash, eFuses, USB bridge, faults.
 *
 * Boards are served on RFC 2217 TCP ports or pseudo-terminals; see README.md for scenarios, faults and
 * what a board does. board.h has one board without any port.
 *
 * Errors: FL_FORMAT: the scenario or the listening address is wrong, the why says file:line:column;
 * FL_NOT_FOUND: no such chip or file; FL_BUSY: the state folder or a port is in use.
 *
 * Thread rule: sim_open, sim_run, sim_close from one thread (sim_run returns when `wake` is raised). The
 * getters of boards are not for a shift, whose boards come and go; they read what does not change after sim_open.
 */
#ifndef FL_SIM_SIM_H
#define FL_SIM_SIM_H

#include "base/buf.h"
#include "base/wake.h"

#include <stdbool.h>

struct sim; /* opaque */

enum { SIM_BOARDS_MAX = 512 };

struct sim_config {
    unsigned boards;           /* how many; a scenario may name each */
    const char *listen;        /* "127.0.0.1:6100": RFC 2217, one TCP port a board, counting up; port 0: any free */
    bool pty;                  /* pseudo-terminals instead */
    const char *station_file;  /* written when ready; NULL: none, which --pty does not allow */
    const char *chip;          /* of boards whose scenario does not say; NULL: esp32 */
    const char *scenario;      /* YAML file; NULL: all clean */
    const char *state;         /* folder that keeps flash and eFuses; NULL: memory only */
    bool pace_real;            /* bytes, round trips, erase and program take their time */
    const char *journal;       /* file for what clients do, journal.h; NULL: none */
    uint64_t seed;             /* a scenario's own seed comes before it */
    /* A shift (shift.h): an operator plugs boards in and out, `boards` is the number of slots, all empty at first, and
     * sim_run returns when the last board is out. NULL: boards stay. Not with scenario or state. */
    const char *shift;
    const char *truth;         /* file for what the operator did, operator.h; NULL: none */
};

/* What a slot's tile on the station's board shows. */
struct sim_tile {
    char state[16];  /* empty, look, work, record, closed, pass, fail, error, aborted, ...: event/tile.h's names */
    int64_t leaf;    /* the record's number, -1 none */
};

FL_MUST enum fl_err sim_open(const struct sim_config *c, struct sim **out, struct fl_why *why);
/* Serves all boards until the wake is raised or the shift is over. */
FL_MUST enum fl_err sim_run(struct sim *s, struct fl_wake *wake, struct fl_why *why);
void sim_close(struct sim *s); /* NULL is fine */

uint64_t sim_seed(const struct sim *s);
/* The operator's eyes, from any thread: slot (from 1) shows this now; the board cannot be seen any more, until a tile
 * is told again. Without a shift nothing happens. */
void sim_see(struct sim *s, unsigned slot, const struct sim_tile *tile);
void sim_see_nothing(struct sim *s);
/* Where a client reaches board i (0-based): "rfc2217://127.0.0.1:6100" or "pty:/run/x/board1". */
const char *sim_url(const struct sim *s, unsigned i);
/* "8 boards on 127.0.0.1:6100..6107". Lives as long as the sim. */
const char *sim_where(const struct sim *s);
/* "esp32", and the six bytes of board i's address. */
const char *sim_chip_name(const struct sim *s, unsigned i);
void sim_mac(const struct sim *s, unsigned i, uint8_t mac[static 6]);

#endif
