/* SPDX-License-Identifier: Apache-2.0
 * Faults: on the wire byte by byte, on commands, habits; the bridge that loses bytes; wrong speeds; and what
 * things take with pace real. */
#include "b.h"

#include "sim/scenario.h"

#include <unistd.h>

#define READ_MAGIC "C0 00 0A 04 00 00 00 00 00 00 10 00 40 C0"
#define MAGIC_ESP32 "C0 01 0A 04 00 83 1D F0 00 00 00 00 00 C0"

/* ---- the wire, without a board ------------------------------------------------------------------------------ */

/* A fault as a scenario writes it. */
static struct sim_fault fault_of(const char *text)
{
    char path[] = "/tmp/t_fault.XXXXXX";
    struct sim_spec s;
    uint64_t seed = 1;
    struct fl_why why = {0};
    FILE *f = fdopen(mkstemp(path), "w");
    assert_non_null(f);
    fprintf(f, "defaults: {faults: [%s]}\n", text);
    assert_int_equal(fclose(f), 0);
    enum fl_err err = sim_scenario_load(path, sim_chip_find("esp32"), false, &seed, &s, 1, &why);
    (void)unlink(path);
    if (err)
        print_error("%s\n", why.text);
    assert_int_equal(err, FL_OK);
    return s.faults[0];
}

struct out {
    uint8_t bytes[4096];
    size_t n;
};

static void emit(void *ctx, const uint8_t *bytes, size_t n)
{
    struct out *o = ctx;
    assert_true(o->n + n <= sizeof o->bytes);
    memcpy(o->bytes + o->n, bytes, n);
    o->n += n;
}

static void wire_rows(void **state)
{
    static const struct {
        const char *fault, *in, *out;
    } row[] = {
        {"{kind: drop, at: 2}", "01 02 03 04", "01 02 04"},
        {"{kind: dup, at: 0}", "01 02 03 04", "01 01 02 03 04"},
        {"{kind: flip, at: 1, byte: 0x80}", "01 02 03 04", "01 82 03 04"},
        {"{kind: insert, at: 3, byte: 0xC0}", "01 02 03 04", "01 02 03 C0 04"},
        {"{kind: drop, count: 2}", "01 02 03 04", "03 04"},
        {"{kind: drop, count: 0}", "01 02 03 04", ""},
        {"{kind: drop, dir: to_host}", "01 02 03 04", "01 02 03 04"},
        /* in frames: opcode 07, the second of them, byte 3 (0 is the C0) */
        {"{kind: flip, op: 7, nth: 2, at: 3, byte: 1}",
         "C0 00 07 AA C0 C0 00 08 AA C0 C0 00 07 AA C0 C0 00 07 AA C0",
         "C0 00 07 AA C0 C0 00 08 AA C0 C0 00 07 AB C0 C0 00 07 AA C0"},
        {"{kind: drop, op: 8, at: open}", "C0 00 07 AA C0 C0 00 08 AA C0",
         "C0 00 07 AA C0 00 08 AA C0"},
        {"{kind: drop, op: 7, at: close}", "C0 00 07 AA C0 C0 00 08 AA C0",
         "C0 00 07 AA C0 00 08 AA C0"},
        {"{kind: dup, nth: 2, at: open}", "C0 00 07 AA C0 C0 00 08 AA C0",
         "C0 00 07 AA C0 C0 C0 00 08 AA C0"},
        {"xonxoff", "10 11 12 13 14", "10 12 14"},
        {"add_cr", "0A 0D 0A 0B", "0D 0A 0D 0D 0A 0B"},
        {"cr_to_lf", "0A 0D 0C", "0A 0A 0C"},
        {"lf_to_cr", "0A 0D 0C", "0D 0D 0C"},
        {"seven_bits", "C0 00 40 FF", "40 00 40 7F"},
        {"telnet", "FE FF 00", "FE FF FF 00"},
        {"{kind: telnet, dir: to_host}", "FE FF 00", "FE FF 00"},
        {"{kind: drop, op: 8, count: 0}", "C0 00 07 AA C0 55 C0 00 08 AA C0 55", "C0 00 07 AA C0 55 55"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++)
        for (int piecewise = 0; piecewise < 2; piecewise++) {
            struct sim_fault f = fault_of(row[i].fault);
            struct sim_rng rng = {1};
            struct sim_track track = {.op = SIM_OP_ANY};
            struct out o = {.n = 0};
            uint8_t in[100], want[100];
            size_t n = b_hex(row[i].in, in), w = b_hex(row[i].out, want);
            if (piecewise && f.at == SIM_AT_OPEN)
                continue; /* needs the two bytes behind it */
            if (piecewise && f.op == 8 && f.at == SIM_AT_ANY)
                continue; /* the same: the opening C0 is let through before the opcode is known */
            for (size_t k = 0; piecewise && k < n; k++)
                sim_fault_wire(&f, 1, &rng, &track, SIM_TO_CHIP, in + k, 1, emit, &o);
            if (!piecewise)
                sim_fault_wire(&f, 1, &rng, &track, SIM_TO_CHIP, in, n, emit, &o);
            if (o.n != w || memcmp(o.bytes, want, w) != 0)
                print_error("row %zu\n", i);
            assert_int_equal(o.n, w);
            assert_memory_equal(o.bytes, want, w);
        }
}

static void rates_and_seeds(void **state)
{
    static uint8_t in[100000];
    struct out *o[3];
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct sim_fault f = fault_of("{kind: flip, rate: 0.01, count: 0}");
        struct sim_rng rng = {i < 2 ? 5 : 6};
        struct sim_track track = {.op = SIM_OP_ANY};
        size_t changed = 0;
        assert_non_null(o[i] = calloc(25, sizeof **o));
        for (size_t at = 0; at < sizeof in; at += 4000) {
            struct out *piece = &o[i][at / 4000];
            sim_fault_wire(&f, 1, &rng, &track, SIM_TO_CHIP, in + at, 4000, emit, piece);
            assert_int_equal(piece->n, 4000);
            for (size_t k = 0; k < 4000; k++)
                changed += piece->bytes[k] != 0;
        }
        assert_true(changed > 800 && changed < 1200); /* 1000, standard deviation 31 */
        assert_int_equal(changed, f.fired);
    }
    assert_memory_equal(o[0], o[1], 25 * sizeof **o);
    assert_memory_not_equal(o[0], o[2], 25 * sizeof **o);
    for (int i = 0; i < 3; i++)
        free(o[i]);
}

/* ---- commands ------------------------------------------------------------------------------------------------ */

static struct sim_fault wanted;
static void with_fault(struct sim_spec *s)
{
    s->faults[s->n_faults++] = wanted;
}

static struct b *faulty(const char *fault)
{
    wanted = fault_of(fault);
    struct b *b = b_new("esp32", with_fault);
    b_raw(b, B_SYNC);
    return b;
}

static void command_faults(void **state)
{
    (void)state;
    struct b *b = faulty("{kind: lose_reply, op: 0x0A, nth: 2}");
    b_raw(b, READ_MAGIC);
    b_expect(b, MAGIC_ESP32);
    b_raw(b, READ_MAGIC);
    b_expect(b, "");
    b_raw(b, READ_MAGIC);
    b_expect(b, MAGIC_ESP32);
    b_free(b);

    b = faulty("{kind: delay, op: 0x0A, ms: 700}");
    b_raw(b, READ_MAGIC);
    b_expect(b, "");
    b_wait(b, 699 * MS);
    b_expect(b, "");
    b_wait(b, 1 * MS);
    b_expect(b, MAGIC_ESP32);
    b_free(b);

    b = faulty("{kind: nak, op: 0x0A, code: 0x0164}");
    b_raw(b, READ_MAGIC);
    b_expect(b, "C0 01 0A 04 00 07 07 12 20 01 64 00 00 C0");
    b_free(b);

    b = faulty("{kind: lie, op: 0x03}");
    uint8_t block[1024] = {0}, is[1024], ff[1024];
    memset(ff, 0xFF, sizeof ff);
    b_words(b, 0x02, 2048, 2, 1024, 0x10000);
    b_data(b, 0x03, 0, block, 1024, 0);
    assert_int_equal(b_status(b, 2), 0x0000);
    b_data(b, 0x03, 1, block, 1024, 0);
    assert_int_equal(b_status(b, 2), 0x0000);
    sim_board_flash(b->board, 0x10000, is, sizeof is);
    assert_memory_equal(is, ff, sizeof is);
    sim_board_flash(b->board, 0x10400, is, sizeof is);
    assert_memory_equal(is, block, sizeof is);
    b_free(b);

    b = faulty("{kind: work, op: 0x03}");
    b_words(b, 0x02, 1024, 1, 1024, 0x10000);
    b_data(b, 0x03, 0, block, 1024, 0);
    assert_int_equal(b_status(b, 2), 0x0108);
    b_free(b);
}

static void the_end_of_a_board(void **state)
{
    static const struct {
        const char *fault;
        enum sim_mode mode;   /* at once */
        const char *says;     /* within 2 s */
        bool reset_helps;
    } row[] = {
        {"{kind: die, op: 0x0A, nth: 1}", SIM_STOPPED, "", true},
        {"{kind: dead, op: 0x0A, nth: 1}", SIM_DEAD, "", false},
        {"{kind: reset, op: 0x0A, nth: 1}", SIM_APP, "invalid header", true},
        {"{kind: brownout, op: 0x0A, nth: 1}", SIM_APP, "Brownout detector was triggered", true},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct b *b = faulty(row[i].fault);
        b_raw(b, READ_MAGIC);
        assert_int_equal(sim_board_mode(b->board), row[i].mode);
        b_wait(b, 2000 * MS);
        b->got[b->n] = 0;
        assert_non_null(strstr((const char *)b->got, row[i].says));
        sim_board_lines(b->board, b->now, 0, 1);
        b_wait(b, 100 * MS);
        sim_board_lines(b->board, b->now, 1, 0);
        b_wait(b, 50 * MS);
        b_raw(b, B_SYNC);
        assert_int_equal(b->n > 0, row[i].reset_helps);
        b_free(b);
    }
}

static void port_gone_and_back(void **state)
{
    (void)state;
    struct b *b = faulty("{kind: unplug, op: 0x0A, nth: 1, ms: 1500}");
    b_raw(b, READ_MAGIC);
    b_expect(b, "");
    assert_false(sim_board_port_up(b->board));
    b_raw(b, B_SYNC);
    b_expect(b, "");
    b_wait(b, 1499 * MS);
    assert_false(sim_board_port_up(b->board));
    b_wait(b, 2 * MS);
    assert_true(sim_board_port_up(b->board));
    b_raw(b, B_SYNC); /* this one powers up into download */
    assert_true(b->n >= 8 * 14);
    b_free(b);
    b = faulty("{kind: gone, op: 0x0A, nth: 1}");
    b_raw(b, READ_MAGIC);
    b_wait(b, 3600 * 1000 * MS);
    assert_false(sim_board_port_up(b->board));
    b_free(b);
}

/* ---- speeds --------------------------------------------------------------------------------------------------- */

static void wrong_speed_is_noise(void **state)
{
    static const uint32_t host[] = {9600, 57600, 230400, 921600};
    (void)state;
    for (size_t i = 0; i < T_COUNT(host); i++) {
        struct b *b = b_new("esp32", NULL);
        b_raw(b, B_SYNC);
        sim_board_baud(b->board, b->now, host[i]);
        b_raw(b, READ_MAGIC);
        b->got[b->n] = 0;
        assert_true(b->n < 10 || memcmp(b->got, "\xC0\x01\x0A\x04\x00\x83", 6) != 0);
        sim_board_baud(b->board, b->now, 116900); /* 1.5 % off is near enough */
        for (int k = 0; k < 3; k++)
            b_raw(b, READ_MAGIC);
        assert_int_equal(b_status(b, 2) >> 8, 0);
        b_free(b);
    }
}

static void a_speed_that_does_not_hold(void **state)
{
    (void)state;
    int bad[2] = {0, 0};
    for (int fast = 0; fast < 2; fast++) {
        struct b *b = faulty("{kind: baud_limit, count: 0, above: 460800, rate: 0.02}");
        uint32_t baud = fast ? 921600 : 460800;
        b_words(b, 0x0F, baud, 0);
        sim_board_baud(b->board, b->now, baud);
        for (int k = 0; k < 100; k++) {
            b_raw(b, READ_MAGIC);
            bad[fast] += b->n != 14 || memcmp(b->got, "\xC0\x01\x0A\x04\x00\x83\x1D\xF0", 8) != 0;
        }
        b_free(b);
    }
    assert_int_equal(bad[0], 0);
    assert_true(bad[1] > 10); /* 28 bytes each, 2 % of them: four in ten */
}

/* ---- the bridge that loses bytes ------------------------------------------------------------------------------ */

static void ch9102(struct sim_spec *s)
{
    sim_bridge_set(&s->bridge, SIM_CH9102);
}

/* RAM blocks of every size as esptool and esptool-js send them, one write each, 200 times. */
static void bursts(void **state)
{
    static const struct {
        size_t block, piece; /* piece: bytes a write, with a pause of 1 ms after each */
        bool through;
    } row[] = {
        {0x1800, 0x4000, false}, {0x1000, 0x4000, false}, {0x800, 0x4000, true}, {0x400, 0x4000, true},
        {0x1800, 1024, true},    {0x1800, 512, true},     {0x1800, 64, true},
    };
    static uint8_t payload[0x1800], wire[2 * 0x1800 + 64];
    struct sim_rng rng = {77};
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct b *b = b_new("esp32", ch9102);
        unsigned taken = 0;
        b_raw(b, B_SYNC);
        for (int round = 0; round < 200; round++) {
            for (size_t k = 0; k < row[i].block; k++)
                payload[k] = (uint8_t)sim_rng_next(&rng);
            b_wait(b, 2 * MS);
            b_raw(b, READ_MAGIC); /* where the closing C0 was lost, this one's first ends the frame */
            b_words(b, 0x05, (uint32_t)row[i].block, 1, (uint32_t)row[i].block, 0x3FFB0000);
            assert_int_equal(b_status(b, 2) >> 8, 0);
            b_wait(b, 2 * MS);
            size_t n = b_data_wire(0x07, 0, payload, row[i].block, 0, wire);
            b->n = 0;
            for (size_t at = 0; at < n; at += row[i].piece) {
                b_send(b, wire + at, n - at < row[i].piece ? n - at : row[i].piece);
                b_wait(b, 1 * MS);
            }
            /* refused; or silence, where the loss tore an escape sequence */
            taken += b_status(b, 2) >> 8 == 0;
        }
        /* one in 256 passes for good: the ROM puts an old byte behind the shorter block (rom.h) */
        if (row[i].through)
            assert_int_equal(taken, 200);
        else
            assert_in_range(taken, 0, 5);
        b_free(b);
    }
}

/* Blocks of 0x800 that are each answered are no burst, however quick the host is. */
static void answered_blocks(void **state)
{
    static uint8_t payload[0x800], wire[2 * 0x800 + 64];
    struct b *b = b_new("esp32", ch9102);
    (void)state;
    b_raw(b, B_SYNC);
    memset(payload, 0x42, sizeof payload);
    b_words(b, 0x05, 0x800 * 40, 40, 0x800, 0x3FFB0000);
    assert_int_equal(b_status(b, 2), 0);
    for (uint32_t i = 0; i < 40; i++) {
        size_t n = b_data_wire(0x07, i, payload, sizeof payload, 0, wire);
        b->n = 0;
        b_send(b, wire, n);
        assert_int_equal(b_status(b, 2), 0);
    }
    b_free(b);
}

/* However the network cuts one long write, the loss is there: pieces without a pause are one burst. */
static void a_burst_in_pieces(void **state)
{
    static uint8_t payload[0x1800], wire[2 * 0x1800 + 64];
    (void)state;
    memset(payload, 0x42, sizeof payload);
    for (size_t piece = 100; piece < 3000; piece += 333) {
        struct b *b = b_new("esp32", ch9102);
        b_raw(b, B_SYNC);
        b_words(b, 0x05, 0x1800, 1, 0x1800, 0x3FFB0000);
        b_wait(b, 5 * MS);
        size_t n = b_data_wire(0x07, 0, payload, sizeof payload, 0, wire);
        b->n = 0;
        for (size_t at = 0; at < n; at += piece) {
            b_send(b, wire + at, n - at < piece ? n - at : piece);
            b_wait(b, MS / 10);
        }
        assert_int_equal(b_status(b, 2), 0x0107);
        b_free(b);
    }
}

/* ---- what things take ------------------------------------------------------------------------------------------ */

static void real(struct sim_spec *s)
{
    s->pace_real = true;
}

static uint64_t until_answer(struct b *b, size_t bytes)
{
    uint64_t from = b->now;
    b->n = 0;
    while (b->n < bytes) {
        assert_true(sim_board_due(b->board) < from + 100000 * MS);
        b->now = sim_board_due(b->board);
        b_collect(b);
    }
    return b->now - from;
}

static void near(uint64_t ns, double ms)
{
    double is = (double)ns / 1e6;
    if (is < ms * 0.99 - 0.01 || is > ms * 1.01 + 0.01)
        print_error("%.3f ms, expected %.3f\n", is, ms);
    assert_true(is >= ms * 0.99 - 0.01 && is <= ms * 1.01 + 0.01);
}

static void times_of_the_wire_and_the_flash(void **state)
{
    static uint8_t payload[1024], wire[4096];
    (void)state;
    struct b *b = b_new("esp32", real);
    b_wait(b, 100 * MS);
    b_raw(b, B_SYNC);
    /* 46 bytes there (36 of data, none escaped), 0.2 ms in the ROM, eight answers of 14 bytes, USB both ways */
    near(until_answer(b, 112), 46 * 10 / 115.2 + 0.2 + 112 * 10 / 115.2 + 1.0);
    b_wait(b, 100 * MS);
    b_raw(b, READ_MAGIC);
    near(until_answer(b, 14), 14 * 10 / 115.2 + 0.2 + 14 * 10 / 115.2 + 1.0);
    /* erase 20 sectors: 16 of them as one block of 150 ms, 4 of 45 ms */
    b_words(b, 0x02, 20 * 4096, 80, 1024, 0x10000);
    near(until_answer(b, 14), 26 * 10 / 115.2 + 0.2 + 14 * 10 / 115.2 + 1.0 + 150 + 4 * 45);
    /* 1024 bytes: 4 pages of 0.4 ms before the answer */
    memset(payload, 0x31, sizeof payload);
    size_t n = b_data_wire(0x03, 0, payload, sizeof payload, 0, wire);
    b_send(b, wire, n);
    near(until_answer(b, 14), (double)n * 10 / 115.2 + 0.2 + 14 * 10 / 115.2 + 1.0 + 1.6);
    /* MD5 of 1 MB: 0.6 ms a KB, 32 characters more in the answer */
    b_words(b, 0x13, 0, 1 << 20, 0, 0);
    near(until_answer(b, 46), 26 * 10 / 115.2 + 0.2 + 46 * 10 / 115.2 + 1.0 + 614.4);
    b_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_rows),          cmocka_unit_test(rates_and_seeds),
        cmocka_unit_test(command_faults),     cmocka_unit_test(the_end_of_a_board),
        cmocka_unit_test(port_gone_and_back), cmocka_unit_test(wrong_speed_is_noise),
        cmocka_unit_test(a_speed_that_does_not_hold), cmocka_unit_test(bursts),
        cmocka_unit_test(answered_blocks),
        cmocka_unit_test(a_burst_in_pieces),  cmocka_unit_test(times_of_the_wire_and_the_flash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
