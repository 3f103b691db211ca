/* SPDX-License-Identifier: Apache-2.0
 * Readings that need arithmetic: MAC (facts 3.3), revision (3.4), crystal (3.2), security (7.1, 7.2),
 * pins of flash in the package (3.8), flash size (5.1). */
#include "esp/chip.h"

#include <string.h>

/* The ESP8266's four one-time-programmable words; the MAC is scattered over three of them. */
enum { OTP1 = 0x04, OTP3 = 0x0c };
/* The ESP32's eFuse words 0, 3, 5, 6, and the third bit of its major revision. */
enum { ESP32_W3 = 0x0c, ESP32_W5 = 0x14, ESP32_W6 = 0x18 };
static const uint32_t esp32_apb_date = 0x3ff6607c;
enum { S3_BLOCK_VERSION = 0x6c, BLOCK1_W3 = 0x50 };

static enum fl_err word(const struct chip *c, struct chip_regs regs, uint16_t at, uint32_t *v)
{
    return regs.read(regs.ctx, c->efuse + at, v);
}

static uint32_t bits_of(struct chip_bits b, uint32_t v)
{
    return b.n == 0 ? 0 : v >> b.lo & (UINT32_MAX >> (32 - b.n));
}

static enum fl_err bits(const struct chip *c, struct chip_regs regs, struct chip_bits b, uint32_t *v)
{
    *v = 0;
    if (b.n == 0)
        return FL_OK;
    uint32_t w;
    enum fl_err err = word(c, regs, b.at, &w);
    if (!err)
        *v = bits_of(b, w);
    return err;
}

static enum fl_err number(const struct chip *c, struct chip_regs regs, const struct chip_number *n,
                          uint32_t *v)
{
    uint32_t high, low;
    enum fl_err err = bits(c, regs, n->high, &high);
    if (!err)
        err = bits(c, regs, n->low, &low);
    if (!err)
        *v = high << n->low.n | low;
    return err;
}

bool chip_odd_parity(uint32_t v)
{
    bool odd = false;
    for (; v; v &= v - 1)
        odd = !odd;
    return odd;
}

/* ---- MAC ---------------------------------------------------------------------------------------- */

static void put_be(uint8_t *to, uint32_t v, size_t n)
{
    while (n > 0) {
        to[--n] = (uint8_t)v;
        v >>= 8;
    }
}

static enum fl_err mac_esp8266(const struct chip *c, struct chip_regs regs, uint8_t mac[static 6])
{
    uint32_t m0, m1, m3;
    enum fl_err err = word(c, regs, 0, &m0);
    if (!err)
        err = word(c, regs, OTP1, &m1);
    if (!err)
        err = word(c, regs, OTP3, &m3);
    if (err)
        return err;
    uint32_t oui = m3 & 0xffffff;
    if (m3 == 0)
        oui = (m1 >> 16 & 0xff) == 0 ? 0x18fe34 : (m1 >> 16 & 0xff) == 1 ? 0xacd074 : 0;
    if (oui == 0)
        return FL_UNSUPPORTED;
    put_be(mac, oui, 3);
    put_be(mac + 3, (m1 & 0xffff) << 8 | m0 >> 24, 3);
    return FL_OK;
}

/* Fuses that were never burnt, or cannot be read: nobody's, and the same on many boards. */
static bool nobodys(const uint8_t mac[static 6])
{
    static const uint8_t none[6], all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    return memcmp(mac, none, sizeof none) == 0 || memcmp(mac, all, sizeof all) == 0;
}

enum fl_err chip_read_mac(const struct chip *c, struct chip_regs regs, uint8_t mac[static 6],
                          uint8_t eui64[static 8])
{
    if (c->mac == 0)
        return mac_esp8266(c, regs, mac);
    uint32_t low, high;
    enum fl_err err = word(c, regs, c->mac, &low);
    if (!err)
        err = word(c, regs, (uint16_t)(c->mac + 4), &high);
    if (err)
        return err;
    put_be(mac, high, 2);
    put_be(mac + 2, low, 4);
    if (nobodys(mac))
        return FL_UNSUPPORTED;
    if (c->eui64) {
        for (int i = 0; i < 3; i++) {
            eui64[i] = mac[i];
            eui64[5 + i] = mac[3 + i];
        }
        put_be(eui64 + 3, high >> 16, 2);
    }
    return FL_OK;
}

/* ---- revision ----------------------------------------------------------------------------------- */

/* Three bits in three registers count 0, 1, 3, 7 for major revisions 0, 1, 2, 3. */
static enum fl_err major_esp32(const struct chip *c, struct chip_regs regs, uint32_t *major)
{
    uint32_t w3, w5, date;
    enum fl_err err = word(c, regs, ESP32_W3, &w3);
    if (!err)
        err = word(c, regs, ESP32_W5, &w5);
    if (!err)
        err = regs.read(regs.ctx, esp32_apb_date, &date);
    if (err)
        return err;
    uint32_t scattered = (w3 >> 15 & 1) | (w5 >> 20 & 1) << 1 | (date >> 31) << 2;
    *major = scattered == 7 ? 3 : scattered == 3 ? 2 : scattered == 1 ? 1 : 0;
    return FL_OK;
}

/* Early ESP32-S3 chips carry block version 1.1 in the bits that later hold the revision: they are v0.0. */
static enum fl_err fix_s3(const struct chip *c, struct chip_regs regs, uint32_t *major,
                          uint32_t *minor)
{
    if ((*minor & 7) != 0)
        return FL_OK;
    uint32_t block, w3;
    enum fl_err err = word(c, regs, S3_BLOCK_VERSION, &block);
    if (!err)
        err = word(c, regs, BLOCK1_W3, &w3);
    if (!err && (block & 3) == 1 && (w3 >> 24 & 7) == 1)
        *major = *minor = 0;
    return err;
}

enum fl_err chip_read_revision(const struct chip *c, struct chip_regs regs, unsigned *revision)
{
    uint32_t major = 0, minor = 0;
    enum fl_err err = FL_OK;
    if (c->revision != REVISION_NONE)
        err = number(c, regs, &c->minor, &minor);
    if (!err && c->revision == REVISION_ESP32)
        err = major_esp32(c, regs, &major);
    else if (!err)
        err = number(c, regs, &c->major, &major);
    if (!err && c->revision == REVISION_S3)
        err = fix_s3(c, regs, &major, &minor);
    if (!err)
        *revision = major * 100 + minor;
    return err;
}

/* ---- crystal ------------------------------------------------------------------------------------ */

enum fl_err chip_read_crystal(const struct chip *c, struct chip_regs regs, uint32_t baud,
                              unsigned *mhz)
{
    *mhz = c->crystal;
    if (c->clkdiv == 0)
        return FL_OK;
    uint32_t div;
    enum fl_err err = regs.read(regs.ctx, c->clkdiv, &div);
    if (err)
        return err;
    uint64_t estimate = (uint64_t)baud * (div & 0xfffff) / c->clkdiv_per / 1000000;
    *mhz = estimate > 45 && c->crystal == 48 ? 48 : estimate > 33 ? 40 : 26;
    return FL_OK;
}

/* ---- security ----------------------------------------------------------------------------------- */

enum fl_err chip_read_security(const struct chip *c, struct chip_regs regs, unsigned revision,
                               struct chip_security *out)
{
    *out = (struct chip_security){0};
    uint32_t count, boot, manual, w6 = 0;
    enum fl_err err = bits(c, regs, c->crypt_count, &count);
    if (!err)
        err = bits(c, regs, c->secure_boot, &boot);
    if (!err)
        err = bits(c, regs, c->no_manual_crypt, &manual);
    if (!err && c->revision == REVISION_ESP32)
        err = word(c, regs, ESP32_W6, &w6);
    if (err)
        return err;
    out->encrypted = chip_odd_parity(count);
    out->no_manual_crypt = manual != 0;
    out->secure_boot = boot != 0;
    if (c->revision == REVISION_ESP32) {
        /* bit 4 is the first generation's; bit 5, the second's, means nothing before revision 3 */
        out->secure_boot_v1 = (w6 >> 4 & 1) != 0;
        out->jtag_off = (w6 >> 6 & 1) != 0; /* between the two above and the one that forbids encrypting in the loader */
        out->secure_boot = out->secure_boot_v1 || (boot != 0 && revision >= 300);
    }
    return FL_OK;
}

/* ---- flash -------------------------------------------------------------------------------------- */

enum fl_err chip_read_attach(const struct chip *c, struct chip_regs regs, uint32_t *config)
{
    *config = 0;
    if (c->revision != REVISION_ESP32)
        return FL_OK;
    uint32_t w3, w5;
    enum fl_err err = word(c, regs, ESP32_W3, &w3);
    if (!err)
        err = word(c, regs, ESP32_W5, &w5);
    if (err)
        return err;
    /* clk, q, d, cs, hd: five bits each; 30 and 31 stand for GPIO32 and 33 */
    uint32_t pins[] = {w5 & 31, w5 >> 5 & 31, w5 >> 10 & 31, w5 >> 15 & 31, w3 >> 4 & 31};
    for (size_t i = 0; i < sizeof pins / sizeof *pins; i++) {
        if (pins[i] >= 30)
            pins[i] += 2;
        *config |= pins[i] << 6 * i;
    }
    return FL_OK;
}

uint64_t chip_flash_size(uint32_t jedec)
{
    uint32_t vendor = jedec & 0xff, type = jedec >> 8 & 0xff, capacity = jedec >> 16 & 0xff;
    if (vendor == 0x1f) { /* Adesto counts in the type byte */
        static const uint8_t megabits[] = {4, 8, 16, 32, 64, 128};
        uint32_t code = type & 0x1f;
        return code >= 4 && code <= 9 ? (uint64_t)megabits[code - 4] << 17 : 0;
    }
    if (capacity >= 0x12 && capacity <= 0x1c)
        return UINT64_C(1) << capacity;
    if (capacity >= 0x20 && capacity <= 0x22)
        return UINT64_C(1) << (capacity - 0x20 + 26);
    if (capacity >= 0x32 && capacity <= 0x3a)
        return UINT64_C(1) << (capacity - 0x20);
    return 0;
}

bool chip_flash_id_bad(uint32_t jedec)
{
    return jedec == 0xffffff || jedec == 0 || jedec == 0xffff3f;
}
