/* SPDX-License-Identifier: Apache-2.0
 * Flash that cannot be asked what it holds: secure download mode, and flash encryption by the chip. What is sent and what
 * is not, what is refused, and that nothing of it is ever called verified. */
#include "unit/esp/fake.h"

static const uint8_t barred[] = {OP_READ_REG, OP_WRITE_REG, OP_MEM_BEGIN,  OP_MEM_DATA,  OP_MEM_END,
                                 OP_FLASH_MD5, OP_DEFL_BEGIN, OP_DEFL_DATA, OP_DEFL_END};

static struct esp *up(struct fake *f, const struct esp_config *config, struct esp_unit *u)
{
    struct esp *e = fake_session(f, config, NULL);
    struct esp_problem p = {0};
    struct esp_flash_info info;
    if (esp_connect(e, &p) || esp_identify(e, u, &p) || esp_prepare(e, &p) ||
        esp_attach_flash(e, 4 << 20, &info, &p))
        fail_msg("%s: %s", esp_fault_name(p.fault), p.text);
    return e;
}

static struct fake *locked(void)
{
    struct fake *f = fake_new(fake_esp32c3);
    f->info[0] = 4; /* secure download mode */
    for (size_t i = 0; i < T_COUNT(barred); i++)
        fake_rule_add(f, barred[i], 1, 0, IN_ROM, DO_REFUSE, "01050000");
    return f;
}

static void secure_download(void **state)
{
    (void)state;
    struct fake *f = locked();
    struct esp_unit u;
    struct esp *e = up(f, &(struct esp_config){.baud = 921600}, &u);
    struct esp_problem p = {0};
    struct esp_region r[2] = {fake_region(0x10000, 9000, 0x3f, true), fake_region(0x20000, 4096, 0xff, true)};
    struct esp_region_result res[2];
    assert_true(esp_unproven(&u));
    if (esp_write_unproven(e, r, 2, res, &p))
        fail_msg("%s", p.text);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(res[i].state, ESP_REGION_WRITTEN);
        assert_int_equal(res[i].writes, 1);
        assert_memory_equal(f->flash + r[i].offset, r[i].plain, r[i].size);
        fake_region_fini(&r[i]);
    }
    assert_int_equal(f->begun_block, 0x400);
    assert_int_equal(f->seen[OP_FLASH_DATA], 9 + 4);
    assert_int_equal(f->seen[OP_FLASH_END], 0); /* it would leave the loader */
    for (size_t i = 0; i < T_COUNT(barred); i++)
        assert_int_equal(f->seen[barred[i]], 0); /* what is barred is not even asked */
    assert_int_equal(f->n_rungs, 0);
    assert_int_equal(esp_run(e, &p), FL_OK);
    esp_close(e);
    fake_free(f);
}

/* A block that is refused goes again under the next number; after that all of it is written once more, because a
 * BEGIN that was damaged unseen could have written anywhere, and nobody could tell. */
static void written_until_smooth(void **state)
{
    (void)state;
    static const struct {
        unsigned first, last;
        enum fake_do what;
        const char *hex;
        unsigned writes; /* of the second region; 0: it never comes right */
    } rows[] = {
        {10, 10, DO_REFUSE, "01070000", 2}, /* in the first pass */
        {10, 10, DO_LOSE, NULL, 3},         /* the region again, by SYNC, and then all again */
        {5, 0, DO_REFUSE, "01070000", 0},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fake *f = locked();
        struct esp_unit u;
        struct esp *e = up(f, NULL, &u);
        struct esp_problem p = {0};
        struct esp_region r[2] = {fake_region(0x10000, 8192, 0x3f, false), fake_region(0x20000, 4096, 0xff, false)};
        struct esp_region_result res[2];
        fake_rule_add(f, OP_FLASH_DATA, rows[i].first, rows[i].last, IN_ROM, rows[i].what, rows[i].hex);
        enum fl_err err = esp_write_unproven(e, r, 2, res, &p);
        if ((err == FL_OK) != (rows[i].writes > 0))
            fail_msg("row %zu: %s: %s", i, fl_err_text(err), p.text);
        if (err) {
            assert_int_equal(p.fault, ESP_FAULT_LINK_DAMAGED);
        } else {
            assert_int_equal(res[0].writes, 2);
            assert_int_equal(res[1].writes, rows[i].writes);
            assert_memory_equal(f->flash + r[1].offset, r[1].plain, r[1].size);
        }
        for (int k = 0; k < 2; k++) {
            assert_int_not_equal(res[k].state, ESP_REGION_VERIFIED);
            fake_region_fini(&r[k]);
        }
        esp_close(e);
        fake_free(f);
    }
}

/* ---- flash encryption ------------------------------------------------------------------------------------------ */

static void encrypted_esp32(struct fake *f)
{
    fake_esp32(f);
    fake_set_reg(f, 0x3ff5a000, 1u << 20); /* an odd number of bits of the counter */
}

static void by_the_chip(void **state)
{
    (void)state;
    struct fake *f = fake_new(encrypted_esp32);
    struct esp_unit u;
    struct esp *e = up(f, NULL, &u);
    struct esp_problem p = {0};
    struct esp_region r = fake_region(0x10000, 9004, 0x3f, true);
    struct esp_region_result res;
    assert_int_equal(u.security.flash_encryption, ESP_ON);
    assert_int_equal(esp_write_unproven(e, &r, 1, &res, &p), FL_OK);
    assert_int_equal(res.state, ESP_REGION_WRITTEN);
    assert_int_equal(f->begun, 9024); /* a multiple of 32 */
    assert_int_equal(f->seen[OP_DEFL_BEGIN], 0);
    assert_int_equal(f->seen[OP_FLASH_END], 1);
    for (size_t i = 0; i < 9024; i++)
        assert_int_equal(f->flash[0x10000 + i], (i < 9004 ? r.plain[i] : 0xff) ^ 0x5a);
    assert_int_equal(f->flash[0x10000 + 9024], 0xff);
    fake_region_fini(&r);
    esp_close(e);
    fake_free(f);
}

/* What is encrypted already is written as it is, and the chip's MD5 is that of the file: the usual proof. */
static void as_is(void **state)
{
    (void)state;
    struct fake *f = fake_new(encrypted_esp32);
    struct esp_unit u;
    struct esp *e = up(f, &(struct esp_config){.encrypted = ESP_ENCRYPTED_AS_IS}, &u);
    struct esp_problem p = {0};
    struct esp_region r = fake_region(0x10000, 9000, 0xff, true);
    struct esp_region_result res;
    assert_int_equal(esp_write(e, &r, 1, false, &res, &p), FL_OK);
    assert_int_equal(res.state, ESP_REGION_VERIFIED);
    assert_false(f->encrypts);
    assert_memory_equal(f->flash + r.offset, r.plain, r.size);
    fake_region_fini(&r);
    esp_close(e);
    fake_free(f);
}

/* ---- refused, and nothing of the flash touched --------------------------------------------------------------------- */

static void both(struct fake *f)
{
    fake_esp32c3(f);
    f->info[0] = 4;
    f->info[4] = 7; /* flash_crypt_cnt */
    for (size_t i = 0; i < T_COUNT(barred); i++)
        fake_rule_add(f, barred[i], 1, 0, IN_ROM, DO_REFUSE, "01050000");
}

static void release_mode(struct fake *f)
{
    encrypted_esp32(f);
    fake_set_reg(f, 0x3ff5a018, 1u << 7); /* DISABLE_DL_ENCRYPT */
}

static void first_secure_boot(struct fake *f)
{
    encrypted_esp32(f);
    fake_set_reg(f, 0x3ff5a018, 1u << 4);
}

/* An ESP32-P4 v3.0 with flash encryption on: its key may be the key manager's, whose blob lies below 0x2000 (facts 7.3). */
static void key_manager(struct fake *f)
{
    static const struct fake_reg regs[] = {{0x40001000, 0}, {0x5012d044, 0x33445566}, {0x5012d048, 0x1122}, {0x5012d04c, 3u << 4},
                                           {0x5012d034, 1u << 18}};
    f->stub_name = "esp32p4";
    memcpy(f->regs, regs, sizeof regs);
    f->n_regs = T_COUNT(regs);
    f->info_n = sizeof f->info;
    f->info[4] = 1;
    f->info[12] = 18;
    f->boot_text = "ESP-ROM:esp32p4-eco2-20240710\r\nrst:0x1 (POWERON),boot:0x4 (DOWNLOAD(USB/UART0))\r\nwaiting for download\r\n";
    f->app_text = "";
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        void (*chip)(struct fake *);
        enum esp_stub_mode stub;
        uint32_t offset;
        enum fl_err err;
        enum esp_fault fault;
        const char *words;
    } rows[] = {
        {fake_esp32, ESP_STUB_AUTO, 0x10000, FL_STATE, ESP_FAULT_INTERNAL, "can prove"},
        {both, ESP_STUB_AUTO, 0x10000, FL_UNSUPPORTED, ESP_FAULT_SECURITY_REFUSED, "plain bytes only"},
        {release_mode, ESP_STUB_AUTO, 0x10000, FL_UNSUPPORTED, ESP_FAULT_SECURITY_REFUSED, "a fuse forbids"},
        {first_secure_boot, ESP_STUB_AUTO, 0x1000, FL_UNSUPPORTED, ESP_FAULT_SECURITY_REFUSED, "below 0x8000"},
        {key_manager, ESP_STUB_AUTO, 0x1000, FL_UNSUPPORTED, ESP_FAULT_SECURITY_REFUSED, "below 0x2000"},
        {encrypted_esp32, ESP_STUB_NEVER, 0x10000, FL_UNSUPPORTED, ESP_FAULT_RAM_REFUSED, "cannot encrypt"},
        {encrypted_esp32, ESP_STUB_AUTO, 0x10010, FL_ARG, ESP_FAULT_INTERNAL, "a multiple of 32"},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fake *f = fake_new(rows[i].chip);
        struct esp_unit u;
        struct esp *e = up(f, &(struct esp_config){.stub = rows[i].stub}, &u);
        struct esp_problem p = {0};
        struct esp_region r = fake_region(rows[i].offset, 4096, 0x3f, false);
        struct esp_region_result res;
        assert_int_equal(esp_write_unproven(e, &r, 1, &res, &p), rows[i].err);
        assert_int_equal(p.fault, rows[i].fault);
        if (!strstr(p.text, rows[i].words))
            fail_msg("row %zu: %s", i, p.text);
        assert_int_equal(res.state, ESP_REGION_PENDING);
        assert_int_equal(f->erases, 0);
        fake_region_fini(&r);
        esp_close(e);
        fake_free(f);
    }
}

/* Nor is what is encrypted already written where it would leave the chip dead. */
static void as_is_refused(void **state)
{
    (void)state;
    static const struct {
        void (*chip)(struct fake *);
        uint32_t offset;
        const char *words; /* NULL: written */
    } rows[] = {
        {key_manager, 0x1000, "below 0x2000"}, {key_manager, 0x2000, NULL}, {first_secure_boot, 0x1000, "below 0x8000"},
        {encrypted_esp32, 0x1000, NULL},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fake *f = fake_new(rows[i].chip);
        struct esp_unit u;
        struct esp *e = up(f, &(struct esp_config){.encrypted = ESP_ENCRYPTED_AS_IS}, &u);
        struct esp_problem p = {0};
        struct esp_region r = fake_region(rows[i].offset, 4096, 0x3f, false);
        struct esp_region_result res;
        enum fl_err err = esp_write(e, &r, 1, true, &res, &p);
        if (err != (rows[i].words ? FL_UNSUPPORTED : FL_OK) || (rows[i].words && !strstr(p.text, rows[i].words)))
            fail_msg("row %zu: %s: %s", i, fl_err_text(err), p.text);
        if (rows[i].words)
            assert_int_equal(f->erases, 0);
        fake_region_fini(&r);
        esp_close(e);
        fake_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secure_download), cmocka_unit_test(written_until_smooth), cmocka_unit_test(by_the_chip),
        cmocka_unit_test(as_is),           cmocka_unit_test(refused),
        cmocka_unit_test(as_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
