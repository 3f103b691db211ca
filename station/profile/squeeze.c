/* SPDX-License-Identifier: Apache-2.0
 *
 * libdeflate at its best level, which marks its last block as the last one. That mark is moved to an empty block:
 *
 *   before   78 DA | block ... | 1 last block |                         pad | Adler-32
 *   after    78 DA | block ... | 0 last block | 0 00 pad 00 00 FF FF | 03 00 | Adler-32
 *                                               an empty stored block: ends on a byte
 *
 * Where blocks begin is not written anywhere: zlib's inflate tells, which stops at each of them (Z_BLOCK). It proves
 * at the same time how many bytes the stream gives, and when. Costs 5 to 8 bytes. */
#include "profile/squeeze.h"

#include <libdeflate.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LEVEL = 12, SINK = 4096, MORE = 16, TAIL = 4, AT_END = 128, IN_LAST = 64, UNUSED = 7 };

struct squeezer {
    struct libdeflate_compressor *z;
};

struct squeezer *squeezer_new(void)
{
    struct squeezer *s = calloc(1, sizeof *s);
    if (s)
        s->z = libdeflate_alloc_compressor(LEVEL);
    if (s && s->z)
        return s;
    free(s);
    return NULL;
}

void squeezer_free(struct squeezer *s)
{
    if (!s)
        return;
    libdeflate_free_compressor(s->z);
    free(s);
}

/* Bits before the last block's header, and before what follows its end. */
static enum fl_err find_last(const uint8_t *in, size_t n, size_t plain, size_t *last, size_t *end, uint32_t *marks)
{
    uint8_t sink[SINK];
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)n};
    if (inflateInit(&z) != Z_OK)
        return FL_NOMEM;
    int rc = Z_OK;
    *last = *end = 0;
    while (rc == Z_OK && *end == 0) {
        z.next_out = sink;
        z.avail_out = SINK - (uInt)(z.total_out % SINK);
        rc = inflate(&z, Z_BLOCK);
        if (rc == Z_OK && z.total_out > 0 && z.total_out % SINK == 0 && marks[z.total_out / SINK - 1] == 0)
            marks[z.total_out / SINK - 1] = (uint32_t)z.total_in;
        if (rc != Z_OK || !(z.data_type & AT_END))
            continue;
        size_t at = 8 * (size_t)z.total_in - (size_t)(z.data_type & UNUSED);
        if (z.data_type & IN_LAST)
            *end = at;
        else
            *last = at;
    }
    bool whole = z.total_out == plain;
    (void)inflateEnd(&z);
    return *end && *last && whole ? FL_OK : FL_FORMAT;
}

static void clear_from(uint8_t *bytes, size_t bit, size_t n)
{
    bytes[bit / 8] &= (uint8_t)((1u << bit % 8) - 1);
    memset(bytes + bit / 8 + 1, 0, n - bit / 8 - 1);
}

static enum fl_err open_end(uint8_t *z, size_t *n, size_t cap, size_t plain, uint32_t *marks)
{
    static const uint8_t stored_and_last[] = {0, 0, 0xff, 0xff, 3, 0};
    size_t last, end;
    uint8_t adler[TAIL];
    memcpy(adler, z + *n - TAIL, TAIL);
    enum fl_err err = find_last(z, *n, plain, &last, &end, marks);
    if (err)
        return err;
    z[last / 8] &= (uint8_t)~(1u << last % 8);
    clear_from(z, end, cap);
    size_t at = (end + 3 + 7) / 8; /* three zero bits: not the last, stored; then to the next byte */
    memcpy(z + at, stored_and_last, sizeof stored_and_last);
    memcpy(z + at + sizeof stored_and_last, adler, TAIL);
    *n = at + sizeof stored_and_last + TAIL;
    return FL_OK;
}

enum fl_err squeeze(struct squeezer *s, const uint8_t *bytes, size_t n, struct squeezed *out)
{
    size_t cap = n + MORE, z_n = 0;
    uint8_t *z = malloc(cap);
    uint32_t *marks = calloc(n / SINK + 1, sizeof *marks);
    enum fl_err err = z && marks ? FL_OK : FL_NOMEM;
    *out = (struct squeezed){0};
    if (!err)
        z_n = libdeflate_zlib_compress(s->z, bytes, n, z, n);
    if (z_n)
        err = open_end(z, &z_n, cap, n, marks);
    uint8_t *fit = !err && z_n && z_n < n ? realloc(z, z_n) : NULL;
    if (!fit) {
        free(z);
        free(marks);
        return err;
    }
    *out = (struct squeezed){fit, z_n, marks};
    return FL_OK;
}
