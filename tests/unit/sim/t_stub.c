/* SPDX-License-Identifier: Apache-2.0
 * The flasher stub: every row of the observed answers, and the behaviours of the reference (4.4, 4.5),
 * as literal request bytes and literal answer bytes. */
#include "b.h"

#include <zlib.h>

#define READ_MAGIC "C0 00 0A 04 00 00 00 00 00 00 10 00 40 C0"
#define MAGIC_ESP32 "C0 01 0A 02 00 83 1D F0 00 00 00 C0"
#define CURE "DB 00"

static struct b *stub(void)
{
    struct b *b = b_new("esp32", NULL);
    b_start_stub(b, "esp32.json");
    return b;
}

static void fill(uint8_t *p, size_t n, uint64_t seed)
{
    struct sim_rng r = {seed};
    while (n-- > 0)
        *p++ = (uint8_t)sim_rng_next(&r);
}

/* zlib by compress2 */
static size_t packed(const uint8_t *plain, size_t n, uint8_t *out, size_t cap)
{
    uLongf len = cap;
    assert_int_equal(compress2(out, &len, plain, n, 9), Z_OK);
    return len;
}

static void assert_flash(struct b *b, uint32_t at, const uint8_t *want, size_t n, bool same)
{
    uint8_t *is = malloc(n);
    assert_non_null(is);
    sim_board_flash(b->board, at, is, n);
    assert_int_equal(memcmp(is, want, n) == 0, same);
    free(is);
}

/* The flash's MD5 as the stub gives it: 16 raw bytes. */
static void assert_md5(struct b *b, uint32_t at, const uint8_t *want, size_t n, bool same)
{
    uint8_t md5[16], f[64];
    size_t end;
    assert_int_equal(fl_md5(want, n, md5), FL_OK);
    b_words(b, 0x13, at, (uint32_t)n, 0, 0);
    assert_int_equal(b_frame(b->got, b->n, f, &end), 8 + 16 + 2);
    assert_int_equal(memcmp(f + 8, md5, 16) == 0, same);
}

static void plain_answers(void **state)
{
    (void)state;
    struct b *b = stub();
    b_raw(b, READ_MAGIC);
    b_expect(b, MAGIC_ESP32); /* two status bytes */
    b_raw(b, B_SYNC);
#define REPLY "C0 01 08 02 00 00 00 00 00 00 00 C0"
    b_expect(b, REPLY REPLY REPLY REPLY REPLY REPLY REPLY REPLY); /* value 0: a stub */
    b_free(b);
}

static void closing_lost(void **state)
{
    (void)state;
    struct b *b = stub();
    b_raw(b, "C0 00 0A 04 00 00 00 00 00 00 10 00 40");
    b_expect(b, "");
    b_raw(b, READ_MAGIC);
    b_expect(b, MAGIC_ESP32);
    b_raw(b, READ_MAGIC);
    b_expect(b, MAGIC_ESP32);
    b_free(b);
}

static void inverted_for_ever(void **state)
{
    static const char *const damage[] = {
        "00 0A 04 00 00 00 00 00 00 10 00 40 C0",       /* opening C0 lost */
        "C0 C0 00 0A 04 00 00 00 00 00 00 10 00 40 C0", /* opening C0 doubled */
        "C0",                                           /* a stray one */
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(damage); i++) {
        struct b *b = stub();
        b_raw(b, damage[i]);
        b_expect(b, "");
        for (int k = 0; k < 3; k++) {
            b_raw(b, READ_MAGIC);
            b_expect(b, "");
        }
        b_raw(b, CURE);
        b_wait(b, 5 * MS);
        b_raw(b, READ_MAGIC);
        b_expect(b, MAGIC_ESP32);
        b_free(b);
    }
}

static void cut_or_text(void **state)
{
    static const char *const damage[] = {
        "C0 00 0A 04 00 00 00 00",                       /* cut in the middle */
        "65 74 73 20 4A 75 6E 20 20 38 20 32 30 31 36", /* text while idle */
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(damage); i++) {
        struct b *b = stub();
        b_raw(b, damage[i]);
        b_expect(b, "");
        b_raw(b, READ_MAGIC);
        b_expect(b, i == 0 ? "C0 01 0A 02 00 00 00 00 00 DB DC 00 C0" : MAGIC_ESP32); /* answered */
        b_raw(b, READ_MAGIC);
        b_expect(b, MAGIC_ESP32);
        b_free(b);
    }
}

static void real_pace(struct sim_spec *s)
{
    s->pace_real = true;
}

/* A board whose clock runs, with the stub uploaded and just started. */
static struct b *real_stub(void)
{
    struct b *b = b_new("esp32", real_pace);
    static struct b_part text, data;
    uint32_t entry = b_stub("esp32.json", &text, &data);
    b_raw(b, B_SYNC);
    b_wait(b, 100 * MS);
    const struct b_part *parts[] = {&text, &data};
    for (size_t i = 0; i < 2; i++) {
        b_words(b, 0x05, (uint32_t)parts[i]->n, 1, 0x1800, parts[i]->at);
        b_wait(b, 100 * MS);
        for (size_t at = 0; at < parts[i]->n; at += 0x1800) {
            size_t n = parts[i]->n - at < 0x1800 ? parts[i]->n - at : 0x1800;
            b_data(b, 0x07, (uint32_t)(at / 0x1800), parts[i]->bytes + at, n, 0);
            b_wait(b, 1000 * MS);
            assert_int_equal(b_status(b, 2) >> 8, 0);
        }
    }
    b_words(b, 0x06, 0, entry);
    b_wait(b, 100 * MS);
    return b;
}

/* With a running clock the pause after DB 00 matters: without one the request behind it is lost. */
static void the_cure_needs_its_pause(void **state)
{
    (void)state;
    for (int pause = 0; pause < 2; pause++) {
        struct b *b = real_stub();
        b_raw(b, "C0");
        b_wait(b, 20 * MS);
        b_raw(b, CURE);
        b_wait(b, pause ? 5 * MS : 0);
        uint8_t wire[64];
        b_send(b, wire, b_hex(READ_MAGIC, wire));
        b_wait(b, 50 * MS);
        b_expect(b, pause ? MAGIC_ESP32 : "");
        b_free(b);
    }
}

enum { BLOCK = 0x4000, BLOCKS = 3 };
static uint8_t image[BLOCK * BLOCKS];

static void begin_raw(struct b *b, uint32_t at)
{
    fill(image, sizeof image, 5);
    b_words(b, 0x02, sizeof image, BLOCKS, BLOCK, at, 0);
    b_expect(b, "C0 01 02 02 00 00 00 00 00 00 00 C0");
}

static void refused_block_can_be_resent(void **state)
{
    (void)state;
    struct b *b = stub();
    begin_raw(b, 0x10000);
    b_data(b, 0x03, 0, image, BLOCK, 0);
    b_data(b, 0x03, 1, image + BLOCK, BLOCK, 0x11);
    b_expect(b, "C0 01 03 02 00 00 00 00 00 C1 00 C0");
    b_data(b, 0x03, 1, image + BLOCK, BLOCK, 0);
    b_expect(b, "C0 01 03 02 00 00 00 00 00 00 00 C0");
    b_data(b, 0x03, 2, image + 2 * BLOCK, BLOCK, 0);
    b_words(b, 0x04, 1);
    b_expect(b, "C0 01 04 02 00 00 00 00 00 00 00 C0");
    assert_md5(b, 0x10000, image, sizeof image, true);
    assert_flash(b, 0x10000, image, sizeof image, true);
    b_words(b, 0x04, 1); /* END left the mode */
    b_expect(b, "C0 01 04 02 00 00 00 00 00 C6 00 C0");
    b_free(b);
}

static void accepted_block_sent_twice(void **state)
{
    (void)state;
    struct b *b = stub();
    begin_raw(b, 0x10000);
    static const uint32_t order[] = {0, 1, 1, 2};
    for (size_t i = 0; i < T_COUNT(order); i++) {
        b_data(b, 0x03, order[i], image + BLOCK * order[i], BLOCK, 0);
        b_expect(b, "C0 01 03 02 00 00 00 00 00 00 00 C0");
    }
    b_words(b, 0x04, 1);
    b_expect(b, "C0 01 04 02 00 00 00 00 00 00 00 C0"); /* nothing noticed */
    assert_md5(b, 0x10000, image, sizeof image, false);
    b_free(b);
}

static void lengths_that_disagree(void **state)
{
    (void)state;
    struct b *b = stub();
    uint8_t wire[2 * BLOCK + 64];
    begin_raw(b, 0x10000);
    size_t n = b_data_wire(0x03, 0, image, BLOCK, 0, wire);
    memmove(wire + 5000, wire + 5001, n - 5001);
    b->n = 0;
    b_send(b, wire, n - 1);
    b_expect(b, "C0 01 03 02 00 00 00 00 00 DB DC 00 C0");
    b_raw(b, "C0 01 0A 04 00 00 00 00 00 00 10 00 40 C0"); /* direction */
    b_expect(b, "C0 01 0A 02 00 00 00 00 00 C3 00 C0");
    b_raw(b, "C0 00 0D 08 00 00 00 00 00 00 00 00 00 00 00 00 00 C0"); /* ATTACH is 4 bytes here */
    b_expect(b, "C0 01 0D 02 00 00 00 00 00 DB DC 00 C0");
    b_raw(b, "C0 00 0D 04 00 00 00 00 00 00 00 00 00 C0");
    b_expect(b, "C0 01 0D 02 00 00 00 00 00 00 00 C0");
    b_raw(b, "C0 00 77 00 00 00 00 00 00 C0");
    b_expect(b, "C0 01 77 02 00 00 00 00 00 C3 00 C0");
    b_raw(b, "C0 00 D5 00 00 00 00 00 00 C0"); /* a plugin that is not there */
    b_expect(b, "C0 01 D5 02 00 00 00 00 00 FF 00 C0");
    b_raw(b, "C0 00 14 00 00 00 00 00 00 C0"); /* the ESP32 has no security info */
    b_expect(b, "C0 01 14 02 00 00 00 00 00 FF 00 C0");
    b_raw(b, "C0 00 D3 00 00 00 00 00 00 C0");
    b_expect(b, ""); /* RUN_USER_CODE says nothing and does nothing */
    b_words(b, 0xD1, 0x1001, 0x1000);
    b_expect(b, "C0 01 D1 02 00 00 00 00 00 DB DC 00 C0");
    b_words(b, 0x02, 4096, 1, BLOCK, 0); /* 16 bytes are fine too */
    b_expect(b, "C0 01 02 02 00 00 00 00 00 00 00 C0");
    b_free(b);
}

enum { PLAIN = 200000 };
static uint8_t plain[PLAIN], zipped[PLAIN + 1000];

static size_t begin_packed(struct b *b, uint32_t at)
{
    fill(plain, PLAIN, 8);
    for (size_t i = 0; i < PLAIN; i++)
        plain[i] &= i % 3 ? 0x1F : 0x3; /* so that deflate uses its codes, not stored blocks */
    memset(plain + 50000, 0x20, 30000);
    size_t n = packed(plain, PLAIN, zipped, sizeof zipped);
    b_words(b, 0x10, PLAIN, (uint32_t)((n + BLOCK - 1) / BLOCK), BLOCK, at, 0);
    b_expect(b, "C0 01 10 02 00 00 00 00 00 00 00 C0");
    return n;
}

static void corrupt_deflate_block(void **state)
{
    (void)state;
    struct b *b = stub();
    for (int round = 0; round < 2; round++) {
        size_t n = begin_packed(b, 0x20000);
        if (round == 0)
            memset(zipped + BLOCK + 100, 0xEE, 2000);
        for (size_t at = 0, seq = 0; at < n; at += BLOCK, seq++) {
            b_data(b, 0x11, (uint32_t)seq, zipped + at, n - at < BLOCK ? n - at : BLOCK, 0);
            b_expect(b, "C0 01 11 02 00 00 00 00 00 00 00 C0");
            if (round == 0 && seq == 1)
                break;
        }
        if (round == 0) {
            b_raw(b, READ_MAGIC); /* whatever comes next gets the error and is not executed */
            b_expect(b, "C0 01 0A 02 00 00 00 00 00 C7 00 C0");
            b_raw(b, READ_MAGIC);
            b_expect(b, MAGIC_ESP32);
        }
    }
    b_words(b, 0x12, 1);
    b_expect(b, "C0 01 12 02 00 00 00 00 00 00 00 C0");
    assert_md5(b, 0x20000, plain, PLAIN, true);
    b_free(b);
}

static void stream_cut_short(void **state)
{
    (void)state;
    struct b *b = stub();
    size_t n = begin_packed(b, 0x20000) - 4000;
    for (size_t at = 0, seq = 0; at < n; at += BLOCK, seq++) {
        b_data(b, 0x11, (uint32_t)seq, zipped + at, n - at < BLOCK ? n - at : BLOCK, 0);
        b_expect(b, "C0 01 11 02 00 00 00 00 00 00 00 C0");
    }
    for (int i = 0; i < 2; i++) {
        b_words(b, 0x12, 1);
        b_expect(b, "C0 01 12 02 00 00 00 00 00 DB DC 00 C0");
    }
    b_free(b);
}

static void two_blocks_without_waiting(void **state)
{
    (void)state;
    struct b *b = stub();
    static uint8_t wire[4 * BLOCK + 256];
    begin_raw(b, 0x10000);
    size_t n = b_data_wire(0x03, 0, image, BLOCK, 0, wire);
    n += b_data_wire(0x03, 1, image + BLOCK, BLOCK, 0, wire + n);
    b->n = 0;
    b_send(b, wire, n);
    b_expect(b, "C0 01 03 02 00 00 00 00 00 00 00 C0"); /* one answer */
    b_raw(b, READ_MAGIC);
    b_expect(b, ""); /* inverted */
    b_raw(b, CURE);
    b_wait(b, 5 * MS);
    assert_md5(b, 0x10000, image, sizeof image, false);
    assert_flash(b, 0x10000, image, BLOCK, true);
    b_free(b);
}

static void failing_flash(struct sim_spec *s)
{
    s->faults[0] = sim_fault_of(SIM_FAULT_WORK);
    s->faults[0].op = 0x03;
    s->faults[0].nth = 2;
    s->n_faults = 1;
}

static void work_that_fails_is_told_later(void **state)
{
    (void)state;
    struct b *b = b_new("esp32", failing_flash);
    b_start_stub(b, "esp32.json");
    begin_raw(b, 0x10000);
    b_data(b, 0x03, 0, image, BLOCK, 0);
    b_data(b, 0x03, 1, image + BLOCK, BLOCK, 0);
    b_expect(b, "C0 01 03 02 00 00 00 00 00 00 00 C0");
    b_data(b, 0x03, 2, image + 2 * BLOCK, BLOCK, 0);
    b_expect(b, "C0 01 03 02 00 00 00 00 00 C4 00 C0"); /* not executed */
    b_data(b, 0x03, 2, image + 2 * BLOCK, BLOCK, 0);
    b_expect(b, "C0 01 03 02 00 00 00 00 00 00 00 C0");
    b_words(b, 0x04, 1);
    b_expect(b, "C0 01 04 02 00 00 00 00 00 DB DC 00 C0"); /* one block is missing */
    b_free(b);
}

/* When the answer to what was sent is there whole, in ns since it was sent. */
static uint64_t until_answered(struct b *b)
{
    uint64_t from = b->now;
    while (b_status(b, 0) < 0 && b->now < from + 10000 * MS)
        b_wait(b, MS / 100);
    return b->now - from;
}

/* The computing behind an answer may be done at once, or when its result is needed: nobody at the line can tell which.
 * A block of 16 KB takes 1.4 s to arrive at 115200, its 64 pages of 0.4 ms on blank flash 25.6 ms: only END, sent as
 * soon as the last answer is there, waits for that work, and the way of both answers is about as long. */
static void work_put_off_is_not_seen(void **state)
{
    (void)state;
    uint64_t took[2][BLOCKS + 1];
    for (int at_once = 0; at_once < 2; at_once++) {
        struct b *b = real_stub();
        fill(image, sizeof image, 5);
        b_words(b, 0x02, sizeof image, BLOCKS, BLOCK, 0x10000, 0);
        (void)until_answered(b);
        for (size_t i = 0; i < BLOCKS; i++) {
            b_data(b, 0x03, (uint32_t)i, image + i * BLOCK, BLOCK, 0);
            took[at_once][i] = until_answered(b);
            assert_int_equal(b_status(b, 0), 0);
            assert_true(sim_board_owes(b->board));
            if (at_once)
                sim_board_work(b->board);
            assert_int_equal(sim_board_owes(b->board), !at_once);
        }
        b_words(b, 0x04, 1);
        took[at_once][BLOCKS] = until_answered(b);
        assert_int_equal(b_status(b, 0), 0);
        assert_false(sim_board_owes(b->board));
        assert_flash(b, 0x10000, image, sizeof image, true);
        b_free(b);
    }
    assert_memory_equal(took[0], took[1], sizeof *took);
    assert_true(took[0][BLOCKS] > 24 * MS && took[0][BLOCKS] < 28 * MS);
}

/* A reset behind an answer does not undo what was answered for. */
static void reset_behind_an_answer(void **state)
{
    (void)state;
    struct b *b = real_stub();
    fill(image, sizeof image, 5);
    b_words(b, 0x02, sizeof image, BLOCKS, BLOCK, 0x10000, 0);
    (void)until_answered(b);
    b_data(b, 0x03, 0, image, BLOCK, 0);
    (void)until_answered(b);
    assert_true(sim_board_owes(b->board));
    sim_board_lines(b->board, b->now, 0, 1);
    assert_false(sim_board_owes(b->board));
    assert_flash(b, 0x10000, image, BLOCK, true);
    assert_flash(b, 0x10000 + BLOCK, image + BLOCK, BLOCK, false);
    b_free(b);
}

static void blank_sectors_are_not_erased(void **state)
{
    (void)state;
    struct b *b = stub();
    for (int round = 0; round < 2; round++) {
        uint64_t before = sim_board_sectors_erased(b->board);
        begin_raw(b, 0x10000);
        for (uint32_t i = 0; i < BLOCKS; i++)
            b_data(b, 0x03, i, image + BLOCK * i, BLOCK, 0);
        b_words(b, 0x04, 1);
        assert_int_equal(sim_board_sectors_erased(b->board) - before, round == 0 ? 0 : sizeof image / 4096);
        assert_flash(b, 0x10000, image, sizeof image, true);
    }
    b_words(b, 0xD1, 0x10000, 0x1000);
    b_expect(b, "C0 01 D1 02 00 00 00 00 00 00 00 C0");
    memset(image, 0xFF, 0x1000);
    assert_flash(b, 0x10000, image, sizeof image, true);
    b_raw(b, "C0 00 D0 00 00 00 00 00 00 C0");
    b_expect(b, "C0 01 D0 02 00 00 00 00 00 00 00 C0");
    memset(image, 0xFF, sizeof image);
    assert_flash(b, 0x10000, image, sizeof image, true);
    b_free(b);
}

/* Offset and size need no alignment; what stands behind the end in its sector is gone. */
static void unaligned_and_padded(void **state)
{
    (void)state;
    struct b *b = stub();
    uint8_t block[BLOCK], ff[64];
    memset(ff, 0xFF, sizeof ff);
    memset(block, 0xFF, sizeof block);
    fill(block, 1001, 2);
    b_words(b, 0x02, 1001, 1, BLOCK, 0x30003, 0);
    b_data(b, 0x03, 0, block, BLOCK, 0);
    b_words(b, 0x04, 1);
    b_expect(b, "C0 01 04 02 00 00 00 00 00 00 00 C0");
    assert_flash(b, 0x30003, block, 1001, true);
    assert_flash(b, 0x30003 + 1001, ff, sizeof ff, true);
    assert_md5(b, 0x30003, block, 1001, true);
    b_free(b);
}

static void read_flash(void **state)
{
    (void)state;
    struct b *b = stub();
    uint8_t got[5000], f[9000], md5[16];
    size_t end, n, total = 0;
    begin_raw(b, 0x10000);
    b_data(b, 0x03, 0, image, BLOCK, 0);
    b_words(b, 0xD2, 0x10001, 5000, 4096, 64);
    assert_memory_equal(b->got, "\xC0\x01\xD2\x02\0\0\0\0\0\0\0\xC0", 12);
    memmove(b->got, b->got + 12, b->n -= 12);
    while (total < 5000) {
        n = b_frame(b->got, b->n, f, &end);
        assert_int_equal(n, total == 0 ? 4096 : 904);
        assert_int_equal(end, b->n); /* one packet in flight */
        memcpy(got + total, f, n);
        total += n;
        uint8_t ack[4], wire[16];
        fl_put_u32le(ack, (uint32_t)total);
        b->n = 0;
        b_send(b, wire, b_slip(ack, 4, wire));
    }
    assert_memory_equal(got, image + 1, 5000);
    assert_int_equal(b_frame(b->got, b->n, f, &end), 16);
    assert_int_equal(fl_md5(got, 5000, md5), FL_OK);
    assert_memory_equal(f, md5, 16);
    b_raw(b, READ_MAGIC);
    b_expect(b, MAGIC_ESP32);
    /* a client that does not wait for the MD5: the last acknowledgement and the next request in one piece */
    b_words(b, 0xD2, 0x10000, 0, 4096, 64);
    b_words(b, 0xD2, 0x10000, 16, 4096, 64);
    b_raw(b, "C0 10 00 00 00 C0" READ_MAGIC);
    assert_true(b->n > 12 + 16);
    assert_memory_equal(b->got + b->n - 12, "\xC0\x01\x0A\x02\x00\x83\x1D\xF0\x00\x00\x00\xC0", 12);
    b_free(b);
}

static void baud_changes_after_the_answer(void **state)
{
    (void)state;
    struct b *b = stub();
    b_raw(b, "C0 00 0F 08 00 00 00 00 00 00 10 0E 00 00 C2 01 00 C0"); /* 921600 from 115200 */
    b_expect(b, "C0 01 0F 02 00 00 00 00 00 00 00 C0");
    sim_board_baud(b->board, b->now, 921600);
    b_raw(b, READ_MAGIC);
    b_expect(b, MAGIC_ESP32);
    b_free(b);
}

static void longer_than_a_buffer(void **state)
{
    (void)state;
    struct b *b = stub();
    static uint8_t junk[20000];
    memset(junk, 0x11, sizeof junk);
    junk[0] = 0xC0;
    b->n = 0;
    b_send(b, junk, sizeof junk);
    b_expect(b, ""); /* dropped without a word, and outside again */
    b_raw(b, READ_MAGIC);
    b_expect(b, MAGIC_ESP32);
    b_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_answers),
        cmocka_unit_test(closing_lost),
        cmocka_unit_test(inverted_for_ever),
        cmocka_unit_test(cut_or_text),
        cmocka_unit_test(the_cure_needs_its_pause),
        cmocka_unit_test(refused_block_can_be_resent),
        cmocka_unit_test(accepted_block_sent_twice),
        cmocka_unit_test(lengths_that_disagree),
        cmocka_unit_test(corrupt_deflate_block),
        cmocka_unit_test(stream_cut_short),
        cmocka_unit_test(two_blocks_without_waiting),
        cmocka_unit_test(work_put_off_is_not_seen),
        cmocka_unit_test(reset_behind_an_answer),
        cmocka_unit_test(work_that_fails_is_told_later),
        cmocka_unit_test(blank_sectors_are_not_erased),
        cmocka_unit_test(unaligned_and_padded),
        cmocka_unit_test(read_flash),
        cmocka_unit_test(baud_changes_after_the_answer),
        cmocka_unit_test(longer_than_a_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
