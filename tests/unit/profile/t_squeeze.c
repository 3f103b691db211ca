/* SPDX-License-Identifier: Apache-2.0
 * Streams that stand alone and streams that are joined: zlib says whether they are streams and what they hold. */
#include "unit/t.h"

#include "esp/stream.h"
#include "profile/squeeze.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MOST = 4, SECTOR = 4096 };

/* kind 0: code-like, 1: FF, 2: noise, which no compressor shrinks; 3: one byte changes now and then */
static uint8_t *made_up(size_t n, unsigned kind, unsigned seed)
{
    uint8_t *p = malloc(n);
    uint32_t x = 0x2545f491u + seed;
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        p[i] = kind == 0   ? (uint8_t)(x >> 24 & 0x1f)
               : kind == 1 ? 0xff
               : kind == 2 ? (uint8_t)(x >> 24)
                           : (uint8_t)(x >> 28 ? 0x55 : x >> 20);
    }
    return p;
}

static struct esp_region region(uint32_t offset, uint32_t n, unsigned kind)
{
    struct squeezer *s = squeezer_new();
    struct squeezed z;
    struct esp_region r = {.offset = offset, .size = n, .plain = made_up(n, kind, offset), .joins = true};
    assert_non_null(s);
    assert_int_equal(squeeze(s, r.plain, n, &z), FL_OK);
    r.deflated = z.bytes;
    r.deflated_size = z.n;
    r.marks = z.marks;
    squeezer_free(s);
    return r;
}

static void drop(struct esp_region *r)
{
    free((void *)(uintptr_t)r->plain);
    free((void *)(uintptr_t)r->deflated);
    free((void *)(uintptr_t)r->marks);
}

/* What zlib makes of it must be `n` bytes `plain`, and nothing may be left over. */
static void inflates_to(const uint8_t *in, size_t in_n, const uint8_t *plain, size_t n)
{
    uint8_t *out = malloc(n + 1);
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)in_n};
    assert_non_null(out);
    z.next_out = out;
    z.avail_out = (uInt)n + 1;
    assert_int_equal(inflateInit(&z), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, n);
    assert_int_equal(z.avail_in, 0);
    assert_memory_equal(out, plain, n);
    (void)inflateEnd(&z);
    free(out);
}

static void alone(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1024, 4096, 5000, 65536, 100004, 262144};
    for (size_t i = 0; i < T_COUNT(sizes); i++)
        for (unsigned kind = 0; kind < 4; kind++) {
            struct esp_region r = region(0x10000, sizes[i], kind);
            if (kind == 2) {
                assert_null(r.deflated);
            } else {
                assert_non_null(r.deflated);
                assert_int_equal(r.deflated[0], 0x78);
                /* the form that stream.h draws: an empty stored block, an empty last block, the Adler-32 */
                static const uint8_t end[] = {0, 0, 0xff, 0xff, 3, 0};
                assert_memory_equal(r.deflated + r.deflated_size - 10, end, sizeof end);
                inflates_to(r.deflated, r.deflated_size, r.plain, r.size);
            }
            drop(&r);
        }
}

static void gather(const struct stream *s, size_t block, uint8_t *out)
{
    uint8_t scratch[0x4000];
    for (size_t at = 0; at < s->size; at += block) {
        size_t n = s->size - at < block ? s->size - at : block;
        memcpy(out + at, stream_bytes(s, at, n, scratch), n);
    }
}

static void joined(void **state)
{
    (void)state;
    static const uint32_t sizes[MOST] = {8192, 262144, 65536, 10004};
    static const unsigned kinds[MOST] = {0, 3, 1, 0};
    static const size_t blocks[] = {1, 7, 256, 0x800, 0x4000};
    struct esp_region r[MOST];
    uint8_t *plain = malloc(400000), *wire = malloc(400000);
    uint32_t at = 0x1000;
    size_t n = 0;
    assert_true(plain && wire);
    for (size_t i = 0; i < MOST; i++) {
        r[i] = region(at, sizes[i], kinds[i]);
        memcpy(plain + n, r[i].plain, sizes[i]);
        at += sizes[i];
        n += sizes[i];
    }
    for (size_t i = 0; i + 1 < MOST; i++)
        assert_true(stream_joins(&r[i], &r[i + 1]));
    struct stream s;
    stream_init(&s, r, MOST, false);
    assert_int_equal(s.plain, n);
    /* one head and one tail instead of four: 78 DA and 03 00 with the Adler-32 */
    assert_int_equal(s.size, r[0].deflated_size + r[1].deflated_size + r[2].deflated_size + r[3].deflated_size - 3 * 8);
    for (size_t b = 0; b < T_COUNT(blocks); b++) {
        gather(&s, blocks[b], wire);
        inflates_to(wire, s.size, plain, n);
    }
    assert_int_equal(stream_plain(&s, 0, s.size), n);
    assert_int_equal(stream_plain(&s, 0, 0), 0);
    /* marks: so many sent bytes bring so many plain ones out, and one byte less does not */
    for (uint32_t k = 4096; k <= n - n % 4096; k += 4096) {
        size_t sent = stream_sent(&s, k);
        assert_true(sent > 0 && sent <= s.size);
        assert_true(stream_plain(&s, 0, sent) >= k);
        assert_true(k > 4096 * 64 || stream_plain(&s, 0, sent - 1) <= k);
    }
    assert_int_equal(stream_sent(&s, (uint32_t)n + 4096), 0);
    uint64_t half = stream_plain(&s, 0, s.size / 2);
    assert_true(half > 0 && half < n);
    assert_int_equal(half + stream_plain(&s, s.size / 2, s.size), n);
    for (size_t i = 0; i < MOST; i++)
        drop(&r[i]);
    free(plain);
    free(wire);
}

static void not_joined(void **state)
{
    (void)state;
    struct esp_region a = region(0x1000, 8192, 0), b = region(0x3000, 8192, 0), gap = region(0x6000, 8192, 0),
                      noise = region(0x3000, 8192, 2);
    assert_true(stream_joins(&a, &b));
    assert_false(stream_joins(&a, &gap));
    assert_false(stream_joins(&a, &noise));
    b.joins = false;
    assert_false(stream_joins(&a, &b));
    struct stream s;
    stream_init(&s, &noise, 1, false);
    assert_false(s.deflated);
    assert_int_equal(s.size, 8192);
    stream_init(&s, &a, 1, true); /* as a ROM gets it */
    assert_false(s.deflated);
    assert_ptr_equal(stream_bytes(&s, 4096, 100, NULL), a.plain + 4096);
    drop(&a);
    drop(&b);
    drop(&gap);
    drop(&noise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone),
        cmocka_unit_test(joined),
        cmocka_unit_test(not_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
