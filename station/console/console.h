/* SPDX-License-Identifier: Apache-2.0
 *
 * console.h: the slots on a terminal: one live line each, or plain lines where it is no terminal.
 *
 * Reads the board of latest states (event/board.h) on a thread of its own and writes to one stream;
 * it can neither slow a slot down nor lose a fact. States are a word and a symbol, never colour
 * alone; NO_COLOR and TERM=dumb are honoured; text that came from a board is shown without its
 * control characters.
 *
 * Thread rule: start and stop from one thread.
 */
#ifndef FL_CONSOLE_CONSOLE_H
#define FL_CONSOLE_CONSOLE_H

#include "event/board.h"

#include <stdio.h>

struct console; /* opaque */

/* Borrows `board` and `out` until console_stop. */
FL_MUST enum fl_err console_start(struct board *board, FILE *out, struct console **to,
                                  struct fl_why *why);
/* Paints the last state and ends. NULL is fine. */
void console_stop(struct console *c);

/* One slot as one line of at most `width` columns, without a newline. Pure. */
void console_line(const struct slot_view *v, uint64_t now_ms, unsigned width, bool utf8,
                  struct fl_buf *out);

#endif
