/* SPDX-License-Identifier: Apache-2.0
 *
 * console.h: the line on a terminal: tiles on a real one, plain lines into a pipe or a dumb one.
 *
 * Reads the board of latest states (event/board.h) on a thread of its own and writes to one stream;
 * it can neither slow a slot down nor lose a fact. States are a word and a symbol, never colour
 * alone; NO_COLOR, TERM=dumb and locales without UTF-8 are honoured; text that came from a board is
 * shown without its control characters.
 *
 * A terminal that takes no more bytes (stopped with Ctrl-S, a dead ssh) stops the painting and nothing
 * else: console_stop throws away what it did not take.
 *
 * Thread rule: start and stop from one thread. One console with tiles at a time in a process.
 */
#ifndef FL_CONSOLE_CONSOLE_H
#define FL_CONSOLE_CONSOLE_H

#include "event/board.h"

#include <stdio.h>

struct console; /* opaque */

/* Will `out` show tiles? Then nobody else may write to that terminal until console_stop. To be asked before a console starts: it
 * asks terminfo, which knows one terminal at a time. */
bool console_takes_terminal(FILE *out);

/* What is typed and is more than a look: called on the painter's thread, so hand it on and be back at once. What came of
 * it is for the head of the board to say (tally_say, event/tally.h). */
struct console_asks {
    void (*code)(void *ctx, const char *code);   /* a barcode scanner that types like a keyboard: a whole code (keys.h) */
    void (*damaged)(void *ctx, const char *why); /* half a code, or one that is too long: nothing was done */
    /* somebody answers for what a rule stopped; slot 0: the line */
    void (*reopen)(void *ctx, int slot, const char *who, const char *reason);
    void *ctx;
};

/* Borrows `board` and `out` until console_stop. Keys come from standard input when it is a terminal. `asks` is copied;
 * NULL: keys only look. */
FL_MUST enum fl_err console_start(struct board *board, FILE *out, const struct console_asks *asks, struct console **to,
                                  struct fl_why *why);
/* Paints the last state and ends; tiles leave the terminal as it was. NULL is fine. */
void console_stop(struct console *c);

/* One slot as one line of at most `width` columns, without a newline. Pure. */
void console_line(const struct slot_view *v, uint64_t now_ms, unsigned width, bool utf8,
                  struct fl_buf *out);

#endif
