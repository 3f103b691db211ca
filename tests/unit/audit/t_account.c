/* SPDX-License-Identifier: Apache-2.0
 * audit/account: histories in which every record may be signed and yet something does not add up, with what must be told. */
#include "unit/t.h"

#include "audit/account.h"

struct event {
    const char *event, *job, *mac, *outcome, *serial;
    int boot;
};

static struct account_result told;

static void account(const struct event *e, size_t n, int64_t run)
{
    struct account *a;
    assert_int_equal(account_new(&a, NULL), FL_OK);
    for (int round = 0; round < 2; round++) { /* the second round must give the same: bundles are walked more than once */
        account_clear(a);
        for (size_t i = 0; i < n; i++) {
            char rec[400];
            struct leaf_view v;
            int len = snprintf(rec, sizeof rec, "{\"boot\":%d,\"event\":\"%s\",\"job\":\"%s\",\"mac\":\"%s\",\"outcome\":\"%s\"%s%s%s,\"v\":1}", e[i].boot,
                               e[i].event, e[i].job, e[i].mac, e[i].outcome, e[i].serial ? ",\"serial\":\"" : "",
                               e[i].serial ? e[i].serial : "", e[i].serial ? "\"" : "");
            assert_int_equal(leaf_scan((const uint8_t *)rec, (size_t)len, &v, NULL), FL_OK);
            assert_int_equal(account_take(a, i, &v, (const uint8_t *)rec, (size_t)len), FL_OK);
        }
        assert_int_equal(account_end(a, run, &told), FL_OK);
    }
    account_free(a);
}

#define START(job, mac) {"attempt_start", job, mac, "", NULL, 1}
#define END(job, mac, outcome, serial) {"attempt_result", job, mac, outcome, serial, 1}
#define FINAL(mac) {"unit_final", "", mac, "PASS", NULL, 1}
#define M(n) "24:6f:28:00:00:" n

static void adds_up(void **state)
{
    (void)state;
    static const struct event e[] = {START("a", M("01")), END("a", M("01"), "PASS", "A-001"), FINAL(M("01")), START("b", M("02")),
                                     END("b", M("02"), "FAIL", "A-002"),  START("c", M("02")), END("c", M("02"), "PASS", "A-002"),
                                     FINAL(M("02")), {"heartbeat", "", "", "", NULL, 1}};
    account(e, T_COUNT(e), -1);
    assert_int_equal(told.certified, 2);
    assert_int_equal(told.units, 2);
    assert_int_equal(told.n_twice + told.n_serials_twice + told.n_endless, 0);
    assert_int_equal(told.n_ranges, 1);
    assert_string_equal(told.range[0].first, "A-001");
    assert_string_equal(told.range[0].last, "A-002");
    assert_int_equal(told.range[0].given, 2); /* that the first try failed with it makes no second one of it */
    assert_int_equal(told.range[0].missing, 0);
    account(NULL, 0, -1);
    assert_int_equal(told.certified + told.units + told.n_ranges, 0);
}

/* G2: one MAC certified three times; one serial number on two boards, which the table would refuse and the key could sign. */
static void twice(void **state)
{
    (void)state;
    static const struct event e[] = {FINAL(M("07")), FINAL(M("01")), FINAL(M("07")), FINAL(M("02")), FINAL(M("07")),
                                     {"unit_final", "", "24:6f:28:ff:fe:00:00:07", "PASS", NULL, 1},
                                     END("x", M("01"), "PASS", "Z9"), END("y", M("02"), "PASS", "Z9"), END("z", M("02"), "PASS", "no digits"),
                                     END("w", M("07"), "PASS", "no digits"), END("v", M("02"), "PASS", "Z9")};
    account(e, T_COUNT(e), -1);
    assert_int_equal(told.certified, 6);
    assert_int_equal(told.units, 4);
    assert_int_equal(told.n_twice, 1);
    assert_string_equal(told.twice[0].what, M("07"));
    assert_int_equal(told.twice[0].n, 3);
    assert_int_equal(told.twice[0].leaf[0], 0);
    assert_int_equal(told.twice[0].leaf[1], 2);
    assert_int_equal(told.twice[0].leaf[2], 4);
    assert_int_equal(told.n_serials_twice, 2);
    const struct account_twice *z9 = strcmp(told.serials_twice[0].what, "Z9") == 0 ? &told.serials_twice[0] : &told.serials_twice[1];
    assert_string_equal(z9->what, "Z9");
    assert_int_equal(z9->n, 3);
    assert_int_equal(z9->leaf[0], 6);
    assert_int_equal(told.n_ranges, 1); /* what has no digits is no range */
}

/* G1: numbers of a range that no unit that passed has. */
static void holes(void **state)
{
    (void)state;
    static const struct event e[] = {END("a", M("01"), "PASS", "M5-0009"), END("b", M("02"), "PASS", "M5-0003"), END("c", M("03"), "PASS", "M5-0010"),
                                     END("d", M("04"), "PASS", "M5-0004"), END("e", M("05"), "FAIL", "M5-0006"), END("f", M("06"), "PASS", "M5-0012"),
                                     END("g", M("07"), "PASS", "X12"),     END("h", M("08"), "PASS", "X0012"), /* as many digits: another range */
                                     END("i", M("09"), "PASS", "99999999999999999999")}; /* more digits than a number has: the front takes them */
    account(e, T_COUNT(e), -1);
    assert_int_equal(told.n_ranges, 4);
    const struct account_range *r = NULL;
    for (size_t i = 0; i < told.n_ranges; i++)
        if (strcmp(told.range[i].first, "M5-0003") == 0)
            r = &told.range[i];
    assert_non_null(r);
    assert_string_equal(r->last, "M5-0012");
    assert_int_equal(r->given, 5);
    assert_int_equal(r->missing, 5);
    assert_int_equal(r->n_holes, 2);
    assert_string_equal(r->hole[0].first, "M5-0005"); /* 6 was tried, and no unit passed with it */
    assert_string_equal(r->hole[0].last, "M5-0008");
    assert_string_equal(r->hole[1].first, "M5-0011");
    assert_string_equal(r->hole[1].last, "M5-0011");
}

/* G3: begun and never ended; but not where the run is still at work on it. */
static void endless(void **state)
{
    (void)state;
    static const struct event e[] = {START("a", M("01")), START("b", M("02")), END("b", M("02"), "FAIL", NULL),
                                     {"attempt_start", "c", M("03"), "", NULL, 7}, {"attempt_start", "d", M("04"), "", NULL, 7},
                                     {"interrupted", "d", M("04"), "INTERRUPTED", NULL, 7}};
    account(e, T_COUNT(e), 7);
    assert_int_equal(told.n_endless, 1);
    assert_int_equal(told.endless[0], 0);
    account(e, T_COUNT(e), -1);
    assert_int_equal(told.n_endless, 2);
    assert_int_equal(told.endless[1], 3);
}

/* I2: one attempt, two ends; whatever its job is spelled like, and whichever of the two kinds they are. */
static void two_ends(void **state)
{
    (void)state;
    static const struct event e[] = {START("a", M("01")), END("a", M("01"), "FAIL", NULL), END("a", M("01"), "PASS", NULL),
                                     START("0190b5a4-0000-7000-8000-000000000001", M("02")),
                                     END("0190b5a4-0000-7000-8000-000000000001", M("02"), "PASS", NULL),
                                     END("0190b5a4-0000-7000-8000-000000000002", M("03"), "PASS", NULL),
                                     {"interrupted", "0190b5a4-0000-7000-8000-000000000001", M("02"), "INTERRUPTED", NULL, 7},
                                     END("b", M("04"), "PASS", NULL), END("a", M("01"), "PASS", NULL), {"attempt_result", "", M("05"), "PASS", NULL, 1},
                                     {"attempt_result", "", M("05"), "PASS", NULL, 1}};
    account(e, T_COUNT(e), -1);
    assert_int_equal(told.n_ended_twice, 3);
    uint64_t first = 0, again = 0;
    for (size_t i = 0; i < told.n_ended_twice; i++)
        first += told.ended_twice[i].first, again += told.ended_twice[i].again;
    assert_int_equal(first, 1 + 1 + 4);
    assert_int_equal(again, 2 + 8 + 6);
}

/* More than the lists hold: counted all the same, nothing is written behind them. */
static void many(void **state)
{
    (void)state;
    enum { MANY = 40 };
    static struct event e[4 * MANY];
    static char text[MANY][3][24];
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(text[i][0], 24, "24:6f:28:00:01:%02x", (unsigned)i);
        (void)snprintf(text[i][1], 24, "job-%d", i);
        (void)snprintf(text[i][2], 24, "S%d-1", i);
        e[4 * i] = (struct event){"unit_final", "", text[i][0], "PASS", NULL, 1};
        e[4 * i + 1] = e[4 * i];
        e[4 * i + 2] = (struct event){"attempt_start", text[i][1], text[i][0], "", NULL, 1};
        e[4 * i + 3] = (struct event){"attempt_result", "other", text[i][0], "PASS", text[i][2], 1};
    }
    account(e, T_COUNT(e), -1);
    assert_int_equal(told.n_twice, MANY);
    assert_int_equal(told.n_endless, MANY);
    assert_int_equal(told.n_ranges, MANY);
    assert_int_equal(told.n_ended_twice, MANY - 1);
    for (size_t i = 0; i < ACCOUNT_LIST_MAX; i++) { /* the first ones in the log: records 7, 11, ... */
        assert_int_equal(told.ended_twice[i].first, 3);
        assert_true(told.ended_twice[i].again <= 4 * ACCOUNT_LIST_MAX + 3);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_up), cmocka_unit_test(twice), cmocka_unit_test(holes), cmocka_unit_test(endless), cmocka_unit_test(two_ends), cmocka_unit_test(many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
