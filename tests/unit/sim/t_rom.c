/* SPDX-License-Identifier: Apache-2.0
 * The mask ROM: every row of the observed answers, as literal request bytes and literal answer bytes. */
#include "b.h"

#include <zlib.h>

/* The requests of the reference (1.3), and their plain answers from the ROM. */
#define READ_MAGIC "C0 00 0A 04 00 00 00 00 00 00 10 00 40 C0"
#define MAGIC_ESP32 "C0 01 0A 04 00 83 1D F0 00 00 00 00 00 C0"
#define MAGIC_ESP32C3 "C0 01 0A 04 00 6F 50 31 1B 00 00 00 00 C0"
#define NO_SYNC "C0 01 08 04 00 07 07 12 20 01 05 00 00 C0" /* the refusal of what is not known, after a SYNC */
#define SYNC_REPLY "C0 01 08 04 00 07 07 12 20 00 00 00 00 C0"

static struct b *synced(const char *chip)
{
    struct b *b = b_new(chip, NULL);
    b_raw(b, B_SYNC);
    b->n = 0;
    return b;
}

static void fill(uint8_t *p, size_t n, uint64_t seed)
{
    struct sim_rng r = {seed};
    while (n-- > 0)
        *p++ = (uint8_t)sim_rng_next(&r);
}

static void eight_answers_to_sync(void **state)
{
    (void)state;
    struct b *b = b_new("esp32", NULL);
    b_raw(b, READ_MAGIC);
    b_expect(b, ""); /* deaf until the first SYNC */
    b_raw(b, B_SYNC);
    b_expect(b, SYNC_REPLY SYNC_REPLY SYNC_REPLY SYNC_REPLY SYNC_REPLY SYNC_REPLY SYNC_REPLY SYNC_REPLY);
    b_raw(b, READ_MAGIC);
    b_expect(b, MAGIC_ESP32);
    b_free(b);
}

static void wrong_checksum_uses_the_number_up(void **state)
{
    /* MEM: op 07 after 05; FLASH: 03 after 02. The begin carries size, blocks, block size, offset. */
    static const struct {
        uint8_t begin, data;
    } kind[] = {{0x05, 0x07}, {0x02, 0x03}};
    uint8_t block[3][1024], back[3 * 1024];
    (void)state;
    for (size_t k = 0; k < T_COUNT(kind); k++) {
        struct b *b = synced("esp32");
        uint32_t at = kind[k].begin == 0x05 ? 0x3FFE0000 : 0x20000;
        for (size_t i = 0; i < 3; i++)
            fill(block[i], sizeof block[i], i);
        b_words(b, kind[k].begin, sizeof back, 3, 1024, at);
        assert_int_equal(b_status(b, 2), 0x0000);
        b_data(b, kind[k].data, 0, block[0], 1024, 0);
        assert_int_equal(b_status(b, 2), 0x0000);
        b_data(b, kind[k].data, 1, block[1], 1024, 0xFF);
        assert_int_equal(b_status(b, 2), 0x0107);
        b_data(b, kind[k].data, 2, block[1], 1024, 0x40); /* several times in one transfer */
        assert_int_equal(b_status(b, 2), 0x0107);
        b_data(b, kind[k].data, 3, block[1], 1024, 0);
        assert_int_equal(b_status(b, 2), 0x0007); /* success; the second byte is stale */
        b_data(b, kind[k].data, 3, block[1], 1024, 0);
        assert_int_equal(b_status(b, 2), 0x0105); /* repeated */
        b_data(b, kind[k].data, 5, block[2], 1024, 0);
        assert_int_equal(b_status(b, 2), 0x0105); /* skipped */
        b_data(b, kind[k].data, 4, block[2], 1024, 0);
        assert_int_equal(b_status(b, 2), 0x0005);
        if (kind[k].begin == 0x02) {
            sim_board_flash(b->board, at, back, sizeof back);
            assert_memory_equal(back, block, sizeof back);
        } else {
            for (uint32_t i = 0; i < sizeof back; i += 4) {
                b_words(b, 0x0A, at + i);
                uint8_t f[64];
                size_t end;
                assert_int_equal(b_frame(b->got, b->n, f, &end), 12);
                assert_memory_equal(f + 4, (uint8_t *)block + i, 4);
            }
        }
        b_free(b);
    }
}

static void the_same_number_again_is_refused(void **state)
{
    uint8_t block[512];
    (void)state;
    fill(block, sizeof block, 7);
    struct b *b = synced("esp32c3");
    b_words(b, 0x05, 1024, 2, 512, 0x3FC90000);
    b_data(b, 0x07, 0, block, sizeof block, 1);
    b_expect(b, "C0 01 07 04 00 07 07 12 20 01 07 00 00 C0");
    b_data(b, 0x07, 0, block, sizeof block, 0);
    b_expect(b, "C0 01 07 04 00 07 07 12 20 01 05 00 00 C0");
    b_words(b, 0x05, 1024, 2, 512, 0x3FC90000); /* BEGIN starts afresh, no reset needed */
    assert_int_equal(b_status(b, 2) >> 8, 0);
    b_data(b, 0x07, 0, block, sizeof block, 0);
    assert_int_equal(b_status(b, 2) >> 8, 0);
    b_free(b);
}

static void bytes_lost_from_the_payload(void **state)
{
    uint8_t block[0x1800], wire[2 * 0x1800 + 64];
    (void)state;
    struct b *b = synced("esp32");
    memset(block, 1, sizeof block); /* what an earlier frame leaves behind the end of the shorter one: 07, not 01 */
    b_words(b, 0x05, sizeof block, 1, sizeof block, 0x400A8000);
    block[sizeof block - 1] = 7;
    b_data(b, 0x07, 0, block, sizeof block, 0);
    block[sizeof block - 1] = 1;
    b_words(b, 0x05, 2 * sizeof block, 2, sizeof block, 0x400A8000);
    size_t n = b_data_wire(0x07, 0, block, sizeof block, 0, wire);
    memmove(wire + 4200, wire + 4201, n - 4201);
    b->n = 0;
    b_send(b, wire, n - 1);
    b_expect(b, "C0 01 07 04 00 07 07 12 20 01 07 00 00 C0");
    b_data(b, 0x07, 1, block, sizeof block, 0);
    b_expect(b, "C0 01 07 04 00 07 07 12 20 00 07 00 00 C0");
    b_free(b);
}

/* zlib stream of `n` plain bytes */
static size_t packed(const uint8_t *plain, size_t n, uint8_t *out, size_t cap)
{
    uLongf len = cap;
    assert_int_equal(compress2(out, &len, plain, n, 9), Z_OK);
    return len;
}

enum { PLAIN = 40000 };
static uint8_t plain[PLAIN], zipped[PLAIN + 100];

static size_t make_stream(void)
{
    fill(plain, PLAIN, 3);
    memset(plain + 5000, 0x55, 20000);
    return packed(plain, PLAIN, zipped, sizeof zipped);
}

static void deflate_after_a_refused_block(void **state)
{
    (void)state;
    size_t n = make_stream(), blocks = (n + 1023) / 1024;
    struct b *b = synced("esp32");
    uint8_t back[PLAIN];
    for (int round = 0; round < 2; round++) {
        b_words(b, 0x10, PLAIN, (uint32_t)blocks, 1024, 0x30000); /* works at once the second time */
        assert_int_equal(b_status(b, 2) >> 8, 0);
        uint32_t seq = 0;
        for (size_t i = 0; i < blocks; i++) {
            size_t len = n - 1024 * i < 1024 ? n - 1024 * i : 1024;
            if (round == 0 && i == 3) {
                b_data(b, 0x11, seq++, zipped + 1024 * i, len, 9);
                assert_int_equal(b_status(b, 2), 0x0107);
            }
            b_data(b, 0x11, seq++, zipped + 1024 * i, len, 0);
            if (round == 0 && i + 2 >= blocks) /* as many as BEGIN announced have come, and the stream is not at its end */
                assert_int_equal(b_status(b, 2), 0x010C);
            else
                assert_int_equal(b_status(b, 2), round == 0 && i >= 3 ? 0x0007 : 0x0000);
        }
        sim_board_flash(b->board, 0x30000, back, PLAIN);
        assert_int_equal(memcmp(back, plain, PLAIN) == 0, round == 1);
    }
    b_free(b);
}

static void deflate_damaged_with_a_right_checksum(void **state)
{
    (void)state;
    size_t n = make_stream(), blocks = (n + 1023) / 1024;
    struct b *b = synced("esp32c3");
    zipped[3000] ^= 0x10;
    b_words(b, 0x10, PLAIN, (uint32_t)blocks, 1024, 0x30000, 0);
    for (size_t i = 0; i < blocks; i++) {
        b_data(b, 0x11, (uint32_t)i, zipped + 1024 * i, n - 1024 * i < 1024 ? n - 1024 * i : 1024, 0);
        assert_int_equal(b_status(b, 2), i + 1 == blocks ? 0x010C : 0x0000);
    }
    b_free(b);
}

/* Announced with a block to spare, a refused block can be sent again: it was never fed to the inflater. */
static void deflate_with_a_block_to_spare(void **state)
{
    (void)state;
    size_t n = make_stream(), blocks = (n + 1023) / 1024;
    struct b *b = synced("esp32");
    static uint8_t back[PLAIN];
    b_words(b, 0x10, PLAIN, (uint32_t)blocks + 1, 1024, 0x30000);
    for (size_t i = 0, seq = 0; i < blocks; i++, seq++) {
        size_t len = n - 1024 * i < 1024 ? n - 1024 * i : 1024;
        if (i == 3)
            b_data(b, 0x11, (uint32_t)seq++, zipped + 1024 * i, len, 9);
        b_data(b, 0x11, (uint32_t)seq, zipped + 1024 * i, len, 0);
        assert_int_equal(b_status(b, 2) >> 8, 0);
    }
    sim_board_flash(b->board, 0x30000, back, PLAIN);
    assert_memory_equal(back, plain, PLAIN);
    b_free(b);
}

static void flash_block_sizes(void **state)
{
    static const struct {
        uint32_t size;
        bool taken;
    } row[] = {{0x400, true}, {0x800, true}, {0x1000, true}, {0x1800, true}, {0x2000, false}, {0x4000, false}};
    static uint8_t block[0x4000];
    (void)state;
    fill(block, sizeof block, 1);
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct b *b = synced("esp32");
        b_words(b, 0x02, row[i].size, 1, row[i].size, 0x10000);
        assert_int_equal(b_status(b, 2), row[i].taken ? 0x0000 : 0x0105);
        b_data(b, 0x03, 0, block, row[i].size, 0);
        assert_int_equal(b_status(b, 2), row[i].taken ? 0x0000 : 0x0105);
        b_free(b);
    }
}

static void md5_leaves_its_text(void **state)
{
    (void)state;
    struct b *b = synced("esp32");
    /* MD5 of 4096 x FF by `head -c 4096 /dev/zero | tr '\0' '\377' | md5sum` */
    b_words(b, 0x13, 0x10000, 4096, 0, 0);
    static const char want[] = "6ae59e64850377ee5470c854761551ea";
    uint8_t f[64];
    size_t end;
    assert_int_equal(b_frame(b->got, b->n, f, &end), 8 + 32 + 4);
    assert_memory_equal(f + 8, want, 32);
    assert_int_equal(f[40], 0);
    b_raw(b, READ_MAGIC);
    b_expect(b, "C0 01 0A 04 00 83 1D F0 00 00 00 65 35 C0"); /* 'e' '5', third and fourth of the text */
    b_free(b);
}

static void beyond_the_size_it_was_told(void **state)
{
    (void)state;
    struct b *b = synced("esp32");
    b_words(b, 0x02, 0x1000, 4, 0x400, 0x1FF000);
    assert_int_equal(b_status(b, 2), 0x0000);
    b_words(b, 0x02, 0x1000, 4, 0x400, 0x200000); /* 2 MB unless told */
    b_expect(b, "C0 01 02 04 00 07 07 12 20 01 06 00 00 C0");
    b_raw(b, "C0 00 0B 18 00 00 00 00 00 00000000 00004000 00000100 00100000 00010000 FFFF0000 C0");
    b_expect(b, "C0 01 0B 04 00 07 07 12 20 00 00 00 00 C0");
    b_words(b, 0x02, 0x1000, 4, 0x400, 0x200000);
    assert_int_equal(b_status(b, 2) >> 8, 0);
    b_words(b, 0x10, 0x2000, 4, 0x400, 0x3FF000);
    assert_int_equal(b_status(b, 2), 0x0106);
    b_free(b);
}

static void begin_lengths(void **state)
{
    static const struct {
        const char *chip;
        int words4, words5;
    } row[] = {{"esp32", 0x0000, 0x0105}, {"esp32c3", 0x0105, 0x0000}};
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct b *b = synced(row[i].chip);
        b_words(b, 0x02, 1024, 1, 1024, 0x10000);
        assert_int_equal(b_status(b, 2), row[i].words4);
        b_words(b, 0x02, 1024, 1, 1024, 0x10000, 0);
        assert_int_equal(b_status(b, 2), row[i].words5);
        b_free(b);
    }
}

/* Damage to the frame of one request; the next plain one is answered. */
static void framing_heals_itself(void **state)
{
    static const char *const damage[] = {
        "C0 00 0A 04 00 00 00 00 00 00 10 00 40",          /* closing C0 lost */
        "00 0A 04 00 00 00 00 00 00 10 00 40 C0",          /* opening C0 lost */
        "C0 C0 00 0A 04 00 00 00 00 00 00 10 00 40 C0",    /* opening doubled */
        "C0 00 0A 04 00 00 00 00 00 00 10 00 40 C0 C0",    /* closing doubled */
        "C0 00 0A 04 00 00 00",                            /* cut in the middle */
        "C0",                                              /* a stray one */
        "65 74 73 20 4A 75 6E 20 20 38 20 32 30 31 36 0D", /* text while idle */
        "DB 00",
        "C0 00 0A 04 00 DB 00",
    };
    static const char *const chips[] = {"esp32", "esp32c3"};
    (void)state;
    for (size_t i = 0; i < T_COUNT(damage); i++)
        for (size_t c = 0; c < T_COUNT(chips); c++) {
            struct b *b = synced(chips[c]);
            b_raw(b, READ_MAGIC);
            b_raw(b, damage[i]);
            b_raw(b, READ_MAGIC);
            assert_int_equal(b->n, 14);
            assert_memory_equal(b->got, "\xC0\x01\x0A\x04\0", 5);
            assert_int_equal(b_status(b, 2), 0);
            b_raw(b, READ_MAGIC);
            b_expect(b, c == 0 ? MAGIC_ESP32 : MAGIC_ESP32C3);
            b_free(b);
        }
}

static void text_while_idle_is_not_answered(void **state)
{
    (void)state;
    struct b *b = synced("esp32");
    b_raw(b, "65 74 73 20 4A 75 6E 20 20 38 20 32 30 31 36 0D 0A");
    b_expect(b, "");
    b_raw(b, READ_MAGIC);
    b_expect(b, MAGIC_ESP32);
    b_free(b);
}

/* The buffer keeps what was in it: of a request cut short the rest is that of the one before. */
static void frame_cut_short(void **state)
{
    static const char *const cut[] = {
        "C0 00", "C0 00 0A", "C0 00 0A 04", "C0 00 0A 04 00", "C0 00 0A 04 00 00", "C0 00 0A 04 00 00 00",
        "C0 00 0A 04 00 00 00 00", "C0 00 0A 04 00 00 00 00 00", "C0 00 0A 04 00 00 00 00 00 00",
        "C0 00 0A 04 00 00 00 00 00 00 10", "C0 00 0A 04 00 00 00 00 00 00 10 00",
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cut); i++) {
        struct b *b = synced("esp32");
        b_raw(b, READ_MAGIC);
        b_raw(b, cut[i]);
        b_expect(b, "");
        b_raw(b, READ_MAGIC); /* its first C0 ends the cut one: this is the cut one's answer */
        b_expect(b, MAGIC_ESP32);
        b_raw(b, READ_MAGIC);
        b_expect(b, MAGIC_ESP32);
        b_free(b);
    }
    /* says 6 bytes of data, READ_REG needs 4, 4 came: answered */
    struct b *b = synced("esp32");
    b_raw(b, "C0 00 0A 06 00 00 00 00 00 00 10 00 40 C0");
    b_expect(b, MAGIC_ESP32);
    b_free(b);
    /* an answer that is that of the request before: the closing C0 of the first was lost */
    b = synced("esp32");
    b_raw(b, "C0 00 0A 04 00 00 00 00 00 00 10 00 40");
    b_raw(b, "C0 00 0A 04 00 00 00 00 00 00 00 F0 3F C0");
    b_expect(b, MAGIC_ESP32);
    b_free(b);
}

static void random_bytes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct b *b = synced("esp32");
        uint8_t junk[600];
        b_raw(b, READ_MAGIC);
        fill(junk, sizeof junk, seed);
        b->n = 0;
        b_send(b, junk, sizeof junk);
        for (size_t i = 0; i + 14 <= b->n; i += 14) /* error frames carry the last opcode and 01 05 */
            assert_memory_equal(b->got + i, "\xC0\x01\x0A\x04\0\x83\x1D\xF0\0\x01\x05\0\0\xC0", 14);
        assert_int_equal(b->n % 14, 0);
        b_raw(b, READ_MAGIC); /* may still get 01 05 */
        b_raw(b, READ_MAGIC);
        assert_true(b->n == 14);
        assert_int_equal(b_status(b, 2) >> 8, 0);
        b_free(b);
    }
}

static void very_long_frame(void **state)
{
    (void)state;
    struct b *b = synced("esp32");
    static uint8_t junk[40002];
    memset(junk, 0x5A, sizeof junk);
    junk[0] = junk[sizeof junk - 1] = 0xC0;
    b->n = 0;
    b_send(b, junk, sizeof junk);
    b_expect(b, "");
    b_raw(b, READ_MAGIC);
    b_expect(b, "");
    b_raw(b, READ_MAGIC);
    b_expect(b, "");
    b_raw(b, B_SYNC);
    b_expect(b, SYNC_REPLY SYNC_REPLY SYNC_REPLY SYNC_REPLY SYNC_REPLY SYNC_REPLY SYNC_REPLY SYNC_REPLY);
    b_raw(b, READ_MAGIC);
    b_expect(b, MAGIC_ESP32);
    b_free(b);
}

static void unsupported_commands(void **state)
{
    (void)state;
    struct b *b = synced("esp32");
    b_raw(b, READ_MAGIC);
    b_raw(b, "C0 00 77 00 00 00 00 00 00 C0");
    b_expect(b, "C0 01 0A 04 00 83 1D F0 00 01 05 00 00 C0"); /* the opcode of the last valid command */
    b_raw(b, "C0 00 14 00 00 00 00 00 00 C0");
    b_expect(b, "C0 01 0A 04 00 83 1D F0 00 01 05 00 00 C0");
    b_raw(b, READ_MAGIC);
    b_expect(b, MAGIC_ESP32);
    b_free(b);
}

static void security_info(void **state)
{
    (void)state;
    struct b *b = synced("esp32c3");
    b_raw(b, "C0 00 14 00 00 00 00 00 00 C0");
    b_expect(b, "C0 01 14 18 00 07 07 12 20"
                "00000000 00 00000000000000 05000000 03000000 00000000 C0");
    b_free(b);
    b = synced("esp32s2");
    b_raw(b, "C0 00 14 00 00 00 00 00 00 C0");
    b_expect(b, "C0 01 14 10 00 07 07 12 20 00000000 00 00000000000000 00000000 C0");
    b_free(b);
}

static void three_at_once(void **state)
{
    (void)state;
    struct b *b = synced("esp32");
    b_raw(b, READ_MAGIC READ_MAGIC READ_MAGIC);
    b_expect(b, MAGIC_ESP32 MAGIC_ESP32 MAGIC_ESP32);
    b_free(b);
}

static void into_the_stub(void **state)
{
    static const char *const row[][2] = {{"esp32", "esp32.json"}, {"esp32c3", "esp32c3.json"}};
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct b *b = b_new(row[i][0], NULL);
        b_start_stub(b, row[i][1]);
        b_expect(b, "C0 01 06 04 00 07 07 12 20 00 00 00 00 C0  C0 4F 48 41 49 C0");
        b_free(b);
    }
}

static void uploads_that_are_no_stub(void **state)
{
    static struct b_part text, data;
    uint32_t entry = b_stub("esp32.json", &text, &data);
    /* what is changed: a byte of the text, a byte of the data, the entry, a block missing */
    (void)state;
    for (int what = 0; what < 5; what++) {
        struct b *b = synced("esp32");
        struct b_part t = text, d = data;
        uint32_t e = entry;
        if (what == 0)
            t.bytes[3000] ^= 1;
        if (what == 1)
            d.bytes[10] ^= 0x80;
        if (what == 2)
            e = 0x40080000;
        b_upload(b, &t, 0x1800, 2);
        if (what == 3)
            b_words(b, 0x05, 16384, 3, 0x1800, 0x400B0000); /* announced, never sent; entered below */
        if (what == 3)
            e = 0x400B0100;
        b_upload(b, &d, 0x1800, 2);
        b_words(b, 0x06, 0, e);
        b_wait(b, 100 * MS);
        if (what == 4) {
            assert_int_equal(sim_board_mode(b->board), SIM_STUB);
        } else {
            b_expect(b, "C0 01 06 04 00 07 07 12 20 00 00 00 00 C0");
            assert_int_equal(sim_board_mode(b->board), SIM_STOPPED);
        }
        b_free(b);
    }
    /* a stub of a version unknown here, whole: another entry, another length */
    struct b *b = synced("esp32");
    text.n = 5000;
    text.at = 0x40090000;
    b_upload(b, &text, 0x1800, 2);
    b_words(b, 0x06, 0, 0x40090010);
    b_wait(b, 100 * MS);
    b_expect(b, "C0 01 06 04 00 07 07 12 20 00 00 00 00 C0  C0 4F 48 41 49 C0");
    b_free(b);
}

static void leaving_the_loader(void **state)
{
    /* an END alone, and behind a region; flag; what is answered; where the chip is then */
    static const struct {
        uint8_t begin, end;
        uint32_t flag;
        int status;
        enum sim_mode mode;
    } row[] = {
        {0x02, 0x04, 1, 0x0000, SIM_APP}, {0x02, 0x04, 0, 0x0000, SIM_APP}, {0x10, 0x12, 1, 0x0000, SIM_ROM},
        {0x10, 0x12, 0, 0x0000, SIM_APP}, {0x00, 0x04, 1, 0x0106, SIM_APP}, {0x00, 0x12, 1, 0x0000, SIM_ROM},
        {0x05, 0x04, 1, 0x0000, SIM_APP}, {0x02, 0x12, 1, 0x0106, SIM_ROM},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct b *b = synced("esp32");
        if (row[i].begin == 0x05)
            b_words(b, 0x05, 1024, 1, 1024, 0x3FFE0000);
        else if (row[i].begin)
            b_words(b, row[i].begin, 1024, 1, 1024, 0x10000);
        b_words(b, row[i].end, row[i].flag);
        b->n = b->n > 14 ? 14 : b->n; /* what follows is the boot log */
        assert_int_equal(b_status(b, 2), row[i].status);
        assert_int_equal(sim_board_mode(b->board), row[i].mode);
        b_free(b);
    }
}

static void slow_read_and_baud(void **state)
{
    (void)state;
    struct b *b = synced("esp32");
    uint8_t block[1024], f[128];
    size_t end;
    fill(block, sizeof block, 4);
    b_words(b, 0x02, 1024, 1, 1024, 0x10000);
    b_data(b, 0x03, 0, block, sizeof block, 0);
    b_words(b, 0x0E, 0x10100, 64);
    b_words(b, 0x0E, 0x10010, 16);
    assert_int_equal(b_frame(b->got, b->n, f, &end), 8 + 64 + 4); /* always 64: behind the 16 those of before */
    assert_memory_equal(f + 8, block + 16, 16);
    assert_memory_equal(f + 24, block + 0x110, 48);
    b_words(b, 0x0F, 230400, 0);
    assert_int_equal(sim_board_chip_baud(b->board), 230400);
    b_raw(b, READ_MAGIC); /* the host still at 115200: noise both ways */
    assert_true(b->n != 14 || memcmp(b->got, "\xC0\x01\x0A", 3) != 0);
    sim_board_baud(b->board, b->now, 230400);
    b_raw(b, READ_MAGIC);
    b_raw(b, READ_MAGIC);
    assert_int_equal(b_status(b, 2) >> 8, 0);
    b_free(b);
}

static void secure_download(struct sim_spec *s)
{
    s->security.secure_download = s->security.secure_boot = true;
}

static void secure_download_mode(void **state)
{
    (void)state;
    struct b *b = b_new("esp32s3", secure_download);
    b_raw(b, B_SYNC);
    b_raw(b, READ_MAGIC);
    b_expect(b, NO_SYNC NO_SYNC NO_SYNC NO_SYNC NO_SYNC NO_SYNC NO_SYNC NO_SYNC);
    b_words(b, 0x13, 0, 4096, 0, 0);
    assert_int_equal(b_status(b, 2), 0x0105);
    b_words(b, 0x02, 1024, 1, 1024, 0x10000, 0);
    assert_int_equal(b_status(b, 2) >> 8, 0);
    b_raw(b, "C0 00 14 00 00 00 00 00 00 C0");
    assert_memory_equal(b->got, "\xC0\x01\x14\x18\0\x07\x07\x12\x20\x05\0\0\0", 13); /* secure boot and download */
    b_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_answers_to_sync),
        cmocka_unit_test(wrong_checksum_uses_the_number_up),
        cmocka_unit_test(the_same_number_again_is_refused),
        cmocka_unit_test(bytes_lost_from_the_payload),
        cmocka_unit_test(deflate_after_a_refused_block),
        cmocka_unit_test(deflate_damaged_with_a_right_checksum),
        cmocka_unit_test(deflate_with_a_block_to_spare),
        cmocka_unit_test(flash_block_sizes),
        cmocka_unit_test(md5_leaves_its_text),
        cmocka_unit_test(beyond_the_size_it_was_told),
        cmocka_unit_test(begin_lengths),
        cmocka_unit_test(framing_heals_itself),
        cmocka_unit_test(text_while_idle_is_not_answered),
        cmocka_unit_test(frame_cut_short),
        cmocka_unit_test(random_bytes),
        cmocka_unit_test(very_long_frame),
        cmocka_unit_test(unsupported_commands),
        cmocka_unit_test(security_info),
        cmocka_unit_test(three_at_once),
        cmocka_unit_test(into_the_stub),
        cmocka_unit_test(uploads_that_are_no_stub),
        cmocka_unit_test(leaving_the_loader),
        cmocka_unit_test(slow_read_and_baud),
        cmocka_unit_test(secure_download_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
