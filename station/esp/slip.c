/* SPDX-License-Identifier: Apache-2.0 */
#include "esp/slip.h"

#include <string.h>

enum { END = 0xc0, ESC = 0xdb, ESC_END = 0xdc, ESC_ESC = 0xdd, REPLY = 0x01 };

void slip_reset(struct slip_reader *r)
{
    r->state = SLIP_OUTSIDE;
    r->n = 0;
}

void slip_reopen(struct slip_reader *r)
{
    r->state = SLIP_INSIDE;
    r->n = 0;
}

/* Text up to the next C0, or to a reply's first byte right after a frame. */
static enum slip_event outside(struct slip_reader *r, struct fl_cursor *in, const uint8_t **p,
                               size_t *n)
{
    if (r->state == SLIP_CLOSED && in->left > 0 && *in->p == REPLY) {
        slip_reopen(r);
        return SLIP_MORE;
    }
    const uint8_t *end = memchr(in->p, END, in->left);
    *n = end ? (size_t)(end - in->p) : in->left;
    *p = fl_take(in, *n);
    r->state = SLIP_OUTSIDE;
    if (end) {
        (void)fl_take(in, 1);
        slip_reopen(r);
    }
    return *n > 0 ? SLIP_TEXT : SLIP_MORE;
}

static enum slip_event give_up(struct slip_reader *r, const uint8_t **p, size_t *n)
{
    *p = r->frame;
    *n = r->n;
    slip_reset(r);
    return SLIP_BROKEN;
}

static enum slip_event inside(struct slip_reader *r, uint8_t byte, const uint8_t **p, size_t *n)
{
    if (r->state == SLIP_ESCAPE) {
        if (byte != ESC_END && byte != ESC_ESC)
            return give_up(r, p, n);
        byte = byte == ESC_END ? END : ESC;
        r->state = SLIP_INSIDE;
    } else if (byte == ESC) {
        r->state = SLIP_ESCAPE;
        return SLIP_MORE;
    } else if (byte == END) {
        if (r->n == 0)
            return SLIP_MORE;
        *p = r->frame;
        *n = r->n;
        r->state = SLIP_CLOSED;
        r->n = 0;
        return SLIP_FRAME;
    }
    if (r->n == SLIP_FRAME_MAX)
        return give_up(r, p, n);
    r->frame[r->n++] = byte;
    return SLIP_MORE;
}

enum slip_event slip_next(struct slip_reader *r, struct fl_cursor *in, const uint8_t **p, size_t *n)
{
    *p = NULL;
    *n = 0;
    while (in->left > 0) {
        enum slip_event ev = r->state == SLIP_OUTSIDE || r->state == SLIP_CLOSED
                                 ? outside(r, in, p, n)
                                 : inside(r, fl_take_u8(in), p, n);
        if (ev != SLIP_MORE)
            return ev;
    }
    return SLIP_MORE;
}

void slip_open(struct fl_buf *out)
{
    fl_buf_addc(out, (char)END);
}

void slip_close(struct fl_buf *out)
{
    fl_buf_addc(out, (char)END);
}

static const uint8_t *next_of(int byte, const uint8_t *p, const uint8_t *stop)
{
    const uint8_t *at = memchr(p, byte, (size_t)(stop - p));
    return at ? at : stop;
}

void slip_add(struct fl_buf *out, const void *bytes, size_t n)
{
    const uint8_t *p = bytes, *stop = p + n;
    uint8_t *to = n ? fl_buf_room(out, 2 * n) : NULL, *start = to;
    if (!to)
        return;
    const uint8_t *end = next_of(END, p, stop), *esc = next_of(ESC, p, stop);
    for (;;) {
        const uint8_t *special = end < esc ? end : esc;
        memcpy(to, p, (size_t)(special - p));
        to += special - p;
        if (special == stop)
            break;
        p = special + 1;
        *to++ = ESC;
        *to++ = special == end ? ESC_END : ESC_ESC;
        if (special == end)
            end = next_of(END, p, stop);
        else
            esc = next_of(ESC, p, stop);
    }
    out->len += (size_t)(to - start);
}
