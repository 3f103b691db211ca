/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fl_buf_fini(struct fl_buf *b)
{
    free(b->bytes);
    *b = FL_BUF(b->max);
}

void fl_buf_clear(struct fl_buf *b)
{
    b->len = 0;
    b->err = FL_OK;
    if (b->bytes)
        b->bytes[0] = 0;
}

uint8_t *fl_buf_room(struct fl_buf *b, size_t n)
{
    if (b->err)
        return NULL;
    if (n > b->max || b->len > b->max - n) {
        b->err = FL_LIMIT;
        return NULL;
    }
    size_t need = b->len + n + 1; /* + 1: the closing zero */
    if (need > b->cap) {
        size_t cap = b->cap ? b->cap : 64;
        while (cap < need)
            cap += cap / 2 + 1;
        uint8_t *bytes = realloc(b->bytes, cap);
        if (!bytes) {
            b->err = FL_NOMEM;
            return NULL;
        }
        b->bytes = bytes;
        b->cap = cap;
    }
    b->bytes[b->len + n] = 0;
    return b->bytes + b->len;
}

void fl_buf_add(struct fl_buf *b, const void *bytes, size_t n)
{
    uint8_t *room = fl_buf_room(b, n);
    if (room && n) {
        memcpy(room, bytes, n);
        b->len += n;
    }
}

void fl_buf_addc(struct fl_buf *b, char c)
{
    uint8_t *room = fl_buf_room(b, 1);
    if (room) {
        *room = (uint8_t)c;
        b->len++;
    }
}

void fl_buf_addi(struct fl_buf *b, int64_t v)
{
    char digits[20], *p = digits + sizeof digits;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do
        *--p = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0)
        *--p = '-';
    fl_buf_add(b, p, (size_t)(digits + sizeof digits - p));
}

void fl_buf_adds(struct fl_buf *b, const char *text)
{
    fl_buf_add(b, text, strlen(text));
}

void fl_buf_addf(struct fl_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    uint8_t *room = n < 0 ? NULL : fl_buf_room(b, (size_t)n);
    if (room) {
        (void)vsnprintf((char *)room, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

const char *fl_buf_text(const struct fl_buf *b)
{
    return b->bytes ? (const char *)b->bytes : "";
}

enum fl_err fl_buf_err(const struct fl_buf *b, struct fl_why *why)
{
    if (b->err == FL_LIMIT)
        return fl_fail(why, FL_LIMIT, "more than %zu bytes", b->max);
    if (b->err)
        return fl_fail(why, b->err, "%s", fl_err_text(b->err));
    return FL_OK;
}
