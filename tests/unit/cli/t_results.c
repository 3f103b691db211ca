/* SPDX-License-Identifier: Apache-2.0
 * cli/results: the exit code of a line that ran for months, and what is kept of its units for that. */
#include "unit/t.h"

#include "cli/results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void begin(struct results *r)
{
    memset(r, 0, sizeof *r);
    assert_int_equal(results_init(r, CLI_JSON_OUT, 2), FL_OK);
    r->out = fopen("/dev/null", "w"); /* a million lines are no news */
    r->held = calloc(1, 1);
    assert_true(r->out && r->held);
}

static void add(struct results *r, uint32_t unit, enum outcome outcome)
{
    struct attempt_facts f = {.slot = 1, .port = "", .lot = "", .outcome = outcome, .fault = outcome == OUTCOME_PASS ? "" : "verify.md5",
                              .has_mac = unit != 0, .chip = "esp32",
                              .mac = {0x24, 0x6f, 0x28, (uint8_t)(unit >> 16), (uint8_t)(unit >> 8), (uint8_t)unit}};
    results_add(r, &f, 1);
}

static int end(struct results *r)
{
    int code = results_end(r);
    results_fini(r);
    return code;
}

/* Every unit's latest outcome counts; a unit without a MAC is that of its slot. */
static void latest_outcome_counts(void **state)
{
    (void)state;
    static const struct {
        struct {
            uint32_t unit;
            enum outcome outcome;
        } attempt[4];
        size_t n;
        int code;
    } row[] = {
        {{{1, OUTCOME_PASS}}, 1, CLI_OK},
        {{{1, OUTCOME_FAIL}}, 1, CLI_NOT_PASS},
        {{{1, OUTCOME_FAIL}, {1, OUTCOME_PASS}}, 2, CLI_OK},
        {{{1, OUTCOME_FAIL}, {2, OUTCOME_PASS}}, 2, CLI_NOT_PASS},
        {{{1, OUTCOME_FAIL}, {2, OUTCOME_FAIL}, {1, OUTCOME_PASS}, {2, OUTCOME_PASS}}, 4, CLI_OK},
        {{{1, OUTCOME_FAIL}, {2, OUTCOME_ERROR}, {1, OUTCOME_ERROR}, {1, OUTCOME_PASS}}, 4, CLI_NOT_PASS},
        {{{1, OUTCOME_PASS}, {1, OUTCOME_FAIL}}, 2, CLI_NOT_PASS},
        {{{0, OUTCOME_ERROR}, {1, OUTCOME_PASS}}, 2, CLI_NOT_PASS},
        {{{0, OUTCOME_ERROR}, {0, OUTCOME_PASS}}, 2, CLI_OK},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct results r;
        begin(&r);
        for (size_t k = 0; k < row[i].n; k++)
            add(&r, row[i].attempt[k].unit, row[i].attempt[k].outcome);
        if (end(&r) != row[i].code)
            fail_msg("row %zu", i);
    }
}

/* Months: nothing is kept of units that passed, and of those that did not no more than fits. */
static void months(void **state)
{
    (void)state;
    enum { UNITS = 30000, MOST = 1 << 16 };
    struct results r;
    begin(&r);
    add(&r, UNITS + 1, OUTCOME_FAIL);
    for (uint32_t i = 1; i <= UNITS; i++)
        add(&r, i, OUTCOME_PASS);
    assert_int_equal(r.n_bad, 1);
    add(&r, UNITS + 1, OUTCOME_PASS);
    assert_int_equal(r.n_bad, 0);
    assert_true(r.cap_bad < 100);
    r.n_bad = MOST - 1; /* tens of thousands of failures on top of another, each searched for, would take long */
    free(r.bad);
    r.bad = calloc(MOST, sizeof *r.bad);
    r.cap_bad = MOST;
    assert_non_null(r.bad);
    for (uint32_t i = 1; i <= 10; i++)
        add(&r, i, OUTCOME_FAIL);
    assert_int_equal(r.n_bad, MOST);
    r.n_bad = 0;
    assert_int_equal(end(&r), CLI_NOT_PASS); /* some were not kept: it is not said that all passed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(latest_outcome_counts), cmocka_unit_test(months)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
