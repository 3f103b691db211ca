/* SPDX-License-Identifier: Apache-2.0
 * Who is it, over a line that changes bytes. Questions and answers of identification carry no checksum: what decides is
 * heard twice, what changes nothing is asked again, and no verdict on a unit comes out of one damaged byte. */
#include "unit/esp/fake.h"

#include <limits.h>

/* ---- one damaged exchange, as it was seen on the wire ------------------------------------------------------- */

struct row {
    const char *what;
    void (*chip)(struct fake *);
    struct fake_rule rule;
    uint8_t mac[6];
    int resend, resync, reconnect; /* rungs: exactly so many */
};

#define MAC_32 {0x24, 0x6f, 0x28, 0xaa, 0xbb, 0xcc}
#define MAC_C3 {0x11, 0x22, 0x33, 0x44, 0x55, 0x66}
#define NTH(op, n, hex) {op, n, n, IN_ROM, DO_RAW, hex}

static const struct row rows[] = {
    {.what = "the length of a register's answer damaged: 05 for 04", .chip = fake_esp32c3, .mac = MAC_C3,
     .rule = NTH(OP_READ_REG, 1, "c0 01 0a 05 00 6f50311b 00000000 c0"), .resend = 1},
    {.what = "0c for 04, at the first MAC word", .chip = fake_esp32c3, .mac = MAC_C3,
     .rule = NTH(OP_READ_REG, 3, "c0 01 0a 0c 00 66554433 00000000 c0"), .resend = 1},
    {.what = "the status of a register's answer damaged", .chip = fake_esp32c3, .mac = MAC_C3,
     .rule = NTH(OP_READ_REG, 4, "c0 01 0a 04 00 66554433 01000000 c0"), .resend = 1},
    {.what = "one bit of a MAC word", .chip = fake_esp32c3, .mac = MAC_C3,
     .rule = NTH(OP_READ_REG, 3, "c0 01 0a 04 00 66554473 00000000 c0")},
    {.what = "one bit of the magic word", .chip = fake_esp32, .mac = MAC_32,
     .rule = NTH(OP_READ_REG, 1, "c0 01 0a 04 00 831df040 00000000 c0")},
    {.what = "a READ_REG that arrives damaged is refused: 01 05", .chip = fake_esp32, .mac = MAC_32,
     .rule = NTH(OP_READ_REG, 5, "c0 01 0a 04 00 831df000 01050000 c0"), .resend = 1},
    {.what = "refused with 01 06", .chip = fake_esp32c3, .mac = MAC_C3,
     .rule = NTH(OP_READ_REG, 5, "c0 01 0a 04 00 00000000 01060000 c0"), .resend = 1},
    {.what = "its opcode damaged: eight refusals of SYNC", .chip = fake_esp32, .mac = MAC_32,
     .rule = NTH(OP_READ_REG, 2,
                 "c0 01 08 04 00 07122007 01050000 c0 c0 01 08 04 00 07122007 01050000 c0 c0 01 08 04 00 07122007 01050000 c0"
                 "c0 01 08 04 00 07122007 01050000 c0 c0 01 08 04 00 07122007 01050000 c0 c0 01 08 04 00 07122007 01050000 c0"
                 "c0 01 08 04 00 07122007 01050000 c0 c0 01 08 04 00 07122007 01050000 c0"),
     .resend = 1},
    {.what = "READ_REG carried out, not answered", .chip = fake_esp32, .mac = MAC_32,
     .rule = {OP_READ_REG, 3, 3, IN_ROM, DO_LOSE, NULL}, .resync = 1},
    {.what = "SECURITY_INFO's length damaged", .chip = fake_esp32c3, .mac = MAC_C3,
     .rule = NTH(OP_SECURITY_INFO, 1, "c0 01 14 19 00 07122007 00000000 00 00000000000000 05000000 03000000 00000000 c0"),
     .resend = 1},
    {.what = "SECURITY_INFO's chip id damaged", .chip = fake_esp32c3, .mac = MAC_C3,
     .rule = NTH(OP_SECURITY_INFO, 1, "c0 01 14 18 00 07122007 00000000 00 00000000000000 45000000 03000000 00000000 c0")},
    {.what = "SECURITY_INFO's flags damaged: secure download", .chip = fake_esp32c3, .mac = MAC_C3,
     .rule = NTH(OP_SECURITY_INFO, 2, "c0 01 14 18 00 07122007 04000000 00 00000000000000 05000000 03000000 00000000 c0")},
    {.what = "SECURITY_INFO arrives damaged and is refused, eight times", .chip = fake_esp32c3, .mac = MAC_C3,
     .rule = NTH(OP_SECURITY_INFO, 1,
                 "c0 01 08 04 00 07122007 01050000 c0 c0 01 08 04 00 07122007 01050000 c0 c0 01 08 04 00 07122007 01050000 c0"
                 "c0 01 08 04 00 07122007 01050000 c0 c0 01 08 04 00 07122007 01050000 c0 c0 01 08 04 00 07122007 01050000 c0"
                 "c0 01 08 04 00 07122007 01050000 c0 c0 01 08 04 00 07122007 01050000 c0"),
     .resync = 1},
};

static void damaged_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        const struct row *r = &rows[i];
        struct fake *f = fake_new(r->chip);
        struct esp *e = fake_session(f, NULL, NULL);
        struct esp_problem p = {0};
        struct esp_unit u;
        f->rules[0] = r->rule;
        assert_int_equal(esp_connect(e, &p), FL_OK);
        if (esp_identify(e, &u, &p))
            fail_msg("%s: %s: %s", r->what, esp_fault_name(p.fault), p.text);
        assert_string_equal(u.chip, r->chip == fake_esp32 ? "esp32" : "esp32c3");
        assert_memory_equal(u.mac, r->mac, 6);
        assert_int_equal(u.security.secure_download, ESP_OFF);
        int took[] = {(int)fake_count(f, ESP_RUNG_RESEND), (int)fake_count(f, ESP_RUNG_RESYNC),
                      (int)fake_count(f, ESP_RUNG_RECONNECT)};
        if (took[0] != r->resend || took[1] != r->resync || took[2] != r->reconnect)
            fail_msg("%s: resend %d, resync %d, reconnect %d", r->what, took[0], took[1], took[2]);
        esp_close(e);
        fake_free(f);
    }
}

/* A question whose address is changed on its way is answered with what stands there, often nothing. Two such answers in a row
 * make no MAC address; and where anything else was damaged before, nor do two of any value. */
static void twice_the_same_and_wrong(void **state)
{
    (void)state;
    static const struct fake_rule ways[][2] = {
        {{OP_READ_REG, 3, 4, IN_ROM, DO_VALUE, "00000000"}},
        {{OP_READ_REG, 5, 6, IN_ROM, DO_VALUE, "00000000"}},
        {{OP_READ_REG, 2, 2, IN_ROM, DO_REFUSE, "01050000"}, {OP_READ_REG, 4, 5, IN_ROM, DO_VALUE, "00000400"}},
        {{OP_READ_REG, 3, 3, IN_ROM, DO_VALUE, "66554473"}, {OP_READ_REG, 5, 6, IN_ROM, DO_VALUE, "66554477"}},
    };
    for (size_t i = 0; i < T_COUNT(ways); i++) {
        static const uint8_t mac[6] = MAC_C3;
        struct fake *f = fake_new(fake_esp32c3);
        struct esp *e = fake_session(f, NULL, NULL);
        struct esp_problem p = {0};
        struct esp_unit u;
        memcpy(f->rules, ways[i], sizeof ways[i]);
        assert_int_equal(esp_connect(e, &p), FL_OK);
        if (esp_identify(e, &u, &p))
            fail_msg("way %zu: %s: %s", i, esp_fault_name(p.fault), p.text);
        if (memcmp(u.mac, mac, sizeof mac) != 0)
            fail_msg("way %zu: another MAC address", i);
        esp_close(e);
        fake_free(f);
    }
}

/* The MAC address was told, and the line hurts afterwards: before a unit counts as flashed it is asked once more who it is. */
static void asked_again_at_the_end(void **state)
{
    (void)state;
    for (int hurt = 0; hurt < 2; hurt++)
        for (int other = 0; other < 2; other++) {
            struct fake *f = fake_new(fake_esp32c3);
            struct esp *e = fake_session(f, &(struct esp_config){.stub = ESP_STUB_NEVER}, NULL);
            struct esp_problem p = {0};
            struct esp_region r = fake_region(0x10000, 9000, 0x3f, true);
            struct esp_region_result res;
            assert_int_equal(fake_up(e, &p), FL_OK);
            if (hurt)
                fake_rule_add(f, OP_FLASH_DATA, 1, 1, IN_ROM, DO_REFUSE, "01070000");
            if (other) /* than what was read before */
                e->unit.mac[5] ^= 1;
            unsigned before = f->seen[OP_READ_REG];
            enum fl_err err = esp_write(e, &r, 1, true, &res, &p);
            assert_int_equal(err, hurt && other ? FL_GONE : FL_OK);
            assert_int_equal(f->seen[OP_READ_REG] > before + 1, hurt); /* one: the probe behind it */
            fake_region_fini(&r);
            esp_close(e);
            fake_free(f);
        }
}

/* Without any damage nothing is called trouble: an ESP32 refuses SECURITY_INFO eight times after SYNC. */
static void clean(void **state)
{
    (void)state;
    for (int c3 = 0; c3 < 2; c3++) {
        struct fake *f = fake_new(c3 ? fake_esp32c3 : fake_esp32);
        struct esp *e = fake_session(f, NULL, NULL);
        struct esp_problem p = {0};
        struct esp_unit u;
        assert_int_equal(esp_connect(e, &p), FL_OK);
        assert_int_equal(esp_identify(e, &u, &p), FL_OK);
        assert_int_equal(f->n_rungs, 0);
        assert_int_equal(f->seen[OP_SECURITY_INFO], 1 + c3);
        esp_close(e);
        fake_free(f);
    }
}

/* ---- after a reset in the middle of the work --------------------------------------------------------------------- */

/* The first MAC word after the reset, damaged in its length or its value: the same board, not another one. */
static void not_another_board(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "c0 01 0a 0c 00 ccbbaa28 00000000 c0",
        "c0 01 0a 04 00 ccbbaa68 00000000 c0",
        "c0 01 0a 04 00 ccbbaa28 01050000 c0",
    };
    for (size_t i = 0; i < T_COUNT(answers); i++) {
        struct fake *f = fake_new(fake_esp32);
        struct esp *e = fake_session(f, NULL, NULL);
        struct esp_problem p = {0};
        assert_int_equal(fake_up(e, &p), FL_OK);
        struct esp_region r = fake_region(0x10000, 9000, 0x3f, true);
        struct esp_region_result res;
        fake_rule_add(f, OP_DEFL_DATA, 1, 1, IN_STUB, DO_HANG, NULL);
        /* the silence is met with probes, which the dead loader does not get: the next one it hears is the MAC's */
        unsigned nth = f->seen[OP_READ_REG] + 1;
        fake_rule_add(f, OP_READ_REG, nth, nth, IN_ROM, DO_RAW, answers[i]);
        if (esp_write(e, &r, 1, true, &res, &p))
            fail_msg("answer %zu: %s: %s", i, esp_fault_name(p.fault), p.text);
        assert_memory_equal(f->flash + r.offset, r.plain, r.size);
        assert_true(f->seen[OP_READ_REG] > nth);
        fake_region_fini(&r);
        esp_close(e);
        fake_free(f);
    }
}

/* ---- a line that goes on changing bits --------------------------------------------------------------------------- */

/* Two bytes in a thousand, from the chip to us: the right unit or a fault of the line, never a verdict on the unit. */
static void noise(void **state)
{
    (void)state;
    static const struct {
        uint32_t one_in;
        unsigned runs, known; /* so many at least */
    } levels[] = {{500, 40, 38}, {100, 12, 6}, {30, 2, 0}};
    for (size_t k = 0; k < T_COUNT(levels); k++) {
        unsigned known = 0;
        for (uint64_t seed = 1; seed <= levels[k].runs; seed++) {
            bool c3 = seed % 2;
            struct fake *f = fake_new(c3 ? fake_esp32c3 : fake_esp32);
            struct esp *e = fake_session(f, &(struct esp_config){.connect_attempts = 7}, NULL);
            struct esp_problem p = {0};
            struct esp_unit u = {0};
            static const uint8_t mac[2][6] = {MAC_32, MAC_C3};
            e->times.command = 20; /* the fake answers at once or never */
            e->times.probe = 10;
            e->times.sync = e->times.sync_rest = e->times.grace = 3;
            f->noise = seed * 0x9e3779b97f4a7c15u;
            f->noise_one_in = levels[k].one_in;
            enum fl_err err = esp_connect(e, &p);
            if (!err)
                err = esp_identify(e, &u, &p);
            known += !err;
            if (!err && (strcmp(u.chip, c3 ? "esp32c3" : "esp32") != 0 || memcmp(u.mac, mac[c3], 6) != 0 ||
                         u.security.secure_boot == ESP_ON || u.security.flash_encryption == ESP_ON))
                fail_msg("one in %u, seed %llu: the wrong unit", levels[k].one_in, (unsigned long long)seed);
            bool verdict = p.fault == ESP_FAULT_CHIP_UNKNOWN || p.fault == ESP_FAULT_CHIP_WRONG ||
                           p.fault == ESP_FAULT_CHIP_REFUSED || p.fault == ESP_FAULT_LINK_LOST;
            if (err && verdict)
                fail_msg("one in %u, seed %llu: %s: %s", levels[k].one_in, (unsigned long long)seed,
                         esp_fault_name(p.fault), p.text);
            esp_close(e);
            fake_free(f);
        }
        print_message("# one byte in %u: %u of %u known\n", levels[k].one_in, known, levels[k].runs);
        assert_true(known >= levels[k].known);
    }
}

/* What is really so stays so: a chip that nobody knows, and a loader that refuses for its own reasons. */
static void verdicts(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    struct esp *e = fake_session(f, NULL, NULL);
    struct esp_problem p = {0};
    struct esp_unit u;
    fake_set_reg(f, 0x40001000, 0x12345678);
    assert_int_equal(esp_connect(e, &p), FL_OK);
    assert_int_equal(esp_identify(e, &u, &p), FL_UNSUPPORTED);
    assert_int_equal(p.fault, ESP_FAULT_CHIP_UNKNOWN);
    assert_non_null(strstr(p.text, "12345678"));
    esp_close(e);
    fake_free(f);

    f = fake_new(fake_esp32c3);
    e = fake_session(f, NULL, NULL);
    fake_rule_add(f, OP_READ_REG, 1, 0, IN_ROM, DO_REFUSE, "01060000");
    assert_int_equal(esp_connect(e, &p), FL_OK);
    assert_int_equal(esp_identify(e, &u, &p), FL_REFUSED);
    assert_int_equal(p.fault, ESP_FAULT_CHIP_REFUSED);
    esp_close(e);
    fake_free(f);

    /* an ESP32-S2 in secure download mode: 12 bytes, bit 2 of the flags, and registers refused */
    f = fake_new(fake_esp32);
    e = fake_session(f, NULL, NULL);
    static const uint8_t s2[12] = {0x04};
    memcpy(f->info, s2, sizeof s2);
    f->info_n = sizeof s2;
    fake_rule_add(f, OP_READ_REG, 1, 0, IN_ROM, DO_REFUSE, "01050000");
    assert_int_equal(esp_connect(e, &p), FL_OK);
    assert_int_equal(esp_identify(e, &u, &p), FL_OK);
    assert_string_equal(u.chip, "esp32s2");
    assert_int_equal(u.security.secure_download, ESP_ON);
    assert_int_equal(f->n_rungs, 0);
    assert_int_equal(u.revision, UINT_MAX);
    assert_false(u.has_mac);
    esp_close(e);
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_once), cmocka_unit_test(twice_the_same_and_wrong), cmocka_unit_test(asked_again_at_the_end),
        cmocka_unit_test(clean), cmocka_unit_test(not_another_board),
        cmocka_unit_test(noise),        cmocka_unit_test(verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
