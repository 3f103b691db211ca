/* SPDX-License-Identifier: Apache-2.0
 *
 * sim.h: boards without hardware: chip, boot ROM, flasher stub, flash, eFuses, USB bridge, faults.
 *
 * Thread rule: sim_open, sim_run, sim_close from one thread (sim_run returns when `wake` is raised);
 * sim_flash_copy after sim_run returned.
 */
#ifndef FL_SIM_SIM_H
#define FL_SIM_SIM_H

#include "base/buf.h"
#include "base/wake.h"

#include <stdbool.h>

struct sim; /* opaque */

struct sim_config {
    unsigned boards;           /* how many; a scenario may name each */
    const char *listen;        /* "127.0.0.1:6100": RFC 2217, one TCP port a board, counting up; port 0: any free */
    bool pty;                  /* pseudo-terminals instead */
    const char *station_file;  /* written when ready; NULL: none */
    const char *chip;          /* of boards whose scenario does not say; NULL: esp32 */
    const char *scenario;      /* YAML file; NULL: all clean */
    const char *state;         /* folder that keeps flash and eFuses; NULL: memory only */
    bool pace_real;            /* bytes, round trips, erase and program take their time */
    uint64_t seed;
};

FL_MUST enum fl_err sim_open(const struct sim_config *c, struct sim **out, struct fl_why *why);
/* Serves all boards until the wake is raised. */
FL_MUST enum fl_err sim_run(struct sim *s, struct fl_wake *wake, struct fl_why *why);
void sim_close(struct sim *s);

unsigned sim_boards(const struct sim *s);
/* Where a client reaches board i (0-based): "rfc2217://127.0.0.1:6100" or "pty:/dev/pts/5". */
const char *sim_url(const struct sim *s, unsigned i);

#endif
