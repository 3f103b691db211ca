/* SPDX-License-Identifier: Apache-2.0
 * Records that leave out what an earlier one has told: literal bytes, back again, in rows and views, after a crash. */
#include "unit/t.h"

#include "rows/abridge.h"
#include "prove/check.h"
#include "unit/record/station.h"

static char *rec(struct t_station *s, int64_t leaf)
{
    sqlite3 *db;
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_open_v2(t_path(s, "flashline.db"), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT rec FROM record WHERE leaf = ?", -1, &q, NULL), SQLITE_OK);
    (void)sqlite3_bind_int64(q, 1, leaf);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    char *text = strdup((const char *)sqlite3_column_text(q, 0));
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
    return text;
}

static struct attempt_facts unit(int n, enum outcome o)
{
    struct attempt_facts f = t_attempt(n, o);
    f.n_regions = 3;
    for (uint32_t i = 0; i < 3; i++) {
        f.regions[i] = (struct attempt_region){.offset = 4096 + 65536 * i, .size = 20480, .state = 'v', .writes = 1};
        memset(f.regions[i].md5, (int)(0xa0 + i), 16);
        memset(f.regions[i].md5_found, (int)(0xa0 + i), 16);
    }
    f.steps[0].ms = 300 + (uint32_t)n;
    return f;
}

static void literally(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    t_open(s, &o);
    struct attempt_facts a = unit(1, OUTCOME_PASS), b = unit(2, OUTCOME_FAIL);
    (void)t_start(s, &a);
    int64_t full = t_result(s, &a);
    (void)strcpy(b.bridge_serial, "another");
    b.steps[1].rungs = 3;
    b.regions[1].state = 'b';
    b.regions[1].md5_found[0] = 0;
    b.regions[2].state = '-';
    b.n_rungs = 0;
    (void)t_start(s, &b);
    int64_t less = t_result(s, &b);
    char *text = rec(s, full), want[200];
    assert_null(strstr(text, "\"as\""));
    assert_non_null(strstr(text, "\"regions\":[[4096,20480,\"a0a0"));
    free(text);
    text = rec(s, less);
    (void)snprintf(want, sizeof want, "{\"as\":[%lld,%lld],\"boot\":1,\"bridge\":{\"serial\":\"another\"},\"bytes_in\":4321,",
                   (long long)full, (long long)full);
    if (strncmp(text, want, strlen(want)) != 0)
        fail_msg("%s", text);
    assert_non_null(strstr(text, ",\"found\":[[1,\"00a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1\"]],"));
    assert_non_null(strstr(text, ",\"regions\":\"vb-\","));
    assert_non_null(strstr(text, ",\"steps\":[302,[7000,3]],"));
    assert_null(strstr(text, "\"chip\""));
    assert_null(strstr(text, "\"profile\""));
    free(text);

    /* whoever asks the views sees the whole */
    t_sql_is(s, "SELECT step, ms FROM attempt_step ORDER BY leaf, n", "connect|301\nwrite|7000\nconnect|302\nwrite|7000");
    t_sql_is(s, "SELECT n, offset, state, substr(md5_expected, 1, 4), substr(md5_found, 1, 4) FROM attempt_region ORDER BY leaf, n",
             "0|4096|verified|a0a0|a0a0\n1|69632|verified|a1a1|a1a1\n2|135168|verified|a2a2|a2a2\n"
             "0|4096|verified|a0a0|a0a0\n1|69632|bad|a1a1|00a1\n2|135168|pending|a2a2|");
    t_sql_is(s, "SELECT chip, port, bridge, bridge_serial, loader, baud, profile_hash = (SELECT profile_hash FROM attempt_view WHERE outcome = 'PASS') "
                "FROM attempt_view WHERE outcome = 'FAIL'", "esp32|usb:1-1.4.1|1a86:55d4|another|esp32.json|921600|1");
    t_sql_is(s, "SELECT secure_boot, flash_encryption FROM attempt_security", "0|0\n0|0");
    t_close(s);
}

/* A start that left its order out, and a crash: what was not ended is told whole. */
static void after_a_crash(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct attempt_facts f = unit(1, OUTCOME_PASS), g = unit(2, OUTCOME_PASS);
    (void)strcpy(f.operator_id, "ann");
    (void)strcpy(g.operator_id, "ann");
    t_open(s, &o);
    t_close(s);
    /* g starts second and ends first; its start refers to f's */
    t_die(s, &f, &g);
    t_sql_is(s, "SELECT coalesce(json_extract(rec, '$.as[0]'), 'full') FROM record WHERE event = 'attempt_start'", "full\n4");
    pid_t pid = fork(); /* once more, the other way round: the start that refers is the one that stays open */
    if (pid == 0) {
        struct attempt_facts h = unit(3, OUTCOME_PASS), k = unit(4, OUTCOME_PASS);
        (void)strcpy(h.operator_id, "ann");
        (void)strcpy(k.operator_id, "ann");
        t_open(s, &o);
        (void)t_start(s, &h);
        (void)t_result(s, &h);
        (void)t_start(s, &k);
        (void)kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    t_open(s, &o);
    assert_int_equal(o.interrupted, 1);
    t_close(s);
    t_sql_is(s, "SELECT mac, operator, port, length(profile_hash) FROM attempt_view WHERE outcome = 'INTERRUPTED' ORDER BY leaf",
             "24:6f:28:00:00:01|ann|usb:1-1.4.1|64\n24:6f:28:00:00:04|ann|usb:1-1.4.1|64");
    static struct check_result result;
    struct fl_why why = {0, ""};
    const struct check_config c = {.data = s->data};
    assert_int_equal(check_folder(&c, &result, &why), FL_OK);
    if (result.report.verdict != AUDIT_GOOD)
        fail_msg("%s", audit_worst(&result.report)->text);
    assert_true(result.rows_checked);
}

static uint32_t seed = 7;
static uint32_t roll(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(seed >> 8) * n >> 24);
}

static struct attempt_facts any(int n)
{
    static const char *const steps[] = {"connect", "identify", "stub", "write", "verify"};
    static const char letters[] = "vsbw-";
    struct attempt_facts f = t_attempt(n, (enum outcome)roll(4));
    f.n_steps = roll(6);
    for (size_t i = 0; i < f.n_steps; i++)
        f.steps[i] = (struct attempt_step){steps[i], roll(900), roll(4) ? 0 : roll(9)};
    f.n_regions = roll(4);
    for (uint32_t i = 0; i < f.n_regions; i++) {
        f.regions[i] = (struct attempt_region){.offset = 4096 * i, .size = 4096, .state = letters[roll(5)]};
        memset(f.regions[i].md5, (int)i, 16);
        memset(f.regions[i].md5_found, roll(3) ? (int)i : 99, 16);
    }
    (void)snprintf(f.bridge_serial, sizeof f.bridge_serial, "%s", roll(3) ? "" : "S1");
    f.bridge_vid = roll(5) ? 0x1a86 : 0;
    f.bridge_driver[0] = f.bridge_vid ? 'c' : 0;
    if (!f.bridge_vid)
        f.bridge_path[0] = 0;
    f.baud = roll(2) ? 921600 : 115200;
    f.chip[0] = roll(6) ? 'e' : 0;
    (void)snprintf(f.lot, sizeof f.lot, "%s", roll(2) ? "" : "L");
    f.purpose = roll(9) ? "" : "golden";
    return f;
}

/* Whatever attempts there are: restored from the log, every one is what was told. */
static void back_again(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct restore *r;
    sqlite3 *db;
    enum { N = 300 };
    json_t *told[N];
    int64_t leaf[N];
    unsigned shorter = 0;
    t_open(s, &o);
    for (int i = 0; i < N; i++) {
        struct attempt_facts f = any(i % 40);
        told[i] = event_attempt_result_body(&f);
        leaf[i] = t_told(s, EVENT_ATTEMPT_RESULT, json_incref(told[i]));
    }
    t_close(s);
    assert_int_equal(sqlite3_open_v2(t_path(s, "flashline.db"), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(restore_new(db, &r, NULL), FL_OK);
    for (int i = 0; i < N; i++) {
        const char *key;
        json_t *whole, *v, *l;
        char *text = rec(s, leaf[i]);
        assert_int_equal(fl_json_parse(text, strlen(text), &l, NULL), FL_OK);
        assert_int_equal(restore_leaf(r, l, &whole, NULL), FL_OK);
        shorter += json_object_get(l, "as") != NULL;
        json_object_foreach(told[i], key, v)
            if (!json_equal(json_object_get(whole, key), v))
                fail_msg("%s of %s", key, text);
        assert_int_equal(json_object_size(whole), json_object_size(told[i]) + 10); /* what every leaf has */
        json_decref(whole);
        json_decref(l);
        json_decref(told[i]);
        free(text);
    }
    assert_true(shorter > N / 2);
    restore_free(r);
    (void)sqlite3_close(db);
}

static void refers_to_nothing(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct restore *r;
    sqlite3 *db;
    t_open(s, &o);
    struct attempt_facts f = unit(1, OUTCOME_PASS);
    (void)t_result(s, &f); /* record 2 */
    t_close(s);
    static const char *const bad[] = {
        "{\"as\":[99,-1]}", "{\"as\":[0,-1]}", "{\"as\":[-1,2],\"steps\":[1,2,3],\"regions\":\"v\"}", "{\"as\":[-1,2],\"steps\":[1,2]}",
        "{\"as\":[-1,2],\"steps\":[1,2],\"regions\":\"vvvvvvv\"}", "{\"as\":[-1,2],\"steps\":[1,2],\"regions\":\"vvv\",\"found\":[[7,\"00\"]]}",
        "{\"as\":[-1,0]}",
    };
    assert_int_equal(sqlite3_open_v2(t_path(s, "flashline.db"), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(restore_new(db, &r, NULL), FL_OK);
    for (size_t i = 0; i < T_COUNT(bad); i++) {
        json_t *l, *whole;
        struct fl_why why = {0, ""};
        assert_int_equal(fl_json_parse(bad[i], strlen(bad[i]), &l, NULL), FL_OK);
        if (restore_leaf(r, l, &whole, &why) != FL_FORMAT || !why.text[0])
            fail_msg("%s was restored", bad[i]);
        json_decref(l);
    }
    restore_free(r);
    (void)sqlite3_close(db);
}

/* A record that refers to itself is undone, and its place becomes that of another, which the next one refers to. */
static void refers_to_itself(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct fl_why why = {0, ""};
    int64_t leaf;
    t_open(s, &o);
    struct attempt_facts a = unit(1, OUTCOME_FAIL), b = unit(2, OUTCOME_FAIL);
    int64_t next = 2; /* behind log_open and boot */
    json_t *body = json_pack("{ss,ss,ss,s[I,i]}", "head", "x", "token", "AA==", "url", "u", "as", (json_int_t)next, -1);
    assert_int_equal(t_send(s, EVENT_ANCHOR, body, &leaf, &why), FL_FORMAT);
    int64_t full = t_result(s, &a), less = t_result(s, &b);
    assert_int_equal(full, next);
    char *text = rec(s, less);
    assert_non_null(strstr(text, "\"as\":[2,2]"));
    free(text);
    t_close(s);
    t_verdict(s, AUDIT_GOOD);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, t_setup, t_teardown)
    static const struct CMUnitTest tests[] = {T(literally), T(after_a_crash), T(back_again), T(refers_to_nothing),
                                              T(refers_to_itself)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
