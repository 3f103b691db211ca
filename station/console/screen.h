/* SPDX-License-Identifier: Apache-2.0
 *
 * screen.h: a grid on a real terminal (ncursesw), and its keys.
 *
 * ncurses keeps its state in globals of its own: one screen at a time in a process, used by one thread.
 */
#ifndef FL_CONSOLE_SCREEN_H
#define FL_CONSOLE_SCREEN_H

#include "console/grid.h"
#include "console/tiles.h"

#include <stdio.h>

struct screen; /* opaque */

/* FL_UNSUPPORTED: no terminal, or none that terminfo knows. Keys are read from `in` when it is a terminal. */
FL_MUST enum fl_err screen_open(FILE *out, FILE *in, bool colour, struct screen **to, struct fl_why *why);
void screen_close(struct screen *s); /* gives the terminal back as it was */
bool screen_has_keys(const struct screen *s);
void screen_size(struct screen *s, int *w, int *h); /* now: follows the window */
void screen_show(struct screen *s, const struct grid *g);

/* What was typed next: a key that has a name (arrows, Esc), or one byte of text ('\n' Enter, 8 Backspace). */
enum screen_typed { SCREEN_NOTHING, SCREEN_KEY, SCREEN_BYTE };
enum screen_typed screen_read(struct screen *s, enum tiles_key *key, char *byte);

#endif
