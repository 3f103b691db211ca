/* SPDX-License-Identifier: Apache-2.0
 * event/: what the head of the line counts; how a slot looks; how fast its bytes move. */
#include "unit/t.h"

#include "base/utf8.h"
#include "event/board.h"
#include "event/tile.h"

static void counts(void **state)
{
    (void)state;
    static const struct {
        uint8_t unit; /* 0: none is known */
        enum outcome outcome;
        uint64_t units, passed, first;
    } row[] = {
        {1, OUTCOME_PASS, 1, 1, 1},
        {2, OUTCOME_FAIL, 2, 1, 1},
        {2, OUTCOME_PASS, 2, 2, 1},    /* at the second attempt */
        {0, OUTCOME_ERROR, 2, 2, 1},   /* no unit known */
        {3, OUTCOME_ABORTED, 2, 2, 1}, /* does not count */
        {3, OUTCOME_PASS, 3, 3, 2},
        {1, OUTCOME_FAIL, 3, 3, 2},    /* tried again and failed: it has passed all the same, as in lot and report */
        {1, OUTCOME_PASS, 3, 3, 2},    /* and is not counted twice */
        {4, OUTCOME_INTERRUPTED, 4, 3, 2},
    };
    struct tally *t = tally_new();
    struct tally_head h;
    assert_non_null(t);
    for (size_t i = 0; i < T_COUNT(row); i++) {
        tally_add(t, row[i].outcome, row[i].unit ? (const uint8_t[]){2, 0, 0, 0, 0, row[i].unit} : NULL, 1000 + i);
        tally_get(t, 1000 + i, &h);
        assert_int_equal(h.units, row[i].units);
        assert_int_equal(h.passed, row[i].passed);
        assert_int_equal(h.first_passed, row[i].first);
    }
    assert_int_equal(h.outcomes[OUTCOME_PASS], 4);
    assert_int_equal(h.outcomes[OUTCOME_FAIL], 2);
    tally_free(t);
}

static void many_units(void **state)
{
    (void)state;
    struct tally *t = tally_new();
    struct tally_head h;
    for (uint32_t i = 0; i < 5000; i++)
        tally_add(t, OUTCOME_PASS, (const uint8_t[]){0x24, 0x6f, 0x28, 0, (uint8_t)(i >> 8), (uint8_t)i}, i);
    for (uint32_t i = 0; i < 5000; i++)
        tally_add(t, OUTCOME_PASS, (const uint8_t[]){0x24, 0x6f, 0x28, 0, (uint8_t)(i >> 8), (uint8_t)i}, i);
    tally_get(t, 5000, &h);
    assert_int_equal(h.units, 5000);
    assert_int_equal(h.passed, 5000);
    assert_int_equal(h.first_passed, 5000);
    tally_free(t);
}

/* A line without a lot that runs for months: those that passed go on to be counted, and how many an hour. */
static void more_units_than_are_known_again(void **state)
{
    (void)state;
    enum { MORE = 90 };
    struct tally *t = tally_new();
    struct tally_head h;
    for (uint32_t i = 0; i < TALLY_UNITS_MAX + MORE; i++)
        tally_add(t, i % 10 ? OUTCOME_PASS : OUTCOME_FAIL, (const uint8_t[]){0x24, 0x6f, 0x28, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i},
                  i < TALLY_UNITS_MAX ? 0 : 7200000 + (i - TALLY_UNITS_MAX) * 20000);
    tally_get(t, 7200000 + MORE * 20000, &h);
    assert_int_equal(h.units, TALLY_UNITS_MAX + MORE);
    assert_int_equal(h.passed, h.outcomes[OUTCOME_PASS]);
    assert_int_equal(h.first_passed, h.outcomes[OUTCOME_PASS]);
    assert_int_equal(h.per_hour, MORE * 9 / 10); /* 2^20 ends in 6: every tenth of ninety that follow fails */
    /* one that is known is known */
    tally_add(t, OUTCOME_PASS, (const uint8_t[]){0x24, 0x6f, 0x28, 0, 0, 1}, 7200000 + MORE * 20000);
    tally_get(t, 7200000 + MORE * 20000, &h);
    assert_int_equal(h.units, TALLY_UNITS_MAX + MORE);
    tally_free(t);
}

/* One unit every 20 seconds is 180 an hour, once there is a minute to judge by; an hour later none is left. */
static void per_hour(void **state)
{
    (void)state;
    struct tally *t = tally_new();
    struct tally_head h;
    for (uint8_t i = 0; i < 200; i++) {
        tally_add(t, OUTCOME_PASS, (const uint8_t[]){2, 0, 0, 0, 0, i}, 500000 + (uint64_t)i * 20000);
        tally_get(t, 500000 + (uint64_t)i * 20000, &h);
        if (i < 3)
            assert_int_equal(h.per_hour, 0);
        if (i > 180)
            assert_in_range(h.per_hour, 176, 184);
    }
    tally_get(t, 500000 + 200 * 20000 + 3600000, &h);
    assert_int_equal(h.per_hour, 0);
    tally_free(t);
}

static void title(void **state)
{
    (void)state;
    struct tally *t = tally_new();
    struct tally_head h;
    char longer[300];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    tally_title(t, "line-3", longer, NULL, 500, 15000);
    tally_alarm(t, "the disk is full");
    tally_get(t, 0, &h);
    assert_string_equal(h.station, "line-3");
    assert_int_equal(strlen(h.product), TALLY_TEXT - 1);
    assert_string_equal(h.lot, "");
    assert_string_equal(h.alarm, "the disk is full");
    assert_int_equal(h.planned, 500);
    tally_free(t);
}

/* What a rule stopped, and what was last said: shown until something else is. */
static void stops_and_words(void **state)
{
    (void)state;
    struct tally *t = tally_new();
    struct tally_head h;
    int many[TALLY_STOPS + 3];
    for (int i = 0; i < TALLY_STOPS + 3; i++)
        many[i] = i;
    tally_say(t, true, "'X17' may be a lot or a serial: nothing is done", 77);
    tally_stops(t, many, T_COUNT(many));
    tally_get(t, 100, &h);
    assert_string_equal(h.said, "'X17' may be a lot or a serial: nothing is done");
    assert_int_equal(h.refused, 1);
    assert_int_equal(h.said_ms, 77);
    assert_int_equal(h.n_stopped, TALLY_STOPS); /* as many as there is room for */
    assert_int_equal(h.stopped[TALLY_STOPS - 1], TALLY_STOPS - 1);
    tally_say(t, false, "eva stands at the line", 78);
    tally_stops(t, (const int[]){3}, 1);
    tally_get(t, 100, &h);
    assert_string_equal(h.said, "eva stands at the line");
    assert_int_equal(h.refused, 0);
    assert_int_equal(h.n_stopped, 1);
    assert_int_equal(h.stopped[0], 3);
    tally_free(t);
}

/* What does not fit is cut between letters as JSON has them, not between bytes. */
static void cut_words(void **state)
{
    (void)state;
    struct tally *t = tally_new();
    struct board *b = board_new(1);
    struct tally_head h;
    struct slot_view v = {.slot = 1, .step = "", .fault = ""};
    char text[TALLY_ALARM + 10];
    for (size_t i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 4);
    tally_alarm(t, text);
    tally_get(t, 0, &h);
    assert_int_equal(strlen(h.alarm), TALLY_ALARM - 1);
    assert_true(fl_utf8_ok((const uint8_t *)h.alarm, strlen(h.alarm)));
    board_put(b, 0, &v);
    board_say(b, 1, false, text, 1);
    board_get(b, 0, &v);
    assert_int_equal(strlen(v.said), TALLY_SAID - 1);
    assert_true(fl_utf8_ok((const uint8_t *)v.said, strlen(v.said)));
    board_free(b);
    tally_free(t);
}

static void looks(void **state)
{
    (void)state;
    static const struct {
        struct slot_view v;
        const char *word;
        enum tile_tone tone;
        bool hand;
    } row[] = {
        {{.state = SLOT_EMPTY}, "EMPTY", TONE_IDLE, false},
        {{.state = SLOT_WORK}, "WORK", TONE_BUSY, false},
        {{.state = SLOT_CLOSED}, "CLOSED", TONE_HELP, true},
        {{.state = SLOT_DONE, .outcome = OUTCOME_PASS, .leaf = 0}, "PASS", TONE_GOOD, false},
        {{.state = SLOT_DONE, .outcome = OUTCOME_PASS, .leaf = -1}, "ERROR", TONE_HELP, true}, /* no record, no PASS */
        {{.state = SLOT_DONE, .outcome = OUTCOME_FAIL, .leaf = 0}, "FAIL", TONE_BAD, true},
        {{.state = SLOT_DONE, .outcome = OUTCOME_INTERRUPTED, .leaf = 0}, "CUT OFF", TONE_NOTE, true},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        assert_string_equal(tile_look(&row[i].v)->word, row[i].word);
        assert_int_equal(tile_look(&row[i].v)->tone, row[i].tone);
        assert_int_equal(tile_wants_hand(&row[i].v), row[i].hand);
    }
}

static void meter(void **state)
{
    (void)state;
    struct tile_meter m = {.step = NULL};
    struct slot_view v = {.state = SLOT_WORK, .step = "write", .total = 1000000, .started_ms = 7};
    tile_meter_add(&m, &v, 10000);
    assert_int_equal(m.rate, 0);
    assert_int_equal(tile_left_ms(&m, &v), -1);
    for (uint64_t ms = 100; ms <= 4000; ms += 100) { /* 80,000 bytes a second */
        v.done = ms * 80;
        tile_meter_add(&m, &v, 10000 + ms);
    }
    assert_in_range(m.rate, 79000, 81000);
    assert_in_range(tile_left_ms(&m, &v), 8300, 8700); /* 680,000 left */
    assert_int_equal(tile_permille(&v), 320);
    v.step = "verify"; /* another step starts from nothing */
    v.done = 0;
    tile_meter_add(&m, &v, 14100);
    assert_int_equal(m.rate, 0);
    v.total = 0;
    assert_int_equal(tile_permille(&v), -1);
}

/* What a scan did is shown for ten seconds, what it did not do for a minute. */
static void says(void **state)
{
    (void)state;
    struct slot_view v = {.said = "", .said_ms = 1000};
    assert_false(tile_says(&v, 1000));
    (void)snprintf(v.said, sizeof v.said, "slot 3: now its serial number");
    assert_true(tile_says(&v, 10999));
    assert_false(tile_says(&v, 11000));
    v.refused = true;
    assert_true(tile_says(&v, 60999));
    assert_false(tile_says(&v, 61000));
}

/* A lot that goes on after a restart, and one that begins. */
static void past_and_clear(void **state)
{
    (void)state;
    static const uint8_t a[6] = {1}, b[6] = {2};
    struct tally *t = tally_new();
    struct tally_head h;
    tally_title(t, "s", "p", "L-1", 5, 0);
    tally_past(t, OUTCOME_FAIL, a);
    tally_past(t, OUTCOME_PASS, a);
    tally_past(t, OUTCOME_ABORTED, b);
    tally_add(t, OUTCOME_PASS, b, 7200000);
    tally_add(t, OUTCOME_PASS, a, 7200000); /* passed before: not one more */
    tally_get(t, 7320000, &h);
    assert_int_equal(h.units, 2);
    assert_int_equal(h.passed, 2);
    assert_int_equal(h.first_passed, 1);
    assert_int_equal(h.outcomes[OUTCOME_PASS], 3);
    assert_int_equal(h.outcomes[OUTCOME_FAIL], 1);
    assert_int_equal(h.per_hour, 30); /* one in two minutes: what passed before this run is in no rate */
    tally_clear(t);
    tally_get(t, 7320000, &h);
    assert_int_equal(h.units + h.passed + h.first_passed + h.outcomes[OUTCOME_PASS] + h.per_hour, 0);
    assert_string_equal(h.lot, "L-1");
    tally_add(t, OUTCOME_PASS, a, 7400000);
    tally_get(t, 7400000, &h);
    assert_int_equal(h.passed, 1);
    tally_free(t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(counts), cmocka_unit_test(many_units), cmocka_unit_test(more_units_than_are_known_again),
                                              cmocka_unit_test(per_hour), cmocka_unit_test(title), cmocka_unit_test(stops_and_words),
                                              cmocka_unit_test(past_and_clear), cmocka_unit_test(says), cmocka_unit_test(cut_words), cmocka_unit_test(looks), cmocka_unit_test(meter)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
