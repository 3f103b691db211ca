/* SPDX-License-Identifier: Apache-2.0
 *
 * outbox_rows.h: parcels and what became of them, written inside the transaction of the records they follow from.
 * Who sends them: record/outbox.h.
 *
 * Thread rule: as the database connection.
 */
#ifndef FL_STORE_OUTBOX_ROWS_H
#define FL_STORE_OUTBOX_ROWS_H

#include "base/err.h"
#include "event/parcel.h"

#include <sqlite3.h>
#include <stdbool.h>

struct outbox_writer {
    sqlite3 *db;
    sqlite3_stmt *put, *result;
};
FL_MUST enum fl_err outbox_writer_open(sqlite3 *db, struct outbox_writer *w, struct fl_why *why);
void outbox_writer_close(struct outbox_writer *w);
/* `leaf` -1: none. A parcel that is there already is left as it is. */
FL_MUST enum fl_err outbox_write(struct outbox_writer *w, const struct parcel *first, int64_t leaf, int64_t now_ms,
                                 struct fl_why *why);

/* How many parcels of this kind (and target, where not NULL) wait; without `tried`: those that nobody tried to send yet. What was
 * sent is not looked at, for that is years of it. */
FL_MUST enum fl_err outbox_waiting(sqlite3 *db, const char *kind, const char *target, bool tried, int64_t *n, struct fl_why *why);
/* When the newest of this kind was made; 0: none ever. All of the kind are looked at. */
FL_MUST enum fl_err outbox_newest(sqlite3 *db, const char *kind, int64_t *made_ms, struct fl_why *why);

#endif
