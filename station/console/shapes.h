/* SPDX-License-Identifier: Apache-2.0
 *
 * shapes.h: the forms of a slot's tile, from a wall screen's to one row of ten columns, and which of them fits. Pure.
 *
 *   HUGE   44 x 16+  number and word in letters of blocks (letters.h), sign, seconds / the rest as in BIG
 *   BIG    34 x 5+   number, sign, word, seconds / MAC, chip / step, share, rate, time left / bar / what to do
 *   MIDDLE 26 x 3+   the same in three rows
 *   SMALL  19 x 2    number, sign, word, MAC tail / bar and share, or fault
 *   LINE   19 x 1    number, sign, word, then bar and share, step, or MAC tail
 *   SHORT  10 x 1    number, sign, word; of four columns where the whole has no room, with the share where it has
 *
 * Every form says the state as sign and word: a tile without its word would say it by colour and a sign that nobody can
 * read from afar. Where not all slots fit as SHORT they are on pages; only a terminal of less than ten columns cuts words.
 *
 * What a scan did that concerns the slot stands in the tile's last rows, whatever is below; where it is one row, its sign.
 */
#ifndef FL_CONSOLE_SHAPES_H
#define FL_CONSOLE_SHAPES_H

#include "console/grid.h"

struct shape; /* one form; static */

struct layout {
    const struct shape *shape;
    int cols, rows, w, h; /* of the page; of a tile, with the gap behind and below it */
    size_t first, shown;  /* which of the n tiles this page holds */
};
/* The largest form with which n tiles fit in w x h, or the smallest and the page that holds the chosen one. */
struct layout layout_choose(int w, int h, size_t n, size_t chosen);

/* A tile with its right gap at (x, y). */
struct place {
    int x, y, w, h;
    const struct slot_view *v;
    const struct tile_meter *m;
    uint64_t now_ms; /* monotonic */
};
/* The k-th tile of the page whose first row is `top`; v, m and now_ms are the caller's to set. */
struct place layout_place(const struct layout *l, size_t k, int top);
void shape_paint(struct grid *g, const struct shape *s, const struct place *p);
/* The first rows of a slot that is shown whole. */
void shape_paint_big(struct grid *g, const struct place *p);

#endif
