/* SPDX-License-Identifier: Apache-2.0
 * Lines that translate, and lines that are late: whatever ends the session, the verdict names what the line does to which
 * bytes, and what to do. Lines that damage bytes by chance are never taken for such. On simulated boards, in a time of
 * their own. */
#include "board_link.h"

#include "esp/carry.h"

static struct bl_images images;
static struct sim_stubs *stubs;

struct line {
    const char *chip;
    enum sim_fault_kind kind;
    enum sim_fault_dir dir;
    double rate;
    uint32_t usb_us, again_us;
    uint64_t seed;
};

static void flash(const struct line *l, bool stub, struct bl_result *r)
{
    struct sim_spec s;
    sim_spec_init(&s, sim_chip_find(l->chip), 1, l->seed);
    s.pace_real = true;
    if (l->usb_us)
        s.timing.usb_us = l->usb_us;
    if (l->usb_us == 0 && l->again_us == 0) {
        s.faults[0] = sim_fault_of(l->kind);
        s.faults[0].dir = l->dir;
        s.faults[0].count = 0;
        s.faults[0].rate = l->rate;
        s.n_faults = 1;
    }
    struct esp_config config = {.chip = l->chip, .baud = 460800, .step_down = {230400, 115200}, .stub = stub ? ESP_STUB_AUTO : ESP_STUB_NEVER};
    struct sim_board *b = bl_board(&s, stubs);
    assert_non_null(b);
    *r = (struct bl_result){.lines_late = (uint64_t)l->usb_us * 500, .again_late = (uint64_t)l->again_us * 1000};
    bl_session(b, &config, &images, false, r);
    sim_board_free(b);
    if (bl_never(r))
        fail_msg("%s, fault %s: %s", l->chip, sim_fault_rows[l->kind].name, bl_never(r));
}

#define HOST SIM_TO_HOST
#define CHIP SIM_TO_CHIP

static void translations(void **state)
{
    (void)state;
    static const struct {
        enum sim_fault_kind kind;
        enum sim_fault_dir dir;
        const char *values, *what; /* NULL: no answer that is needed holds such a byte */
    } rows[] = {
        {SIM_FAULT_XONXOFF, CHIP, "at the chip as they are: 11, 13;", "XON/XOFF"},
        {SIM_FAULT_XONXOFF, HOST, "at the host as they are: 11 not, 13 not;", "XON/XOFF"},
        {SIM_FAULT_ADD_CR, CHIP, "at the chip as they are: 0a;", "line ends"},
        {SIM_FAULT_ADD_CR, HOST, "at the host as they are: 0a as 0d 0a;", "line ends"},
        {SIM_FAULT_CR_TO_LF, CHIP, "at the chip as they are: 0d;", "line ends"},
        {SIM_FAULT_CR_TO_LF, HOST, "at the host as they are: 0d as 0a;", "line ends"},
        {SIM_FAULT_LF_TO_CR, CHIP, "at the chip as they are: 0a;", "line ends"},
        {SIM_FAULT_LF_TO_CR, HOST, "at the host as they are: 0a as 0d;", "line ends"},
        {SIM_FAULT_SEVEN_BITS, HOST, "without their highest bits", "7 data bits"},
        {SIM_FAULT_TELNET, CHIP, "at the chip as they are: ff;", "telnet"},
        {SIM_FAULT_TELNET, HOST, NULL, NULL},
    };
    static const char *const chips[] = {"esp32", "esp32c3", "esp32s2", "esp32s3"};
    for (size_t i = 0; i < T_COUNT(rows); i++)
        for (size_t k = 0; k < 2 * T_COUNT(chips); k++) {
            struct bl_result r;
            flash(&(struct line){.chip = chips[k / 2], .kind = rows[i].kind, .dir = rows[i].dir, .seed = 1}, k % 2, &r);
            print_message("# %s %s, %s %s: %.0f s: %s: %s\n", chips[k / 2], k % 2 ? "with stub" : "ROM alone",
                          sim_fault_rows[rows[i].kind].name, rows[i].dir == CHIP ? "to the chip" : "to the host", r.seconds,
                          r.err ? esp_fault_name(r.problem.fault) : "PASS", r.problem.text);
            if (!rows[i].values) {
                assert_int_equal(r.err, FL_OK); /* and the right bytes are in flash: flash() saw to that */
                continue;
            }
            assert_int_equal(r.problem.fault, ESP_FAULT_LINK_TRANSLATED);
            assert_non_null(strstr(r.problem.text, rows[i].values));
            assert_non_null(strstr(r.problem.text, rows[i].what));
        }
}

/* Chance has no pattern: from one byte in 2000 up to one in 20, flipped, lost or doubled, either way. */
static void chance(void **state)
{
    (void)state;
    static const double rates[] = {0.0005, 0.002, 0.005, 0.01, 0.05};
    static const enum sim_fault_kind kinds[] = {SIM_FAULT_FLIP, SIM_FAULT_DROP, SIM_FAULT_DUP};
    unsigned failed = 0;
    for (size_t i = 0; i < T_COUNT(rates); i++)
        for (size_t k = 0; k < T_COUNT(kinds); k++)
            for (uint64_t seed = 1; seed <= 6; seed++) {
                struct bl_result r;
                flash(&(struct line){.chip = "esp32", .kind = kinds[k], .dir = seed % 2 ? CHIP : HOST, .rate = rates[i], .seed = seed},
                      seed < 3, &r);
                failed += r.err != FL_OK;
                if (r.problem.fault == ESP_FAULT_LINK_TRANSLATED || r.problem.fault == ESP_FAULT_LINK_LATE)
                    fail_msg("%s at %g, seed %u: %s", sim_fault_rows[kinds[k]].name, rates[i], (unsigned)seed, r.problem.text);
            }
    assert_true(failed > 10); /* or none of them was asked */
}

/* Data and lines half of it later each way. */
static void late(void **state)
{
    (void)state;
    static const struct {
        uint32_t ms;
        bool named;
    } rows[] = {{100, false}, {200, false}, {300, false}, {600, false}, {1000, true}, {1500, true}};
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct bl_result r;
        flash(&(struct line){.chip = "esp32", .usb_us = rows[i].ms * 1000, .seed = 1}, true, &r);
        print_message("# %u ms there and back: %.0f s: %s: %s\n", rows[i].ms, r.seconds, r.err ? esp_fault_name(r.problem.fault) : "PASS",
                      r.problem.text);
        assert_int_equal(r.err ? r.problem.fault : ESP_FAULT_NONE, rows[i].named ? ESP_FAULT_LINK_LATE : ESP_FAULT_NONE);
    }
}

/* All that the chip says comes again: it is lived with, or it is the line's fault. */
static void twice(void **state)
{
    (void)state;
    static const uint32_t ms[] = {1, 3, 10, 30, 60, 200};
    for (size_t i = 0; i < 2 * T_COUNT(ms); i++) {
        struct bl_result r;
        flash(&(struct line){.chip = "esp32", .again_us = ms[i / 2] * 1000, .seed = 1}, i % 2, &r);
        print_message("# again after %u ms: %.0f s: %s: %s\n", ms[i / 2], r.seconds, r.err ? esp_fault_name(r.problem.fault) : "PASS",
                      r.problem.text);
        if (r.err)
            assert_int_equal(r.problem.fault, ESP_FAULT_LINK_DAMAGED);
        if (r.err && ms[i / 2] >= 10)
            assert_non_null(strstr(r.problem.text, "comes twice"));
    }
}

/* The words, and what is no answer to SYNC of seven bits. */
static void words(void **state)
{
    (void)state;
    char text[CARRY_TEXT];
    struct carry c = {.to_host = {.asked = true, .n = 1}};
    static const uint8_t seven[] = "\x40\x01\x08\x04\x00\x07\x07\x12\x20\x00\x00\x00\x00\x40\x40\x01\x08\x02\x00\x07";
    assert_true(carry_seven_bits(seven, sizeof seven - 1));
    assert_false(carry_seven_bits(seven, 18)); /* the second one's length is not there */
    assert_false(carry_seven_bits((const uint8_t *)"@\1\10@\1\10@\1\10", 9));
    c.to_host.bad[0].value = 0x42;
    assert_true(carry_text(&c, text));
    assert_non_null(strstr(text, "at the host as they are: 42; something"));
    assert_false(carry_text(&(struct carry){.to_chip = {.asked = true}}, text));
    c = (struct carry){.to_chip = {.asked = true, .n = 3}};
    c.to_chip.bad[0].value = 0x11, c.to_chip.bad[1].value = 0x0d, c.to_chip.bad[2].value = 0x13;
    assert_true(carry_text(&c, text));
    assert_non_null(strstr(text, "11, 0d, 13; a terminal's settings"));
}

static int setup(void **state)
{
    static const uint32_t sizes[BL_REGIONS] = {9000, 5000};
    struct fl_why why;
    (void)state;
    bl_images_make(&images, sizes);
    return sim_stubs_load(&stubs, &why) ? 1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    bl_images_fini(&images);
    sim_stubs_free(stubs);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(translations),
        cmocka_unit_test(chance),
        cmocka_unit_test(late),
        cmocka_unit_test(twice),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
