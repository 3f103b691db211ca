/* SPDX-License-Identifier: Apache-2.0
 *
 * grid.h: a rectangle of character cells, painted in memory and shown by screen.c. Pure.
 *
 * Text is UTF-8 and may come from a board: control characters, direction marks and what is no UTF-8 become
 * nothing or '?'; a wide character takes two cells and never half of one. What leaves the rectangle is cut.
 *
 * Thread rule: one owner.
 */
#ifndef FL_CONSOLE_GRID_H
#define FL_CONSOLE_GRID_H

#include "base/err.h"
#include "event/tile.h"

enum grid_flags { GRID_BOLD = 1, GRID_REVERSE = 2, GRID_DIM = 4 };

struct grid_cell {
    uint32_t ch;     /* 0: the right half of the wide character before */
    uint8_t tone;    /* enum tile_tone + 1; 0: the terminal's own colours */
    uint8_t flags;
};
struct grid {
    int w, h;
    bool utf8;       /* false: only ASCII leaves this grid */
    struct grid_cell *cell; /* owned, h rows of w */
};

FL_MUST enum fl_err grid_init(struct grid *g, int w, int h, bool utf8); /* all spaces */
void grid_fini(struct grid *g);
void grid_clear(struct grid *g);
/* At most `width` cells from (x, y); returns how many were taken. */
int grid_text(struct grid *g, int x, int y, int width, const char *text, uint8_t tone, uint8_t flags);
void grid_fill(struct grid *g, int x, int y, int w, int h, uint32_t ch, uint8_t tone, uint8_t flags);
/* How many cells the text takes. */
int grid_width(const char *text, bool utf8);
/* Breaks at spaces; returns the rows used, at most `rows`. */
int grid_wrap(struct grid *g, int x, int y, int width, int rows, const char *text, uint8_t tone, uint8_t flags);

#endif
