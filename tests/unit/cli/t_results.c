/* SPDX-License-Identifier: Apache-2.0
 * cli/results: the exit code of a line that ran for months, and what is kept of its units for that; a reader of standard output who
 * stops. */
#include "unit/t.h"

#include "cli/results.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* To a file that keeps nothing, or to `fd`. */
static void begin(struct results *r, int fd)
{
    struct fl_why why = {0, ""};
    memset(r, 0, sizeof *r);
    if (results_init(r, CLI_JSON_OUT, 2, fd, 200, &why))
        fail_msg("%s", why.text);
}

static int nowhere(void)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
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
    int fd = nowhere();
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct results r;
        begin(&r, fd);
        for (size_t k = 0; k < row[i].n; k++)
            add(&r, row[i].attempt[k].unit, row[i].attempt[k].outcome);
        if (end(&r) != row[i].code)
            fail_msg("row %zu", i);
    }
    (void)close(fd);
}

/* Months: nothing is kept of units that passed, and of those that did not no more than fits. */
static void months(void **state)
{
    (void)state;
    enum { UNITS = 30000, MOST = 1 << 16 };
    struct results r;
    int fd = nowhere();
    begin(&r, fd);
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
    (void)close(fd);
}

/* A disk that is full is no reader who went. */
static void nothing_can_be_written(void **state)
{
    struct results r;
    (void)state;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC), p[2];
    assert_true(fd >= 0);
    begin(&r, fd);
    add(&r, 1, OUTCOME_PASS);
    assert_int_equal(end(&r), CLI_STATION);
    (void)close(fd);
    assert_int_equal(pipe(p), 0);
    (void)close(p[0]);
    begin(&r, p[1]);
    add(&r, 1, OUTCOME_PASS);
    assert_int_equal(end(&r), CLI_OK);
    (void)close(p[1]);
}

enum { ATTEMPTS = 6000 }; /* more than a pipe, and what waits in memory, have room for: 400 bytes each */

/* Nobody reads: no slot waits, and the line can end. */
static void nobody_reads(void **state)
{
    struct results r;
    int p[2];
    (void)state;
    assert_int_equal(pipe(p), 0);
    begin(&r, p[1]);
    for (uint32_t i = 1; i <= ATTEMPTS; i++)
        add(&r, i, OUTCOME_PASS);
    assert_true(r.unsaid > 0);
    assert_int_equal(end(&r), CLI_OK); /* what is not read is not told; what happened is as it was */
    (void)close(p[0]);
    (void)close(p[1]);
}

/* He reads again: every attempt is told or counted, in order. */
static void somebody_reads_late(void **state)
{
    struct results r;
    char line[4000] = "";
    int p[2];
    long told = 0, unsaid = 0, last = 0;
    (void)state;
    assert_int_equal(pipe(p), 0);
    begin(&r, p[1]);
    r.patience_ms = UINT64_MAX;
    for (uint32_t i = 1; i <= ATTEMPTS; i++)
        add(&r, i, OUTCOME_PASS);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        FILE *f = fdopen(p[0], "r");
        (void)close(p[1]);
        while (f && !strstr(line, "totals") && fgets(line, sizeof line, f)) {
            const char *mac = strstr(line, "24:6f:28:"), *n = strstr(line, "\"unsaid\",\"attempts\":");
            unsigned a, b, c;
            if (mac && sscanf(mac + 9, "%2x:%2x:%2x", &a, &b, &c) == 3) {
                long unit = (long)(a << 16 | b << 8 | c);
                told++;
                if (unit != last + 1)
                    _exit(2);
                last = unit;
            }
            if (n) {
                unsaid += atol(n + 20);
                last += atol(n + 20);
            }
        }
        _exit(told && unsaid && told + unsaid == ATTEMPTS ? 0 : 1);
    }
    (void)close(p[0]);
    assert_int_equal(end(&r), CLI_OK);
    (void)close(p[1]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as the program does */
    const struct CMUnitTest tests[] = {cmocka_unit_test(latest_outcome_counts), cmocka_unit_test(months), cmocka_unit_test(nothing_can_be_written), cmocka_unit_test(nobody_reads),
                                       cmocka_unit_test(somebody_reads_late)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
