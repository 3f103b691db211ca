/* SPDX-License-Identifier: Apache-2.0
 * Whatever a client sends, the board stays a board: random and half-right bytes, lines and speeds into ROM and
 * stub, with and without a running clock; after a reset it answers again. A failing seed is printed. */
#include "b.h"

#include "sim/telnet.h"

enum { ROUNDS = 60, STEPS = 60 };

static void real(struct sim_spec *s)
{
    s->pace_real = true;
    s->timing.sector_us = s->timing.block_us = 1000; /* so that a random erase does not outlast the test */
}

static void fast(struct sim_spec *s)
{
    sim_bridge_set(&s->bridge, SIM_CH9102);
    s->faults[s->n_faults++] = sim_fault_of(SIM_FAULT_FLIP);
    s->faults[0].rate = 0.001;
    s->faults[0].count = 0;
}

/* Bytes that get further than noise: a frame with a known opcode, lengths and words that nearly fit. */
static size_t half_right(struct sim_rng *r, uint8_t *out)
{
    static const uint8_t ops[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 0xD0, 0xD1, 0xD2, 0xD3, 0xD5};
    uint8_t data[300];
    uint32_t words = sim_rng_below(r, 12);
    size_t n = 4 * words + (sim_rng_below(r, 4) == 0 ? sim_rng_below(r, 200) : 0);
    for (size_t i = 0; i < n; i++)
        data[i] = (uint8_t)(i % 4 < 2 ? sim_rng_next(r) : sim_rng_below(r, 3) ? 0 : sim_rng_next(r));
    uint8_t op = ops[sim_rng_below(r, sizeof ops)];
    uint32_t sum = n > 16 && sim_rng_below(r, 2) ? b_sum(data + 16, n - 16) : (uint32_t)sim_rng_next(r);
    if (n >= 16 && sim_rng_below(r, 2))
        fl_put_u32le(data, (uint32_t)n - 16);
    size_t len = b_request(op, data, n, sum, out);
    if (sim_rng_below(r, 5) == 0)
        out[sim_rng_below(r, (uint32_t)len)] ^= (uint8_t)(1u << sim_rng_below(r, 8));
    return sim_rng_below(r, 10) == 0 ? sim_rng_below(r, (uint32_t)len) : len;
}

static void one_step(struct b *b, struct sim_rng *r)
{
    static uint8_t bytes[20000];
    size_t n = 0;
    switch (sim_rng_below(r, 12)) {
    case 0:
        sim_board_baud(b->board, b->now, 9600 + sim_rng_below(r, 2000000));
        break;
    case 1:
        sim_board_baud(b->board, b->now, 115200);
        break;
    case 2:
        sim_board_lines(b->board, b->now, (int)sim_rng_below(r, 3) - 1, (int)sim_rng_below(r, 3) - 1);
        break;
    case 3:
        sim_board_purge(b->board, b->now, sim_rng_below(r, 2), sim_rng_below(r, 2));
        break;
    case 4:
        n = sim_rng_below(r, sim_rng_below(r, 4) ? 100 : sizeof bytes);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)sim_rng_next(r);
        break;
    default: n = half_right(r, bytes); break;
    }
    b->n = 0;
    if (n > 0)
        b_send(b, bytes, n);
    if (sim_rng_below(r, 2))
        b_wait(b, sim_rng_below(r, 20) * MS);
}

static void survives(uint64_t seed, void (*change)(struct sim_spec *), const char *chip, bool stub)
{
    struct sim_rng r = {seed};
    struct b *b = b_new(chip, change == fast && stub ? NULL : change);
    if (stub && change != real) {
        char file[40];
        snprintf(file, sizeof file, "%s.json", chip);
        b_start_stub(b, file);
    } else {
        b_raw(b, B_SYNC);
    }
    for (int i = 0; i < STEPS; i++)
        one_step(b, &r);
    sim_board_baud(b->board, b->now, 115200);
    sim_board_lines(b->board, b->now, 0, 1);
    b_wait(b, 100 * MS);
    sim_board_lines(b->board, b->now, 1, 0);
    b_wait(b, 100 * MS);
    sim_board_purge(b->board, b->now, true, true);
    for (int tries = 0; tries < 20; tries++) { /* the faulty wire may hit a SYNC */
        b_raw(b, B_SYNC);
        b_wait(b, 100 * MS);
        if (b->n >= 8 * (10 + b->spec.chip->status_len))
            break;
    }
    if (b->n < 8 * (10 + b->spec.chip->status_len))
        print_error("seed %llu on %s\n", (unsigned long long)seed, chip);
    assert_true(b->n >= 8 * (10 + b->spec.chip->status_len));
    b_free(b);
}

static void boards(void **state)
{
    static const char *const chips[] = {"esp32", "esp32c3", "esp8266", "esp32s3"};
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        survives(seed, fast, chips[seed % 4], false);
        survives(seed, fast, chips[seed % 4], true);
        survives(seed, real, chips[seed % 4], false);
    }
}

static void no_data(void *ctx, const uint8_t *bytes, size_t n)
{
    (void)bytes;
    *(size_t *)ctx += n;
}

static void no_baud(void *ctx, uint32_t baud)
{
    (void)ctx;
    assert_true(baud != 0);
}

static void no_lines(void *ctx, int dtr, int rts)
{
    (void)ctx;
    assert_true(dtr >= -1 && dtr <= 1 && rts >= -1 && rts <= 1);
}

static void no_purge(void *ctx, bool to_chip, bool to_host)
{
    (void)ctx, (void)to_chip, (void)to_host;
}

/* Random telnet, rich in IAC, SB and SE: never more data out than bytes in, bounded answers. */
static void telnet(void **state)
{
    static const uint8_t rich[] = {255, 255, 250, 240, 251, 253, 44, 0, 1, 5, 12};
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct sim_rng r = {seed};
        struct sim_telnet t;
        size_t data = 0, in = 0;
        const struct sim_telnet_peer peer = {&data, no_data, no_baud, no_lines, no_purge};
        struct fl_buf out = FL_BUF(1 << 20);
        sim_telnet_init(&t, &peer, 115200);
        for (int i = 0; i < 50; i++) {
            uint8_t bytes[64];
            uint32_t n = sim_rng_below(&r, sizeof bytes);
            for (uint32_t k = 0; k < n; k++)
                bytes[k] = sim_rng_below(&r, 4) ? rich[sim_rng_below(&r, sizeof rich)] : (uint8_t)sim_rng_next(&r);
            sim_telnet_feed(&t, bytes, n, &out);
            in += n;
        }
        assert_true(data <= in);
        assert_true(out.len <= 8 * in);
        fl_buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(boards), cmocka_unit_test(telnet)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
