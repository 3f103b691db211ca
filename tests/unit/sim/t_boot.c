/* SPDX-License-Identifier: Apache-2.0
 * Reset circuits, straps, boot logs, and what starts from flash. Images are built here byte by byte. */
#include "b.h"

#include "sim/flash.h"

#include <sys/stat.h>

/* Everything the host has seen since, as text. */
static const char *text(struct b *b)
{
    b->got[b->n < sizeof b->got ? b->n : sizeof b->got - 1] = 0;
    return (const char *)b->got;
}

static void lines(struct b *b, int dtr, int rts)
{
    sim_board_lines(b->board, b->now, dtr, rts);
    b_collect(b);
}

static void running(struct sim_spec *s)
{
    s->power_up = SIM_POWER_UP_RUN;
}

/* The sequences of the reference (2.2): line changes, D and R, and waits in ms. */
struct move {
    int dtr, rts, wait;
};
static const struct move classic[] = {{0, -1, 0}, {-1, 1, 100}, {1, -1, 0}, {-1, 0, 50}, {0, -1, 0}};
static const struct move tight[] = {{0, 0, 0}, {1, 1, 0}, {0, 1, 100}, {1, 0, 50}, {0, 0, 0}, {0, -1, 0}};
static const struct move jtag[] = {{-1, 0, 0}, {0, -1, 100}, {1, -1, 0}, {-1, 0, 100},
                                   {-1, 1, 0}, {0, -1, 0}, {-1, 1, 100}, {0, -1, 0}, {-1, 0, 0}};
static const struct move hard[] = {{-1, 1, 100}, {-1, 0, 10}};

static void play(struct b *b, const struct move *m, size_t n, int between)
{
    b->n = 0;
    for (size_t i = 0; i < n; i++) {
        lines(b, m[i].dtr, m[i].rts);
        b_wait(b, (uint64_t)(m[i].wait + between) * MS);
    }
    b_wait(b, 20 * MS);
}

static void jtag_bridge(struct sim_spec *s)
{
    running(s);
    sim_bridge_set(&s->bridge, SIM_USB_JTAG);
}

static void sequences(void **state)
{
    static const struct {
        const struct move *moves;
        size_t n;
        void (*board)(struct sim_spec *);
        int between; /* ms between two changes: a slow network */
        bool download;
    } row[] = {
        {classic, T_COUNT(classic), running, 0, true},
        {classic, T_COUNT(classic), running, 30, true},
        {tight, T_COUNT(tight), running, 0, true},
        {hard, T_COUNT(hard), running, 0, false},
        {jtag, T_COUNT(jtag), jtag_bridge, 0, true},
        {hard, T_COUNT(hard), jtag_bridge, 0, false},
        {classic, T_COUNT(classic), jtag_bridge, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct b *b = b_new("esp32c3", row[i].board);
        play(b, row[i].moves, row[i].n, row[i].between);
        assert_int_equal(sim_board_mode(b->board), row[i].download ? SIM_ROM : SIM_APP);
        assert_int_equal(strstr(text(b), "waiting for download") != NULL, row[i].download);
        b_free(b);
    }
}

static void jtag_by_hand(struct sim_spec *s)
{
    sim_bridge_set(&s->bridge, SIM_USB_JTAG); /* and powered up with the button held */
}

static void poke(struct b *b, uint32_t addr, uint32_t value)
{
    b_words(b, 0x09, addr, value, 0xFFFFFFFF, 0);
    assert_int_equal(b_status(b, b->spec.chip->status_len - 2) >> 8, 0);
}

/* Reference 2.6, with the registers of 3.6: the way out of a download mode that no line resets. */
static void watchdog_reset(void **state)
{
    static const struct {
        const char *chip;
        uint32_t config0, protect;
        bool bites;
    } row[] = {
        {"esp32s2", 0x3F408094, 0x3F4080AC, true},  {"esp32s3", 0x60008098, 0x600080B0, true},
        {"esp32c3", 0x60008090, 0x600080A8, true},  {"esp32c2", 0x60008084, 0x6000809C, true},
        {"esp32c5", 0x600B1C00, 0x600B1C18, true},  {"esp32c61", 0x600B1C00, 0x600B1C18, true},
        {"esp32p4", 0x50116000, 0x50116018, true},  {"esp32h2", 0x600B1C00, 0x600B1C1C, false},
        {"esp32", 0x3FF4808C, 0x3FF480A4, false},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++)
        for (int unlocked = 0; unlocked < 2; unlocked++) {
            struct b *b = b_new(row[i].chip, jtag_by_hand);
            play(b, hard, T_COUNT(hard), 0);
            assert_int_equal(sim_board_mode(b->board), SIM_ROM); /* a core reset does not look at the button */
            b_raw(b, B_SYNC);
            poke(b, row[i].protect, unlocked ? 0x50D83AA1 : 0);
            poke(b, row[i].config0 + 4, 2000);
            poke(b, row[i].config0, 0xD0000102);
            poke(b, row[i].protect, 0);
            b->n = 0;
            b_wait(b, 500 * MS);
            bool bitten = row[i].bites && unlocked;
            assert_int_equal(sim_board_mode(b->board), bitten ? SIM_APP : SIM_ROM);
            assert_int_equal(strstr(text(b), "WDT") != NULL, bitten);
            b_free(b);
        }
}

static void slow_en(struct sim_spec *s)
{
    s->timing.en_us = 300000;
}

/* A capacitor that needs longer than the strap is held: the wrong boot mode; with 550 ms it is right. */
static void slow_capacitor(void **state)
{
    struct move m[T_COUNT(classic)];
    (void)state;
    for (int patient = 0; patient < 2; patient++) {
        struct b *b = b_new("esp32", slow_en);
        memcpy(m, classic, sizeof m);
        m[3].wait = patient ? 550 : 50;
        play(b, m, T_COUNT(m), 0);
        b_wait(b, 500 * MS);
        assert_int_equal(sim_board_mode(b->board), patient ? SIM_ROM : SIM_APP);
        assert_non_null(strstr(text(b), patient ? "boot:0x3 " : "boot:0x13 "));
        b_free(b);
    }
}

/* Held: silent while RTS alone is asserted; both asserted is neither. */
static void held_in_reset(void **state)
{
    (void)state;
    struct b *b = b_new("esp32", NULL);
    lines(b, 0, 1);
    assert_int_equal(sim_board_mode(b->board), SIM_OFF);
    b->n = 0;
    b_wait(b, 5000 * MS);
    assert_int_equal(b->n, 0);
    b_raw(b, B_SYNC);
    assert_int_equal(b->n, 0);
    lines(b, 1, 1);
    b_wait(b, 2000 * MS);
    assert_int_equal(sim_board_mode(b->board), SIM_APP);
    lines(b, 0, 0);
    b_wait(b, 100 * MS);
    assert_int_equal(sim_board_mode(b->board), SIM_APP);
    b_free(b);
}

static enum sim_fault_kind habit;
static void with_habit(struct sim_spec *s)
{
    running(s);
    s->faults[s->n_faults++] = sim_fault_of(habit);
}

static void habits(void **state)
{
    static const struct {
        enum sim_fault_kind kind;
        enum sim_mode mode; /* after the classic sequence */
        const char *says;   /* within 3 s of it */
        bool answers;       /* a SYNC */
    } row[] = {
        {SIM_FAULT_APP_ONLY, SIM_APP, "boot:0x13 ", false},
        {SIM_FAULT_DOWNLOAD_ONLY, SIM_ROM, "boot:0x3 ", true},
        {SIM_FAULT_NO_RESET, SIM_APP, "invalid header: 0xffffffff", false},
        {SIM_FAULT_TX_DEAD, SIM_ROM, "waiting for download", false},
        {SIM_FAULT_SILENT, SIM_ROM, "", false},
        {SIM_FAULT_ECHO, SIM_ROM, "waiting for download", true},
        {SIM_FAULT_SHORTED, SIM_ROM, "", false},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        uint8_t sync[64];
        size_t n = b_hex(B_SYNC, sync);
        habit = row[i].kind;
        struct b *b = b_new("esp32", with_habit);
        play(b, classic, T_COUNT(classic), 0);
        b_wait(b, 3000 * MS);
        assert_int_equal(sim_board_mode(b->board), row[i].mode);
        assert_non_null(strstr(text(b), row[i].says));
        if (row[i].says[0] == 0)
            assert_int_equal(b->n, 0);
        b->n = 0;
        b_send(b, sync, n);
        bool echoed = b->n >= n && memcmp(b->got, sync, n) == 0;
        assert_int_equal(echoed, row[i].kind == SIM_FAULT_ECHO || row[i].kind == SIM_FAULT_SHORTED);
        size_t from = echoed ? n : 0;
        assert_int_equal(b->n >= from + 8 * 14 && memcmp(b->got + from, "\xC0\x01\x08", 3) == 0, row[i].answers);
        b_free(b);
    }
}

static void applications_that_trouble(void **state)
{
    static const struct {
        enum sim_fault_kind kind;
        const char *again; /* said at least three times in 5 s */
    } row[] = {
        {SIM_FAULT_TALK, "temperature"},
        {SIM_FAULT_PANIC, "Guru Meditation Error"},
        {SIM_FAULT_BROWNOUTS, "Brownout detector was triggered"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        habit = row[i].kind;
        struct b *b = b_new("esp32", with_habit);
        b->n = 0;
        b_wait(b, 5000 * MS);
        int times = 0;
        for (const char *p = text(b); (p = strstr(p, row[i].again)); p++)
            times++;
        assert_true(times >= 3 && times <= 30);
        b_free(b);
    }
}

/* A blank flash: restarts by watchdog about once a second, no flood. */
static void blank_flash(void **state)
{
    static const struct {
        const char *chip, *says, *cause;
    } row[] = {
        {"esp32", "invalid header: 0xffffffff", "rst:0x10 (RTCWDT_RTC_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)"},
        {"esp32c3", "invalid header: 0xffffffff", "rst:0x10 (RTCWDT_RTC_RST),boot:0xc (SPI_FAST_FLASH_BOOT)"},
        {"esp32s3", "invalid header: 0xffffffff", "rst:0x10 (RTCWDT_RTC_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct b *b = b_new(row[i].chip, running);
        b->n = 0;
        b_wait(b, 3500 * MS);
        assert_non_null(strstr(text(b), row[i].says));
        assert_non_null(strstr(text(b), row[i].cause));
        assert_true(b->n > 500 && b->n < 4000);
        b_free(b);
    }
}

/* 74880 on the ESP8266: at 115200 its text is noise. */
static void esp8266_log(void **state)
{
    (void)state;
    struct b *b = b_new("esp8266", running);
    sim_board_baud(b->board, b->now, 74880);
    play(b, classic, T_COUNT(classic), 0);
    assert_non_null(strstr(text(b), " ets Jan  8 2013,rst cause:2, boot mode:(1,"));
    sim_board_baud(b->board, b->now, 115200);
    play(b, classic, T_COUNT(classic), 0);
    assert_null(strstr(text(b), "ets Jan"));
    assert_true(b->n > 10);
    b_free(b);
}

/* ---- images (reference 8.1, 8.2), built by hand ------------------------------------------------------------ */

static size_t image(uint8_t *out, unsigned chip_id, bool hash, const uint8_t *seg, uint32_t seg_len)
{
    uint8_t sum = 0xEF;
    memset(out, 0, 24);
    out[0] = 0xE9;
    out[1] = 1;
    out[2] = 2;
    out[3] = 0x2F;
    fl_put_u32le(out + 4, 0x40080400);
    out[8] = 0xEE;
    fl_put_u16le(out + 12, (uint16_t)chip_id);
    out[23] = hash;
    fl_put_u32le(out + 24, 0x3FFF0018);
    fl_put_u32le(out + 28, seg_len);
    memcpy(out + 32, seg, seg_len);
    size_t n = 32 + seg_len;
    for (uint32_t i = 0; i < seg_len; i++)
        sum ^= seg[i];
    do
        out[n++] = 0;
    while (n % 16 != 0);
    out[n - 1] = sum;
    if (hash) {
        assert_int_equal(fl_sha256(out, n, out + n), FL_OK);
        n += 32;
    }
    return n;
}

static void put(struct b *b, uint32_t at, const uint8_t *bytes, size_t n)
{
    b_raw(b, B_SYNC);
    b_words(b, 0x0B, 0, 4 << 20, 65536, 4096, 256, 0xFFFF);
    b_words(b, 0x02, (uint32_t)n, (uint32_t)(n + 1023) / 1024, 1024, at);
    for (size_t i = 0; i < n; i += 1024) {
        b_data(b, 0x03, (uint32_t)(i / 1024), bytes + i, n - i < 1024 ? n - i : 1024, 0);
        assert_int_equal(b_status(b, 2) >> 8, 0);
    }
}

/* nvs 9000/6000, phy_init f000/1000, factory 10000/100000: the reference's own vector, with its MD5 row. */
static const char table_hex[] =
    "AA50 01 02 00900000 00600000 6E767300000000000000000000000000 00000000"
    "AA50 01 01 00F00000 00100000 7068795F696E69740000000000000000 00000000"
    "AA50 00 00 00000100 00001000 666163746F7279000000000000000000 00000000"
    "EBEB FFFFFFFFFFFFFFFFFFFFFFFFFFFF f4ad4f4538564b5d7435b62c75b69524";

enum { APP = 3000 };

static size_t app(uint8_t *out, unsigned chip_id)
{
    uint8_t seg[APP];
    memset(seg, 0x33, sizeof seg);
    memset(seg, 0, 256);
    fl_put_u32le(seg, 0xABCD5432);
    memcpy(seg + 16, "2.7.1", 6);
    memcpy(seg + 48, "weather-station", 16);
    memcpy(seg + 80, "10:20:30", 9);
    memcpy(seg + 96, "Nov  1 2026", 12);
    memcpy(seg + 112, "v5.1.2", 7);
    return image(out, chip_id, true, seg, sizeof seg);
}

static struct b *with_images(int spoil)
{
    uint8_t boot[4096], table[4096], program[8192], seg[1000];
    struct b *b = b_new("esp32", NULL);
    memset(seg, 0x77, sizeof seg);
    size_t n = image(boot, spoil == 4 ? 5 : 0, true, seg, sizeof seg);
    if (spoil == 1)
        boot[500] ^= 1;
    put(b, 0x1000, boot, n);
    n = b_hex(table_hex, table);
    if (spoil == 2)
        table[40] ^= 1;
    put(b, 0x8000, table, n);
    n = app(program, spoil == 5 ? 9 : 0);
    if (spoil == 3)
        program[n - 100] ^= 4;
    if (spoil == 6)
        program[n - 1] ^= 4;
    put(b, 0x10000, program, n);
    play(b, hard, T_COUNT(hard), 0);
    b_wait(b, 500 * MS);
    return b;
}

static void what_starts(void **state)
{
    static const struct {
        const char *says, *not;
    } row[] = {
        {"I (252) cpu_start: Project name:     weather-station\r\nI (256) cpu_start: App version:      2.7.1\r\n"
         "I (260) cpu_start: Compile time:     Nov  1 2026 10:20:30\r\nI (264) cpu_start: ESP-IDF:          v5.1.2",
         "E ("},
        {"csum err:0x", "2nd stage"},             /* a bit of the bootloader */
        {"Failed to verify partition table", "weather"}, /* a bit of the table: its MD5 row */
        {"csum err:0x", "weather"},               /* a bit of the application */
        {"mismatch chip ID", "2nd stage"},        /* a bootloader for a C3 */
        {"mismatch chip ID", "weather"},          /* an application for an S3 */
        {"Image hash failed", "weather"},         /* a bit of the application's hash */
    };
    (void)state;
    for (int i = 0; i < (int)T_COUNT(row); i++) {
        struct b *b = with_images(i);
        if (!strstr(text(b), row[i].says) || strstr(text(b), row[i].not))
            print_error("row %d: %s\n", i, text(b));
        assert_non_null(strstr(text(b), row[i].says));
        assert_null(strstr(text(b), row[i].not));
        b_free(b);
    }
}

/* otadata with sequence 2 chooses the second slot; the entry's CRC is the reference's (8.2). */
static void ota_slot(void **state)
{
    static const char ota_table[] =
        "AA50 01 00 00E00000 00200000 6F746164617461000000000000000000 00000000"
        "AA50 00 10 00000100 00000100 6F74615F300000000000000000000000 00000000"
        "AA50 00 11 00000200 00000100 6F74615F310000000000000000000000 00000000";
    uint8_t bytes[8192], seg[1000];
    (void)state;
    struct b *b = b_new("esp32", NULL);
    memset(seg, 1, sizeof seg);
    put(b, 0x1000, bytes, image(bytes, 0, false, seg, sizeof seg));
    put(b, 0x8000, bytes, b_hex(ota_table, bytes));
    put(b, 0x20000, bytes, app(bytes, 0));
    b_wait(b, 10 * MS);
    play(b, hard, T_COUNT(hard), 0);
    assert_null(strstr(text(b), "weather-station")); /* ota_0, which is blank */
    play(b, classic, T_COUNT(classic), 0);
    memset(bytes, 0xFF, 4096);
    fl_put_u32le(bytes, 2);
    fl_put_u32le(bytes + 28, 0x55F63774);
    put(b, 0xE000, bytes, 4096);
    play(b, hard, T_COUNT(hard), 0);
    assert_non_null(strstr(text(b), "Loaded app from partition at offset 0x20000"));
    assert_non_null(strstr(text(b), "weather-station"));
    b_free(b);
}

/* M5Stack's own images start, and say what they are. */
static void real_images(void **state)
{
    static const struct {
        const char *file;
        uint32_t at;
    } set[2][4] = {
        {{"m5stack-m5cloud-v0.4.0/m5cloud-20180516-v0.4.0.bin", 0x1000}, {NULL, 0}},
        {{"m5stack-micropython/bootloader.bin", 0x1000}, {"m5stack-micropython/partitions_mpy.bin", 0x8000},
         {"m5stack-micropython/MicroPython.bin", 0x10000}, {NULL, 0}},
    };
    static uint8_t bytes[2 << 20];
    struct stat st;
    (void)state;
    if (stat("../shared/firmware", &st) != 0) {
        print_message("no real images beside the checkout (../shared/firmware)\n");
        skip();
    }
    for (int k = 0; k < 2; k++) {
        struct b *b = b_new("esp32", NULL);
        for (int i = 0; set[k][i].file; i++) {
            char path[200];
            snprintf(path, sizeof path, "../shared/firmware/%s", set[k][i].file);
            FILE *f = fopen(path, "rb");
            assert_non_null(f);
            size_t n = fread(bytes, 1, sizeof bytes, f);
            (void)fclose(f);
            put(b, set[k][i].at, bytes, n);
        }
        play(b, hard, T_COUNT(hard), 0);
        b_wait(b, 1000 * MS);
        assert_non_null(strstr(text(b), "MicroPython"));
        if (k == 1)
            assert_non_null(strstr(text(b), "MicroPython ESP32_LoBo_v3.2.24 - 2018-09-06 on M5Stack with ESP32\r\n"));
        b_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences),   cmocka_unit_test(slow_capacitor), cmocka_unit_test(held_in_reset),
        cmocka_unit_test(habits),      cmocka_unit_test(applications_that_trouble),
        cmocka_unit_test(blank_flash), cmocka_unit_test(esp8266_log),    cmocka_unit_test(what_starts),
        cmocka_unit_test(watchdog_reset), cmocka_unit_test(ota_slot),    cmocka_unit_test(real_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
