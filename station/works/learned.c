/* SPDX-License-Identifier: Apache-2.0 */
#include "works/learned.h"

#include "store/tunings.h"

#include <stdlib.h>

enum fl_err learned_recall(struct learned *l, sqlite3 *db, struct fl_why *why)
{
    struct tuning_row *rows;
    size_t n;
    *l = (struct learned){0};
    enum fl_err err = tunings_read(db, &rows, &n, why);
    l->list = n ? calloc(n, sizeof *l->list) : NULL;
    l->n = l->list ? n : 0;
    l->rows = rows;
    for (size_t i = 0; i < l->n; i++) {
        const struct tuning_row *t = &rows[i];
        l->list[i] = (struct line_learned){
            .slot = t->slot, .port = t->port,
            .tuning = {.baud = t->baud, .ram_block = t->ram_block, .flash_block = t->flash_block, .burst = t->burst,
                       .burst_gap_us = t->gap_us, .rom_only = t->rom_only,
                       .slow_reset = t->slow_reset, .late_speed = t->late_speed}};
        tuning_kind(l->list[i].kind, t->usb_id, t->driver);
    }
    return n && !l->list ? fl_fail(why, FL_NOMEM, "out of memory") : err;
}

void learned_fini(struct learned *l)
{
    free(l->list);
    free(l->rows);
    *l = (struct learned){0};
}
