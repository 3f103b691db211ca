/* SPDX-License-Identifier: Apache-2.0
 * report/: what pages ask again and again, by a history worked by hand; certificates checked by the auditor's code. */
#include "unit/t.h"

#include "audit/proof_file.h"
#include "report/live.h"
#include "unit/record/station.h"

static const int64_t T0 = 1800000000000; /* any time: 2027-01-15 */

static const struct step {
    int unit, slot, minute;
    enum outcome outcome;
    const char *fault;
    unsigned ms;
} history[] = {
    {1, 1, 2, OUTCOME_PASS, "", 10000}, /* ended before the next, which began before it */
    {2, 1, 1, OUTCOME_FAIL, "verify.md5", 4000},
    {2, 2, 12, OUTCOME_PASS, "", 12000}, /* second attempt: no first pass */
    {3, 2, 13, OUTCOME_ABORTED, "operator.cancelled", 1000},
    {3, 2, 14, OUTCOME_PASS, "", 14000}, /* its first attempt that counts */
    {0, 1, 21, OUTCOME_ERROR, "link.silent", 500},
    {4, 1, 22, OUTCOME_ERROR, "link.lost", 700},
    {6, 1, 30, OUTCOME_FAIL, "verify.md5", 900}, /* the shift's known-bad board: in no number */
    {5, 1, 59, OUTCOME_PASS, "", 11000},
};

static void record(struct t_station *s)
{
    struct recorder_opened o;
    t_open(s, &o);
    (void)t_profile(s);
    for (size_t i = 0; i < T_COUNT(history); i++) {
        struct attempt_facts f = t_attempt(history[i].unit, history[i].outcome);
        f.slot = history[i].slot;
        f.has_mac = history[i].unit != 0;
        f.fault = history[i].fault;
        f.start_ms = T0 + history[i].minute * 60000;
        f.end_ms = f.start_ms + history[i].ms;
        f.duration_ms = history[i].ms;
        f.n_rungs = 0;
        f.purpose = history[i].unit == 6 ? "known_bad" : "";
        (void)t_result(s, &f);
    }
    t_close(s);
}

static struct report *open_report(struct t_station *s)
{
    struct report *r;
    struct fl_why why = {0, ""};
    if (report_open(s->data, &r, &why))
        fail_msg("%s", why.text);
    return r;
}

static const json_t *at(const json_t *o, const char *list, size_t i)
{
    return json_array_get(json_object_get(o, list), i);
}
#define IS(o, key, v) assert_int_equal(fl_json_int(o, key, -99), v)

static void course(void **state)
{
    struct t_station *s = *state;
    struct report *r;
    json_t *c;
    record(s);
    r = open_report(s);
    assert_int_equal(report_course(r, T0, T0 + 3600000, 6, &c, NULL), FL_OK);
    IS(c, "bucket_ms", 600000);
    const json_t *t = json_object_get(c, "totals");
    IS(t, "attempts", 8);
    IS(t, "pass", 4);
    IS(t, "fail", 1);
    IS(t, "error", 2);
    IS(t, "aborted", 1);
    IS(t, "first", 5); /* units 1, 2, 3, 4, 5 */
    IS(t, "first_passed", 3); /* 1, 3, 5 */
    static const int pass[] = {1, 2, 0, 0, 0, 1}, attempts[] = {2, 3, 2, 0, 0, 1}, first[] = {2, 1, 1, 0, 0, 1};
    assert_int_equal(json_array_size(json_object_get(c, "buckets")), 6);
    for (size_t i = 0; i < 6; i++) {
        IS(at(c, "buckets", i), "t", T0 + (int64_t)i * 600000);
        IS(at(c, "buckets", i), "pass", pass[i]);
        IS(at(c, "buckets", i), "attempts", attempts[i]);
        IS(at(c, "buckets", i), "first", first[i]);
    }
    IS(at(c, "buckets", 1), "p50", 12000);
    IS(at(c, "buckets", 5), "p90", 11000);
    assert_true(json_is_null(json_object_get(at(c, "buckets", 2), "p50")));
    assert_int_equal(json_array_size(json_object_get(c, "slots")), 2);
    IS(at(c, "slots", 0), "slot", 1);
    IS(at(c, "slots", 0), "attempts", 5);
    IS(at(c, "slots", 1), "pass", 2);
    assert_int_equal(json_array_size(json_object_get(c, "pareto")), 3); /* each once; aborted is none */
    assert_string_equal(fl_json_text(at(c, "pareto", 0), "fault"), "link.lost");
    IS(at(c, "pareto", 1), "units", 0); /* link.silent: a board that never told who it is */
    json_decref(c);
    /* half of it; all of it; none of it; wrong questions */
    assert_int_equal(report_course(r, T0 + 600000, T0 + 1200000, 1, &c, NULL), FL_OK);
    IS(json_object_get(c, "totals"), "attempts", 3);
    json_decref(c);
    assert_int_equal(report_course(r, 0, T0 + 3600000, 2, &c, NULL), FL_OK);
    IS(c, "from", T0 + 60000);
    IS(json_object_get(c, "totals"), "attempts", 8);
    json_decref(c);
    int64_t since = -1;
    assert_int_equal(report_first_since(r, T0 + 70000, &since, NULL), FL_OK);
    assert_int_equal(since, T0 + 120000); /* the second in time, the first in the log */
    assert_int_equal(report_first_since(r, T0 + 3600000, &since, NULL), FL_OK);
    assert_int_equal(since, 0);
    assert_int_equal(report_course(r, T0 + 7200000, T0 + 7200010, 2, &c, NULL), FL_OK);
    IS(json_object_get(c, "totals"), "attempts", 0);
    json_decref(c);
    assert_int_equal(report_course(r, 20000 - 3600000, 20000, 1, &c, NULL), FL_OK); /* the machine has no clock that goes on */
    IS(json_object_get(c, "totals"), "attempts", 0);
    json_decref(c);
    assert_int_equal(report_course(r, T0, T0, 1, &c, NULL), FL_ARG);
    assert_int_equal(report_course(r, T0, T0 + 1, 0, &c, NULL), FL_ARG);
    assert_int_equal(report_course(r, T0, T0 + 1, 501, &c, NULL), FL_ARG);
    report_close(r);
}

static void slots_and_units(void **state)
{
    struct t_station *s = *state;
    struct report *r;
    struct slot_view v[8];
    size_t n;
    json_t *u;
    record(s);
    r = open_report(s);
    assert_int_equal(report_slots_now(r, v, 8, &n, NULL), FL_OK);
    assert_int_equal(n, 2);
    assert_int_equal(v[0].slot, 1);
    assert_int_equal(v[0].outcome, OUTCOME_PASS);
    assert_int_equal(v[0].ended_ms, 11000);
    assert_int_equal(v[1].slot, 2);
    assert_int_equal(v[1].ended_ms, 14000);
    assert_true(v[0].leaf > v[1].leaf);
    assert_int_equal(report_slots_now(r, v, 1, &n, NULL), FL_OK);
    assert_int_equal(n, 1);
    char part[24];
    (void)snprintf(part, sizeof part, "%.*s", 17, v[0].mac); /* the whole, a part with colons, a part within */
    static const struct {
        int from, len;
        size_t least;
    } row[] = {{0, 17, 1}, {0, 8, 1}, {9, 8, 1}, {6, 5, 1}};
    for (size_t i = 0; i < T_COUNT(row); i++) {
        char q[24];
        (void)snprintf(q, sizeof q, "%.*s", row[i].len, part + row[i].from);
        assert_int_equal(report_find_units(r, q, 10, &u, NULL), FL_OK);
        assert_true(json_array_size(u) >= row[i].least);
        bool there = false;
        for (size_t k = 0; k < json_array_size(u); k++)
            there = there || strcmp(fl_json_text(json_array_get(u, k), "mac"), v[0].mac) == 0;
        assert_true(there);
        json_decref(u);
    }
    assert_int_equal(report_find_units(r, "ffff-ffff", 10, &u, NULL), FL_OK);
    assert_int_equal(json_array_size(u), 0);
    json_decref(u);
    static const char *const wrong[] = {"", "abc", "12345g", "0123456789abcd", "' OR 1=1 --"};
    for (size_t i = 0; i < T_COUNT(wrong); i++)
        assert_int_equal(report_find_units(r, wrong[i], 10, &u, NULL), FL_ARG);
    report_close(r);
}

static void certificates(void **state)
{
    struct t_station *s = *state;
    struct report *r;
    struct fl_why why = {0, ""};
    struct fl_buf b = FL_BUF(100000), head = FL_BUF(10000);
    struct vkey key;
    json_t *log;
    record(s);
    r = open_report(s);
    assert_int_equal(report_log(r, &log, &why), FL_OK);
    assert_string_equal(fl_json_text(log, "station"), "bench-1");
    assert_int_equal(vkey_parse(fl_json_text(log, "vkey"), &key, NULL), FL_OK);
    int64_t leaves = fl_json_int(log, "leaves", 0);
    assert_true(leaves > (int64_t)T_COUNT(history));
    IS(log, "size", leaves);
    IS(log, "first_ms", T0 + 60000);
    IS(log, "last_ms", T0 + 59 * 60000 + 11000);
    assert_int_equal(report_head(r, &head, &why), FL_OK);
    for (int64_t i = 0; i < leaves; i++) {
        struct proof_file p;
        fl_buf_clear(&b);
        if (report_certificate(r, i, &b, &why))
            fail_msg("leaf %lld: %s", (long long)i, why.text);
        assert_int_equal(proof_file_parse(b.bytes, b.len, &p, NULL), FL_OK);
        assert_int_equal(p.index, i);
        assert_int_equal(proof_file_check(&p, p.extra.bytes, p.extra.len, &key, 1, fl_json_text(log, "origin"), NULL, NULL), FL_OK);
        assert_int_equal(p.note_n, head.len);
        assert_memory_equal(p.note, head.bytes, head.len);
        p.extra.bytes[p.extra.len / 2] ^= 1; /* another record is not proven by it */
        assert_int_not_equal(proof_file_check(&p, p.extra.bytes, p.extra.len, &key, 1, NULL, NULL, NULL), FL_OK);
        proof_file_fini(&p);
    }
    fl_buf_clear(&b);
    assert_int_equal(report_certificate(r, leaves, &b, &why), FL_NOT_FOUND);
    assert_int_equal(report_certificate(r, INT64_MAX, &b, &why), FL_NOT_FOUND);
    json_decref(log);
    fl_buf_fini(&b);
    fl_buf_fini(&head);
    report_close(r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(course, t_setup, t_teardown),
                                              cmocka_unit_test_setup_teardown(slots_and_units, t_setup, t_teardown),
                                              cmocka_unit_test_setup_teardown(certificates, t_setup, t_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
