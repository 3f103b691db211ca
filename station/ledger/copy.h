/* SPDX-License-Identifier: Apache-2.0
 *
 * copy.h: the whole database again: a copy of one at work, and one made anew from its leaves.
 *
 * Thread rule: one call, one thread.
 */
#ifndef FL_LEDGER_COPY_H
#define FL_LEDGER_COPY_H

#include "base/err.h"

#include <stdint.h>

struct copy_made {
    int64_t leaves, rows; /* rows: of the projected tables; 0 for a backup */
    char kept[4200];      /* copy_rebuild: where the old database lies now */
};

/* A copy of the folder's database as of now, also while a station is at work; checked before it gets its name. It holds
 * everything but the key. FL_EXISTS: `to` is there already. FL_BUSY: another backup to `to` is being made (it holds a lock on
 * TO.making meanwhile). */
FL_MUST enum fl_err copy_backup(const char *data, const char *to, struct copy_made *out, struct fl_why *why);

/* A new database from the old one's log (and what is not made from it: the outbox, names of people), with the schema as this
 * program makes it and all rows projected anew; put in the place of the old one, which stays beside it as
 * flashline.db.<time>.bak, or <time>-2 and so on where that name is taken. The log is verified first. FL_BUSY: a flashline is
 * at work there, or somebody has the database open. FL_MISMATCH: the log does not verify. On failure nothing is changed. */
FL_MUST enum fl_err copy_rebuild(const char *data, struct copy_made *out, struct fl_why *why);

#endif
