/* SPDX-License-Identifier: Apache-2.0
 *
 * slot.h: the thread of one slot. Internal to the line: line.c starts and ends them, slot.c is what they do.
 */
#ifndef FL_LINE_SLOT_H
#define FL_LINE_SLOT_H

#include "line/attempt.h"
#include "line/plug.h"

#include <stdatomic.h>

enum { SLOT_FLAPS = 5 };

struct slot_worker {
    struct line *line;
    struct plug *plug;
    const atomic_bool *cancelled;
    struct attempt attempt;
    struct fl_wake wake;
    pthread_t thread;
    bool wake_ok, attempt_ok, running;

    /* between attempts */
    uint64_t seen;        /* notices (plug.h) */
    bool looked;          /* the first look is done: what appears now was plugged in */
    bool bridge_stays;    /* the port is there without a board */
    uint64_t flaps[SLOT_FLAPS]; /* when the port vanished last, monotonic ms; a ring */
    unsigned n_flaps;
    unsigned lost; /* times in a row that a network connection was lost */
};

/* Flash each board that appears, until cancelled or the station cannot record. */
void slot_stay(struct slot_worker *w);
/* One attempt, repeated where fault and profile allow. */
enum attempt_end slot_try(struct slot_worker *w, enum attempt_how how);

#endif
