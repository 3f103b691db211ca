/* SPDX-License-Identifier: Apache-2.0
 *
 * learned.h: what the slots learned about their bridges when the station last worked, from its records to the line.
 * Thread rule: one thread.
 */
#ifndef FL_WORKS_LEARNED_H
#define FL_WORKS_LEARNED_H

#include "line/line.h"

#include <sqlite3.h>

struct learned {
    struct line_learned *list;
    size_t n;
    void *rows; /* owned: what the list points into */
};

/* After a failure it is empty: a line can begin without. To be given to learned_fini either way. */
FL_MUST enum fl_err learned_recall(struct learned *l, sqlite3 *db, struct fl_why *why);
void learned_fini(struct learned *l);

#endif
