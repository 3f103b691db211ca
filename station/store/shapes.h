/* SPDX-License-Identifier: Apache-2.0
 *
 * shapes.h: the table `shape`, and records through it (store/shape.h). Whoever reads column leaf.rec reads it through here.
 *
 * A shape is made when a second record has it, so that what is said once only costs nothing more; the newest records of the
 * log count, or a program that is started for each unit would never see a second one.
 *
 * Thread rule: as the database connection.
 */
#ifndef FL_STORE_SHAPES_H
#define FL_STORE_SHAPES_H

#include "store/shape.h"

#include <sqlite3.h>

struct shapes; /* opaque: shapes that were read, statements */

/* `db` must stay open; one without the table (of an older schema) has no record that is stored by shape. */
FL_MUST enum fl_err shapes_new(sqlite3 *db, struct shapes **out, struct fl_why *why);
void shapes_free(struct shapes *s); /* NULL is fine; before the connection is closed */

/* ---- reading: *rec is borrowed, from `stored` or until the next call ------------------------------------------- */

/* The record that is stored so in place `index`. b->before may be NULL: then it is looked for where it is needed.
 * FL_FORMAT: it is none. */
FL_MUST enum fl_err shapes_load(struct shapes *s, int64_t index, const void *stored, size_t n, const struct beside *b,
                                const uint8_t **rec, size_t *rec_n, struct fl_why *why);
/* The record in place `index`. FL_NOT_FOUND: there is none. */
FL_MUST enum fl_err shapes_record(struct shapes *s, int64_t index, const uint8_t **rec, size_t *rec_n, struct fl_why *why);

/* ---- writing --------------------------------------------------------------------------------------------------- */

/* What to store for the record that comes into place `index`: by shape, or as it is. *stored is borrowed, from `rec` or
 * until the next call. May write a row of `shape`. */
FL_MUST enum fl_err shapes_store(struct shapes *s, int64_t index, const void *rec, size_t n, const struct beside *b,
                                 const uint8_t **stored, size_t *stored_n, struct fl_why *why);
/* Something was undone: a shape that this one made may be gone. */
void shapes_forget(struct shapes *s);

#endif
