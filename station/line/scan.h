/* SPDX-License-Identifier: Apache-2.0
 *
 * scan.h: what a barcode scanner sends, and what it means. Pure.
 *
 *   bytes ─► codes: each ends with CR, LF, TAB, ETX or a zero byte; control characters else are dropped
 *            half a code, nothing behind it for SCAN_HALF_MS: dropped, and told
 *            longer than SCAN_CODE_MAX: dropped up to its end, and told
 *   code ─► meaning, by the patterns of the station file: extended regular expressions (POSIX) for the whole code; what
 *            the first pair of brackets takes is the value, else all of it
 *            none fits, or two do (two codes glued into one fit nothing, or must not): nothing is done, and it is told
 *
 * Thread rule: one owner.
 */
#ifndef FL_LINE_SCAN_H
#define FL_LINE_SCAN_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCAN_CODE_MAX = 63, SCAN_HALF_MS = 500 };
enum scan_kind { SCAN_OPERATOR, SCAN_LOT, SCAN_SERIAL, SCAN_SLOT, SCAN_KINDS };

/* ---- bytes to codes ---------------------------------------------------------------------------------------- */

struct scan_reader { /* zeroed: nothing read */
    char code[SCAN_CODE_MAX + 1];
    size_t n;
    bool long_one;
    uint64_t last_ms;
};
enum scan_read { SCAN_NOTHING, SCAN_CODE, SCAN_TOO_LONG };
/* One byte that came at `now_ms`. SCAN_CODE: out holds it, with its closing zero. */
enum scan_read scan_byte(struct scan_reader *r, char byte, uint64_t now_ms, char out[static SCAN_CODE_MAX + 1]);
/* Half a code that waited too long: true once, out holds what there was. */
bool scan_half(struct scan_reader *r, uint64_t now_ms, char out[static SCAN_CODE_MAX + 1]);

/* ---- codes to meanings -------------------------------------------------------------------------------------- */

struct scan_patterns; /* opaque */
/* Texts by kind; NULL: such codes are not scanned here. FL_FORMAT: the sentence says which is no expression. */
FL_MUST enum fl_err scan_patterns_new(const char *const text[static SCAN_KINDS], struct scan_patterns **out, struct fl_why *why);
void scan_patterns_free(struct scan_patterns *p); /* NULL is fine */

/* FL_OK: *kind and value. FL_NOT_FOUND: it fits nothing. FL_EXISTS: it fits two; the sentence says which. */
FL_MUST enum fl_err scan_meaning(const struct scan_patterns *p, const char *code, enum scan_kind *kind,
                                 char value[static SCAN_CODE_MAX + 1], struct fl_why *why);

#endif
