/* SPDX-License-Identifier: Apache-2.0
 * line/: the parts that need no board: boot text, gates, commands. */
#include "unit/t.h"

#include "line/boot_check.h"
#include "line/command.h"
#include "line/gate.h"

#include <limits.h>

static void boot_texts(void **state)
{
    (void)state;
    static const struct {
        const char *expect, *fail, *text;
        enum boot_verdict verdict;
    } row[] = {
        {"ready", NULL, "I (31) boot\nready\n", BOOT_GOOD},
        {"ready", NULL, "I (31) boot\nread y\n", BOOT_GO_ON},
        {"ready", "E (", "E (40) no\nready", BOOT_FAIL_TEXT},
        {"ready", NULL, "Guru Meditation Error: Core 0 ready", BOOT_PANIC},
        {NULL, NULL, "anything", BOOT_GO_ON},
        {NULL, "bad", "not bad", BOOT_FAIL_TEXT},
        {"x", NULL, "Brownout detector was triggered\r\n\r\nrst:0xc x", BOOT_BROWNOUT},
        {"x", NULL, "invalid header: 0xffffffff\n", BOOT_PANIC},
        {"ready", NULL, "", BOOT_GO_ON},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct boot_check b;
        size_t n = strlen(row[i].text);
        boot_check_init(&b, row[i].expect, row[i].fail);
        assert_int_equal(boot_check_feed(&b, (const uint8_t *)row[i].text, n), row[i].verdict);
        /* the same byte by byte: a match may lie across any two reads */
        enum boot_verdict v = BOOT_GO_ON;
        boot_check_init(&b, row[i].expect, row[i].fail);
        for (size_t k = 0; k < n && v == BOOT_GO_ON; k++)
            v = boot_check_feed(&b, (const uint8_t *)row[i].text + k, 1);
        if (row[i].verdict == BOOT_GOOD || row[i].verdict == BOOT_GO_ON || row[i].fail)
            assert_int_equal(v, row[i].verdict);
    }
}

static void boot_text_after_a_flood(void **state)
{
    (void)state;
    struct boot_check b;
    uint8_t *flood = malloc(100000);
    assert_non_null(flood);
    memset(flood, 'x', 100000);
    memcpy(flood + 49998, "ready", 5);
    boot_check_init(&b, "ready", NULL);
    assert_int_equal(boot_check_feed(&b, flood, 100000), BOOT_GOOD);
    boot_check_init(&b, "steady", NULL);
    assert_int_equal(boot_check_feed(&b, flood, 100000), BOOT_GO_ON);
    assert_int_equal(b.seen, 100000);
    assert_int_equal(b.n, BOOT_TAIL);
    free(flood);
}

static void gates(void **state)
{
    (void)state;
    struct profile p = {.chip = "esp32", .gate = {.min_revision = 100, .max_revision = 301,
                        .flash_size = 4194304, .secure_boot = ESP_OFF, .flash_encryption = ESP_UNKNOWN}};
    const struct esp_unit good = {.chip = "esp32", .revision = 300,
                                  .security = {ESP_OFF, ESP_OFF, ESP_OFF, ESP_OFF, false, 0}};
    struct fl_why why;
    assert_null(gate_unit(&p, &good, &why));
    struct esp_unit u = good;
    u.chip = "esp32c3";
    assert_string_equal(gate_unit(&p, &u, &why), "chip.wrong");
    assert_string_equal(why.text, "the chip is an esp32c3, the profile is for esp32");
    u = good;
    u.revision = 99;
    assert_string_equal(gate_unit(&p, &u, &why), "gate.revision");
    assert_string_equal(why.text, "chip revision v0.99 is outside what the profile accepts");
    u.revision = 302;
    assert_string_equal(gate_unit(&p, &u, &why), "gate.revision");
    u.revision = UINT_MAX; /* unreadable: does not pass a limit */
    assert_string_equal(gate_unit(&p, &u, &why), "gate.revision");
    u = good;
    u.security.secure_boot = ESP_ON;
    assert_string_equal(gate_unit(&p, &u, &why), "gate.secure_boot");
    u.security.secure_boot = ESP_UNKNOWN;
    assert_string_equal(gate_unit(&p, &u, &why), "gate.secure_boot");
    p.gate.secure_boot = ESP_UNKNOWN;
    p.patches_header = true; /* a changed header breaks the signature that secure boot checks */
    u.security.secure_boot = ESP_ON;
    assert_string_equal(gate_unit(&p, &u, &why), "gate.secure_boot");
    u.security.secure_boot = ESP_OFF;
    assert_null(gate_unit(&p, &u, &why));
    const struct profile_image images[] = {{.file = "a.bin", .max_revision = UINT_MAX},
                                           {.file = "b.bin", .min_revision = 301, .max_revision = 399}};
    p.images = images;
    p.n_images = 2;
    assert_string_equal(gate_unit(&p, &u, &why), "gate.image");
    assert_string_equal(why.text, "b.bin is built for chip revisions from v3.1, this one is v3.0");
    u.revision = 301;
    assert_null(gate_unit(&p, &u, &why));
    p.n_images = 0;
    u = good;
    u.security.flash_encryption = ESP_ON;
    p.gate.flash_encryption = ESP_OFF;
    assert_string_equal(gate_unit(&p, &u, &why), "gate.flash_encryption");
    const struct esp_flash_info small = {0x1540ef, 2097152}, right = {0x1640ef, 4194304};
    assert_string_equal(gate_flash(&p, &small, &why), "gate.flash_size");
    assert_null(gate_flash(&p, &right, &why));
}

/* Units that cannot prove what they hold, under each flash.secured. */
static void secured(void **state)
{
    (void)state;
    enum { REFUSE, AS_IS, UNPROVEN };
    static const struct {
        enum esp_tristate boot, crypt, locked;
        bool erase_all;
        bool refused[3];
    } rows[] = {
        {ESP_OFF, ESP_OFF, ESP_OFF, false, {false, false, false}},
        {ESP_OFF, ESP_OFF, ESP_OFF, true, {false, false, false}},
        {ESP_OFF, ESP_OFF, ESP_ON, false, {true, true, false}},
        {ESP_OFF, ESP_ON, ESP_OFF, false, {true, false, false}},
        {ESP_OFF, ESP_ON, ESP_ON, false, {true, true, false}},
        {ESP_ON, ESP_OFF, ESP_OFF, false, {false, false, false}},
        {ESP_ON, ESP_OFF, ESP_OFF, true, {true, true, true}},
        {ESP_OFF, ESP_ON, ESP_OFF, true, {true, true, true}},
        {ESP_OFF, ESP_OFF, ESP_ON, true, {true, true, true}},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++)
        for (int how = REFUSE; how <= UNPROVEN; how++) {
            struct profile p = {.chip = "esp32c3", .unproven = how == UNPROVEN, .erase_all = rows[i].erase_all,
                                .gate = {.max_revision = UINT_MAX, .secure_boot = ESP_UNKNOWN,
                                         .flash_encryption = ESP_UNKNOWN}};
            const struct esp_unit u = {.chip = "esp32c3", .revision = 4,
                                       .security = {rows[i].boot, rows[i].crypt, rows[i].locked, ESP_OFF, false, 0}};
            struct fl_why why;
            p.esp.encrypted = how == AS_IS ? ESP_ENCRYPTED_AS_IS : ESP_ENCRYPTED_REFUSE;
            const char *no = gate_unit(&p, &u, &why);
            if ((no != NULL) != rows[i].refused[how] || (no && strcmp(no, "security.refused") != 0))
                fail_msg("row %zu, %d: %s", i, how, no ? no : "let in");
        }
}

static void commands(void **state)
{
    (void)state;
    struct fl_why why = {0};
    assert_int_equal(command_run("true", NULL, fl_deadline_in_ms(20000), &why), FL_OK);
    assert_int_equal(command_run("false", NULL, fl_deadline_in_ms(20000), &why), FL_REFUSED);
    assert_string_equal(why.text, "'false' ended with 1");
    assert_int_equal(command_run("/no/such/program on", NULL, fl_deadline_in_ms(20000), &why), FL_NOT_FOUND);
    assert_int_equal(command_run("  ", NULL, fl_deadline_in_ms(20000), &why), FL_ARG);
    assert_int_equal(command_run("sleep 100", NULL, fl_deadline_in_ms(50), &why), FL_TIMEOUT);
    struct fl_wake w;
    assert_int_equal(fl_wake_init(&w, NULL), FL_OK);
    fl_wake_raise(&w);
    assert_int_equal(command_run("sleep 100", &w, fl_deadline_never(), &why), FL_CANCELLED);
    fl_wake_fini(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(boot_texts), cmocka_unit_test(boot_text_after_a_flood),
        cmocka_unit_test(gates), cmocka_unit_test(secured),      cmocka_unit_test(commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
