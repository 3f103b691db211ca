/* SPDX-License-Identifier: Apache-2.0
 * What an attempt costs, counted and not timed: requests by kind, calls to the port for each, waits that only a clock
 * ends, blocks, and the time of the whole on the board's own clock (which stands still while the engine computes). */
#include "unit/esp/board_link.h"

#include "esp/packet.h"
#include "esp/stream.h"
#include "profile/squeeze.h"

enum { REGIONS = 3, REGION_SIZE = 0x20000, OPS = 256, MD5_US_PER_KB = 250 };

struct cost {
    unsigned requests, of[OPS], writes, odd_writes; /* odd: a write that is not one whole request */
    unsigned reads, polls, idle_waits;              /* that brought bytes; asked without waiting; waits that ran out */
    uint64_t idle_us;
    unsigned lines, bauds, purges, forms;
    uint64_t data_bytes, begin_at, end_at;
};
static _Thread_local struct cost cost;

static enum fl_err counted_read(struct link *l, uint8_t *buf, size_t cap, size_t *got, struct fl_deadline d)
{
    uint64_t start = own_now;
    enum fl_err err = bl_read(l, buf, cap, got, d);
    if (!err)
        cost.reads++;
    else if (d.at_ns <= start)
        cost.polls++;
    else {
        cost.idle_waits++;
        cost.idle_us += (own_now - start) / 1000;
    }
    return err;
}

static enum fl_err counted_write(struct link *l, const uint8_t *bytes, size_t n, struct fl_deadline d)
{
    bool whole = n >= 10 && bytes[0] == 0xc0 && bytes[1] == 0 && bytes[n - 1] == 0xc0;
    cost.writes++;
    cost.requests += whole;
    cost.odd_writes += !whole;
    if (whole) {
        cost.of[bytes[2]]++;
        if (bytes[2] == OP_DEFL_BEGIN)
            cost.begin_at = own_now;
        if (bytes[2] == OP_DEFL_DATA)
            cost.data_bytes += n;
        if (bytes[2] == OP_DEFL_END)
            cost.end_at = own_now;
    }
    return bl_write(l, bytes, n, d);
}

static enum fl_err counted_lines(struct link *l, enum link_wire dtr, enum link_wire rts, struct fl_deadline d)
{
    cost.lines++;
    return bl_lines(l, dtr, rts, d);
}

static enum fl_err counted_baud(struct link *l, uint32_t baud, struct fl_deadline d)
{
    cost.bauds++;
    return bl_baud(l, baud, d);
}

static enum fl_err counted_purge(struct link *l)
{
    cost.purges++;
    return bl_purge(l);
}

static enum fl_err counted_forms(void *ctx)
{
    (void)ctx;
    cost.forms++;
    assert_int_equal(cost.of[OP_DEFL_BEGIN], 0);
    return FL_OK;
}

static const struct link_ops counting = {.close = bl_close, .read = counted_read, .write = counted_write, .drain = bl_drain,
                                         .purge = counted_purge, .set_baud = counted_baud, .set_lines = counted_lines};

/* ---- images: three regions side by side, as a profile makes them -------------------------------------- */

struct set {
    struct esp_region r[REGIONS];
    size_t sent; /* of all three as one stream */
};

static void set_make(struct set *s)
{
    struct squeezer *z = squeezer_new();
    struct sim_rng rng = {8};
    assert_non_null(z);
    s->sent = 0;
    for (uint32_t i = 0; i < REGIONS; i++) {
        struct squeezed made;
        uint8_t *plain = malloc(REGION_SIZE);
        assert_non_null(plain);
        for (uint32_t k = 0; k < REGION_SIZE; k++)
            plain[k] = (uint8_t)(sim_rng_next(&rng) & 0x1f);
        assert_int_equal(squeeze(z, plain, REGION_SIZE, &made), FL_OK);
        s->r[i] = (struct esp_region){.offset = 0x10000 + i * REGION_SIZE, .size = REGION_SIZE, .plain = plain,
                                      .deflated = made.bytes, .deflated_size = made.n, .marks = made.marks,
                                      .joins = true};
        assert_int_equal(fl_md5(plain, REGION_SIZE, s->r[i].md5), FL_OK);
        s->sent += made.n;
    }
    s->sent -= (REGIONS - 1) * 8; /* each joint saves a head of 2 bytes and a tail of 6 */
    squeezer_free(z);
}

static void set_fini(struct set *s)
{
    for (size_t i = 0; i < REGIONS; i++) {
        free((void *)(uintptr_t)s->r[i].plain);
        free((void *)(uintptr_t)s->r[i].deflated);
        free((void *)(uintptr_t)s->r[i].marks);
    }
}

/* ---- one attempt ------------------------------------------------------------------------------------- */

static double attempt(struct sim_board *board, uint32_t baud, const struct set *s, enum esp_region_state want)
{
    struct esp_config config = {.chip = "esp32", .baud = baud, .reset = "auto"};
    struct esp_region_result results[REGIONS];
    struct esp_problem p = {0};
    struct esp_flash_info flash;
    struct esp_unit unit;
    struct esp *e = NULL;
    struct link *l = bl_open(board);
    assert_non_null(l);
    l->ops = &counting;
    cost = (struct cost){0};
    uint64_t start = own_now;
    static const struct esp_observer observer = {.forms = counted_forms};
    assert_int_equal(esp_open(l, &config, NULL, &observer, &e), FL_OK);
    enum fl_err err = esp_connect(e, &p);
    if (!err)
        err = esp_identify(e, &unit, &p);
    if (!err)
        err = esp_prepare(e, &p);
    if (!err)
        err = esp_attach_flash(e, 0, &flash, &p);
    if (!err)
        err = esp_write(e, s->r, REGIONS, true, results, &p);
    if (!err)
        err = esp_run(e, &p);
    if (err)
        fail_msg("%s: %s", esp_fault_name(p.fault), p.text);
    for (size_t i = 0; i < REGIONS; i++)
        assert_int_equal(results[i].state, want);
    double seconds = (double)(own_now - start) / 1e9;
    esp_close(e);
    link_close(l);
    return seconds;
}

/* Bytes that a frame must escape, in what one stream of all regions sends. */
static size_t escapes(const struct set *s)
{
    struct stream all;
    uint8_t one;
    size_t n = 0;
    stream_init(&all, s->r, REGIONS, false);
    assert_int_equal(all.size, s->sent);
    for (size_t at = 0; at < all.size; at++) {
        uint8_t c = *stream_bytes(&all, at, 1, &one);
        n += c == 0xc0 || c == 0xdb;
    }
    return n;
}

static const struct {
    uint8_t op;
    unsigned blank, again;
    /* how it comes to that */
} requests[] = {
    {OP_SYNC, 2, 2},           /* the loader answers; the new speed is proved */
    {OP_READ_REG, 30, 30},     /* ROM: the magic word, 2 for the speed's number, 2 to prove it, 8 registers twice (MAC 2,
                                  revision 3, crystal 1, fuses 2 more); stub: 1 probe, SPI: 2 saved, 3 polls, 3 results */
    {OP_CHANGE_BAUD, 1, 1},    /* once, in the ROM: the stub keeps it */
    {OP_MEM_BEGIN, 2, 2},      /* text and data of the stub */
    {OP_MEM_DATA, 3, 3},       /* 6456 bytes of text in blocks of 0x1800: 2; 212 of data: 1 */
    {OP_MEM_END, 1, 1},
    {OP_SPI_ATTACH, 1, 1},
    {OP_SPI_SET_PARAMS, 1, 1},
    {OP_WRITE_REG, 6, 6},      /* five flash commands (id, id, SFDP, 66, 99), one to put the controller back */
    {OP_DEFL_BEGIN, 1, 0},     /* three regions side by side: one BEGIN, one END */
    {OP_DEFL_DATA, 16, 0},     /* about 15.1 times 0x4000 */
    {OP_DEFL_END, 1, 0},
    {OP_FLASH_MD5, 5, 4},      /* blank: a look at the first and at the last region, a proof of each; again: a look that agrees,
                                  then a proof of each: behind a region that is there nobody looks before asking for the whole */
};

static void check(bool again)
{
    unsigned sum = 0;
    for (size_t i = 0; i < T_COUNT(requests); i++) {
        unsigned want = again ? requests[i].again : requests[i].blank;
        if (cost.of[requests[i].op] != want)
            fail_msg("%s: %u requests, not %u", packet_op_name(requests[i].op), cost.of[requests[i].op], want);
        sum += want;
    }
    assert_int_equal(cost.requests, sum);
    /* one write a request, and nothing else is written */
    assert_int_equal(cost.writes, cost.requests);
    assert_int_equal(cost.odd_writes, 0);
    /* before each request one look at what has come late; the two purges end with one */
    assert_int_equal(cost.polls, cost.requests + cost.purges);
    assert_int_equal(cost.purges, 2);
    /* an answer comes in one read, or in two where a USB frame ends inside it; SYNC has eight, a boot log has many */
    assert_in_range(cost.reads, cost.requests, cost.requests + 40);
    /* waits that nothing but the clock ends: reset pulses 10 + 10 ms, ROM speed 2 ms; what else is told to the loader
     * takes as long as the flash chip needs after its reset */
    assert_int_equal(cost.idle_waits, 3);
    assert_in_range(cost.idle_us, 22000, 22100);
    /* D0 R1 D1 R0, D0 when the loader has answered; D0 R1 R0 into the application */
    assert_int_equal(cost.lines, 8);
    assert_int_equal(cost.bauds, 3);
    /* a board that holds the image does not wait until it is compressed */
    assert_int_equal(cost.forms, again ? 0 : 1);
}

/* 0x60000 bytes to a blank ESP32 at 921600 baud, and once more. */
static void blank_and_again(void **state)
{
    (void)state;
    struct sim_stubs *stubs = NULL;
    struct fl_why why = {0};
    struct sim_spec spec;
    struct set s;
    set_make(&s);
    assert_int_equal(sim_stubs_load(&stubs, &why), FL_OK);
    sim_spec_init(&spec, sim_chip_find("esp32"), 1, 1);
    spec.pace_real = true;
    struct sim_board *b = bl_board(&spec, stubs);
    assert_non_null(b);

    double first = attempt(b, 921600, &s, ESP_REGION_VERIFIED);
    check(false);
    /* 26 bytes around each block, and one more for each byte to escape: a few of those lie in the blocks' heads */
    size_t bytes = s.sent + 16 * 26 + escapes(&s);
    assert_in_range(cost.data_bytes, bytes, bytes + 16 * 2);
    double wire = (double)cost.data_bytes * 10 / 921600, data = (double)(cost.end_at - cost.begin_at) / 1e9;
    double md5 = (double)((REGIONS * REGION_SIZE / 1024 + REGIONS) * MD5_US_PER_KB) / 1e6, outside = first - data - md5;
    print_message("# blank: %.1f ms, data %.1f ms, wire %.1f ms, outside %.1f ms\n", first * 1e3, data * 1e3, wire * 1e3,
                  outside * 1e3);
    assert_true(wire / data >= 0.99);
    assert_true(outside <= 0.32); /* seen: 0.296; the target is 0.4 */

    double second = attempt(b, 921600, &s, ESP_REGION_SKIPPED);
    check(true);
    print_message("# again: %.1f ms\n", second * 1e3);
    assert_true(second - md5 <= 0.26); /* seen: 0.246 */
    sim_board_free(b);
    sim_stubs_free(stubs);
    set_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(blank_and_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
