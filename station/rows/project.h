/* SPDX-License-Identifier: Apache-2.0
 *
 * project.h: what a leaf says, as rows. One function for the recorder, which projects the leaf it has just made, and
 * for a rebuild, which projects all leaves of a log: the same bytes give the same rows.
 *
 * Tables say it all: which statements a kind of leaf runs (a file for each noun, project_rows.h), and which JSON member
 * each of their parameters is (project_params.c).
 *
 * Thread rule: as the database connection.
 */
#ifndef FL_ROWS_PROJECT_H
#define FL_ROWS_PROJECT_H

#include "base/json.h"

#include <sqlite3.h>

struct projector; /* opaque: prepared statements */

/* Rows are written into `db`; records that others refer to (abridge.h) are read from `leaves`, mostly the same. */
FL_MUST enum fl_err projector_new(sqlite3 *db, sqlite3 *leaves, struct projector **out, struct fl_why *why);
/* Statements are prepared when a leaf first needs them. The rest of them, by somebody who has time for it, so that no leaf waits
 * for its own; one that cannot be prepared is tried again, and told, when it is needed. */
void projector_warm(struct projector *p);
/* Something was undone: what was read of the leaves may be there no more. */
void projector_forget(struct projector *p);
void projector_free(struct projector *p); /* NULL is fine; before the connection is closed */

/* Write the rows of the leaf with this index. FL_FORMAT: the leaf says something that cannot be a row (a MAC
 * that is none, an unknown outcome); the caller undoes what was written. */
FL_MUST enum fl_err projector_leaf(struct projector *p, int64_t index, const json_t *leaf, struct fl_why *why);

/* The tables that are a projection, in an order in which they can be filled; ends with a NULL name. `seeds`: which of
 * its rows the schema itself put there, as a condition; NULL: none. */
struct projected_table {
    const char *name, *seeds;
};
extern const struct projected_table projected_tables[];

/* The tables that the schema itself fills and nobody adds to: what the numbers in the others mean. Ends with NULL. */
extern const char *const seeded_tables[];

#endif
