/* SPDX-License-Identifier: Apache-2.0
 *
 * tiles.h: the whole screen of the console painted into a grid: line head, one tile a slot, keys. Pure.
 *
 * The largest form of tile (shapes.h) with which all slots fit is taken; where not even the smallest fits, the slots
 * are on pages. Any size from 1 x 1 up is painted without leaving the grid.
 */
#ifndef FL_CONSOLE_TILES_H
#define FL_CONSOLE_TILES_H

#include "console/form.h"
#include "console/grid.h"

enum { TILES_SLOTS_MAX = 1024 }; /* more are not shown */

/* What the keys have chosen; kept by the caller between paintings. */
struct tiles_ui {
    size_t chosen;      /* place of the chosen slot */
    bool any_chosen;    /* false until an arrow was pressed */
    bool details;       /* the chosen slot, whole */
    bool attention;     /* only the slots that want a hand */
    bool keys;          /* are there keys at all (a keyboard to read from)? */
    bool asks;          /* and can anything be asked for with them? */
    struct form form;   /* open: the question before something is reopened */
    const char *note;   /* static; an answer to the last key, for three seconds; NULL none */
    uint64_t note_ms;   /* when it was first shown; 0: not yet */
    size_t go[4];       /* set by tiles_paint: the slot that each arrow leads to */
    int reopens;        /* set by tiles_paint: what TILES_REOPEN asks about: a slot, 0 the line, below 0 nothing is stopped */
};

struct tiles_in {
    const struct slot_view *view;
    const struct tile_meter *meter;
    size_t n;
    const struct tally_head *head;
    uint64_t now_ms;     /* monotonic */
    const char *clock;   /* "14:03:21", or "" */
};

void tiles_paint(struct grid *g, const struct tiles_in *in, struct tiles_ui *ui);

/* A key; true when it meant something. The first four are the places in go. */
enum tiles_key { TILES_LEFT, TILES_RIGHT, TILES_UP, TILES_DOWN, TILES_ENTER, TILES_ESC, TILES_ATTENTION,
                 TILES_REOPEN, TILES_NONE };
bool tiles_press(struct tiles_ui *ui, enum tiles_key key);

#endif
