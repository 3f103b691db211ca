/* SPDX-License-Identifier: Apache-2.0
 * line/: the parts that need no board: boot text, gates, commands. */
#include "unit/t.h"

#include "line/attempt.h"
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
        boot_check_init(&b, &(struct profile_boot_check){.expect = row[i].expect, .fail = row[i].fail});
        assert_int_equal(boot_check_feed(&b, (const uint8_t *)row[i].text, n), row[i].verdict);
        /* the same byte by byte: a match may lie across any two reads */
        enum boot_verdict v = BOOT_GO_ON;
        boot_check_init(&b, &(struct profile_boot_check){.expect = row[i].expect, .fail = row[i].fail});
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
    boot_check_init(&b, &(struct profile_boot_check){.expect = "ready"});
    assert_int_equal(boot_check_feed(&b, flood, 100000), BOOT_GOOD);
    boot_check_init(&b, &(struct profile_boot_check){.expect = "steady"});
    assert_int_equal(boot_check_feed(&b, flood, 100000), BOOT_GO_ON);
    assert_int_equal(b.seen, 100000);
    assert_int_equal(b.n, BOOT_TAIL);
    free(flood);
}

static void boot_values(void **state)
{
    (void)state;
    static const struct profile_measure m[] = {
        {.name = "vbat", .text = "vbat={} V", .has_low = true, .low = 3200000, .has_high = true, .high = 4300000},
        {.name = "temp", .text = "temp:{}"},
    };
    static const struct {
        const char *expect, *text;
        enum boot_verdict verdict;
        bool seen[2];
        int64_t micro[2];
    } row[] = {
        {NULL, "vbat=3.71 V temp: -4.25 C\n", BOOT_GOOD, {true, true}, {3710000, -4250000}},
        {NULL, "vbat=3.71 V temp:12", BOOT_GO_ON, {true, false}, {3710000, 0}}, /* 12 may become 125 */
        {"ok", "vbat=3.71 V temp:12\n", BOOT_GO_ON, {true, true}, {3710000, 12000000}},
        {"ok", "ok vbat=x V vbat=3.2 mV vbat=+3 V temp:1\n", BOOT_GOOD, {true, true}, {3000000, 1000000}},
        {NULL, "vbat=1 V vbat=2 V temp:0\n", BOOT_GOOD, {true, true}, {1000000, 0}}, /* the first counts */
        {NULL, "vbat=1.0000001 V temp:0.000001\n", BOOT_GO_ON, {false, true}, {0, 1}},
        {NULL, "vbat=1 V Guru Meditation Error temp:0\n", BOOT_PANIC, {false, false}, {0, 0}},
    };
    for (size_t i = 0; i < T_COUNT(row); i++)
        for (int whole = 0; whole < 2; whole++) {
            struct boot_check b;
            size_t n = strlen(row[i].text), step = whole ? n : 1;
            enum boot_verdict v = BOOT_GO_ON;
            boot_check_init(&b, &(struct profile_boot_check){.expect = row[i].expect, .measures = m, .n_measures = 2});
            for (size_t k = 0; k < n && v == BOOT_GO_ON; k += step)
                v = boot_check_feed(&b, (const uint8_t *)row[i].text + k, step);
            assert_int_equal(v, row[i].verdict);
            for (size_t k = 0; k < 2 && v != BOOT_PANIC; k++) {
                assert_int_equal(b.values[k].seen, row[i].seen[k]);
                if (row[i].seen[k])
                    assert_int_equal(b.values[k].micro, row[i].micro[k]);
            }
        }
}

static void limits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool right, has_low, has_high;
        int64_t low, high;
        const char *unit;
    } row[] = {
        {"3.2..4.3 V", true, true, true, 3200000, 4300000, "V"}, {"..85 C", true, false, true, 0, 85000000, "C"},
        {"-10..", true, true, false, -10000000, 0, ""},         {"0..0", true, true, true, 0, 0, ""},
        {"3..2", false, false, false, 0, 0, ""},                 {"..", false, false, false, 0, 0, ""},
        {"3.2-4.3", false, false, false, 0, 0, ""},             {"3.2..4.3V", false, false, false, 0, 0, ""},
        {"1..2 a b", false, false, false, 0, 0, ""},            {"1.0000001..2", false, false, false, 0, 0, ""},
        {"1000000000001..", false, false, false, 0, 0, ""},     {"", false, false, false, 0, 0, ""},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct profile_measure m;
        assert_int_equal(profile_parse_limits(row[i].text, &m), row[i].right);
        if (!row[i].right)
            continue;
        assert_int_equal(m.has_low, row[i].has_low);
        assert_int_equal(m.has_high, row[i].has_high);
        assert_int_equal(m.low, row[i].low);
        assert_int_equal(m.high, row[i].high);
        assert_string_equal(m.unit, row[i].unit);
    }
    /* 3.2 to 4.3 with 5 %: 0.055 from either end is near */
    static const struct {
        const char *limits;
        int64_t value;
        const char *verdict;
    } is[] = {
        {"3.2..4.3", 3199999, "low"},       {"3.2..4.3", 3200000, "marginal"}, {"3.2..4.3", 3254999, "marginal"},
        {"3.2..4.3", 3255000, "ok"},        {"3.2..4.3", 4245000, "ok"},       {"3.2..4.3", 4245001, "marginal"},
        {"3.2..4.3", 4300000, "marginal"},  {"3.2..4.3", 4300001, "high"},     {"..-100", -99000000, "high"},
        {"..-100", -104000000, "marginal"}, {"..-100", -106000000, "ok"},      {"5..5", 5000000, "ok"},
    };
    for (size_t i = 0; i < T_COUNT(is); i++) {
        struct profile_measure m;
        assert_true(profile_parse_limits(is[i].limits, &m));
        assert_string_equal(boot_check_verdict(&m, is[i].value, 5), is[i].verdict);
    }
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
    assert_int_equal(command_run_text("true", NULL, fl_deadline_in_ms(20000), &why), FL_OK);
    assert_int_equal(command_run_text("false", NULL, fl_deadline_in_ms(20000), &why), FL_REFUSED);
    assert_string_equal(why.text, "'false' ended with 1");
    assert_int_equal(command_run_text("/no/such/program on", NULL, fl_deadline_in_ms(20000), &why), FL_NOT_FOUND);
    assert_int_equal(command_run_text("  ", NULL, fl_deadline_in_ms(20000), &why), FL_ARG);
    assert_int_equal(command_run_text("sleep 100", NULL, fl_deadline_in_ms(50), &why), FL_TIMEOUT);
    struct fl_wake w;
    assert_int_equal(fl_wake_init(&w, NULL), FL_OK);
    fl_wake_raise(&w);
    assert_int_equal(command_run_text("sleep 100", &w, fl_deadline_never(), &why), FL_CANCELLED);
    fl_wake_fini(&w);
}

static void command_ends(void **state)
{
    (void)state;
    char output[16];
    static const char input[] = "{\"slot\":7}\n";
    static const struct {
        const char *script;
        enum fl_err err;
        int code;
        const char *output; /* NULL: as much as is kept, whatever it is */
    } row[] = {
        {"cat", FL_OK, 0, "{\"slot\":7}\n"},
        {"echo to us >&2; exit 3", FL_REFUSED, 3, "to us\n"},
        {"echo 0123456789abcdefghij", FL_OK, 0, "56789abcdefghij\n"}, /* the end of it */
        {"kill -TERM $$", FL_REFUSED, -15, ""},
        {"sleep 100 & sleep 100", FL_TIMEOUT, -9, ""},
        {"exec 0<&-; yes", FL_TIMEOUT, -9, "y\ny\ny\ny\ny\ny\ny\ny\n"},
        {"head -c 3000000 /dev/zero | tr '\\0' x; echo; echo the end", FL_OK, 0, "xxxxxxx\nthe end\n"},
        /* what it leaves behind talks on: it is not listened to for ever */
        {"echo 0123456789abcdef; setsid timeout -s KILL 20 cat /dev/zero & exit 0", FL_OK, 0, NULL},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        const char *const argv[] = {"/bin/sh", "-c", row[i].script, NULL};
        const struct command c = {argv, input, sizeof input - 1, output, sizeof output};
        struct command_end end;
        assert_int_equal(command_run(&c, &end, NULL, fl_deadline_in_ms(row[i].err == FL_TIMEOUT ? 300 : 30000), NULL),
                         row[i].err);
        assert_int_equal(end.code, row[i].code);
        assert_int_equal(end.output_n, row[i].output ? strlen(row[i].output) : sizeof output);
        if (row[i].output)
            assert_memory_equal(output, row[i].output, end.output_n);
    }
}

/* A speed that a bridge cannot make, or a driver's error, is no pulled cable: the operator is not sent to the board. */
static void port_faults(void **state)
{
    static const struct {
        enum fl_err err;
        const char *fault;
    } row[] = {
        {FL_REFUSED, "port.failed"}, {FL_TIMEOUT, "port.failed"}, {FL_IO, "port.failed"}, {FL_FORMAT, "port.failed"},
        {FL_GONE, "link.lost"}, {FL_CANCELLED, "operator.cancelled"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++)
        assert_string_equal(attempt_port_fault(row[i].err), row[i].fault);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(boot_texts), cmocka_unit_test(boot_text_after_a_flood),
        cmocka_unit_test(boot_values), cmocka_unit_test(limits), cmocka_unit_test(command_ends),
        cmocka_unit_test(gates), cmocka_unit_test(secured), cmocka_unit_test(commands),
        cmocka_unit_test(port_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
