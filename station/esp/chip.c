/* SPDX-License-Identifier: Apache-2.0
 * The table of chips. Source of every number: the facts sheet's sections 2.5, 2.6, 3.1 to 3.8, 4.3
 * and 7.2, which were read from Espressif's published tools, stubs and reference manuals; the column
 * comments name the section. */
#include "esp/chip.h"

#include <string.h>

#define BITS(at, hi, lo) {at, lo, (hi) - (lo) + 1}
#define ONE(...) {{0, 0, 0}, __VA_ARGS__}
#define NO_NUMBER {{0, 0, 0}, {0, 0, 0}}

/* words of eFuse block 1, which starts with the MAC on all chips after the ESP32 (3.4) */
enum { W2 = 0x4c, W3 = 0x50, W4 = 0x54, W5 = 0x58 };

/* 3.5 */
static const struct chip_spi spi_esp8266 = {
    .usr = 0x1c, .usr1 = 0x20, .usr2 = 0x24, .w0 = 0x40, .addr_left = true};
static const struct chip_spi spi_esp32 = {.usr = 0x1c, .usr1 = 0x20, .usr2 = 0x24, .mosi_len = 0x28,
                                          .miso_len = 0x2c, .w0 = 0x80, .addr_left = true};
static const struct chip_spi spi_new = {.usr = 0x18, .usr1 = 0x1c, .usr2 = 0x20, .mosi_len = 0x24,
                                        .miso_len = 0x28, .w0 = 0x58};

/* 2.6 (which can reset), 3.6 (registers) */
#define SWD_KEY 0x8f1d312au
#define WDT_KEY 0x50d83aa1u
static const struct chip_wdt wdt_s2 = {
    .config0 = 0x3f408094, .config1 = 0x3f408098, .protect = 0x3f4080ac, .can_reset = true};
static const struct chip_wdt wdt_s3 = {0x60008098, 0x6000809c, 0x600080b0, 0x600080b4,
                                       0x600080b8, SWD_KEY,    31,         true};
static const struct chip_wdt wdt_c3 = {0x60008090, 0x60008094, 0x600080a8, 0x600080ac,
                                       0x600080b0, SWD_KEY,    31,         true};
static const struct chip_wdt wdt_c2 = {
    .config0 = 0x60008084, .config1 = 0x60008088, .protect = 0x6000809c, .can_reset = true};
static const struct chip_wdt wdt_c6 = {0x600b1c00, 0x600b1c04, 0x600b1c18, 0x600b1c1c,
                                       0x600b1c20, WDT_KEY,    18,         false};
static const struct chip_wdt wdt_c5 = {0x600b1c00, 0x600b1c04, 0x600b1c18, 0x600b1c1c,
                                       0x600b1c20, WDT_KEY,    18,         true};
static const struct chip_wdt wdt_h2 = {0x600b1c00, 0x600b1c04, 0x600b1c1c, 0x600b1c20,
                                       0x600b1c24, WDT_KEY,    18,         false};
static const struct chip_wdt wdt_p4 = {0x50116000, 0x50116004, 0x50116018, 0x5011601c,
                                       0x50116020, WDT_KEY,    18,         true};

#define STRAPS_9 "GPIO9 low with GPIO8 high"

static const struct chip chips[] = {
    {.name = "esp8266", .title = "ESP8266", .id = -1, .magic = 0xfff0c101,
     .efuse = 0x3ff00050, .revision = REVISION_NONE,
     .clkdiv = 0x60000014, .clkdiv_per = 2, .crystal = 26,
     .spi = &spi_esp8266, .spi_base = 0x60000200,
     .begin_16 = true, .stub = "esp8266", .baud = BAUD_NONE,
     .straps = "GPIO0 low with GPIO2 high and GPIO15 low"},

    {.name = "esp32", .title = "ESP32", .id = 0, .magic = 0x00f01d83,
     .efuse = 0x3ff5a000, .mac = 0x04,
     .minor = ONE(BITS(0x14, 25, 24)), .revision = REVISION_ESP32,
     .clkdiv = 0x3ff40014, .clkdiv_per = 1, .crystal = 40,
     .spi = &spi_esp32, .spi_base = 0x3ff42000,
     .crypt_count = BITS(0x00, 26, 20), .secure_boot = BITS(0x18, 5, 5),
     .no_manual_crypt = BITS(0x18, 7, 7),
     .begin_16 = true, .has_attach = true, .has_md5 = true, .stub = "esp32", .baud = BAUD_ESP32,
     .straps = "GPIO0 low with GPIO2 low or open"},

    {.name = "esp32s2", .title = "ESP32-S2", .id = 2, .magic = 0x000007c6,
     .efuse = 0x3f41a000, .mac = 0x44,
     .major = ONE(BITS(W3, 19, 18)), .minor = {BITS(W3, 20, 20), BITS(W4, 6, 4)},
     .crystal = 40, .spi = &spi_new, .spi_base = 0x3f402000,
     .wdt = &wdt_s2, .usb = {0x3f404038, 0x3f408128, false},
     .crypt_count = BITS(0x34, 20, 18), .secure_boot = BITS(0x38, 20, 20),
     .no_manual_crypt = BITS(0x30, 19, 19),
     .has_attach = true, .has_md5 = true, .stub = "esp32s2",
     .straps = "GPIO0 low with GPIO46 low or open"},

    {.name = "esp32s3", .title = "ESP32-S3", .id = 9,
     .efuse = 0x60007000, .mac = 0x44,
     .major = ONE(BITS(W5, 25, 24)), .minor = {BITS(W5, 23, 23), BITS(W3, 20, 18)},
     .revision = REVISION_S3,
     .crystal = 40, .spi = &spi_new, .spi_base = 0x60002000,
     .wdt = &wdt_s3, .usb = {0x60004038, 0x6000812c, false},
     .crypt_count = BITS(0x34, 20, 18), .secure_boot = BITS(0x38, 20, 20),
     .no_manual_crypt = BITS(0x30, 20, 20),
     .has_attach = true, .has_md5 = true, .big_flash = true,
     .stub_rule = STUB_SECURE_TRICK, .stub = "esp32s3",
     .straps = "GPIO0 low with GPIO46 low or open"},

    {.name = "esp32c2", .title = "ESP32-C2", .id = 12,
     .efuse = 0x60008800, .mac = 0x40,
     .major = ONE(BITS(0x44, 21, 20)), .minor = ONE(BITS(0x44, 19, 16)),
     .clkdiv = 0x60000014, .clkdiv_per = 1, .crystal = 40,
     .spi = &spi_new, .spi_base = 0x60002000, .wdt = &wdt_c2,
     .crypt_count = BITS(0x30, 9, 7), .secure_boot = BITS(0x30, 21, 21),
     .no_manual_crypt = BITS(0x30, 6, 6),
     .has_attach = true, .has_md5 = true,
     .stub_rule = STUB_NOT_REV0, .stub = "esp32c2", .baud = BAUD_C2, .straps = STRAPS_9},

    {.name = "esp32c3", .title = "ESP32-C3", .id = 5,
     .efuse = 0x60008800, .mac = 0x44,
     .major = ONE(BITS(W5, 25, 24)), .minor = {BITS(W5, 23, 23), BITS(W3, 20, 18)},
     .crystal = 40, .spi = &spi_new, .spi_base = 0x60002000, .wdt = &wdt_c3,
     .crypt_count = BITS(0x34, 20, 18), .secure_boot = BITS(0x38, 20, 20),
     .no_manual_crypt = BITS(0x30, 20, 20),
     .has_attach = true, .has_md5 = true,
     .stub_rule = STUB_NOT_SECURE, .stub = "esp32c3", .straps = STRAPS_9},

    {.name = "esp32c5", .title = "ESP32-C5", .id = 23,
     .efuse = 0x600b4800, .mac = 0x44, .eui64 = true,
     .major = ONE(BITS(W2, 5, 4)), .minor = ONE(BITS(W2, 3, 0)),
     .clkdiv = 0x60000014, .clkdiv_per = 1, .crystal = 48,
     .spi = &spi_new, .spi_base = 0x60003000, .wdt = &wdt_c5,
     .crypt_count = BITS(0x34, 18, 16), .secure_boot = BITS(0x38, 25, 25),
     .no_manual_crypt = BITS(0x30, 20, 20),
     .has_attach = true, .has_md5 = true, .big_flash = true,
     .stub = "esp32c5", .baud = BAUD_C5, .straps = "GPIO28 low with GPIO27 high"},

    {.name = "esp32c6", .title = "ESP32-C6", .id = 13,
     .efuse = 0x600b0800, .mac = 0x44, .eui64 = true,
     .major = ONE(BITS(W3, 23, 22)), .minor = ONE(BITS(W3, 21, 18)),
     .crystal = 40, .spi = &spi_new, .spi_base = 0x60003000, .wdt = &wdt_c6,
     .crypt_count = BITS(0x34, 20, 18), .secure_boot = BITS(0x38, 20, 20),
     .no_manual_crypt = BITS(0x30, 20, 20),
     .has_attach = true, .has_md5 = true, .stub = "esp32c6", .straps = STRAPS_9},

    {.name = "esp32c61", .title = "ESP32-C61", .id = 20,
     .efuse = 0x600b4800, .mac = 0x44,
     .major = ONE(BITS(W2, 5, 4)), .minor = ONE(BITS(W2, 3, 0)),
     .crystal = 40, .spi = &spi_new, .spi_base = 0x60003000, .wdt = &wdt_c5,
     .crypt_count = BITS(0x30, 25, 23), .secure_boot = BITS(0x34, 26, 26),
     .no_manual_crypt = BITS(0x30, 14, 14),
     .has_attach = true, .has_md5 = true, .big_flash = true, .stub = "esp32c61",
     .straps = STRAPS_9},

    {.name = "esp32h2", .title = "ESP32-H2", .id = 16,
     .efuse = 0x600b0800, .mac = 0x44, .eui64 = true,
     .major = ONE(BITS(W3, 22, 21)), .minor = ONE(BITS(W3, 20, 18)),
     .crystal = 32, .spi = &spi_new, .spi_base = 0x60003000, .wdt = &wdt_h2,
     .crypt_count = BITS(0x34, 20, 18), .secure_boot = BITS(0x38, 20, 20),
     .no_manual_crypt = BITS(0x30, 20, 20),
     .has_attach = true, .has_md5 = true, .stub = "esp32h2", .straps = STRAPS_9},

    {.name = "esp32p4", .title = "ESP32-P4", .id = 18,
     .efuse = 0x5012d000, .mac = 0x44,
     .major = {BITS(W2, 23, 23), BITS(W2, 5, 4)}, .minor = ONE(BITS(W2, 3, 0)),
     .crystal = 40, .spi = &spi_new, .spi_base = 0x5008d000,
     .wdt = &wdt_p4, .usb = {0, 0, true},
     .crypt_count = BITS(0x34, 20, 18), .secure_boot = BITS(0x38, 20, 20),
     .no_manual_crypt = BITS(0x30, 20, 20),
     .has_attach = true, .has_md5 = true, .big_flash = true,
     .stub_rule = STUB_BY_REVISION, .stub = "esp32p4", .stub_old = "esp32p4-rev1",
     .straps = "GPIO35 low with GPIO36 high"},
};
enum { N_CHIPS = sizeof chips / sizeof *chips };

const struct chip *chip_at(size_t i)
{
    return i < N_CHIPS ? &chips[i] : NULL;
}

const struct chip *chip_by_name(const char *name)
{
    for (size_t i = 0; i < N_CHIPS; i++)
        if (strcmp(chips[i].name, name) == 0)
            return &chips[i];
    return NULL;
}

const struct chip *chip_by_id(uint32_t id)
{
    for (size_t i = 0; i < N_CHIPS; i++)
        if (chips[i].id >= 0 && (uint32_t)chips[i].id == id)
            return &chips[i];
    return NULL;
}

const struct chip *chip_by_magic(uint32_t magic)
{
    for (size_t i = 0; i < N_CHIPS; i++)
        if (chips[i].magic != 0 && chips[i].magic == magic)
            return &chips[i];
    return NULL;
}

const char *chip_stub_name(const struct chip *c, unsigned revision, bool secure_boot,
                           const char **why_not)
{
    *why_not = NULL;
    switch (c->stub_rule) {
    case STUB_ALWAYS:
    case STUB_SECURE_TRICK:
        break;
    case STUB_BY_REVISION:
        return revision < 300 ? c->stub_old : c->stub;
    case STUB_NOT_REV0:
        if (revision == 0)
            *why_not = "the stub does not run on revision 0.0";
        break;
    case STUB_NOT_SECURE:
        if (secure_boot)
            *why_not = "with secure boot on, the ROM does not start programs in RAM";
        break;
    }
    return *why_not ? NULL : c->stub;
}
