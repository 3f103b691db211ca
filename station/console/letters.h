/* SPDX-License-Identifier: Apache-2.0
 *
 * letters.h: numbers and the words of a state, drawn large in blocks, for a screen across the hall. Pure.
 *
 *   LETTERS_LOW    a column for each dot, two dots in a row's half blocks: 3 rows; without UTF-8 5 rows of '#'
 *   LETTERS_HIGH   two columns and a row for each dot: 5 rows
 *
 * Digits, blanks and the capital letters that words of states have (event/tile.h); what else is in a text is left out.
 */
#ifndef FL_CONSOLE_LETTERS_H
#define FL_CONSOLE_LETTERS_H

#include "console/grid.h"

enum letters_size { LETTERS_LOW, LETTERS_HIGH };

int letters_rows(enum letters_size size, bool utf8);
/* Columns that the text takes. */
int letters_width(const char *text, enum letters_size size);
/* Paints what fits into the grid; (x, y) is the upper left. */
void letters_paint(struct grid *g, int x, int y, const char *text, enum letters_size size, uint8_t tone, uint8_t flags);

#endif
