/* SPDX-License-Identifier: Apache-2.0
 *
 * lot.h: what a lot brings to the line that makes it: its rules with what the records hold of them, and its serial numbers. Put
 * together here because the line knows no records and the records no rules.
 *
 * Thread rule: made and freed by one thread while no line works.
 */
#ifndef FL_WORKS_LOT_H
#define FL_WORKS_LOT_H

#include "line/guard.h"
#include "line/line.h"

#include <sqlite3.h>

/* Is the lot open, and for exactly these profiles? *facts: all of it as lots_read (store/lots.h) has it, a new reference, also
 * after a refusal. FL_ARG: no lot of that name. FL_REFUSED: it cannot be made, the sentence says why. The recorder asks the same again for every
 * unit; this one is for people. */
FL_MUST enum fl_err lot_check(sqlite3 *db, const char *name, const struct profile *const *profiles, size_t n, json_t **facts,
                              struct fl_why *why);

struct lot; /* opaque */

struct lot_config {
    sqlite3 *db;             /* for reading, during lot_new */
    const char *name;        /* borrowed until lot_free */
    const json_t *facts;     /* of lot_check */
    struct fl_queue *queue;  /* recorder_queue() */
    struct tally *tally;
};
/* FL_FORMAT: its rules are malformed. Others: the station's. */
FL_MUST enum fl_err lot_new(const struct lot_config *c, struct lot **out, struct fl_why *why);
void lot_free(struct lot *l); /* NULL is fine */

struct guard *lot_guard(struct lot *l);                     /* NULL for NULL */
const struct line_serials *lot_serials(const struct lot *l); /* NULL: the lot has none, or for NULL */
const struct rules_set *lot_rules(const struct lot *l);

#endif
