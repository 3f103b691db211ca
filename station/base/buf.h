/* SPDX-License-Identifier: Apache-2.0
 *
 * buf.h: growable bytes with a maximum.
 *
 * Exceeding the maximum, or running out of memory, makes the buffer sticky-bad: later appends do
 * nothing and fl_buf_err() says why. A writer appends all it has and tests once.
 * The bytes are always followed by a zero byte that `len` does not count (once anything was
 * appended). Thread rule: one owner.
 */
#ifndef FL_BASE_BUF_H
#define FL_BASE_BUF_H

#include "base/err.h"

#include <stdint.h>

struct fl_buf {
    uint8_t *bytes; /* owned; NULL while empty */
    size_t len, cap, max;
    enum fl_err err;
};

#define FL_BUF(max_) ((struct fl_buf){NULL, 0, 0, (max_), FL_OK})

void fl_buf_fini(struct fl_buf *b);  /* frees, keeps max */
void fl_buf_clear(struct fl_buf *b); /* len = 0, err = OK, keeps the memory */
void fl_buf_add(struct fl_buf *b, const void *bytes, size_t n);
void fl_buf_addc(struct fl_buf *b, char c);
void fl_buf_addi(struct fl_buf *b, int64_t v); /* in decimal digits */
void fl_buf_adds(struct fl_buf *b, const char *text);
void fl_buf_addf(struct fl_buf *b, const char *fmt, ...) FL_PRINTF(2, 3);
/* Room for n more bytes at bytes + len, or NULL; the caller adds to len what it wrote. */
uint8_t *fl_buf_room(struct fl_buf *b, size_t n);
/* The text, "" when empty. Lives until the next append. */
const char *fl_buf_text(const struct fl_buf *b);
FL_MUST enum fl_err fl_buf_err(const struct fl_buf *b, struct fl_why *why);

#endif
