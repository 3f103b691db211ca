/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/chip.h"

#include "sim/regs.h"
#include "sim/spec.h"

#include <string.h>

enum { REG_MAGIC = 0x40001000 };

/* Revision bits: reference 3.4. Offsets are from the eFuse base; where the reference counts words of the
 * MAC block (wN), the offset is 44 + 4 N. */
#define BITS static const struct sim_bits
BITS s2_major[] = {{0x50, 18, 2, 0}, {0, 0, 0, 0}};
BITS s2_minor[] = {{0x50, 20, 1, 3}, {0x54, 4, 3, 0}, {0, 0, 0, 0}};
BITS s3_major[] = {{0x58, 24, 2, 0}, {0, 0, 0, 0}}; /* and C3 */
BITS s3_minor[] = {{0x58, 23, 1, 3}, {0x50, 18, 3, 0}, {0, 0, 0, 0}};
BITS c2_major[] = {{0x44, 20, 2, 0}, {0, 0, 0, 0}};
BITS c2_minor[] = {{0x44, 16, 4, 0}, {0, 0, 0, 0}};
BITS c6_major[] = {{0x50, 22, 2, 0}, {0, 0, 0, 0}};
BITS c6_minor[] = {{0x50, 18, 4, 0}, {0, 0, 0, 0}};
BITS h2_major[] = {{0x50, 21, 2, 0}, {0, 0, 0, 0}};
BITS h2_minor[] = {{0x50, 18, 3, 0}, {0, 0, 0, 0}};
BITS c5_major[] = {{0x4C, 4, 2, 0}, {0, 0, 0, 0}}; /* and C61 */
BITS c5_minor[] = {{0x4C, 0, 4, 0}, {0, 0, 0, 0}};
BITS p4_major[] = {{0x4C, 23, 1, 2}, {0x4C, 4, 2, 0}, {0, 0, 0, 0}};
#undef BITS

/* What the later ROMs say: one layout, chip by chip another build. */
#define WORDS(banner_, down, flash)                                                                \
    {                                                                                              \
        .banner = "ESP-ROM:" banner_ "\r\n", .download = "boot:" down "\r\nwaiting for download\r\n", \
        .run = "boot:" flash "\r\n", .power_on = "rst:0x1 (POWERON),",                             \
        .watchdog = "rst:0x10 (RTCWDT_RTC_RST),", .brownout = "rst:0xf (BROWNOUT_RST),",           \
        .software = "rst:0x3 (RTC_SW_SYS_RST),",                                                   \
    }

static const struct sim_chip chips[] = { /* a row with name NULL ends it */
    {.name = "esp8266", .title = "ESP8266", .stub = "esp8266.json",
     .magic = 0xFFF0C101, .image_id = -1, .boot_at = 0,
     .efuse = 0x3FF00050, .mac_at = 0, .mac_layout = SIM_MAC_8266,
     .uart_date = 0x60000078, .uart_clkdiv = 0x60000014, .crystal_mhz = 26,
     .spi = 0x60000200, .spi_layout = SIM_SPI_8266,
     .security_len = 0, .begin_len = 16, .status_len = 2, .boot_baud = 74880, .revision = 0,
     .oui = {0x18, 0xFE, 0x34},
     .words = {.banner = "\r\n ets Jan  8 2013,", .download = "boot mode:(1,6)\r\n\r\n",
               .run = "boot mode:(3,6)\r\n\r\n", .power_on = "rst cause:2, ",
               .watchdog = "rst cause:4, ", .brownout = "rst cause:1, ", .software = "rst cause:1, "}},
    {.name = "esp32", .title = "ESP32", .stub = "esp32.json",
     .magic = 0x00F01D83, .image_id = 0, .boot_at = 0x1000,
     .efuse = 0x3FF5A000, .mac_at = 0x04, .mac_layout = SIM_MAC_ESP32,
     .uart_date = 0x60000078, .uart_clkdiv = 0x3FF40014, .crystal_mhz = 40,
     .spi = 0x3FF42000, .spi_layout = SIM_SPI_ESP32,
     .security_len = 0, .begin_len = 16, .status_len = 4, .boot_baud = 115200, .flash_cmds = true,
     .revision = 300, .crypt = {0x00, 20, 7, 0}, .secure_boot = {0x18, 5, 1, 0},
     .oui = {0x24, 0x6F, 0x28},
     .words = {.banner = "ets Jun  8 2016 00:22:57\r\n\r\n",
               .download = "boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download\r\n",
               .run = "boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n", .power_on = "rst:0x1 (POWERON_RESET),",
               .watchdog = "rst:0x10 (RTCWDT_RTC_RESET),",
               .brownout = "rst:0xf (RTCWDT_BROWN_OUT_RESET),", .software = "rst:0xc (SW_CPU_RESET),"}},
    {.name = "esp32s2", .title = "ESP32-S2", .stub = "esp32s2.json",
     .magic = 0x000007C6, .image_id = 2, .boot_at = 0x1000,
     .efuse = 0x3F41A000, .mac_at = 0x44, .mac_layout = SIM_MAC_LATER,
     .uart_date = 0x60000078, .uart_clkdiv = 0x3F400014, .crystal_mhz = 40,
     .spi = 0x3F402000, .spi_layout = SIM_SPI_LATER,
     .wdt = 0x3F408094, .wdt_key = 0x3F4080AC,
     .security_len = 12, .begin_len = 20, .status_len = 4, .boot_baud = 115200, .flash_cmds = true,
     .revision = 100, .major = s2_major, .minor = s2_minor,
     .crypt = {0x34, 18, 3, 0}, .secure_boot = {0x38, 20, 1, 0}, .oui = {0x7C, 0xDF, 0xA1},
     .words = WORDS("esp32s2-rc4-20191025\r\nBuild:Oct 25 2019", "0x0 (DOWNLOAD(UART0))",
                    "0x8 (SPI_FAST_FLASH_BOOT)")},
    {.name = "esp32s3", .title = "ESP32-S3", .stub = "esp32s3.json",
     .magic = 0x00000009, .image_id = 9, .boot_at = 0,
     .efuse = 0x60007000, .mac_at = 0x44, .mac_layout = SIM_MAC_LATER,
     .uart_date = 0x60000080, .uart_clkdiv = 0, .crystal_mhz = 40,
     .spi = 0x60002000, .spi_layout = SIM_SPI_LATER,
     .wdt = 0x60008098, .wdt_key = 0x600080B0,
     .security_len = 20, .begin_len = 20, .status_len = 4, .boot_baud = 115200, .flash_cmds = true,
     .revision = 2, .major = s3_major, .minor = s3_minor,
     .crypt = {0x34, 18, 3, 0}, .secure_boot = {0x38, 20, 1, 0}, .oui = {0x34, 0x85, 0x18},
     .words = WORDS("esp32s3-20210327\r\nBuild:Mar 27 2021", "0x0 (DOWNLOAD(USB/UART0))",
                    "0x8 (SPI_FAST_FLASH_BOOT)")},
    {.name = "esp32c2", .title = "ESP32-C2", .stub = "esp32c2.json", .stub_from = 100,
     .magic = 0x7C41A06F, .image_id = 12, .boot_at = 0,
     .efuse = 0x60008800, .mac_at = 0x40, .mac_layout = SIM_MAC_LATER,
     .uart_date = 0x6000007C, .uart_clkdiv = 0x60000014, .crystal_mhz = 40,
     .spi = 0x60002000, .spi_layout = SIM_SPI_LATER,
     .wdt = 0x60008084, .wdt_key = 0x6000809C,
     .security_len = 20, .eco = 1, .begin_len = 20, .status_len = 4, .boot_baud = 115200, .flash_cmds = true,
     .revision = 101, .major = c2_major, .minor = c2_minor,
     .crypt = {0x30, 7, 3, 0}, .secure_boot = {0x30, 21, 1, 0}, .oui = {0x08, 0x3A, 0x8D},
     .words = WORDS("esp8684-api2-20220127\r\nBuild:Jan 27 2022", "0x4 (DOWNLOAD(UART0))",
                    "0xc (SPI_FAST_FLASH_BOOT)")},
    {.name = "esp32c3", .title = "ESP32-C3", .stub = "esp32c3.json",
     .magic = 0x1B31506F, .image_id = 5, .boot_at = 0,
     .efuse = 0x60008800, .mac_at = 0x44, .mac_layout = SIM_MAC_LATER,
     .uart_date = 0x6000007C, .uart_clkdiv = 0, .crystal_mhz = 40,
     .spi = 0x60002000, .spi_layout = SIM_SPI_LATER,
     .wdt = 0x60008090, .wdt_key = 0x600080A8,
     .security_len = 20, .eco = 3, .begin_len = 20, .status_len = 4, .boot_baud = 115200, .flash_cmds = true,
     .revision = 3, .major = s3_major, .minor = s3_minor,
     .crypt = {0x34, 18, 3, 0}, .secure_boot = {0x38, 20, 1, 0}, .oui = {0x60, 0x55, 0xF9},
     .words = WORDS("esp32c3-api1-20210207\r\nBuild:Feb  7 2021", "0x4 (DOWNLOAD(USB/UART0/1))",
                    "0xc (SPI_FAST_FLASH_BOOT)")},
    {.name = "esp32c5", .title = "ESP32-C5", .stub = "esp32c5.json",
     .magic = 0x63E1406F, .image_id = 23, .boot_at = 0x2000,
     .efuse = 0x600B4800, .mac_at = 0x44, .mac_layout = SIM_MAC_LATER, .eui64 = true,
     .uart_date = 0x6000007C, .uart_clkdiv = 0x60000014, .crystal_mhz = 48,
     .spi = 0x60003000, .spi_layout = SIM_SPI_LATER,
     .wdt = 0x600B1C00, .wdt_key = 0x600B1C18,
     .security_len = 20, .eco = 2, .begin_len = 20, .status_len = 4, .boot_baud = 115200, .flash_cmds = true,
     .revision = 100, .major = c5_major, .minor = c5_minor,
     .crypt = {0x34, 16, 3, 0}, .secure_boot = {0x38, 25, 1, 0}, .oui = {0xD0, 0xCF, 0x13},
     .words = WORDS("esp32c5-eco2-20250121\r\nBuild:Jan 21 2025", "0x0 (DOWNLOAD(USB/UART0))",
                    "0x18 (SPI_FAST_FLASH_BOOT)")},
    {.name = "esp32c6", .title = "ESP32-C6", .stub = "esp32c6.json",
     .magic = 0x2CE0806F, .image_id = 13, .boot_at = 0,
     .efuse = 0x600B0800, .mac_at = 0x44, .mac_layout = SIM_MAC_LATER, .eui64 = true,
     .uart_date = 0x6000007C, .uart_clkdiv = 0, .crystal_mhz = 40,
     .spi = 0x60003000, .spi_layout = SIM_SPI_LATER,
     .security_len = 20, .begin_len = 20, .status_len = 4, .boot_baud = 115200, .flash_cmds = true,
     .revision = 1, .major = c6_major, .minor = c6_minor,
     .crypt = {0x34, 18, 3, 0}, .secure_boot = {0x38, 20, 1, 0}, .oui = {0x40, 0x4C, 0xCA},
     .words = WORDS("esp32c6-20220919\r\nBuild:Sep 19 2022", "0x4 (DOWNLOAD(USB/UART0/SDIO_REI_FEO))",
                    "0xc (SPI_FAST_FLASH_BOOT)")},
    {.name = "esp32c61", .title = "ESP32-C61", .stub = "esp32c61.json",
     .magic = 0x2421606F, .image_id = 20, .boot_at = 0,
     .efuse = 0x600B4800, .mac_at = 0x44, .mac_layout = SIM_MAC_LATER,
     .uart_date = 0x6000007C, .uart_clkdiv = 0, .crystal_mhz = 40,
     .spi = 0x60003000, .spi_layout = SIM_SPI_LATER,
     .wdt = 0x600B1C00, .wdt_key = 0x600B1C18,
     .security_len = 20, .begin_len = 20, .status_len = 4, .boot_baud = 115200, .flash_cmds = true,
     .revision = 100, .major = c5_major, .minor = c5_minor,
     .crypt = {0x30, 23, 3, 0}, .secure_boot = {0x34, 26, 1, 0}, .oui = {0x14, 0xC1, 0x9F},
     .words = WORDS("esp32c61-20240301\r\nBuild:Mar  1 2024", "0x4 (DOWNLOAD(USB/UART0/SDIO_REI_FEO))",
                    "0xc (SPI_FAST_FLASH_BOOT)")},
    {.name = "esp32h2", .title = "ESP32-H2", .stub = "esp32h2.json",
     .magic = 0xD7B73E80, .image_id = 16, .boot_at = 0,
     .efuse = 0x600B0800, .mac_at = 0x44, .mac_layout = SIM_MAC_LATER, .eui64 = true,
     .uart_date = 0x6000007C, .uart_clkdiv = 0, .crystal_mhz = 32,
     .spi = 0x60003000, .spi_layout = SIM_SPI_LATER,
     .security_len = 20, .begin_len = 20, .status_len = 4, .boot_baud = 115200, .flash_cmds = true,
     .revision = 1, .major = h2_major, .minor = h2_minor,
     .crypt = {0x34, 18, 3, 0}, .secure_boot = {0x38, 20, 1, 0}, .oui = {0x74, 0x4D, 0xBD},
     .words = WORDS("esp32h2-20221101\r\nBuild:Nov  1 2022", "0x4 (DOWNLOAD(USB/UART0))",
                    "0xc (SPI_FAST_FLASH_BOOT)")},
    {.name = "esp32p4", .title = "ESP32-P4", .stub = "esp32p4.json", .stub_old = "esp32p4-rev1.json",
     .stub_from = 300,
     .magic = 0x0ADDBAD0, .image_id = 18, .boot_at = 0x2000,
     .efuse = 0x5012D000, .mac_at = 0x44, .mac_layout = SIM_MAC_LATER,
     .uart_date = 0x500CA08C, .uart_clkdiv = 0, .crystal_mhz = 40,
     .spi = 0x5008D000, .spi_layout = SIM_SPI_LATER,
     .wdt = 0x50116000, .wdt_key = 0x50116018,
     .security_len = 20, .eco = 2, .begin_len = 20, .status_len = 4, .boot_baud = 115200, .flash_cmds = true,
     .revision = 100, .major = p4_major, .minor = c5_minor,
     .crypt = {0x34, 18, 3, 0}, .secure_boot = {0x38, 20, 1, 0}, .oui = {0x60, 0x55, 0xF9},
     .words = WORDS("esp32p4-eco2-20240710\r\nBuild:Jul 10 2024", "0x4 (DOWNLOAD(USB/UART0))",
                    "0xc (SPI_FAST_FLASH_BOOT)")},
    {.name = NULL},
};

const struct sim_chip *sim_chip_find(const char *name)
{
    for (const struct sim_chip *c = chips; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

/* CRC-8 of the MAC as the ESP32's factory burns it: polynomial 31 reflected, start 0. */
static uint8_t mac_crc8(const uint8_t mac[static 6])
{
    unsigned crc = 0;
    for (int i = 0; i < 6; i++) {
        crc ^= mac[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x8C : crc >> 1;
    }
    return (uint8_t)crc;
}

static void put_bits(struct sim_regs *regs, uint32_t base, struct sim_bits bits, unsigned value)
{
    if (bits.width != 0)
        sim_regs_or(regs, base + bits.reg,
                    (value >> bits.lsb & ((1u << bits.width) - 1)) << bits.shift);
}

static void put_value(struct sim_regs *regs, uint32_t base, const struct sim_bits *list, unsigned value)
{
    for (; list && list->width; list++)
        put_bits(regs, base, *list, value);
}

/* The ESP32 keeps its major revision as a count of bits in three places. Reference 3.4. */
static void fill_esp32_revision(unsigned revision, struct sim_regs *regs)
{
    unsigned major = revision / 100, minor = revision % 100;
    if (major >= 1)
        sim_regs_or(regs, 0x3FF5A00C, 1u << 15);
    if (major >= 2)
        sim_regs_or(regs, 0x3FF5A014, 1u << 20);
    if (major >= 3)
        sim_regs_or(regs, 0x3FF6607C, 1u << 31);
    sim_regs_or(regs, 0x3FF5A014, (minor & 3) << 24);
}

/* The ESP32's ROM measures its crystal against the 8 MHz oscillator, whose frequency the factory burnt:
 * crystal = calibration * 15625 * burnt / 40. Burnt 51 and calibration 2008 give 40.003 MHz. */
static void fill_esp32_clock(double calibration, struct sim_regs *regs)
{
    sim_regs_set(regs, 0x3FF5A010, 51);
    sim_regs_set(regs, 0x3FF5F06C, (uint32_t)(2008.0 * calibration + 0.5) << 7);
}

static void fill_mac(const struct sim_chip *c, const uint8_t mac[static 6], struct sim_regs *regs)
{
    uint32_t at = c->efuse + c->mac_at;
    uint32_t low4 = (uint32_t)mac[2] << 24 | (uint32_t)mac[3] << 16 | (uint32_t)mac[4] << 8 | mac[5];
    uint32_t top2 = (uint32_t)mac[0] << 8 | mac[1];
    switch (c->mac_layout) {
    case SIM_MAC_8266:
        sim_regs_or(regs, at, (uint32_t)mac[5] << 24);
        sim_regs_or(regs, at + 4, (uint32_t)mac[3] << 8 | mac[4]);
        sim_regs_or(regs, at + 12, top2 << 8 | mac[2]);
        break;
    case SIM_MAC_ESP32:
        sim_regs_set(regs, at, low4);
        sim_regs_or(regs, at + 4, top2 | (uint32_t)mac_crc8(mac) << 16);
        break;
    case SIM_MAC_LATER:
        sim_regs_set(regs, at, low4);
        sim_regs_or(regs, at + 4, top2);
        if (c->eui64)
            sim_regs_or(regs, at + 4, 0xFFFE0000); /* MAC_EXT as the factory burns it: FF:FE */
        break;
    }
}

void sim_chip_fill(const struct sim_spec *spec, struct sim_regs *regs)
{
    const struct sim_chip *c = spec->chip;
    sim_regs_set(regs, REG_MAGIC, c->magic);
    fill_mac(c, spec->mac, regs);
    if (c->mac_layout == SIM_MAC_ESP32) {
        fill_esp32_revision(spec->revision, regs);
        fill_esp32_clock(spec->calibration, regs);
    }
    if (c->image_id == 23) /* the C5's ROM keeps the crystal's MHz that it expects here: reference 3.10 */
        sim_regs_set(regs, 0x60096110, (uint32_t)c->crystal_mhz << 24);
    put_value(regs, c->efuse, c->major, spec->revision / 100);
    put_value(regs, c->efuse, c->minor, spec->revision % 100);
    if (spec->security.flash_encryption)
        put_bits(regs, c->efuse, c->crypt, 1);
    if (spec->security.secure_boot)
        put_bits(regs, c->efuse, c->secure_boot, 1);
}
