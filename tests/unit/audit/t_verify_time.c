/* SPDX-License-Identifier: Apache-2.0
 * audit/verify_leaf: what the records tell of the station's life: silence, restarts, clocks that were set, the clocks of others. */
#include "unit/t.h"

#include "unit/audit/log.h"

/* ---- silence, restarts, clocks --------------------------------------------------------------------------------- */

static void life_of_a_station(void **state)
{
    (void)state;
    static const struct {
        const char *event;
        int minute, boot;
    } row[] = {
        {"log_open", 0, 1}, {"boot", 0, 1}, {"heartbeat", 15, 1}, {"heartbeat", 47, 1}, /* 32 minutes of silence */
        {"log_close", 50, 1}, {"boot", 500, 5}, {"heartbeat", 515, 5},                   /* a night: no gap */
        {"boot", 600, 7}, {"attempt_start", 601, 7}, {"interrupted", 602, 7},            /* the run of 5 was never closed */
    };
    struct log *g = calloc(1, sizeof *g);
    for (size_t i = 0; i < T_COUNT(row); i++) {
        write_leaf(&g->leaf[i], i, row[i].event, NULL, 1795334400000 + row[i].minute * 60000, row[i].boot);
        hash_leaf(&g->leaf[i]);
        g->leaves++;
    }
    g->head[0].size = g->leaves;
    g->heads = 1;
    rebuild(g, 0, key, &vkey);
    verify(g);
    expect("life", AUDIT_GOOD, 0, (int64_t)T_COUNT(row));
    assert_int_equal(report.n_gaps, 1);
    assert_int_equal(report.gap[0].leaf, 3);
    assert_int_equal(report.gap[0].ms, 32 * 60000);
    assert_int_equal(report.unclosed, 1);
    assert_true(report.open);
    assert_int_equal(report.interrupted, 1);
    assert_int_equal(report.boots, 3);
    free(g);
}

static void clock_steps(void **state)
{
    (void)state;
    struct log *g = good_log();
    /* the clock goes back at leaf 9, which says so */
    int64_t to = 1795334400000;
    char text[400];
    (void)snprintf(text, sizeof text, "{\"boot\":1,\"clock\":\"free\",\"event\":\"clock_step\",\"from_ms\":1,\"log\":\"" ORIGIN "\",\"mono_ms\":540000,\"seq\":9,"
                   "\"station\":\"station1\",\"sw\":\"x\",\"time\":\"2026-11-22T08:00:00.000Z\",\"to_ms\":%lld,\"v\":1}", (long long)to);
    (void)strcpy(g->leaf[9].rec, text);
    g->leaf[9].n = strlen(text);
    (void)strcpy(g->leaf[9].event, "clock_step");
    g->leaf[9].has_job = false;
    hash_leaf(&g->leaf[9]);
    rebuild(g, 0, key, &vkey);
    verify(g);
    expect("told step", AUDIT_GOOD, 0, N);
    assert_int_equal(report.clock_steps, 1);
    assert_int_equal(report.n_steps, 1); /* 8 minutes on by the monotonic clock since 8:08, and dated 8:00 */
    assert_int_equal(report.step[0].leaf, 9);
    assert_int_equal(report.step[0].ms, -9 * 60000);
    assert_string_equal(report.step[0].why, "");
    edit(&g->leaf[9], "\"to_ms\":17953344", "\"to_ms\":17953345"); /* the step says another time than its leaf */
    hash_leaf(&g->leaf[9]);
    rebuild(g, 0, key, &vkey);
    verify(g);
    expect("lying step", AUDIT_TIME, 9, 9);
    free(g);
    g = good_log(); /* the monotonic clock of one run cannot go back, whatever the wall clock does */
    edit(&g->leaf[9], "\"mono_ms\":540000", "\"mono_ms\":1");
    hash_leaf(&g->leaf[9]);
    rebuild(g, 0, key, &vkey);
    verify(g);
    expect("C3", AUDIT_TIME, 9, 9);
    free(g);
}

/* However many small steps there are, the large ones are told, with what was said to them. */
static void the_largest_steps_are_told(void **state)
{
    enum { STEPS = AUDIT_STEPS_MAX + 4 };
    static const uint64_t large = 3;
    (void)state;
    struct log *g = calloc(1, sizeof *g);
    int64_t ms = 1795334400000;
    write_leaf(&g->leaf[0], 0, "log_open", NULL, ms, 1);
    hash_leaf(&g->leaf[0]);
    for (uint64_t i = 1; i <= STEPS; i++) {
        char time[FL_TIME_TEXT];
        ms += i == large ? -7 * 86400000 : 5000 + (int64_t)i;
        fl_time_format(ms, time);
        struct leaf *l = &g->leaf[i];
        l->n = (size_t)snprintf(l->rec, sizeof l->rec, "{\"boot\":1,\"clock\":\"free\",\"event\":\"clock_step\",\"log\":\"" ORIGIN "\",\"mono_ms\":0,"
                                "\"seq\":%d,\"station\":\"s\",\"sw\":\"x\",\"time\":\"%s\",\"to_ms\":%lld,\"v\":1%s}", (int)i, time, (long long)ms,
                                i == large ? ",\"why\":\"battery\"" : "");
        l->index = i;
        (void)strcpy(l->event, "clock_step");
        hash_leaf(l);
    }
    g->leaves = STEPS + 1;
    g->head[g->heads++].size = g->leaves;
    rebuild(g, 0, key, &vkey);
    verify(g);
    expect("steps", AUDIT_GOOD, 0, STEPS + 1);
    assert_int_equal(report.clock_steps, STEPS);
    assert_int_equal(report.n_steps, AUDIT_STEPS_MAX);
    assert_int_equal(report.step[0].leaf, large);
    assert_int_equal(report.step[0].ms, -7 * 86400000);
    assert_string_equal(report.step[0].why, "battery");
    for (size_t i = 1; i < report.n_steps; i++) /* then the latest, which are the largest: 5.006 s and more */
        assert_int_equal(report.step[i].leaf, STEPS - AUDIT_STEPS_MAX + 1 + i);
    free(g);
}

/* C3: the station's clock says one thing all along and an authority another: leaf 12 is an anchor of the head of 10 records. */
static void stamps_of_an_authority(void **state)
{
    (void)state;
    enum { SKEW = AUDIT_SKEW_MS / 60000 };
    static const struct {
        const char *name;
        int minute; /* of the stamp; leaf n is dated n minutes */
        enum audit_class class;
        uint64_t first;
        int64_t trusted;
    } row[] = {
        {"in time", 11, AUDIT_GOOD, 0, N},
        {"as far back as clocks may differ", 9 - SKEW, AUDIT_GOOD, 0, N},
        {"stamped before it was made", 8 - SKEW, AUDIT_TIME, 9, 9}, /* record 9 is dated later: the head stamped is doubtful itself */
        {"as far ahead as clocks may differ", 13 + SKEW, AUDIT_GOOD, 0, N},
        {"dated back behind it", 14 + SKEW, AUDIT_TIME, 13, 12},
    };
    for (size_t i = 0; i < T_COUNT(row); i++)
        for (int known = 0; known < 2; known++) {
            struct log *g = good_log();
            struct fl_buf note = FL_BUF(1000);
            note_of(&g->head[9], &vkey, &note);
            edit(&g->leaf[12], "attempt_start", "anchor");
            (void)strcpy(g->leaf[12].event, "anchor");
            hash_leaf(&g->leaf[12]);
            rebuild(g, 0, key, &vkey);
            struct audit_outside o = {.name = "A", .note = note.bytes, .n = note.len, .anchor = 12,
                                      .stamped_ms = known ? 1795334400000 + row[i].minute * 60000 : 0};
            verify_with(g, &vkey, 1, &o, 1);
            if (known)
                expect(row[i].name, row[i].class, row[i].first, row[i].trusted);
            else
                expect(row[i].name, AUDIT_GOOD, 0, N); /* passes unseen where nobody can tell whose stamp it is */
            assert_true(report.n_findings <= 1);
            fl_buf_fini(&note);
            free(g);
        }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(life_of_a_station),
        cmocka_unit_test(clock_steps),
        cmocka_unit_test(the_largest_steps_are_told),
        cmocka_unit_test(stamps_of_an_authority),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
