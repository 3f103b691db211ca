/* SPDX-License-Identifier: Apache-2.0
 * The RFC 2217 server side as literal bytes, also cut at every place. Numbers: RFC 854 and RFC 2217. */
#include "b.h"

#include "sim/telnet.h"

struct seen {
    char events[400];
    uint8_t data[600];
    size_t n;
};

static void note(struct seen *s, const char *fmt, ...) FL_PRINTF(2, 3);
static void note(struct seen *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    size_t n = strlen(s->events);
    vsnprintf(s->events + n, sizeof s->events - n, fmt, ap);
    va_end(ap);
}

static void on_data(void *ctx, const uint8_t *bytes, size_t n)
{
    struct seen *s = ctx;
    assert_true(s->n + n <= sizeof s->data);
    memcpy(s->data + s->n, bytes, n);
    s->n += n;
}

static void on_baud(void *ctx, uint32_t baud)
{
    note(ctx, "baud %u;", (unsigned)baud);
}

static void on_lines(void *ctx, int dtr, int rts)
{
    note(ctx, "lines %d %d;", dtr, rts);
}

static void on_purge(void *ctx, bool to_chip, bool to_host)
{
    note(ctx, "purge %d %d;", to_chip, to_host);
}

static const struct {
    const char *in, *answer, *events, *data;
} row[] = {
    /* options: COM-PORT, BINARY, SGA agreed to, once; others refused */
    {"FF FB 2C", "FF FD 2C", "", ""},
    {"FF FD 2C", "FF FB 2C", "", ""},
    {"FF FB 2C FF FB 2C", "FF FD 2C", "", ""},
    {"FF FD 00 FF FB 00 FF FD 03 FF FB 03", "FF FB 00 FF FD 00 FF FB 03 FF FD 03", "", ""},
    {"FF FD 01 FF FB 18", "FF FC 01 FF FE 18", "", ""},
    {"FF FC 2C FF FE 01", "", "", ""},
    {"FF FB 2C FF FC 2C", "FF FD 2C FF FE 2C", "", ""},
    /* data, with FF doubled */
    {"C0 00 FF FF 01 C0", "", "", "C0 00 FF 01 C0"},
    {"41 FF F1 42", "", "", "41 42"}, /* NOP */
    /* speed: 921600, question, nonsense */
    {"FF FA 2C 01 00 0E 10 00 FF F0", "FF FA 2C 65 00 0E 10 00 FF F0", "baud 921600;", ""},
    {"FF FA 2C 01 00 00 00 00 FF F0", "FF FA 2C 65 00 01 C2 00 FF F0", "", ""},
    {"FF FA 2C 01 00 01 FF F0", "", "", ""},
    /* a value with FF in it, doubled both ways */
    {"FF FA 2C 01 00 00 FF FF 10 FF F0", "FF FA 2C 65 00 00 FF FF 10 FF F0", "baud 65296;", ""},
    /* 8 N 1 */
    {"FF FA 2C 02 08 FF F0 FF FA 2C 03 01 FF F0 FF FA 2C 04 01 FF F0",
     "FF FA 2C 66 08 FF F0 FF FA 2C 67 01 FF F0 FF FA 2C 68 01 FF F0", "", ""},
    {"FF FA 2C 02 00 FF F0", "FF FA 2C 66 08 FF F0", "", ""},
    /* control: DTR on, RTS off, questions, flow control none, BREAK */
    {"FF FA 2C 05 08 FF F0", "FF FA 2C 69 08 FF F0", "lines 1 -1;", ""},
    {"FF FA 2C 05 0C FF F0", "FF FA 2C 69 0C FF F0", "lines -1 0;", ""},
    {"FF FA 2C 05 0B FF F0 FF FA 2C 05 0A FF F0 FF FA 2C 05 07 FF F0",
     "FF FA 2C 69 0B FF F0 FF FA 2C 69 0B FF F0 FF FA 2C 69 09 FF F0", "lines -1 1;", ""},
    {"FF FA 2C 05 01 FF F0 FF FA 2C 05 00 FF F0", "FF FA 2C 69 01 FF F0 FF FA 2C 69 01 FF F0", "", ""},
    {"FF FA 2C 05 05 FF F0 FF FA 2C 05 04 FF F0", "FF FA 2C 69 05 FF F0 FF FA 2C 69 05 FF F0", "", ""},
    /* masks and the state that follows, purge of both, what is received, what is to be sent */
    {"FF FA 2C 0A 10 FF F0", "FF FA 2C 6E 10 FF F0", "", ""},
    {"FF FA 2C 0B FF FF FF F0", "FF FA 2C 6F FF FF FF F0 FF FA 2C 6B 30 FF F0", "", ""},
    {"FF FA 2C 0C 03 FF F0", "FF FA 2C 70 03 FF F0", "purge 1 1;", ""},
    {"FF FA 2C 0C 01 FF F0", "FF FA 2C 70 01 FF F0", "purge 0 1;", ""},
    {"FF FA 2C 0C 02 FF F0", "FF FA 2C 70 02 FF F0", "purge 1 0;", ""},
    /* another option's block, an unknown command, an empty one, an over-long one, data after it */
    {"FF FA 18 01 FF F0 FF FA 2C 63 00 FF F0 FF FA 2C FF F0 FF FA FF F0 41", "", "", "41"},
    {"FF FA 2C 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
     "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 FF F0 42",
     "", "", "42"},
};

static void check(size_t i, size_t cut)
{
    const struct sim_telnet_peer peer = {0};
    struct seen s = {.n = 0};
    struct sim_telnet t;
    struct fl_buf out = FL_BUF(1000);
    uint8_t in[400], want[400];
    size_t n = b_hex(row[i].in, in), w;
    sim_telnet_init(&t, &peer, 115200);
    t.peer = (struct sim_telnet_peer){&s, on_data, on_baud, on_lines, on_purge};
    if (cut > n)
        cut = n;
    sim_telnet_feed(&t, in, cut, &out);
    sim_telnet_feed(&t, in + cut, n - cut, &out);
    w = b_hex(row[i].answer, want);
    if (out.len != w || (w && memcmp(out.bytes, want, w) != 0) || strcmp(s.events, row[i].events) != 0)
        print_error("row %zu cut at %zu: events %s\n", i, cut, s.events);
    assert_int_equal(out.len, w);
    if (w)
        assert_memory_equal(out.bytes, want, w);
    assert_string_equal(s.events, row[i].events);
    w = b_hex(row[i].data, want);
    assert_int_equal(s.n, w);
    assert_memory_equal(s.data, want, w);
    fl_buf_fini(&out);
}

static void rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++)
        for (size_t cut = 0; cut <= strlen(row[i].in) / 2; cut++)
            check(i, cut);
}

static void data_out(void **state)
{
    (void)state;
    struct fl_buf out = FL_BUF(100);
    sim_telnet_send((const uint8_t *)"\x01\xFF\xFF\x02", 4, &out);
    assert_int_equal(out.len, 6);
    assert_memory_equal(out.bytes, "\x01\xFF\xFF\xFF\xFF\x02", 6);
    fl_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows), cmocka_unit_test(data_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
