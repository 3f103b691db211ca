/* SPDX-License-Identifier: Apache-2.0
 *
 * learned.h: what the slots learned about their bridges when the station last worked, from its records to the line.
 */
#ifndef FL_CLI_LEARNED_H
#define FL_CLI_LEARNED_H

#include "line/line.h"

struct learned {
    struct line_learned *list;
    size_t n;
    void *rows; /* owned: what the list points into */
};

/* A station that cannot be asked says why on standard error and begins without. */
void learned_recall(struct learned *l, const char *data);
void learned_fini(struct learned *l);

#endif
