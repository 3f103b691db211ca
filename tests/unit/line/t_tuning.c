/* SPDX-License-Identifier: Apache-2.0
 * line/tuning: stepping up after long cleanness, and back down on evidence. */
#include "unit/t.h"

#include "line/tuning.h"

static const struct esp_config config = {.baud = 921600, .step_down = {460800, 230400, 115200}};

static void steps(void **state)
{
    (void)state;
    static const struct {
        struct esp_tuning from, to;
        bool moves;
    } row[] = {
        {{0}, {0}, false},
        {{.baud = 57600}, {.baud = 115200}, true},
        {{.baud = 115200}, {.baud = 230400}, true},
        {{.baud = 230400, .burst = 512, .burst_gap_us = 1000}, {.baud = 460800, .burst = 512, .burst_gap_us = 1000}, true},
        {{.baud = 460800}, {0}, true}, /* the configured one needs no remembering */
        {{.baud = 921600, .burst = 64, .burst_gap_us = 4000}, {.baud = 921600}, true},
        {{.burst = 512, .burst_gap_us = 1000, .rom_only = true}, {.rom_only = true}, true},
        {{.rom_only = true}, {0}, true},
        {{.ram_block = 0x800, .flash_block = 0x800}, {.ram_block = 0x800, .flash_block = 0x800}, false},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct esp_tuning t = row[i].from;
        assert_int_equal(tuning_step_up(&t, &config), row[i].moves);
        assert_int_equal(t.baud, row[i].to.baud);
        assert_int_equal(t.burst, row[i].to.burst);
        assert_int_equal(t.burst_gap_us, row[i].to.burst_gap_us);
        assert_int_equal(t.ram_block, row[i].to.ram_block);
        assert_int_equal(t.flash_block, row[i].to.flash_block);
        assert_int_equal(t.rom_only, row[i].to.rom_only);
    }
    struct esp_tuning low = {.baud = 57600};
    assert_true(tuning_step_up(&low, &(struct esp_config){0}));
    assert_int_equal(low.baud, 0); /* no speed configured: 115200 is the top */
}

/* Units, each as wide as one call of both. */
static void units(struct tuning *t, unsigned n, bool pass, size_t rungs)
{
    for (unsigned i = 0; i < n; i++) {
        tuning_before(t, &config);
        tuning_after(t, pass, rungs);
    }
}

static void up_and_down(void **state)
{
    (void)state;
    struct tuning t = {.now = {.baud = 230400}};
    units(&t, 20, true, 0);
    assert_int_equal(t.now.baud, 230400);
    tuning_before(&t, &config);
    assert_int_equal(t.now.baud, 460800);
    tuning_before(&t, &config); /* the same unit, opened again */
    assert_int_equal(t.now.baud, 460800);
    tuning_after(&t, false, 0); /* a bad flash says nothing of the line: still being tried */
    assert_true(t.trying);
    tuning_before(&t, &config);
    t.now.baud = 115200; /* the engine fell down on it */
    tuning_after(&t, true, 3);
    assert_int_equal(t.now.baud, 230400); /* and the slot is back where it was well */
    units(&t, 39, true, 0);
    assert_int_equal(t.now.baud, 230400);
    units(&t, 1, true, 0);
    tuning_before(&t, &config); /* the 41st: twice as many were asked for */
    assert_int_equal(t.now.baud, 460800);
    tuning_after(&t, true, 0);
    units(&t, 19, true, 0);
    assert_int_equal(t.now.baud, 460800);
    tuning_before(&t, &config); /* it held: 20 are enough again */
    assert_int_equal(t.now.baud, 0);
    assert_true(t.trying);
}

static void a_rung_begins_the_count_anew(void **state)
{
    (void)state;
    struct tuning t = {.now = {.baud = 460800}};
    units(&t, 19, true, 0);
    units(&t, 1, true, 1);
    units(&t, 19, true, 0);
    tuning_before(&t, &config);
    assert_int_equal(t.now.baud, 460800);
    assert_false(t.trying);
    units(&t, 1, true, 0);
    tuning_before(&t, &config);
    assert_true(t.trying);
}

static void patience_has_an_end(void **state)
{
    (void)state;
    struct tuning t = {.now = {.baud = 460800}};
    unsigned tries = 0, last = 0;
    for (unsigned i = 0; i < 3000; i++) {
        tuning_before(&t, &config);
        if (t.trying) {
            if (tries >= 5)
                assert_int_equal(i - last, 321);
            last = i;
            tries++;
        }
        tuning_after(&t, true, t.trying);
        assert_int_equal(t.now.baud, 460800);
    }
    assert_int_equal(tries, 12); /* after 20, 40, 80, 160, 320, and every 320 from then on */
}

/* ---- kinds of bridges ------------------------------------------------------------------------------------ */

static void kinds(void **state)
{
    (void)state;
    static struct tuning_book b;
    char a[TUNING_KIND_MAX], c[TUNING_KIND_MAX], none[TUNING_KIND_MAX], name[TUNING_KIND_MAX];
    struct esp_tuning t;
    tuning_kind(a, "10c4:ea60", "cp210x");
    tuning_kind(c, "1a86:55d4", "ch341");
    tuning_kind(none, "", "");
    /* each for itself; a port that is no USB bridge is a kind too */
    tuning_of(&b, c)->t.now.baud = 230400;
    assert_int_equal(tuning_of(&b, a)->t.now.baud, 0);
    assert_int_equal(tuning_of(&b, none)->t.now.baud, 0);
    assert_int_equal(tuning_of(&b, c)->t.now.baud, 230400);
    assert_int_equal(b.n, 3);
    /* told once, whole */
    assert_string_equal(tuning_news(tuning_of(&b, c), &t), "learned");
    assert_int_equal(t.baud, 230400);
    tuning_of(&b, c)->told = t;
    assert_null(tuning_news(tuning_of(&b, c), &t));
    assert_null(tuning_news(tuning_of(&b, a), &t));
    /* while a step up is tried, what held is what counts */
    struct tuning_entry *e = tuning_of(&b, c);
    e->t.clean = TUNING_CLEAN;
    tuning_before(&e->t, &config);
    assert_int_equal(e->t.now.baud, 460800);
    assert_null(tuning_news(e, &t));
    tuning_after(&e->t, true, 0);
    assert_string_equal(tuning_news(e, &t), "step_up");
    assert_int_equal(t.baud, 460800);
    e->told = t;
    e->t.now.flash_block = 0x400;
    assert_string_equal(tuning_news(e, &t), "learned");
    /* a full book forgets what was not used for longest: c was, a and none were not */
    for (int i = 0; i < TUNING_KINDS - 2; i++) {
        (void)snprintf(name, sizeof name, "kind %d", i);
        tuning_of(&b, name)->t.now.baud = 115200;
        (void)tuning_of(&b, c);
    }
    assert_int_equal(b.n, TUNING_KINDS);
    assert_int_equal(tuning_of(&b, c)->t.now.baud, 460800);
    (void)snprintf(name, sizeof name, "one more");
    assert_int_equal(tuning_of(&b, name)->t.now.baud, 0);
    assert_int_equal(tuning_of(&b, c)->t.now.baud, 460800);
    for (int i = 1; i < TUNING_KINDS - 2; i++) {
        (void)snprintf(name, sizeof name, "kind %d", i);
        assert_int_equal(tuning_of(&b, name)->t.now.baud, 115200);
    }
}

/* From the record: where it ended is where it begins, and nothing is told again. */
static void recalled(void **state)
{
    (void)state;
    static struct tuning_book b;
    struct esp_tuning t;
    tuning_recall(&b, "x", &(struct esp_tuning){.baud = 115200});
    tuning_recall(&b, "x", &(struct esp_tuning){.burst = 128, .burst_gap_us = 2000, .rom_only = true});
    struct tuning_entry *e = tuning_of(&b, "x");
    assert_int_equal(b.n, 1);
    assert_int_equal(e->t.now.baud, 0);
    assert_int_equal(e->t.now.burst, 128);
    assert_true(e->t.now.rom_only);
    assert_null(tuning_news(e, &t));
    e->t.now.rom_only = false;
    assert_string_equal(tuning_news(e, &t), "step_up");
}

/* The record gives back all of a setting: what a slot learned about its reset line and its speed too. */
static void reset_and_speed_are_told(void **state)
{
    (void)state;
    static const struct esp_tuning learned[] = {{.slow_reset = true}, {.late_speed = true}};
    for (size_t i = 0; i < T_COUNT(learned); i++) {
        struct tuning_book b = {.n = 0};
        struct esp_tuning t;
        struct tuning_entry *e = tuning_of(&b, "x");
        assert_null(tuning_news(e, &t));
        e->t.now = learned[i];
        assert_string_equal(tuning_news(e, &t), "learned");
        assert_int_equal(t.slow_reset, learned[i].slow_reset);
        assert_int_equal(t.late_speed, learned[i].late_speed);
        e->told = t;
        assert_null(tuning_news(e, &t));
        e->t.now = (struct esp_tuning){.baud = 0};
        assert_string_equal(tuning_news(e, &t), "step_up");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(steps), cmocka_unit_test(up_and_down),
                                       cmocka_unit_test(a_rung_begins_the_count_anew),
                                       cmocka_unit_test(patience_has_an_end), cmocka_unit_test(kinds),
                                       cmocka_unit_test(recalled),
                                       cmocka_unit_test(reset_and_speed_are_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
