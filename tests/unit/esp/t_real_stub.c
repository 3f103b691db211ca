/* SPDX-License-Identifier: Apache-2.0
 * The engine against Espressif's own stub: its machine code, run by tests/outside/rv32, at the far end of a memory
 * link. What the engine makes of damaged frames is judged here by a receiver that nobody here wrote. */
#include "unit/t.h"

#include "esp/session.h"
#include "link/mem.h"
#include "outside/rv32/loader.h"

enum { BATCH = 32, PER_BYTE = 60, SLICE = 5000, SETTLE = 12, ROUNDS = 40000 };

struct far_end {
    struct board *board;
    struct loader loader;
    bool stub;
    enum link_wire rts;
    struct fl_buf *reply;
    uint64_t host_bytes, reply_bytes;
    bool damage, to_host;
    uint64_t at;
    uint8_t xor; /* 0: the byte is lost */
    unsigned lose_one_in; /* after `lose_after` bytes of one write; 0: none */
    size_t lose_after;
    unsigned resets;
};

static void send_byte(void *ctx, uint8_t byte)
{
    struct far_end *f = ctx;
    bool hit = f->damage && f->to_host && f->reply_bytes == f->at;
    f->reply_bytes++;
    if (hit && f->xor == 0)
        return;
    if (f->reply)
        fl_buf_addc(f->reply, (char)(hit ? byte ^ f->xor : byte));
}

/* Until the stub waits: it has called nothing and touched no register for as long as its longest loop takes, the
 * checksum over what it was sent. */
static void settle(struct far_end *f, size_t sent)
{
    size_t quiet = 0, enough = SETTLE + sent * 16 / SLICE;
    for (int i = 0; i < ROUNDS && quiet < enough && !f->board->broken[0]; i++) {
        uint64_t before = f->board->activity;
        board_run(f->board, SLICE);
        quiet = f->board->activity == before ? quiet + 1 : 0;
    }
}

static void feed(struct far_end *f, const uint8_t *p, size_t n)
{
    while (n > 0 && !f->board->broken[0]) {
        if (!f->stub) {
            loader_receive(&f->loader, *p++);
            n--;
            if (f->loader.entry != 0) {
                board_start(f->board, f->loader.entry);
                f->stub = true;
                settle(f, 0);
            }
            continue;
        }
        unsigned batch = n < BATCH ? (unsigned)n : BATCH;
        board_receive(f->board, p, batch);
        board_run(f->board, (uint64_t)batch * PER_BYTE);
        p += batch;
        n -= batch;
    }
}

static void on_write(void *ctx, const uint8_t *p, size_t n, struct fl_buf *reply)
{
    struct far_end *f = ctx;
    uint8_t *got = malloc(n);
    assert_non_null(got);
    size_t have = 0;
    f->reply = reply;
    for (size_t i = 0; i < n; i++, f->host_bytes++) {
        bool hit = f->damage && !f->to_host && f->host_bytes == f->at;
        if ((hit && f->xor == 0) || (f->lose_one_in && i > f->lose_after && i % f->lose_one_in == 0))
            continue;
        got[have++] = hit ? p[i] ^ f->xor : p[i];
    }
    feed(f, got, have);
    free(got);
    if (f->stub)
        settle(f, n);
    /* a damaged address may be one that is not there: such a board hangs, as a chip would */
    if (f->board->broken[0] && !f->damage)
        fail_msg("the board broke: %s", f->board->broken);
}

static void on_lines(void *ctx, enum link_wire dtr, enum link_wire rts, struct fl_buf *reply)
{
    struct far_end *f = ctx;
    (void)dtr;
    (void)reply;
    if (f->rts == LINK_ASSERT && rts == LINK_RELEASE) {
        board_reset(f->board);
        loader_reset(&f->loader, f->board);
        f->stub = false;
        f->resets++;
    }
    if (rts != LINK_KEEP)
        f->rts = rts;
}

static void on_baud(void *ctx, uint32_t baud)
{
    (void)ctx;
    (void)baud; /* the wire has no speed here: what the stub makes of its divider is not the question */
}

static struct far_end *far_new(void)
{
    struct far_end *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->board = board_new(send_byte, f);
    assert_non_null(f->board);
    board_reset(f->board);
    loader_reset(&f->loader, f->board);
    return f;
}

static void far_free(struct far_end *f)
{
    board_free(f->board);
    free(f);
}

struct tally {
    unsigned rungs[ESP_RUNG_COUNT];
};

static void on_rung(void *ctx, const struct esp_rung *r)
{
    ((struct tally *)ctx)->rungs[r->kind]++;
    if (getenv("FL_TALK"))
        print_message("#   %s: %s\n", esp_rung_name(r->kind), r->text);
}

static struct esp_region region(uint32_t offset, uint32_t size, unsigned mask, bool deflate_it)
{
    uint8_t *plain = malloc(size);
    assert_non_null(plain);
    uint32_t x = offset + size;
    for (uint32_t i = 0; i < size; i++) {
        x = x * 1664525u + 1013904223u;
        plain[i] = (uint8_t)(x >> 24 & mask);
    }
    struct esp_region r = {.offset = offset, .size = size, .plain = plain};
    assert_int_equal(fl_md5(plain, size, r.md5), FL_OK);
    if (deflate_it) {
        uLongf n = compressBound(size);
        uint8_t *z = malloc(n);
        assert_non_null(z);
        assert_int_equal(compress2(z, &n, plain, size, 9), Z_OK);
        r.deflated = z;
        r.deflated_size = n;
    }
    return r;
}

enum { REGIONS = 2 };

/* Everything, once. Gives the engine's error; on FL_OK the flash was looked at. */
static enum fl_err whole(struct far_end *f, struct tally *t, const char *what)
{
    struct link_mem_peer peer = {f, on_write, on_lines, on_baud};
    struct esp_config config = {.chip = "esp32c3", .baud = 921600, .step_down = {460800},
                                .reset = "D0|R1|W0.001|D1|R0|W0.001|D0"};
    struct esp_observer o = {.ctx = t, .rung = on_rung};
    struct esp_region r[REGIONS] = {region(0x10000, 34000, 0x1f, true), region(0x20000, 6000, 0xff, false)};
    struct esp_region_result res[REGIONS];
    struct esp_problem p = {0};
    struct esp_unit unit;
    struct esp_flash_info info;
    struct link *l;
    struct esp *e;
    assert_int_equal(link_mem_open(&peer, NULL, &l), FL_OK);
    assert_int_equal(esp_open(l, &config, NULL, &o, &e), FL_OK);
    e->times.command = 40;
    e->times.probe = e->times.sync = e->times.sync_rest = e->times.mem_end = e->times.greeting = 15;
    e->times.quiet = e->times.grace = 3;
    e->times.settle = e->times.stub_gap = e->times.flash_wake = 1;
    e->times.md5_mb = e->times.work_mb = e->times.erase_mb = 10;
    enum fl_err err = esp_connect(e, &p);
    if (!err)
        err = esp_identify(e, &unit, &p);
    if (!err)
        err = esp_prepare(e, &p);
    if (!err)
        err = esp_attach_flash(e, 0, &info, &p);
    if (!err)
        err = esp_write(e, r, REGIONS, true, res, &p);
    for (size_t i = 0; i < REGIONS; i++) {
        if (!err && memcmp(f->board->flash + r[i].offset, r[i].plain, r[i].size) != 0)
            fail_msg("%s: ended well with wrong bytes in flash", what);
        free((void *)(uintptr_t)r[i].plain);
        free((void *)(uintptr_t)r[i].deflated);
    }
    if (err)
        print_message("# %s: %s: %s\n", what, esp_fault_name(p.fault), p.text);
    esp_close(e);
    link_close(l);
    return err;
}

static void clean(void **state)
{
    (void)state;
    struct far_end *f = far_new();
    struct tally t = {{0}};
    assert_int_equal(whole(f, &t, "clean"), FL_OK);
    for (int k = 0; k < ESP_RUNG_COUNT; k++)
        assert_int_equal(t.rungs[k], 0);
    assert_int_equal(f->resets, 1);
    far_free(f);
}

/* A bridge that loses bytes in long bursts, under the real receiver. */
static void burst_loss(void **state)
{
    (void)state;
    struct far_end *f = far_new();
    struct tally t = {{0}};
    f->lose_after = 2500;
    f->lose_one_in = 1500;
    assert_int_equal(whole(f, &t, "bursts"), FL_OK);
    assert_true(t.rungs[ESP_RUNG_RESEND] > 0);
    assert_true(t.rungs[ESP_RUNG_SMALL_BLOCKS] + t.rungs[ESP_RUNG_PACED] > 0);
    assert_int_equal(t.rungs[ESP_RUNG_ROM], 0);
    far_free(f);
}

static uint64_t next(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* One byte of a whole conversation is changed or lost: always survived. The delimiters are hit often. */
static void one_byte(void **state)
{
    (void)state;
    const char *s = getenv("FL_SEED"), *n = getenv("FL_RUNS");
    uint64_t seed = s ? strtoull(s, NULL, 0) : 4711;
    unsigned long runs = n ? strtoul(n, NULL, 0) : 25, failed = 0;
    print_message("# seed %llu, %lu runs\n", (unsigned long long)seed, runs);
    struct far_end *f = far_new();
    struct tally t = {{0}};
    assert_int_equal(whole(f, &t, "clean"), FL_OK);
    uint64_t out = f->host_bytes, in = f->reply_bytes;
    far_free(f);
    for (unsigned long i = 0; i < runs; i++) {
        static const uint8_t to_delimiter[] = {0xc0, 0xdb, 0x1b, 0xff};
        uint64_t x = seed + i * 0x9e3779b97f4a7c15u;
        for (int k = 0; k < 4; k++)
            (void)next(&x);
        f = far_new();
        f->damage = true;
        f->to_host = next(&x) % 4 == 0;
        f->at = next(&x) % (f->to_host ? in : out);
        f->xor = next(&x) % 3 == 0 ? 0 : next(&x) % 2 ? to_delimiter[next(&x) % 4] : (uint8_t)(next(&x) % 255 + 1);
        char what[100];
        (void)snprintf(what, sizeof what, "seed %llu run %lu: %s byte %llu, %02x", (unsigned long long)seed, i,
                       f->to_host ? "chip's" : "host's", (unsigned long long)f->at, f->xor);
        struct tally each = {{0}};
        failed += whole(f, &each, what) != FL_OK;
        far_free(f);
    }
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean),
        cmocka_unit_test(burst_loss),
        cmocka_unit_test(one_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
