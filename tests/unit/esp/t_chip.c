/* SPDX-License-Identifier: Apache-2.0
 * The chip table against the literal values of the facts sheet (sections 3.1 to 3.8, 7.2), typed
 * here from its tables and not from chip.c; readings against registers given as address and value. */
#include "unit/t.h"

#include "esp/chip.h"

/* ---- the table ---------------------------------------------------------------------------------- */

struct row {
    const char *name;
    int id;
    uint32_t efuse, mac, spi, clkdiv;
    unsigned usr, usr1, usr2, mosi, miso, w0;
    uint32_t wdt0, wdt1, wp, swd, swdwp, swdkey;
    unsigned swdbit;
    const char *stub;
};

#define NEW_SPI 0x18, 0x1C, 0x20, 0x24, 0x28, 0x58
#define NO_SWD 0, 0, 0, 0

static const struct row rows[] = {
    {"esp8266", -1, 0x3FF00050, 0x3FF00050, 0x60000200, 0x60000014, 0x1C, 0x20, 0x24, 0, 0, 0x40,
     0, 0, 0, NO_SWD, "esp8266"},
    {"esp32", 0, 0x3FF5A000, 0x3FF5A004, 0x3FF42000, 0x3FF40014, 0x1C, 0x20, 0x24, 0x28, 0x2C, 0x80,
     0, 0, 0, NO_SWD, "esp32"},
    {"esp32s2", 2, 0x3F41A000, 0x3F41A044, 0x3F402000, 0, NEW_SPI,
     0x3F408094, 0x3F408098, 0x3F4080AC, NO_SWD, "esp32s2"},
    {"esp32s3", 9, 0x60007000, 0x60007044, 0x60002000, 0, NEW_SPI,
     0x60008098, 0x6000809C, 0x600080B0, 0x600080B4, 0x600080B8, 0x8F1D312A, 31, "esp32s3"},
    {"esp32c3", 5, 0x60008800, 0x60008844, 0x60002000, 0, NEW_SPI,
     0x60008090, 0x60008094, 0x600080A8, 0x600080AC, 0x600080B0, 0x8F1D312A, 31, "esp32c3"},
    {"esp32c2", 12, 0x60008800, 0x60008840, 0x60002000, 0x60000014, NEW_SPI,
     0x60008084, 0x60008088, 0x6000809C, NO_SWD, "esp32c2"},
    {"esp32c6", 13, 0x600B0800, 0x600B0844, 0x60003000, 0, NEW_SPI,
     0x600B1C00, 0x600B1C04, 0x600B1C18, 0x600B1C1C, 0x600B1C20, 0x50D83AA1, 18, "esp32c6"},
    {"esp32h2", 16, 0x600B0800, 0x600B0844, 0x60003000, 0, NEW_SPI,
     0x600B1C00, 0x600B1C04, 0x600B1C1C, 0x600B1C20, 0x600B1C24, 0x50D83AA1, 18, "esp32h2"},
    {"esp32c5", 23, 0x600B4800, 0x600B4844, 0x60003000, 0x60000014, NEW_SPI,
     0x600B1C00, 0x600B1C04, 0x600B1C18, 0x600B1C1C, 0x600B1C20, 0x50D83AA1, 18, "esp32c5"},
    {"esp32c61", 20, 0x600B4800, 0x600B4844, 0x60003000, 0, NEW_SPI,
     0x600B1C00, 0x600B1C04, 0x600B1C18, 0x600B1C1C, 0x600B1C20, 0x50D83AA1, 18, "esp32c61"},
    {"esp32p4", 18, 0x5012D000, 0x5012D044, 0x5008D000, 0, NEW_SPI,
     0x50116000, 0x50116004, 0x50116018, 0x5011601C, 0x50116020, 0x50D83AA1, 18, "esp32p4"},
};

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        const struct row *r = &rows[i];
        const struct chip *c = chip_by_name(r->name);
        assert_non_null(c);
        assert_int_equal(c->id, r->id);
        assert_int_equal(c->efuse, r->efuse);
        assert_int_equal(c->efuse + c->mac, r->mac);
        assert_int_equal(c->spi_base, r->spi);
        assert_int_equal(c->clkdiv, r->clkdiv);
        assert_int_equal(c->spi->usr, r->usr);
        assert_int_equal(c->spi->usr1, r->usr1);
        assert_int_equal(c->spi->usr2, r->usr2);
        assert_int_equal(c->spi->mosi_len, r->mosi);
        assert_int_equal(c->spi->miso_len, r->miso);
        assert_int_equal(c->spi->w0, r->w0);
        static const struct chip_wdt none;
        const struct chip_wdt *w = c->wdt ? c->wdt : &none;
        assert_int_equal(w->config0, r->wdt0);
        assert_int_equal(w->config1, r->wdt1);
        assert_int_equal(w->protect, r->wp);
        assert_int_equal(w->swd_config, r->swd);
        assert_int_equal(w->swd_protect, r->swdwp);
        assert_int_equal(w->swd_key, r->swdkey);
        assert_int_equal(w->swd_bit, r->swdbit);
        assert_string_equal(c->stub, r->stub);
        if (r->id >= 0)
            assert_ptr_equal(chip_by_id((uint32_t)r->id), c);
    }
    assert_non_null(chip_at(T_COUNT(rows) - 1));
    assert_null(chip_at(T_COUNT(rows)));
    assert_null(chip_by_id(4)); /* a withdrawn ESP32-S3 beta */
    assert_null(chip_by_id(0xffffffff));
    assert_null(chip_by_name("esp33"));
}

static bool is_one_of(const char *name, const char *list)
{
    char wrapped[40];
    (void)snprintf(wrapped, sizeof wrapped, " %s ", name);
    return strstr(list, wrapped) != NULL;
}

static void flags(void **state)
{
    (void)state;
    for (size_t i = 0; chip_at(i); i++) {
        const struct chip *c = chip_at(i);
        assert_int_equal(c->eui64, is_one_of(c->name, " esp32c6 esp32h2 esp32c5 "));
        assert_int_equal(c->wdt && c->wdt->can_reset,
                         is_one_of(c->name, " esp32s2 esp32s3 esp32c3 esp32c2 esp32c5 esp32c61 esp32p4 "));
        assert_int_equal(c->big_flash,
                         is_one_of(c->name, " esp32s3 esp32p4 esp32c5 esp32c61 "));
        assert_int_equal(c->begin_16, is_one_of(c->name, " esp8266 esp32 "));
        assert_int_equal(c->has_md5, !is_one_of(c->name, " esp8266 "));
        assert_int_equal(c->spi->addr_left, is_one_of(c->name, " esp8266 esp32 "));
    }
    assert_ptr_equal(chip_by_magic(0xFFF0C101), chip_by_name("esp8266"));
    assert_ptr_equal(chip_by_magic(0x00F01D83), chip_by_name("esp32"));
    assert_ptr_equal(chip_by_magic(0x000007C6), chip_by_name("esp32s2"));
    assert_null(chip_by_magic(0x6921506F)); /* an ESP32-C3: its number is told by id only */
    assert_null(chip_by_magic(0));
    assert_int_equal(chip_by_name("esp32s2")->usb.strap, 0x3F404038);
    assert_int_equal(chip_by_name("esp32s2")->usb.force, 0x3F408128);
    assert_int_equal(chip_by_name("esp32s3")->usb.strap, 0x60004038);
    assert_int_equal(chip_by_name("esp32s3")->usb.force, 0x6000812C);
    assert_true(chip_by_name("esp32p4")->usb.otg_watchdog);
}

/* ---- readings ----------------------------------------------------------------------------------- */

struct reg {
    uint32_t addr, value;
};
struct regs {
    const struct reg *list;
    size_t n;
    unsigned reads, fail_at; /* fail_at n: the n-th read fails; 0: none */
};

static enum fl_err read_reg(void *ctx, uint32_t addr, uint32_t *value)
{
    struct regs *r = ctx;
    if (++r->reads == r->fail_at)
        return FL_TIMEOUT;
    *value = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->list[i].addr == addr)
            *value = r->list[i].value;
    return FL_OK;
}

#define REGS(...)                                                                                  \
    (struct chip_regs){&(struct regs){(const struct reg[]){__VA_ARGS__},                           \
                                      sizeof((const struct reg[]){__VA_ARGS__}) / sizeof(struct reg), 0, 0}, \
                       read_reg}

static void mac(void **state)
{
    (void)state;
    static const struct {
        const char *chip;
        struct reg regs[3];
        const char *mac, *eui;
    } cases[] = {
        {"esp32", {{0x3FF5A004, 0x28AABBCC}, {0x3FF5A008, 0x00EE246F}},
         "\x24\x6f\x28\xaa\xbb\xcc", NULL},
        {"esp32s2", {{0x3F41A044, 0x33445566}, {0x3F41A048, 0xffff1122}},
         "\x11\x22\x33\x44\x55\x66", NULL},
        {"esp32c2", {{0x60008840, 0x33445566}, {0x60008844, 0xffff1122}},
         "\x11\x22\x33\x44\x55\x66", NULL},
        {"esp32c6", {{0x600B0844, 0xF94D8E1C}, {0x600B0848, 0xFFFE404C}},
         "\x40\x4c\xf9\x4d\x8e\x1c", "\x40\x4c\xf9\xff\xfe\x4d\x8e\x1c"},
        {"esp8266", {{0x3FF00050, 0xC1000000}, {0x3FF00054, 0x0200A0B2}, {0x3FF0005C, 0}},
         "\x18\xfe\x34\xa0\xb2\xc1", NULL},
        {"esp8266", {{0x3FF00050, 0xC1000000}, {0x3FF00054, 0x0201A0B2}, {0x3FF0005C, 0}},
         "\xac\xd0\x74\xa0\xb2\xc1", NULL},
        {"esp8266", {{0x3FF00050, 0xC1000000}, {0x3FF00054, 0x0201A0B2}, {0x3FF0005C, 0x005CCF7F}},
         "\x5c\xcf\x7f\xa0\xb2\xc1", NULL},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct regs ctx = {cases[i].regs, 3, 0, 0};
        uint8_t m[6] = {0}, eui[8] = {0};
        assert_int_equal(chip_read_mac(chip_by_name(cases[i].chip), (struct chip_regs){&ctx, read_reg},
                                       m, eui), FL_OK);
        assert_memory_equal(m, cases[i].mac, 6);
        assert_memory_equal(eui, cases[i].eui ? cases[i].eui : "\0\0\0\0\0\0\0", 8);
    }
    uint8_t m[6], eui[8];
    /* never burnt, or not to be read: no unit has this address, and many boards would be one */
    struct chip_regs blank = REGS({0x3FF5A004, 0}, {0x3FF5A008, 0}), full = REGS({0x3FF5A004, 0xffffffff}, {0x3FF5A008, 0xffffffff});
    assert_int_equal(chip_read_mac(chip_by_name("esp32"), blank, m, eui), FL_UNSUPPORTED);
    assert_int_equal(chip_read_mac(chip_by_name("esp32"), full, m, eui), FL_UNSUPPORTED);
    assert_int_equal(chip_read_mac(chip_by_name("esp8266"), REGS({0x3FF00054, 0x00070000}), m, eui),
                     FL_UNSUPPORTED);
}

static void revision(void **state)
{
    (void)state;
    static const struct {
        const char *chip;
        struct reg regs[4];
        unsigned revision;
    } cases[] = {
        {"esp32", {{0, 0}}, 0},
        {"esp32", {{0x3FF5A00C, 1u << 15}}, 100},
        {"esp32", {{0x3FF5A00C, 1u << 15}, {0x3FF5A014, 1u << 20}}, 200},
        {"esp32", {{0x3FF5A00C, 1u << 15}, {0x3FF5A014, 1u << 20 | 1u << 24}, {0x3FF6607C, 1u << 31}}, 301},
        {"esp32", {{0x3FF6607C, 1u << 31}}, 0}, /* a pattern that counts for nothing */
        {"esp8266", {{0x3FF00050, 0xffffffff}}, 0},
        {"esp32s2", {{0x3F41A050, 1u << 18 | 1u << 20}, {0x3F41A054, 2u << 4}}, 110},
        {"esp32s3", {{0x60007058, 0u}, {0x60007050, 2u << 18}}, 2},
        {"esp32s3", {{0x60007058, 1u << 24 | 1u << 23}, {0x60007050, 3u << 18}}, 111},
        /* block version 1.1 where the revision is: v0.0 */
        {"esp32s3", {{0x60007058, 1u << 24}, {0x60007050, 1u << 24}, {0x6000706C, 1}}, 0},
        {"esp32s3", {{0x60007058, 1u << 24}, {0x60007050, 1u << 24}, {0x6000706C, 2}}, 100},
        {"esp32c3", {{0x60008858, 0}, {0x60008850, 4u << 18}}, 4},
        {"esp32c3", {{0x60008858, 1u << 24}, {0x60008850, 1u << 18}}, 101},
        {"esp32c2", {{0x60008844, 1u << 20 | 2u << 16}}, 102},
        {"esp32c6", {{0x600B0850, 1u << 22 | 3u << 18}}, 103},
        {"esp32h2", {{0x600B0850, 1u << 21 | 2u << 18}}, 102},
        {"esp32c5", {{0x600B484C, 1u << 4 | 0u}}, 100},
        {"esp32c61", {{0x600B484C, 1u << 4 | 5u}}, 105},
        {"esp32p4", {{0x5012D04C, 3u << 4 | 2u}}, 302},
        {"esp32p4", {{0x5012D04C, 1u << 23 | 1u}}, 401},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct regs ctx = {cases[i].regs, 4, 0, 0};
        unsigned r = 12345;
        assert_int_equal(chip_read_revision(chip_by_name(cases[i].chip),
                                            (struct chip_regs){&ctx, read_reg}, &r), FL_OK);
        if (r != cases[i].revision)
            fail_msg("case %zu (%s): %u, expected %u", i, cases[i].chip, r, cases[i].revision);
    }
}

static void crystal(void **state)
{
    (void)state;
    static const struct {
        const char *chip;
        struct reg reg;
        uint32_t baud;
        unsigned mhz;
    } cases[] = {
        /* divider = clock / baud: 40 MHz / 115200 = 347, 26 MHz: 226, 48 MHz: 417 */
        {"esp32", {0x3FF40014, 0x00F0015B}, 115200, 40},
        {"esp32", {0x3FF40014, 226}, 115200, 26},
        {"esp8266", {0x60000014, 2 * 226}, 115200, 26},
        {"esp8266", {0x60000014, 2 * 347}, 115200, 40},
        {"esp32c2", {0x60000014, 226}, 115200, 26},
        {"esp32c5", {0x60000014, 417}, 115200, 48},
        {"esp32c5", {0x60000014, 347}, 115200, 40},
        {"esp32h2", {0, 0}, 115200, 32},
        {"esp32c3", {0, 0}, 115200, 40},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct regs ctx = {&cases[i].reg, 1, 0, 0};
        unsigned mhz = 0;
        assert_int_equal(chip_read_crystal(chip_by_name(cases[i].chip),
                                           (struct chip_regs){&ctx, read_reg}, cases[i].baud, &mhz), FL_OK);
        assert_int_equal(mhz, cases[i].mhz);
    }
}

static void security(void **state)
{
    (void)state;
    static const struct {
        const char *chip;
        struct reg regs[2];
        unsigned revision;
        bool boot, v1, crypt, manual_off;
    } cases[] = {
        {"esp32", {{0x3FF5A000, 1u << 20}}, 0, false, false, true, false},
        {"esp32", {{0x3FF5A000, 3u << 20}}, 0, false, false, false, false},
        {"esp32", {{0x3FF5A000, 0x7fu << 20}}, 0, false, false, true, false},
        {"esp32", {{0x3FF5A018, 1u << 4}}, 0, true, true, false, false},
        {"esp32", {{0x3FF5A018, 1u << 5}}, 300, true, false, false, false},
        {"esp32", {{0x3FF5A018, 1u << 5}}, 200, false, false, false, false},
        {"esp32", {{0x3FF5A018, 1u << 7}}, 0, false, false, false, true},
        {"esp32s2", {{0x3F41A034, 1u << 18}, {0x3F41A030, 1u << 19}}, 0, false, false, true, true},
        {"esp32s2", {{0x3F41A038, 1u << 20}}, 0, true, false, false, false},
        {"esp32s3", {{0x60007034, 7u << 18}, {0x60007038, 1u << 20}}, 0, true, false, true, false},
        {"esp32c3", {{0x60008834, 3u << 18}, {0x60008830, 1u << 20}}, 0, false, false, false, true},
        {"esp32c6", {{0x600B0834, 1u << 20}, {0x600B0838, 1u << 20}}, 0, true, false, true, false},
        {"esp32h2", {{0x600B0830, 1u << 20}}, 0, false, false, false, true},
        {"esp32p4", {{0x5012D034, 1u << 19}}, 0, false, false, true, false},
        {"esp32c5", {{0x600B4834, 1u << 16}, {0x600B4838, 1u << 25}}, 0, true, false, true, false},
        {"esp32c5", {{0x600B4830, 1u << 20}}, 0, false, false, false, true},
        {"esp32c61", {{0x600B4830, 1u << 23 | 1u << 14}, {0x600B4834, 1u << 26}}, 0, true, false, true, true},
        {"esp32c2", {{0x60008830, 1u << 7 | 1u << 21 | 1u << 6}}, 0, true, false, true, true},
        {"esp8266", {{0x3FF00050, 0xffffffff}}, 0, false, false, false, false},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct regs ctx = {cases[i].regs, 2, 0, 0};
        struct chip_security s;
        assert_int_equal(chip_read_security(chip_by_name(cases[i].chip),
                                            (struct chip_regs){&ctx, read_reg}, cases[i].revision, &s), FL_OK);
        if (s.secure_boot != cases[i].boot || s.secure_boot_v1 != cases[i].v1 ||
            s.encrypted != cases[i].crypt || s.no_manual_crypt != cases[i].manual_off)
            fail_msg("case %zu (%s): boot %d v1 %d crypt %d manual off %d", i, cases[i].chip,
                     s.secure_boot, s.secure_boot_v1, s.encrypted, s.no_manual_crypt);
    }
}

/* The ESP32 has no SECURITY_INFO to say it: bit 6 of the word that holds its secure boot bits (4, 5) and 7. */
static void jtag_fuse(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        struct reg regs[2] = {{0x3FF5A018, UINT32_C(1) << bit}};
        struct regs ctx = {regs, 2, 0, 0};
        struct chip_security s;
        assert_int_equal(chip_read_security(chip_by_name("esp32"), (struct chip_regs){&ctx, read_reg}, 300, &s), FL_OK);
        assert_int_equal(s.jtag_off, bit == 6);
    }
}

static void attach_pins(void **state)
{
    (void)state;
    const struct chip *esp32 = chip_by_name("esp32");
    uint32_t config = 1;
    assert_int_equal(chip_read_attach(esp32, REGS({0, 0}), &config), FL_OK);
    assert_int_equal(config, 0);
    /* ESP32-PICO-D4: clk 6, q 17, d 8, cs 16, hd 11 */
    assert_int_equal(chip_read_attach(esp32, REGS({0x3FF5A014, 6 | 17 << 5 | 8 << 10 | 16 << 15},
                                                  {0x3FF5A00C, 11 << 4}), &config), FL_OK);
    assert_int_equal(config, 11u << 24 | 16u << 18 | 8u << 12 | 17u << 6 | 6u);
    /* 30 and 31 are GPIO32 and GPIO33 */
    assert_int_equal(chip_read_attach(esp32, REGS({0x3FF5A014, 30 | 31 << 5}), &config), FL_OK);
    assert_int_equal(config, 33u << 6 | 32u);
}

/* A reader that fails at its n-th read: the error comes out, whatever n. */
static void failing_reads(void **state)
{
    (void)state;
    for (size_t i = 0; chip_at(i); i++) {
        for (unsigned n = 1; n <= 8; n++) {
            struct reg zero = {0, 0};
            struct regs ctx = {&zero, 1, 0, n};
            struct chip_regs regs = {&ctx, read_reg};
            uint8_t m[6], eui[8];
            unsigned v;
            struct chip_security s;
            uint32_t config;
            enum fl_err err = chip_read_mac(chip_at(i), regs, m, eui);
            assert_int_equal(err == FL_TIMEOUT, ctx.reads >= n);
            ctx.reads = 0;
            err = chip_read_revision(chip_at(i), regs, &v);
            assert_int_equal(err == FL_TIMEOUT, ctx.reads >= n);
            ctx.reads = 0;
            err = chip_read_security(chip_at(i), regs, 0, &s);
            assert_int_equal(err == FL_TIMEOUT, ctx.reads >= n);
            ctx.reads = 0;
            err = chip_read_crystal(chip_at(i), regs, 115200, &v);
            assert_int_equal(err == FL_TIMEOUT, ctx.reads >= n);
            ctx.reads = 0;
            err = chip_read_attach(chip_at(i), regs, &config);
            assert_int_equal(err == FL_TIMEOUT, ctx.reads >= n);
        }
    }
}

static void which_stub(void **state)
{
    (void)state;
    static const struct {
        const char *chip;
        unsigned revision;
        bool secure;
        const char *stub; /* NULL: none */
    } cases[] = {
        {"esp32", 0, false, "esp32"},       {"esp32", 300, true, "esp32"},
        {"esp32c3", 3, false, "esp32c3"},   {"esp32c3", 3, true, NULL},
        {"esp32s3", 0, true, "esp32s3"},    {"esp32c2", 0, false, NULL},
        {"esp32c2", 100, false, "esp32c2"}, {"esp32p4", 299, false, "esp32p4-rev1"},
        {"esp32p4", 0, false, "esp32p4-rev1"}, {"esp32p4", 300, false, "esp32p4"},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        const char *why;
        const char *stub = chip_stub_name(chip_by_name(cases[i].chip), cases[i].revision,
                                          cases[i].secure, &why);
        if (cases[i].stub)
            assert_string_equal(stub, cases[i].stub);
        else
            assert_true(!stub && why);
    }
}

static void flash_sizes(void **state)
{
    (void)state;
    static const struct {
        uint32_t id;
        uint64_t kb;
        bool bad;
    } cases[] = {
        {0x1640ef, 4096, false},   {0x1840ef, 16384, false}, {0x1540c8, 2048, false},
        {0x1240c8, 256, false},    {0x1440c8, 1024, false},  {0x1940ef, 32768, false},
        {0x1c20c2, 262144, false}, {0x2020c2, 65536, false}, {0x2120c2, 131072, false},
        {0x2220c2, 262144, false}, {0x3225c2, 256, false},   {0x3625c2, 4096, false},
        {0x3a25c2, 65536, false},  {0x01841f, 512, false},   {0x01861f, 2048, false},
        {0x00891f, 16384, false},  {0x008a1f, 0, false},     {0x1140ef, 0, false},
        {0x1d40ef, 0, false},      {0xffffff, 0, true},      {0x000000, 0, true},
        {0xffff3f, 0, true},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        if (chip_flash_size(cases[i].id) != cases[i].kb << 10)
            fail_msg("%06x: %llu", cases[i].id, (unsigned long long)chip_flash_size(cases[i].id));
        assert_int_equal(chip_flash_id_bad(cases[i].id), cases[i].bad);
    }
}

static void parity(void **state)
{
    (void)state;
    static const bool odd[8] = {false, true, true, false, true, false, false, true};
    for (uint32_t v = 0; v < 8; v++)
        assert_int_equal(chip_odd_parity(v), odd[v]);
    assert_false(chip_odd_parity(0xffffffff));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),       cmocka_unit_test(flags),
        cmocka_unit_test(mac),         cmocka_unit_test(revision),
        cmocka_unit_test(crystal),     cmocka_unit_test(security), cmocka_unit_test(jtag_fuse),
        cmocka_unit_test(attach_pins), cmocka_unit_test(failing_reads),
        cmocka_unit_test(which_stub),  cmocka_unit_test(flash_sizes),
        cmocka_unit_test(parity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
