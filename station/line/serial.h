/* SPDX-License-Identifier: Apache-2.0
 *
 * serial.h: serial numbers from a template. Pure.
 *
 *   {n} {n:6}    the counter; with a width, zeros in front. Exactly once
 *   {yy} {yyyy}  year, {mm} month, {dd} day, {ww} ISO week: UTC of the attempt
 *   {lot}        the lot's name
 *   all else     itself; braces cannot be part of a number
 *
 * Thread rule: none.
 */
#ifndef FL_LINE_SERIAL_H
#define FL_LINE_SERIAL_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { SERIAL_TEXT_MAX = 64 };

FL_MUST enum fl_err serial_check(const char *text, struct fl_why *why);
/* FL_LIMIT: it would be longer than SERIAL_TEXT_MAX - 1. `text` was checked. */
FL_MUST enum fl_err serial_format(const char *text, uint64_t n, const char *lot, int64_t wall_ms,
                                  char out[static SERIAL_TEXT_MAX]);
/* The counter in a number that this template made for this lot, at any date. False: it did not. */
bool serial_counter(const char *text, const char *lot, const char *serial, uint64_t *n);

#endif
