/* SPDX-License-Identifier: Apache-2.0
 *
 * tunings.h: what the slots learned about their bridges, as the newest records say.
 *
 * Thread rule: as the database connection.
 */
#ifndef FL_STORE_TUNINGS_H
#define FL_STORE_TUNINGS_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tuning_row { /* zero: as usual */
    int slot;
    char port[200], usb_id[16], driver[64];
    uint32_t baud, ram_block, flash_block, burst, gap_us;
    bool rom_only, slow_reset, late_speed;
};
/* The newest of each slot and kind of bridge (view tuning_now). *out is owned by the caller (free), *n of them. */
FL_MUST enum fl_err tunings_read(sqlite3 *db, struct tuning_row **out, size_t *n, struct fl_why *why);

#endif
