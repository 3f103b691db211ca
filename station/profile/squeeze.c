/* SPDX-License-Identifier: Apache-2.0
 *
 * libdeflate at its best level, which marks its last block as the last one. That mark is moved to an empty block:
 *
 *   before   78 DA | block ... | 1 last block |                         pad | Adler-32
 *   after    78 DA | block ... | 0 last block | 0 00 pad 00 00 FF FF | 03 00 | Adler-32
 *                                               an empty stored block: ends on a byte
 *
 * Where blocks begin is not written anywhere: zlib's inflate tells, which stops at each of them (Z_BLOCK). It proves
 * at the same time that the stream gives the bytes it was made of. Costs 5 to 8 bytes. */
#include "profile/squeeze.h"

#include <libdeflate.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LEVEL = 12, SINK = 16384, MORE = 16, TAIL = 4, AT_END = 128, IN_LAST = 64, UNUSED = 7 };

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
static enum fl_err find_last(const uint8_t *in, size_t n, size_t plain, size_t *last, size_t *end)
{
    uint8_t sink[SINK];
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)n};
    if (inflateInit(&z) != Z_OK)
        return FL_NOMEM;
    int rc = Z_OK;
    *last = *end = 0;
    while (rc == Z_OK && *end == 0) {
        z.next_out = sink;
        z.avail_out = sizeof sink;
        rc = inflate(&z, Z_BLOCK);
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

static enum fl_err open_end(uint8_t *z, size_t *n, size_t cap, size_t plain)
{
    static const uint8_t stored_and_last[] = {0, 0, 0xff, 0xff, 3, 0};
    size_t last, end;
    uint8_t adler[TAIL];
    memcpy(adler, z + *n - TAIL, TAIL);
    enum fl_err err = find_last(z, *n, plain, &last, &end);
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

enum fl_err squeeze(struct squeezer *s, const uint8_t *bytes, size_t n, uint8_t **out, size_t *out_n)
{
    size_t cap = n + MORE;
    uint8_t *z = malloc(cap), *fit = NULL;
    enum fl_err err = FL_OK;
    *out = NULL;
    if (!z)
        return FL_NOMEM;
    *out_n = libdeflate_zlib_compress(s->z, bytes, n, z, n);
    if (*out_n)
        err = open_end(z, out_n, cap, n);
    if (!err && *out_n && *out_n < n)
        fit = realloc(z, *out_n);
    if (fit)
        *out = fit;
    else
        free(z);
    return err;
}
