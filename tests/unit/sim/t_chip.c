/* SPDX-License-Identifier: Apache-2.0
 * The simulator's table of chips against the literal values of the protocol reference (sections 2.4, 3.1 to
 * 3.5, 4.3), asked the way a client asks: READ_REG requests and their answers. */
#include "b.h"

static uint32_t reg(struct b *b, uint32_t addr)
{
    uint8_t f[64];
    size_t end;
    b_words(b, 0x0A, addr);
    assert_true(b_frame(b->got, b->n, f, &end) >= 10);
    return fl_get_u32le(f + 4);
}

static void a_mac(struct sim_spec *s)
{
    static const uint8_t mac[] = {0x24, 0x6F, 0x28, 0xAA, 0xBB, 0xCC};
    memcpy(s->mac, mac, 6);
}

/* name, magic (3.1), chip id (3.1), registers that hold the MAC (3.2), their values (3.3) */
static void identity(void **state)
{
    static const struct {
        const char *chip;
        uint32_t magic;
        int id;
        uint32_t low_at, low, high_at, high, high_mask;
    } row[] = {
        {"esp32", 0x00F01D83, -1, 0x3FF5A004, 0x28AABBCC, 0x3FF5A008, 0x0000246F, 0xFFFF},
        {"esp32s2", 0x000007C6, -1, 0x3F41A044, 0x28AABBCC, 0x3F41A048, 0x0000246F, 0xFFFF},
        {"esp32s3", 0x00000009, 9, 0x60007044, 0x28AABBCC, 0x60007048, 0x0000246F, 0xFFFF},
        {"esp32c3", 0x1B31506F, 5, 0x60008844, 0x28AABBCC, 0x60008848, 0x0000246F, 0xFFFF},
        {"esp32c2", 0x7C41A06F, 12, 0x60008840, 0x28AABBCC, 0x60008844, 0x0000246F, 0xFFFF},
        {"esp32c6", 0x2CE0806F, 13, 0x600B0844, 0x28AABBCC, 0x600B0848, 0xFFFE246F, 0xFFFFFFFF},
        {"esp32h2", 0xD7B73E80, 16, 0x600B0844, 0x28AABBCC, 0x600B0848, 0xFFFE246F, 0xFFFFFFFF},
        {"esp32c5", 0x63E1406F, 23, 0x600B4844, 0x28AABBCC, 0x600B4848, 0xFFFE246F, 0xFFFFFFFF},
        {"esp32c61", 0x2421606F, 20, 0x600B4844, 0x28AABBCC, 0x600B4848, 0x0000246F, 0xFFFFFFFF},
        {"esp32p4", 0x0ADDBAD0, 18, 0x5012D044, 0x28AABBCC, 0x5012D048, 0x0000246F, 0xFFFF},
        /* OTP: m0[31:24], m1[15:0], OUI in m3 */
        {"esp8266", 0xFFF0C101, -1, 0x3FF00050, 0xCC000000, 0x3FF00054, 0x0000AABB, 0xFFFF},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct b *b = b_new(row[i].chip, a_mac);
        b_raw(b, B_SYNC);
        assert_int_equal(reg(b, 0x40001000), row[i].magic);
        assert_int_equal(reg(b, row[i].low_at), row[i].low);
        assert_int_equal(reg(b, row[i].high_at) & row[i].high_mask, row[i].high);
        b_raw(b, "C0 00 14 00 00 00 00 00 00 C0");
        if (row[i].id >= 0) {
            uint8_t f[64];
            size_t end;
            assert_int_equal(b_frame(b->got, b->n, f, &end), 8 + 20 + 4);
            assert_int_equal(fl_get_u32le(f + 8 + 12), row[i].id);
        }
        b_free(b);
    }
    struct b *b = b_new("esp8266", a_mac);
    b_raw(b, B_SYNC);
    assert_int_equal(reg(b, 0x3FF0005C), 0x00246F28);
    b_raw(b, "C0 00 14 00 00 00 00 00 00 C0"); /* not there; two status bytes on this chip */
    b_expect(b, "C0 01 0A 02 00 28 6F 24 00 01 05 C0");
    b_raw(b, "C0 00 13 10 00 00 00 00 00 00000000 00100000 00000000 00000000 C0"); /* nor MD5 */
    b_expect(b, "C0 01 0A 02 00 28 6F 24 00 01 05 C0");
    b_free(b);
}

static unsigned wanted_revision;
static void set_revision(struct sim_spec *s)
{
    s->revision = wanted_revision;
}

/* Bits of the revision as 3.4 says to read them: each expression is the reference's own. */
static void revisions(void **state)
{
    static const struct {
        const char *chip;
        unsigned revision;
        uint32_t reg_a, shift_a, width_a, want_a; /* the major number, or the first part of it */
        uint32_t reg_b, shift_b, width_b, want_b; /* the minor number, or its low part */
    } row[] = {
        {"esp32s2", 100, 0x3F41A050, 18, 2, 1, 0x3F41A054, 4, 3, 0},
        {"esp32s3", 2, 0x60007058, 24, 2, 0, 0x60007050, 18, 3, 2},
        {"esp32s3", 111, 0x60007058, 23, 1, 1, 0x60007050, 18, 3, 3}, /* minor 11: high bit in w5[23] */
        {"esp32c3", 4, 0x60008858, 24, 2, 0, 0x60008850, 18, 3, 4},
        {"esp32c3", 101, 0x60008858, 24, 2, 1, 0x60008850, 18, 3, 1},
        {"esp32c2", 102, 0x60008844, 20, 2, 1, 0x60008844, 16, 4, 2},
        {"esp32c6", 2, 0x600B0850, 22, 2, 0, 0x600B0850, 18, 4, 2},
        {"esp32h2", 102, 0x600B0850, 21, 2, 1, 0x600B0850, 18, 3, 2},
        {"esp32c5", 100, 0x600B484C, 4, 2, 1, 0x600B484C, 0, 4, 0},
        {"esp32c61", 101, 0x600B484C, 4, 2, 1, 0x600B484C, 0, 4, 1},
        {"esp32p4", 301, 0x5012D04C, 4, 2, 3, 0x5012D04C, 0, 4, 1},
        {"esp32p4", 501, 0x5012D04C, 23, 1, 1, 0x5012D04C, 4, 2, 1}, /* major 5: high bit in w2[23] */
        {"esp32", 301, 0x3FF5A00C, 15, 1, 1, 0x3FF5A014, 24, 2, 1},
        {"esp32", 301, 0x3FF6607C, 31, 1, 1, 0x3FF5A014, 20, 1, 1},
        {"esp32", 100, 0x3FF6607C, 31, 1, 0, 0x3FF5A014, 20, 1, 0},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        wanted_revision = row[i].revision;
        struct b *b = b_new(row[i].chip, set_revision);
        b_raw(b, B_SYNC);
        assert_int_equal(reg(b, row[i].reg_a) >> row[i].shift_a & ((1u << row[i].width_a) - 1), row[i].want_a);
        assert_int_equal(reg(b, row[i].reg_b) >> row[i].shift_b & ((1u << row[i].width_b) - 1), row[i].want_b);
        b_free(b);
    }
}

/* baud * divider / 1e6 is the crystal (3.2; half of it on the ESP8266). */
static void crystals(void **state)
{
    static const struct {
        const char *chip;
        uint32_t clkdiv;
        double mhz, factor;
    } row[] = {{"esp32", 0x3FF40014, 40, 1}, {"esp32s2", 0x3F400014, 40, 1}, {"esp8266", 0x60000014, 26, 2},
               {"esp32c5", 0x60000014, 48, 1}, {"esp32c2", 0x60000014, 40, 1}};
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct b *b = b_new(row[i].chip, NULL);
        b_raw(b, B_SYNC);
        double mhz = 115200.0 * (reg(b, row[i].clkdiv) & 0xFFFFF) / 1e6 / row[i].factor;
        assert_true(mhz > row[i].mhz - 0.5 && mhz < row[i].mhz + 0.5);
        b_free(b);
    }
}

static double calibration;
static void set_calibration(struct sim_spec *s)
{
    s->calibration = calibration;
}

/* 3.10: the ESP32's ROM gets B * f_rom / f_valid sent, with f_rom out of two registers. */
static void esp32_rom_baud(void **state)
{
    static const double factor[] = {1, 1.04, 0.97};
    (void)state;
    for (size_t i = 0; i < T_COUNT(factor); i++) {
        calibration = factor[i];
        struct b *b = b_new("esp32", set_calibration);
        b_raw(b, B_SYNC);
        double f_rom = (double)(reg(b, 0x3FF5F06C) >> 7 & 0x1FFFFFF) * 15625 * (reg(b, 0x3FF5A010) & 0xFF) / 40;
        assert_true(f_rom > 33e6);
        b_words(b, 0x0F, (uint32_t)(460800 * f_rom / 40e6), 0);
        uint32_t is = sim_board_chip_baud(b->board);
        assert_true(is > 460800 * 0.998 && is < 460800 * 1.002);
        b_free(b);
    }
}

static void write_reg(struct b *b, uint32_t addr, uint32_t value)
{
    b_words(b, 0x09, addr, value, 0xFFFFFFFF, 0);
    assert_int_equal(b_status(b, b->spec.chip->status_len - 2) >> 8, 0);
}

/* The procedure of 3.5, register by register, for a command without address that reads `bits`. */
static uint32_t spi_command(struct b *b, uint32_t base, int layout, uint32_t opcode, unsigned bits)
{
    static const struct {
        uint32_t usr, usr1, usr2, miso, w0;
    } reg_of[] = {{0x1C, 0x20, 0x24, 0, 0x40}, {0x1C, 0x20, 0x24, 0x2C, 0x80}, {0x18, 0x1C, 0x20, 0x28, 0x58}};
    if (reg_of[layout].miso)
        write_reg(b, base + reg_of[layout].miso, bits - 1);
    else
        write_reg(b, base + reg_of[layout].usr1, (bits - 1) << 8);
    write_reg(b, base + reg_of[layout].usr, 1u << 31 | 1u << 28);
    write_reg(b, base + reg_of[layout].usr2, 7u << 28 | opcode);
    write_reg(b, base + reg_of[layout].w0, 0);
    write_reg(b, base, 1u << 18);
    assert_int_equal(reg(b, base) >> 18 & 1, 0);
    return reg(b, base + reg_of[layout].w0);
}

static void protect_it(struct sim_spec *s)
{
    s->flash.protect = true;
}

static void flash_id(void **state)
{
    static const struct {
        const char *chip;
        uint32_t base;
        int layout;
    } row[] = {{"esp8266", 0x60000200, 0}, {"esp32", 0x3FF42000, 1},   {"esp32s2", 0x3F402000, 2},
               {"esp32s3", 0x60002000, 2}, {"esp32c3", 0x60002000, 2}, {"esp32c2", 0x60002000, 2},
               {"esp32c6", 0x60003000, 2}, {"esp32h2", 0x60003000, 2}, {"esp32c5", 0x60003000, 2},
               {"esp32c61", 0x60003000, 2}, {"esp32p4", 0x5008D000, 2}};
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct b *b = b_new(row[i].chip, protect_it);
        b_raw(b, B_SYNC);
        assert_int_equal(spi_command(b, row[i].base, row[i].layout, 0x9F, 24), 0x1640EF);
        assert_int_equal(spi_command(b, row[i].base, row[i].layout, 0x05, 8), 0x1C); /* protected */
        b_free(b);
    }
}

/* SFDP with a 24-bit address and 8 dummy bits; the ESP32 wants the address left-aligned. */
static void sfdp(void **state)
{
    static const struct {
        const char *chip;
        uint32_t base, usr, usr1, usr2, miso, w0, shift;
    } row[] = {{"esp32", 0x3FF42000, 0x1C, 0x20, 0x24, 0x2C, 0x80, 8},
               {"esp32c3", 0x60002000, 0x18, 0x1C, 0x20, 0x28, 0x58, 0}};
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++)
        for (uint32_t at = 0; at <= 0x10; at += 0x10) {
            struct b *b = b_new(row[i].chip, NULL);
            uint32_t base = row[i].base;
            b_raw(b, B_SYNC);
            write_reg(b, base + row[i].miso, 31);
            write_reg(b, base + row[i].usr1, 7 | 23u << 26);
            write_reg(b, base + row[i].usr, 1u << 31 | 1u << 30 | 1u << 29 | 1u << 28);
            write_reg(b, base + row[i].usr2, 7u << 28 | 0x5A);
            write_reg(b, base + 4, at << row[i].shift);
            write_reg(b, base + row[i].w0, 0);
            write_reg(b, base, 1u << 18);
            uint32_t word = reg(b, base + row[i].w0);
            if (at == 0)
                assert_int_equal(word, 0x50444653); /* "SFDP" */
            else
                assert_int_equal(word & 0xFF, 0xEF); /* the vendor of its id */
            b_free(b);
        }
}

static unsigned stub_revision;
static void set_stub_revision(struct sim_spec *s)
{
    s->revision = stub_revision;
}

/* 4.3 and 3.4: which stub file runs on which chip; a P4's by revision; none on the C2's revision 0. */
static void stubs(void **state)
{
    static const struct {
        const char *chip, *file;
        unsigned revision;
        bool runs;
    } row[] = {
        {"esp8266", "esp8266.json", 0, true},   {"esp32", "esp32.json", 300, true},
        {"esp32s2", "esp32s2.json", 100, true}, {"esp32s3", "esp32s3.json", 2, true},
        {"esp32c2", "esp32c2.json", 101, true}, {"esp32c2", "esp32c2.json", 0, false},
        {"esp32c3", "esp32c3.json", 3, true},   {"esp32c5", "esp32c5.json", 100, true},
        {"esp32c6", "esp32c6.json", 1, true},   {"esp32c61", "esp32c61.json", 100, true},
        {"esp32h2", "esp32h2.json", 1, true},   {"esp32p4", "esp32p4.json", 300, true},
        {"esp32p4", "esp32p4.json", 100, false}, {"esp32p4", "esp32p4-rev1.json", 100, true},
        {"esp32p4", "esp32p4-rev1.json", 301, false}, {"esp32c3", "esp32c2.json", 3, false},
    };
    static struct b_part text, data;
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        stub_revision = row[i].revision;
        struct b *b = b_new(row[i].chip, set_stub_revision);
        uint32_t entry = b_stub(row[i].file, &text, &data);
        size_t spare = b->spec.chip->status_len - 2;
        b_raw(b, B_SYNC);
        b_upload(b, &text, 0x400, spare);
        b_upload(b, &data, 0x400, spare);
        b_words(b, 0x06, 0, entry);
        b_wait(b, 50 * MS);
        assert_int_equal(sim_board_mode(b->board), row[i].runs ? SIM_STUB : SIM_STOPPED);
        b_free(b);
    }
}

/* Different boards, different addresses; the same seed, the same ones. */
static void macs_by_seed(void **state)
{
    struct sim_spec a[64], b, c;
    (void)state;
    for (unsigned i = 0; i < 64; i++) {
        sim_spec_init(&a[i], sim_chip_find("esp32"), i + 1, 9);
        assert_memory_equal(a[i].mac, "\x24\x6F\x28", 3);
        for (unsigned k = 0; k < i; k++)
            assert_memory_not_equal(a[i].mac, a[k].mac, 6);
    }
    sim_spec_init(&b, sim_chip_find("esp32"), 5, 9);
    assert_memory_equal(b.mac, a[4].mac, 6);
    sim_spec_init(&c, sim_chip_find("esp32"), 5, 10);
    assert_memory_not_equal(c.mac, a[4].mac, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity),   cmocka_unit_test(revisions), cmocka_unit_test(crystals),
        cmocka_unit_test(esp32_rom_baud), cmocka_unit_test(flash_id), cmocka_unit_test(sfdp),
        cmocka_unit_test(stubs),      cmocka_unit_test(macs_by_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
