/* SPDX-License-Identifier: Apache-2.0
 *
 * form.h: the question before a line or a slot is reopened: who answers for it, and what was found and done. Pure.
 *
 * Nothing is done before both are there and Enter was pressed by hand: one that comes within KEYS_HALF_MS (keys.h) after
 * anything else may be the end of a scanner's code, and asks for another.
 *
 * Thread rule: one owner.
 */
#ifndef FL_CONSOLE_FORM_H
#define FL_CONSOLE_FORM_H

#include "console/grid.h"

enum { FORM_WHO_MAX = 60, FORM_WHY_MAX = 200, FORM_ROWS = 4 };

struct form { /* zeroed: closed */
    bool open;
    int slot; /* what is to be reopened; 0: the line */
    char who[FORM_WHO_MAX + 1], why[FORM_WHY_MAX + 1];
    bool in_why;      /* which field is typed into */
    const char *note; /* static; what is missing, "" nothing */
    uint64_t last_ms;
};

void form_open(struct form *f, int slot);
/* One character at `now_ms`; Backspace is 8 or 127, Enter '\n', '\r' or Tab. True: both are there, and it is to be done;
 * the form is closed and keeps its texts. */
bool form_typed(struct form *f, char c, uint64_t now_ms);
void form_move(struct form *f, bool down); /* between the fields */
void form_close(struct form *f);

/* From row `top` on, in at most `rows`: those that are most needed. Returns how many it took. */
int form_paint(struct grid *g, const struct form *f, int top, int rows);

#endif
