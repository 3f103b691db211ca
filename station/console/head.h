/* SPDX-License-Identifier: Apache-2.0
 *
 * head.h: what stands above and below the tiles: the line's head, its alarm, what was scanned last, the keys. Pure.
 *
 *   product, lot, station, clock            from 8 rows on
 *   done, outcomes, first pass, rate, takt  from 3 rows on; what does not fit whole is left out from the right
 *   alarm                                   one row, up to three from 14 rows on
 *   what was said                           a scan that did something for ten seconds, a refused one for a minute
 */
#ifndef FL_CONSOLE_HEAD_H
#define FL_CONSOLE_HEAD_H

#include "console/tiles.h"

/* From the top row on; returns the rows it took. */
int head_paint(struct grid *g, const struct tiles_in *in);
/* The keys and what they do now, in row y, as many as fit whole; an answer to the last of them in their place. At its end
 * which page the tiles are, "" where there is one. */
enum { HEAD_PAGES = 64 };
void head_keys(struct grid *g, const struct tiles_ui *ui, int y, const char *pages);

#endif
