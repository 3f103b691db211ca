/* SPDX-License-Identifier: Apache-2.0 */
#include "store/tunings.h"

#include "base/grow.h"
#include "store/db.h"

#include <stdio.h>
#include <stdlib.h>

struct rows {
    struct tuning_row *list;
    size_t n, cap;
};

static uint32_t number(sqlite3_stmt *s, int column)
{
    sqlite3_int64 v = sqlite3_column_int64(s, column);
    return v > 0 && v <= UINT32_MAX ? (uint32_t)v : 0;
}

static enum fl_err add(struct rows *l, sqlite3_stmt *s, struct fl_why *why)
{
    struct tuning_row *t = fl_grow(l->list, l->n, 1, &l->cap, sizeof *t);
    if (!t)
        return fl_fail(why, FL_NOMEM, "out of memory");
    l->list = t;
    t += l->n++;
    *t = (struct tuning_row){.slot = sqlite3_column_int(s, 0), .baud = number(s, 4), .ram_block = number(s, 5),
                             .flash_block = number(s, 6), .burst = number(s, 7), .gap_us = number(s, 8),
                             .rom_only = sqlite3_column_int(s, 9) != 0,
                             .slow_reset = sqlite3_column_int(s, 10) != 0, .late_speed = sqlite3_column_int(s, 11) != 0};
    (void)snprintf(t->port, sizeof t->port, "%s", db_text(s, 1));
    (void)snprintf(t->usb_id, sizeof t->usb_id, "%s", db_text(s, 2));
    (void)snprintf(t->driver, sizeof t->driver, "%s", db_text(s, 3));
    return FL_OK;
}

enum fl_err tunings_read(sqlite3 *db, struct tuning_row **out, size_t *n, struct fl_why *why)
{
    struct rows l = {NULL, 0, 0};
    sqlite3_stmt *s;
    int rc = SQLITE_DONE;
    *out = NULL;
    *n = 0;
    enum fl_err err = db_prepare(db,
                                 "SELECT slot, port, usb_id, driver, baud, ram_block, flash_block, burst, gap_us, rom_only, "
                                 "slow_reset, late_speed FROM tuning_now ORDER BY leaf",
                                 &s, why);
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW)
        err = add(&l, s, why);
    if (!err && rc != SQLITE_DONE)
        err = db_fail(db, why, "cannot read what the slots learned");
    (void)sqlite3_finalize(s);
    if (err) {
        free(l.list);
        return err;
    }
    *out = l.list;
    *n = l.n;
    return FL_OK;
}
