/* SPDX-License-Identifier: Apache-2.0
 *
 * cursor.h: bytes read through a window that cannot be left. Pure, no allocation.
 *
 * A reader past its end sets `bad` and gives zeroes from then on: a parser reads all its fields and
 * tests `bad` once. No packed-struct casts anywhere: byte order and alignment live here.
 */
#ifndef FL_BASE_CURSOR_H
#define FL_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fl_cursor {
    const uint8_t *p;
    size_t left;
    bool bad;
};

static inline struct fl_cursor fl_cursor_of(const void *bytes, size_t n)
{
    return (struct fl_cursor){(const uint8_t *)bytes, n, false};
}

/* The next n bytes, or NULL (and `bad`) when there are fewer. */
static inline const uint8_t *fl_take(struct fl_cursor *c, size_t n)
{
    if (c->bad || c->left < n) {
        c->bad = true;
        c->left = 0;
        return NULL;
    }
    const uint8_t *p = c->p;
    c->p += n;
    c->left -= n;
    return p;
}

static inline uint8_t fl_take_u8(struct fl_cursor *c)
{
    const uint8_t *p = fl_take(c, 1);
    return p ? p[0] : 0;
}

static inline uint16_t fl_get_u16le(const uint8_t *p)
{
    return (uint16_t)(p[0] | (unsigned)p[1] << 8);
}

static inline uint32_t fl_get_u32le(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint16_t fl_take_u16le(struct fl_cursor *c)
{
    const uint8_t *p = fl_take(c, 2);
    return p ? fl_get_u16le(p) : 0;
}

static inline uint32_t fl_take_u32le(struct fl_cursor *c)
{
    const uint8_t *p = fl_take(c, 4);
    return p ? fl_get_u32le(p) : 0;
}

static inline uint64_t fl_take_u64le(struct fl_cursor *c)
{
    const uint8_t *p = fl_take(c, 8);
    return p ? fl_get_u32le(p) | (uint64_t)fl_get_u32le(p + 4) << 32 : 0;
}

static inline void fl_put_u16le(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void fl_put_u32le(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

static inline void fl_put_u64le(uint8_t *p, uint64_t v)
{
    fl_put_u32le(p, (uint32_t)v);
    fl_put_u32le(p + 4, (uint32_t)(v >> 32));
}

static inline void fl_put_u64be(uint8_t *p, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        p[i] = (uint8_t)v;
}

#endif
