/* SPDX-License-Identifier: Apache-2.0
 * What the mask ROM of an ESP32 and an ESP32-C3 answered to one stimulus at a time, where it surprises: requests
 * as literal bytes, answers as literal opcode, value and status bytes. t_rom.c has the rows of observed.md. */
#include "b.h"

#include <zlib.h>

#define READ_MAGIC "C0 00 0A 04 00 00 00 00 00 00 10 00 40 C0"
#define MAGIC_ESP32 "C0 01 0A 04 00 83 1D F0 00 00 00 00 00 C0"
#define TIMES8(x) x x x x x x x x
#define OK(op) "C0 01 " op " 04 00 07 07 12 20 00 00 00 00 C0" /* the value is what the SYNC left */
#define SAYS(op, status) "C0 01 " op " 04 00 07 07 12 20 " status " 00 00 C0"
#define SYNC_OK TIMES8(OK("08"))
#define UNKNOWN TIMES8(SAYS("08", "01 05"))
#define SET_4MB "C0 00 0B 18 00 00 00 00 00 00000000 00004000 00000100 00100000 00010000 FFFF0000 C0"

/* One row: what is sent, what comes, step by step; NULL ends it. */
enum { STEPS = 7 };
struct row {
    const char *name;
    const char *step[STEPS][2];
};

static void play(const char *chip, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct b *b = b_new(chip, NULL);
        b_raw(b, B_SYNC);
        b_expect(b, SYNC_OK);
        for (size_t k = 0; k < STEPS && rows[i].step[k][0]; k++) {
            print_message("%s, %s, step %zu\n", chip, rows[i].name, k + 1);
            b_raw(b, rows[i].step[k][0]);
            b_expect(b, rows[i].step[k][1]);
        }
        b_free(b);
    }
}

static void unknown_commands(void **state)
{
    static const struct row rows[] = {
        {"77 after SYNC", {{"C0 00 77 00 00 00 00 00 00 C0", UNKNOWN}, {READ_MAGIC, MAGIC_ESP32}}},
        {"0C", {{"C0 00 0C 00 00 00 00 00 00 C0", UNKNOWN}}},
        {"security info", {{"C0 00 14 00 00 00 00 00 00 C0", UNKNOWN}}},
        {"a stub's erase", {{"C0 00 D0 00 00 00 00 00 00 C0", UNKNOWN}}},
        {"direction 1", {{"C0 01 0A 04 00 00 00 00 00 00 10 00 40 C0", UNKNOWN}, {READ_MAGIC, MAGIC_ESP32}}},
        {"77 after READ_REG: once, with its value",
         {{READ_MAGIC, MAGIC_ESP32},
          {"C0 00 77 04 00 00 00 00 00 01 02 03 04 C0", "C0 01 0A 04 00 83 1D F0 00 01 05 00 00 C0"},
          {READ_MAGIC, MAGIC_ESP32}}},
    };
    (void)state;
    play("esp32", rows, T_COUNT(rows));
}

static void lengths_are_hardly_checked(void **state)
{
    static const struct row rows[] = {
        {"SYNC of 3 bytes", {{"C0 00 08 03 00 00 00 00 00 07 07 12 C0", SYNC_OK}}},
        {"SYNC of other bytes: they are the value",
         {{"C0 00 08 24 00 00 00 00 00 01 02 03 04 55555555 55555555 55555555 55555555 55555555 55555555 55555555 55555555 C0",
           TIMES8("C0 01 08 04 00 01 02 03 04 00 00 00 00 C0")},
          {"C0 00 0D 08 00 00 00 00 00 00000000 00000000 C0", "C0 01 0D 04 00 01 02 03 04 00 00 00 00 C0"}}},
        {"WRITE_REG of 12", {{"C0 00 09 0C 00 00 00 00 00 0080FD3F 01000000 02000000 C0", OK("09")}}},
        {"SPI_ATTACH of 4", {{"C0 00 0D 04 00 00 00 00 00 00000000 C0", OK("0D")}}},
        {"SPI_ATTACH of 12", {{"C0 00 0D 0C 00 00 00 00 00 00000000 00000000 00000000 C0", OK("0D")}}},
        {"SPI_SET_PARAMS of 20",
         {{"C0 00 0B 14 00 00 00 00 00 00000000 00004000 00000100 00100000 00010000 C0", SAYS("0B", "01 05")},
          {SET_4MB, OK("0B")}}},
        {"MEM_END of 4", {{"C0 00 06 04 00 00 00 00 00 01000000 C0", OK("06")}}},
        {"CHANGE_BAUD of 4", {{"C0 00 0F 04 00 00 00 00 00 00C20100 C0", OK("0F")}}},
        {"READ_REG of 8", {{"C0 00 0A 08 00 00 00 00 00 00 10 00 40 00 10 00 40 C0", MAGIC_ESP32}}},
        {"READ_REG that says 9, 4 come", {{"C0 00 0A 09 00 00 00 00 00 00 10 00 40 C0", MAGIC_ESP32}}},
        {"READ_REG that says 2, 4 come", {{"C0 00 0A 02 00 00 00 00 00 00 10 00 40 C0", MAGIC_ESP32}}},
        /* the address is what the SYNC left in the buffer: no memory there */
        {"READ_REG of 0", {{"C0 00 0A 00 00 00 00 00 00 C0", ""}, {READ_MAGIC, ""}, {B_SYNC, ""}}},
        {"READ_REG of 3", {{"C0 00 0A 03 00 00 00 00 00 01 02 03 C0", ""}, {READ_MAGIC, ""}}},
        {"READ_REG of 0 after a whole one", {{READ_MAGIC, MAGIC_ESP32}, {"C0 00 0A 00 00 00 00 00 00 C0", MAGIC_ESP32}}},
        {"FLASH_BEGIN that says 16, 15 come",
         {{"C0 00 02 10 00 00 00 00 00 00080000 02000000 00040000 00000100 C0", OK("02")},
          {"C0 00 02 10 00 00 00 00 00 00080000 02000000 00040000 000001 C0", OK("02")}}},
        {"FLASH_BEGIN that says 12", {{"C0 00 02 0C 00 00 00 00 00 00080000 02000000 00040000 00000100 C0", SAYS("02", "01 05")}}},
        {"MEM_BEGIN that says 20", {{"C0 00 05 14 00 00 00 00 00 00080000 02000000 00040000 0080FD3F C0", SAYS("05", "01 05")}}},
    };
    (void)state;
    play("esp32", rows, T_COUNT(rows));
}

static void memory_that_is_not_there(void **state)
{
    static const struct row rows[] = {
        {"READ_REG", {{"C0 00 0A 04 00 00 00 00 00 10 00 00 00 C0", ""}, {READ_MAGIC, ""}, {B_SYNC, ""}}},
        {"WRITE_REG", {{"C0 00 09 10 00 00 00 00 00 10000000 01000000 FFFFFFFF 00000000 C0", ""}, {READ_MAGIC, ""}}},
        {"MEM_DATA",
         {{"C0 00 05 10 00 00 00 00 00 04000000 01000000 00040000 10000000 C0", OK("05")},
          {"C0 00 07 14 00 EE 00 00 00 04000000 00000000 00000000 00000000 01000000 C0", ""},
          {READ_MAGIC, ""}}},
    };
    (void)state;
    play("esp32", rows, T_COUNT(rows));
    play("esp32c3", rows, T_COUNT(rows));
    struct b *b = b_new("esp32", NULL); /* and a reset brings it back */
    b_raw(b, B_SYNC);
    b_raw(b, "C0 00 0A 04 00 00 00 00 00 10 00 00 00 C0");
    assert_int_equal(sim_board_mode(b->board), SIM_STOPPED);
    sim_board_lines(b->board, b->now, 0, 1);
    sim_board_lines(b->board, b->now, 1, 0);
    b_wait(b, 100 * MS);
    sim_board_lines(b->board, b->now, 0, 0);
    b_raw(b, B_SYNC);
    b_expect(b, SYNC_OK);
    b_free(b);
}

static void ends_and_places(void **state)
{
    static const struct row rows[] = {
        {"FLASH_BEGIN with blocks of 0x1900", {{"C0 00 02 10 00 00 00 00 00 00190000 01000000 00190000 00000200 C0", SAYS("02", "01 05")}}},
        {"FLASH_BEGIN with blocks of 0x2000", {{"C0 00 02 10 00 00 00 00 00 00200000 01000000 00200000 00000200 C0", SAYS("02", "01 05")}}},
        {"MEM_BEGIN with blocks of 0x2000", {{"C0 00 05 10 00 00 00 00 00 00200000 01000000 00200000 0080FD3F C0", SAYS("05", "01 05")}}},
        {"FLASH_BEGIN at 0x20010; a block all the same: the second status byte is stale",
         {{"C0 00 02 10 00 00 00 00 00 04000000 01000000 00040000 10000200 C0", SAYS("02", "01 06")},
          {"C0 00 03 14 00 EE 00 00 00 04000000 00000000 00000000 00000000 01000000 C0", SAYS("03", "00 06")},
          {READ_MAGIC, MAGIC_ESP32}}},
        {"FLASH_DEFL_BEGIN at 0x30010", {{"C0 00 10 10 00 00 00 00 00 00100000 01000000 00100000 10000300 C0", SAYS("10", "01 06")}}},
        {"a block longer than BEGIN's, then one that fits, under the same number",
         {{"C0 00 05 10 00 00 00 00 00 08000000 02000000 04000000 0080FD3F C0", OK("05")},
          {"C0 00 07 18 00 EC 00 00 00 08000000 00000000 00000000 00000000 01000000 02000000 C0", SAYS("07", "01 05")},
          {"C0 00 07 14 00 EE 00 00 00 04000000 00000000 00000000 00000000 01000000 C0", SAYS("07", "00 05")}}},
        {"the stale second byte is gone after another command",
         {{"C0 00 05 10 00 00 00 00 00 08000000 02000000 04000000 0080FD3F C0", OK("05")},
          {"C0 00 07 14 00 EF 00 00 00 04000000 00000000 00000000 00000000 01000000 C0", SAYS("07", "01 07")},
          {"C0 00 0D 08 00 00 00 00 00 00000000 00000000 C0", OK("0D")},
          {"C0 00 07 14 00 EE 00 00 00 04000000 01000000 00000000 00000000 01000000 C0", OK("07")},
          {"C0 00 06 08 00 00 00 00 00 01000000 00000000 C0", OK("06")}}},
        {"and stays until then, in END too",
         {{"C0 00 05 10 00 00 00 00 00 08000000 02000000 04000000 0080FD3F C0", OK("05")},
          {"C0 00 07 14 00 EF 00 00 00 04000000 00000000 00000000 00000000 01000000 C0", SAYS("07", "01 07")},
          {"C0 00 07 14 00 EE 00 00 00 04000000 01000000 00000000 00000000 01000000 C0", SAYS("07", "00 07")},
          {"C0 00 06 08 00 00 00 00 00 01000000 00000000 C0", SAYS("06", "00 07")},
          {"C0 00 0D 08 00 00 00 00 00 00000000 00000000 C0", OK("0D")}}},
        {"the length field of a block too small", /* the checksum is over that many bytes */
         {{"C0 00 05 10 00 00 00 00 00 08000000 02000000 08000000 0080FD3F C0", OK("05")},
          {"C0 00 07 18 00 EC 00 00 00 04000000 00000000 00000000 00000000 01000000 02000000 C0", SAYS("07", "01 07")}}},
    };
    (void)state;
    play("esp32", rows, T_COUNT(rows));
}

/* Data of an answer that was refused: what the answer before it left, under the status bytes of those between. */
static void md5_and_slow_read(void **state)
{
    /* MD5 of nothing: d41d8cd98f00b204e9800998ecf8427e */
    static const char text[] = "d41d8cd98f00b204e9800998ecf8427e";
    uint8_t f[128], block[256];
    size_t end;
    (void)state;
    struct b *b = b_new("esp32", NULL);
    b_raw(b, B_SYNC);
    b_raw(b, SET_4MB);
    b_words(b, 0x13, 0, 0, 0, 0);
    assert_int_equal(b_frame(b->got, b->n, f, &end), 8 + 32 + 4);
    assert_memory_equal(f + 8, text, 32);
    b_words(b, 0x0D, 0, 0);
    b_words(b, 0x13, 0x3FF000, 0x2000, 0, 0); /* past the end */
    assert_int_equal(b_frame(b->got, b->n, f, &end), 8 + 32 + 4);
    assert_memory_equal(f + 8, "\0\0", 2);
    assert_memory_equal(f + 10, text + 2, 30);
    assert_int_equal(b_status(b, 2), 0x0109);
    b_ask(b, 0x13, "\0\0\0\0\0\1\0\0", 8, 0); /* two words are enough */
    assert_int_equal(b_frame(b->got, b->n, f, &end), 8 + 32 + 4);
    assert_int_equal(b_status(b, 2), 0x0000);

    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(i * 7 + 1);
    b_words(b, 0x02, 256, 1, 256, 0x10000);
    b_data(b, 0x03, 0, block, sizeof block, 0);
    static const struct {
        uint32_t at, n;
        int status;
        size_t fresh; /* bytes that this read brought; behind them those of the one before */
    } row[] = {{0x10000, 64, 0x0000, 64}, {0x10040, 16, 0x0000, 16}, {0x10080, 0, 0x0000, 0},
               {0x100C0, 65, 0x010A, 0},  {0x3FFFE0, 64, 0x0109, 0}, {0x100C0, 64, 0x0000, 64}};
    uint8_t want[64] = {0};
    for (size_t i = 0; i < T_COUNT(row); i++) {
        if (row[i].fresh)
            memcpy(want, block + (row[i].at - 0x10000), row[i].fresh);
        b_words(b, 0x0E, row[i].at, row[i].n);
        assert_int_equal(b_frame(b->got, b->n, f, &end), 8 + 64 + 4);
        assert_memory_equal(f + 8, want, 64);
        assert_int_equal(b_status(b, 2), row[i].status);
    }
    b_free(b);
}

/* ---- deflate --------------------------------------------------------------------------------------------- */

enum { PLAIN = 0x1000 };
static uint8_t plain[PLAIN], zipped[PLAIN + 100];
static size_t zipped_n;

static struct b *deflating(uint32_t blocks, uint32_t block)
{
    struct sim_rng r = {5};
    uLongf n = sizeof zipped;
    for (size_t i = 0; i < PLAIN; i++) /* every page twice: matches, and no stored block */
        plain[i] = i % 0x800 < 0x400 ? (uint8_t)(sim_rng_next(&r) % 100) : plain[i - 0x400];
    assert_int_equal(compress2(zipped, &n, plain, PLAIN, 9), Z_OK);
    zipped_n = n;
    struct b *b = b_new("esp32", NULL);
    b_raw(b, B_SYNC);
    b_words(b, 0x10, PLAIN, blocks, block, 0x30000);
    assert_int_equal(b_status(b, 2), 0);
    return b;
}

static bool written(const struct b *b)
{
    uint8_t is[PLAIN];
    sim_board_flash(b->board, 0x30000, is, PLAIN);
    return memcmp(is, plain, PLAIN) == 0;
}

static bool blank(const struct b *b)
{
    uint8_t is[PLAIN];
    sim_board_flash(b->board, 0x30000, is, PLAIN);
    for (size_t i = 0; i < PLAIN; i++)
        if (is[i] != 0xFF)
            return false;
    return true;
}

static void deflated_regions(void **state)
{
    (void)state;
    struct b *b = deflating(1, 0x1000); /* right; END with "stay" stays */
    b_data(b, 0x11, 0, zipped, zipped_n, 0);
    b_expect(b, OK("11"));
    assert_true(written(b));
    b_words(b, 0x12, 1);
    b_expect(b, OK("12"));
    b_raw(b, READ_MAGIC);
    b_expect(b, MAGIC_ESP32);
    b_free(b);

    b = deflating(1, 0x1000); /* a wrong checksum over right bytes */
    b_data(b, 0x11, 0, zipped, zipped_n, 1);
    b_expect(b, SAYS("11", "01 07"));
    b_data(b, 0x11, 0, zipped, zipped_n, 0);
    b_expect(b, SAYS("11", "01 05"));
    b_data(b, 0x11, 1, zipped, zipped_n, 0);
    b_expect(b, SAYS("11", "00 05"));
    assert_true(blank(b)); /* it was answered well, and is not there */
    b_free(b);

    b = deflating(1, 0x1000); /* a stream that cannot be read */
    for (size_t i = 2; i < 60; i++)
        zipped[i] = 0xFF;
    b_data(b, 0x11, 0, zipped, zipped_n, 0);
    b_expect(b, SAYS("11", "01 0B"));
    assert_true(blank(b));
    b_raw(b, READ_MAGIC);
    b_expect(b, MAGIC_ESP32);
    b_free(b);

    b = deflating(1, 0x1000); /* a wrong adler */
    zipped[zipped_n - 1] ^= 1;
    b_data(b, 0x11, 0, zipped, zipped_n, 0);
    b_expect(b, SAYS("11", "01 0C"));
    assert_true(blank(b));
    b_words(b, 0x12, 1);
    b_expect(b, SAYS("12", "00 0C"));
    b_free(b);

    b = deflating(1, 0x1000); /* cut short: nobody says so */
    b_data(b, 0x11, 0, zipped, zipped_n - 30, 0);
    b_expect(b, OK("11"));
    assert_true(blank(b));
    b_words(b, 0x12, 1);
    b_expect(b, OK("12"));
    b_raw(b, READ_MAGIC);
    b_expect(b, MAGIC_ESP32);
    b_free(b);

    b = deflating(1, 0x1000); /* more behind the end */
    b_data(b, 0x11, 0, zipped, zipped_n, 0);
    b_data(b, 0x11, 1, (const uint8_t *)"\1\2\3\4", 4, 0);
    b_expect(b, "");
    b_raw(b, READ_MAGIC);
    b_expect(b, "");
    b_raw(b, B_SYNC);
    b_expect(b, "");
    b_free(b);

    b = deflating(2, 0x100); /* a block longer than announced */
    b_data(b, 0x11, 0, zipped, 0x101, 0);
    b_expect(b, SAYS("11", "01 05"));
    b_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_commands),     cmocka_unit_test(lengths_are_hardly_checked),
        cmocka_unit_test(memory_that_is_not_there), cmocka_unit_test(ends_and_places),
        cmocka_unit_test(md5_and_slow_read),    cmocka_unit_test(deflated_regions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
