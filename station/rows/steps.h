/* SPDX-License-Identifier: Apache-2.0
 *
 * steps.h: which steps an attempt went through, from its record: what view attempt_step says (db/015_moments.sql), for who asks
 * for thousands. SQL's JSON functions take each record, and the one that it refers to (abridge.h), apart anew for every value.
 *
 * Thread rule: as the database connection.
 */
#ifndef FL_ROWS_STEPS_H
#define FL_ROWS_STEPS_H

#include "base/err.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

struct step_told {
    const char *name; /* NULL: the record does not tell it */
    int64_t ms, rungs;
};

struct steps; /* opaque: statements, and the records that others referred to last */
FL_MUST enum fl_err steps_new(sqlite3 *db, struct steps **out, struct fl_why *why);
void steps_free(struct steps *s); /* NULL is fine; before the connection is closed */

/* The steps of the attempt that record `leaf` ended, in their order. Borrowed, until the next call. None: it tells no steps, or
 * ended no attempt. FL_FORMAT: it is no JSON, or has more than an attempt can have. */
FL_MUST enum fl_err steps_of(struct steps *s, int64_t leaf, const struct step_told **out, size_t *n, struct fl_why *why);

#endif
