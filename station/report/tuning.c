/* SPDX-License-Identifier: Apache-2.0
 * What slots learned about their bridges, as the newest records say. */
#include "report/query.h"

#include <stdio.h>
#include <stdlib.h>

struct learned {
    struct report_tuning *list;
    size_t n, room;
};

static uint32_t number(sqlite3_stmt *s, int column)
{
    sqlite3_int64 v = sqlite3_column_int64(s, column);
    return v > 0 && v <= UINT32_MAX ? (uint32_t)v : 0;
}

static enum fl_err add(void *ctx, sqlite3_stmt *s)
{
    struct learned *l = ctx;
    if (l->n == l->room) {
        size_t room = l->room ? 2 * l->room : 16;
        struct report_tuning *more = realloc(l->list, room * sizeof *more);
        if (!more)
            return FL_NOMEM;
        l->list = more;
        l->room = room;
    }
    struct report_tuning *t = &l->list[l->n++];
    *t = (struct report_tuning){.slot = sqlite3_column_int(s, 0), .baud = number(s, 4), .ram_block = number(s, 5),
                                .flash_block = number(s, 6), .burst = number(s, 7), .gap_us = number(s, 8),
                                .rom_only = sqlite3_column_int(s, 9) != 0,
                                .slow_reset = sqlite3_column_int(s, 10) != 0, .late_speed = sqlite3_column_int(s, 11) != 0};
    (void)snprintf(t->port, sizeof t->port, "%s", query_text(s, 1));
    (void)snprintf(t->usb_id, sizeof t->usb_id, "%s", query_text(s, 2));
    (void)snprintf(t->driver, sizeof t->driver, "%s", query_text(s, 3));
    return FL_OK;
}

enum fl_err report_tunings(struct report *r, struct report_tuning **out, size_t *n, struct fl_why *why)
{
    struct learned l = {0};
    enum fl_err err = query_each(r,
                                 "SELECT slot, port, usb_id, driver, baud, ram_block, flash_block, burst, gap_us, rom_only, "
                                 "slow_reset, late_speed FROM tuning_now ORDER BY leaf",
                                 add, &l, why);
    *out = NULL;
    *n = 0;
    if (err) {
        free(l.list);
        return err;
    }
    *out = l.list;
    *n = l.n;
    return FL_OK;
}
