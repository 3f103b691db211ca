/* SPDX-License-Identifier: Apache-2.0 */
#include "esp/stream.h"

#include <string.h>
#include <zlib.h>

enum { HEAD = 2, PIECE = 4096, MARK = 4096 };

static bool shrinks(const struct esp_region *r)
{
    return r->deflated && r->deflated_size < r->size;
}

bool stream_joins(const struct esp_region *a, const struct esp_region *b)
{
    return a->joins && b->joins && shrinks(a) && shrinks(b) && a->offset + a->size == b->offset &&
           a->offset % 4096 == 0 && b->offset % 4096 == 0;
}

static uint32_t get_u32be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* What of region i's stream stands in the joined one: all but the head (of the first: with it) and the tail. */
static size_t inside(const struct stream *s, size_t i, const uint8_t **p)
{
    size_t skip = i == 0 ? 0 : HEAD;
    *p = s->regions[i].deflated + skip;
    return s->regions[i].deflated_size - skip - STREAM_TAIL;
}

void stream_init(struct stream *s, const struct esp_region *regions, size_t n, bool plain)
{
    *s = (struct stream){.regions = regions, .n = n, .deflated = !plain && shrinks(regions)};
    uLong adler = adler32(0, NULL, 0);
    for (size_t i = 0; i < n; i++) {
        const struct esp_region *r = &regions[i];
        s->plain += r->size;
        if (n > 1) {
            const uint8_t *p;
            s->size += inside(s, i, &p);
            adler = adler32_combine(adler, get_u32be(r->deflated + r->deflated_size - 4), (z_off_t)r->size);
        } else {
            s->size += s->deflated ? r->deflated_size : r->size;
        }
    }
    const uint8_t tail[STREAM_TAIL] = {3, 0, (uint8_t)(adler >> 24), (uint8_t)(adler >> 16), (uint8_t)(adler >> 8),
                                       (uint8_t)adler};
    memcpy(s->tail, tail, sizeof tail);
    if (n > 1)
        s->size += sizeof tail;
}

/* Where byte `at` lies and how many follow it there. */
static const uint8_t *find(const struct stream *s, size_t at, size_t *left)
{
    const uint8_t *p;
    for (size_t i = 0; i < s->n; i++) {
        size_t n = inside(s, i, &p);
        if (at < n) {
            *left = n - at;
            return p + at;
        }
        at -= n;
    }
    *left = sizeof s->tail - at;
    return s->tail + at;
}

const uint8_t *stream_bytes(const struct stream *s, size_t at, size_t n, uint8_t *scratch)
{
    if (s->n == 1)
        return (s->deflated ? s->regions->deflated : s->regions->plain) + at;
    size_t left;
    const uint8_t *p = find(s, at, &left);
    if (left >= n)
        return p;
    for (size_t have = 0; have < n; have += left) {
        p = find(s, at + have, &left);
        left = left < n - have ? left : n - have;
        memcpy(scratch + have, p, left);
    }
    return scratch;
}

size_t stream_sent(const struct stream *s, uint32_t plain)
{
    size_t base = 0;
    for (size_t i = 0; s->deflated && i < s->n; i++) {
        const struct esp_region *r = &s->regions[i];
        size_t skip = i == 0 ? 0 : HEAD;
        if (!r->marks || (plain <= r->size && plain % MARK != 0))
            return 0;
        if (plain <= r->size)
            return plain == 0 ? base : base + r->marks[plain / MARK - 1] - skip;
        plain -= r->size;
        base += r->deflated_size - skip - STREAM_TAIL;
    }
    return 0;
}

uint64_t stream_plain(const struct stream *s, size_t from, size_t to)
{
    uint8_t sink[PIECE], scratch[PIECE];
    z_stream z = {0};
    uint64_t before = 0;
    int rc = Z_OK;
    if (!s->deflated)
        return to - from;
    if (inflateInit(&z) != Z_OK)
        return s->plain;
    for (size_t at = 0; at < to && rc == Z_OK;) {
        size_t end = at < from ? from : to, n = end - at < PIECE ? end - at : PIECE;
        if (at == from)
            before = z.total_out;
        z.next_in = (Bytef *)(uintptr_t)stream_bytes(s, at, n, scratch);
        z.avail_in = (uInt)n;
        do {
            z.next_out = sink;
            z.avail_out = sizeof sink;
            rc = inflate(&z, Z_NO_FLUSH);
        } while (rc == Z_OK && (z.avail_in > 0 || z.avail_out == 0));
        if (rc == Z_BUF_ERROR)
            rc = Z_OK;
        at += n;
    }
    uint64_t got = z.total_out - before;
    (void)inflateEnd(&z);
    return got;
}
