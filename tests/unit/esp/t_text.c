/* SPDX-License-Identifier: Apache-2.0
 * What boot logs, applications and noise are taken for. The texts are as real chips print them. */
#include "unit/t.h"

#include "esp/text.h"

#define ESP32_APP "ets Jun  8 2016 00:22:57\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
#define ESP32_DL "ets Jun  8 2016 00:22:57\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download\r\n"
#define C3_DL "ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\nrst:0x1 (POWERON),boot:0x5 (DOWNLOAD(USB/UART0/1))\r\nwaiting for download\r\n"

static void signs(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool boot, waiting, brownout, panic, printable;
        int boot_code, reset_code;
    } cases[] = {
        {ESP32_APP, true, false, false, false, true, 0x13, 1},
        {ESP32_DL, true, true, false, false, true, 0x3, 1},
        {C3_DL, true, true, false, false, true, 0x5, 1},
        {ESP32_DL ESP32_APP, true, false, false, false, true, 0x13, 1},
        {ESP32_APP ESP32_DL, true, true, false, false, true, 0x3, 1},
        {"\r\nets Jun  8 2016\r\n\r\nrst:0xf (RTCWDT_BROWN_OUT_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n",
         true, false, true, false, true, 0x13, 0xf},
        {"Brownout detector was triggered\r\n", false, false, true, false, true, -1, -1},
        {"Guru Meditation Error: Core  0 panic'ed (LoadProhibited)", false, false, false, true, true, -1, -1},
        {"Fatal exception (28):\nepc1=0x4", false, false, false, true, true, -1, -1},
        {" ets Jan  8 2013,rst cause:2, boot mode:(3,7)\r\n", true, false, false, false, true, 3, -1},
        {"MicroPython v1.19 on 2022-06-18\r\n>>> ", false, false, false, false, true, -1, -1},
        {"\x80\xf8\x78\x80\xfe\x00", false, false, false, false, false, -1, -1},
        {"boot:0x", false, false, false, false, true, -1, -1},
        {"rst:0xzz", false, false, false, false, true, -1, -1},
        {"", false, false, false, false, false, -1, -1},
        {"abc", false, false, false, false, false, -1, -1},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct text_signs s = text_read((const uint8_t *)cases[i].text, strlen(cases[i].text));
        if (s.waiting != cases[i].waiting || s.brownout != cases[i].brownout ||
            s.panic != cases[i].panic || s.printable != cases[i].printable ||
            s.boot_code != cases[i].boot_code || s.reset_code != cases[i].reset_code ||
            s.boot != cases[i].boot)
            fail_msg("case %zu: boot %d %x rst %x waiting %d brownout %d panic %d printable %d", i,
                     s.boot, (unsigned)s.boot_code, (unsigned)s.reset_code, s.waiting, s.brownout,
                     s.panic, s.printable);
    }
}

/* The boot line names the loader, also where the line behind it has lost a byte. */
static void loader_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool download, waiting;
    } cases[] = {
        {ESP32_DL, true, true},
        {ESP32_APP, false, false},
        {ESP32_DL ESP32_APP, false, false},
        {"rst:0x1 (POWERON),boot:0x2 (UART0_BOOT)\r\nwaitng for download\r\n", true, false},
        {"rst:0x1 (POWERON),boot:0x5 (DOWNLOAD(USB/UART0/1))\r\n", true, false},
        {"rst:0x1 (POWERON),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n(DOWNLOAD", false, false},
        {"(DOWNLOAD", false, false},
        {"boot:0x5 (DOWN", false, false},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct text_signs s = text_read((const uint8_t *)cases[i].text, strlen(cases[i].text));
        if (s.download != cases[i].download || s.waiting != cases[i].waiting)
            fail_msg("case %zu: download %d waiting %d", i, s.download, s.waiting);
    }
}

/* Whatever amounts arrive, the tail is the last 4 KB of the stream. */
static void tail(void **state)
{
    (void)state;
    struct text_log *t = calloc(1, sizeof *t);
    assert_non_null(t);
    uint8_t stream[20000];
    for (size_t i = 0; i < sizeof stream; i++)
        stream[i] = (uint8_t)(i * 7 + i / 251);
    static const size_t steps[] = {1, 13, 1000, 4095, 4096, 4097, 5000};
    size_t at = 0, n;
    for (size_t i = 0; at + 5000 < sizeof stream; at += steps[i++ % T_COUNT(steps)]) {
        size_t len = steps[i % T_COUNT(steps)];
        text_add(t, stream + at, len);
        const uint8_t *p = text_tail(t, &n);
        assert_int_equal(n, at + len < TEXT_KEEP ? at + len : TEXT_KEEP);
        assert_memory_equal(p, stream + at + len - n, n);
        p = text_since(t, at, &n);
        assert_int_equal(n, len < TEXT_KEEP ? len : TEXT_KEEP);
        assert_memory_equal(p, stream + at + len - n, n);
    }
    free(t);
}

static void quote(void **state)
{
    (void)state;
    static const struct {
        const char *text, *quoted;
    } cases[] = {
        {"one\r\ntwo\r\n", "two"},
        {"a \"b\" \x80\r\n", "a .b. ."},
        {"", ""},
        {"\r\n\r\n", ""},
        {"0123456789012345678901234567890123456789012345678901234567890123456789",
         "012345678901234567890123456789012345678901234567890123456789"},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        char out[TEXT_QUOTE];
        text_quote((const uint8_t *)cases[i].text, strlen(cases[i].text), out);
        assert_string_equal(out, cases[i].quoted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs), cmocka_unit_test(loader_named),
        cmocka_unit_test(tail),
        cmocka_unit_test(quote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
