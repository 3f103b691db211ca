/* SPDX-License-Identifier: Apache-2.0
 * The frame reader against literal streams. Expected events are written as text: F frame, T text,
 * X broken, each with its bytes in hex. */
#include "unit/t.h"

#include "esp/slip.h"

static void read_all(struct slip_reader *r, const char *hex, size_t chunk, struct fl_buf *out)
{
    uint8_t bytes[256];
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned v;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &v), 1);
        bytes[i] = (uint8_t)v;
    }
    for (size_t at = 0; at < n; at += chunk) {
        struct fl_cursor c = fl_cursor_of(bytes + at, n - at < chunk ? n - at : chunk);
        const uint8_t *p;
        size_t len;
        for (enum slip_event ev; (ev = slip_next(r, &c, &p, &len)) != SLIP_MORE;) {
            static const char letter[] = {'?', 'T', 'F', 'X'};
            /* text may come in pieces: join them as the stream had them */
            if (ev != SLIP_TEXT || out->len == 0 || strchr((char *)out->bytes, ' ') == NULL ||
                strrchr((char *)out->bytes, ' ')[1] != 'T')
                fl_buf_addf(out, " %c", letter[ev]);
            for (size_t i = 0; i < len; i++)
                fl_buf_addf(out, "%02x", p[i]);
        }
        assert_int_equal(c.left, 0);
    }
}

static const struct {
    const char *what, *stream, *events;
} cases[] = {
    {"a frame", "c00102c0", " F0102"},
    {"escapes", "c0dbdcdbdd01c0", " Fc0db01"},
    {"text, then a frame", "4142c00102c0", " T4142 F0102"},
    {"text after a frame", "c00102c04142", " F0102 T4142"},
    {"two frames", "c00102c0c00304c0", " F0102 F0304"},
    {"an opening C0 twice", "c0c00102c0", " F0102"},
    {"closing C0 lost between two replies", "c00102c0010403c0", " F0102 F010403"},
    {"bad escape drops to text", "c00102db4142c00505c0", " X0102 T42 F0505"},
    {"DB 00 inside a frame", "c0010203db00c00809c0", " X010203 F0809"},
    {"DB 00 outside", "db00c00809c0", " Tdb00 F0809"},
    {"only text", "68656c6c6f", " T68656c6c6f"},
    {"the greeting", "c04f484149c0", " F4f484149"},
};

static void streams(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        for (size_t chunk = 1; chunk <= 16; chunk += 3) {
            struct slip_reader r;
            slip_reset(&r);
            struct fl_buf out = FL_BUF(4096);
            read_all(&r, cases[i].stream, chunk, &out);
            if (strcmp(fl_buf_text(&out), cases[i].events) != 0)
                fail_msg("%s (chunk %zu): %s, expected %s", cases[i].what, chunk, fl_buf_text(&out),
                         cases[i].events);
            fl_buf_fini(&out);
        }
    }
}

/* One C0 too many turns text into a frame; reopening there finds the frame that follows. */
static void reopen(void **state)
{
    (void)state;
    static const uint8_t stream[] = {0xc0, 'j', 'u', 'n', 'k', 0xc0, 0x01, 0x0a, 0xc0};
    struct slip_reader r;
    slip_reset(&r);
    struct fl_cursor c = fl_cursor_of(stream, sizeof stream);
    const uint8_t *p;
    size_t n;
    assert_int_equal(slip_next(&r, &c, &p, &n), SLIP_FRAME);
    assert_int_equal(n, 4);
    assert_memory_equal(p, "junk", 4);
    slip_reopen(&r);
    assert_int_equal(slip_next(&r, &c, &p, &n), SLIP_FRAME);
    assert_int_equal(n, 2);
    assert_memory_equal(p, "\x01\x0a", 2);
}

/* An endless frame is given up at its maximum, and the next one is read. */
static void too_long(void **state)
{
    (void)state;
    uint8_t *stream = malloc(SLIP_FRAME_MAX + 100);
    assert_non_null(stream);
    memset(stream, 'x', SLIP_FRAME_MAX + 100);
    stream[0] = 0xc0;
    memcpy(stream + SLIP_FRAME_MAX + 90, "\xc0\x01\x02\xc0", 4);
    struct slip_reader r;
    slip_reset(&r);
    struct fl_cursor c = fl_cursor_of(stream, SLIP_FRAME_MAX + 94);
    const uint8_t *p;
    size_t n;
    assert_int_equal(slip_next(&r, &c, &p, &n), SLIP_BROKEN);
    assert_int_equal(n, SLIP_FRAME_MAX);
    assert_int_equal(slip_next(&r, &c, &p, &n), SLIP_TEXT);
    assert_int_equal(n, 88); /* 90 - 1 for the opening C0, - 1 that ended the frame */
    assert_int_equal(slip_next(&r, &c, &p, &n), SLIP_FRAME);
    assert_int_equal(n, 2);
    free(stream);
}

static void writing(void **state)
{
    (void)state;
    struct fl_buf out = FL_BUF(64);
    slip_open(&out);
    slip_add(&out, "\x01\xc0", 2);
    slip_add(&out, NULL, 0);
    slip_add(&out, "\xdb\xdc", 2);
    slip_close(&out);
    static const uint8_t expected[] = {0xc0, 0x01, 0xdb, 0xdc, 0xdb, 0xdd, 0xdc, 0xc0};
    assert_int_equal(out.len, sizeof expected);
    assert_memory_equal(out.bytes, expected, sizeof expected);
    fl_buf_fini(&out);
}

/* Eight bytes are looked at together: each value at each place among each neighbour that could hide it. */
static void escaping(void **state)
{
    (void)state;
    static const uint8_t around[] = {0x00, 0x01, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xda, 0xdb, 0xdc, 0xff};
    for (size_t n = 1; n <= 18; n++)
        for (size_t at = 0; at < n; at++)
            for (unsigned v = 0; v < 256; v++)
                for (size_t a = 0; a < sizeof around; a++) {
                    uint8_t in[18], want[36];
                    struct fl_buf out = FL_BUF(100);
                    size_t len = 0;
                    memset(in, around[a], n);
                    in[at] = (uint8_t)v;
                    for (size_t i = 0; i < n; i++) {
                        if (in[i] == 0xc0)
                            want[len++] = 0xdb, want[len++] = 0xdc;
                        else if (in[i] == 0xdb)
                            want[len++] = 0xdb, want[len++] = 0xdd;
                        else
                            want[len++] = in[i];
                    }
                    slip_add(&out, in, n);
                    if (out.len != len || memcmp(out.bytes, want, len) != 0)
                        fail_msg("%02x at %zu of %zu among %02x", v, at, n, around[a]);
                    fl_buf_fini(&out);
                }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams),
        cmocka_unit_test(reopen),
        cmocka_unit_test(too_long),
        cmocka_unit_test(writing),
        cmocka_unit_test(escaping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
