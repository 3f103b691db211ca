/* SPDX-License-Identifier: Apache-2.0
 * The tallies that triggers keep, against the same counted again in other ways: by the recount views, by SQL over the
 * attempts alone that knows nothing of the views, and by a rebuild from the leaves. */
#include "unit/t.h"

#include "base/clock.h"
#include "prove/check.h"
#include "report/live.h"
#include "unit/record/station.h"

static uint32_t seed = 20261122;
static uint32_t roll(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(seed >> 8) * n >> 24);
}

static const char *const faults[] = {"", "verify.md5", "link.lost", "operator.cancelled"};
static const char *const steps[] = {"connect", "identify", "stub", "write", "boot-check"};

/* One attempt somewhere in two days, with whatever may differ between attempts. */
static struct attempt_facts random_attempt(int64_t *clock)
{
    struct attempt_facts f = t_attempt(1 + (int)roll(25), (enum outcome)(roll(3) ? 0 : roll(4)));
    static const char *const lots[] = {"", "L-1", "L-2"};
    *clock += roll(40) ? roll(900000) : 40000000; /* mostly within the hour, sometimes after a night */
    f.start_ms = *clock;
    f.duration_ms = 5000 + roll(20000);
    f.slot = 1 + (int)roll(3);
    f.has_mac = roll(20) != 0;
    f.fault = faults[f.outcome];
    (void)snprintf(f.lot, sizeof f.lot, "%s", lots[roll(3)]);
    f.bridge_vid = roll(3) ? 0x1a86 : 0;
    (void)snprintf(f.bridge_serial, sizeof f.bridge_serial, "S%u", roll(30));
    if (roll(2))
        memset(f.profile, 'e', 64);
    f.n_steps = f.outcome ? 1 + roll(5) : 5;
    for (size_t i = 0; i < f.n_steps; i++)
        f.steps[i] = (struct attempt_step){steps[i], 100 + roll(1000), roll(6) ? 0 : 1 + roll(3)};
    f.step = f.outcome ? f.steps[f.n_steps - 1].name : "";
    f.n_rungs = roll(3) ? 0 : 1;
    static const char *const purposes[] = {"golden", "known_bad", "dry_run"};
    f.purpose = roll(8) ? "" : purposes[roll(3)]; /* counts nowhere */
    return f;
}

static void record_random(struct t_station *s, int n)
{
    struct recorder_opened o;
    int64_t clock = 1795334400000;
    t_open(s, &o);
    (void)t_profile(s);
    for (int i = 0; i < n; i++) {
        struct attempt_facts f = random_attempt(&clock);
        if (f.has_mac && roll(2) && !f.lot[0]) /* into a lot that nobody opened no start is let */
            (void)t_start(s, &f);
        (void)t_result(s, &f);
    }
    t_close(s);
}

static void same(struct t_station *s, const char *a, const char *b)
{
    char sql[4000];
    for (int i = 0; i < 2; i++) {
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM (SELECT * FROM (%s) EXCEPT SELECT * FROM (%s))", i ? a : b, i ? b : a);
        if (t_sql_int(s, sql) != 0)
            fail_msg("%lld rows of '%s' are not in '%s'", (long long)t_sql_int(s, sql), i ? a : b, i ? b : a);
    }
}

static void recounted(void **state)
{
    struct t_station *s = *state;
    record_random(s, 300);
    assert_true(t_sql_int(s, "SELECT count(*) FROM tally") > 100);
    assert_true(t_sql_int(s, "SELECT sum(cycles) > 20 AND sum(handlings) > 20 AND sum(handlings) < sum(cycles) FROM tally"));
    assert_true(t_sql_int(s, "SELECT sum(other_slot) > 3 AND sum(other_passed) > 0 AND sum(same_slot) > 1 FROM tally"));
    same(s, "SELECT * FROM tally", "SELECT * FROM tally_recount");
    same(s, "SELECT * FROM tally_fault", "SELECT * FROM tally_fault_recount");
    /* the days are sums of the half hours; two columns of each kind stand for all, which are written the same way */
    same(s, "SELECT half, slot, lot, model, profile, attempts, units, passed_1, passed, busy_ms, other_passed, last_ms FROM tally_day",
         "SELECT half / 48 * 48, slot, lot, model, profile, sum(attempts), sum(units), sum(passed_1), sum(passed), sum(busy_ms), sum(other_passed), "
         "max(last_ms) FROM tally_recount GROUP BY 1, 2, 3, 4, 5");
    same(s, "SELECT step, half, slot, lot, model, profile, attempts, ms, firsts, first_passed FROM tally_step_day",
         "SELECT step, half / 48 * 48, slot, lot, model, profile, sum(attempts), sum(ms), sum(firsts), sum(first_passed) FROM tally_step "
         "GROUP BY 1, 2, 3, 4, 5, 6");
    assert_true(t_sql_int(s, "SELECT count(*) FROM attempt WHERE purpose IS NOT NULL") > 10);
    assert_int_equal(t_sql_int(s, "SELECT (SELECT count(*) FROM attempt WHERE purpose IS NULL) - (SELECT sum(attempts) FROM tally)"), 0);
}

/* From the attempts and nothing else. A unit's attempts in a lot are put in order by leaf; ABORTED ones are left out. */
#define TRIES                                                                                                            \
    "WITH t AS (SELECT unit, lot, leaf, outcome, fault, slot, row_number() OVER (PARTITION BY unit, lot ORDER BY leaf) AS k " \
    "FROM attempt WHERE unit IS NOT NULL AND outcome <> 3 AND purpose IS NULL), "                                                            \
    "u AS (SELECT unit, lot, count(*) AS n, min(CASE WHEN outcome = 0 THEN k END) AS won, "                             \
    "min(CASE WHEN outcome <> 0 THEN k END) AS lost FROM t GROUP BY unit, lot) "

static void by_other_sql(void **state)
{
    struct t_station *s = *state;
    static const struct {
        const char *tally, *plain;
    } pair[] = {
        {"SELECT sum(units), sum(passed_1), sum(passed_2), sum(passed_3), sum(passed), sum(retested), sum(recovered) FROM tally",
         TRIES "SELECT count(*), total(won = 1), total(won <= 2), total(won <= 3), count(won), total(n > 1), total(won > 1) FROM u"},
        {"SELECT lot, sum(units), sum(passed_1), sum(passed) FROM tally GROUP BY lot HAVING sum(units) > 0",
         TRIES "SELECT lot, count(*), total(won = 1), count(won) FROM u GROUP BY lot"},
        {"SELECT slot, sum(units), sum(passed_1) FROM tally GROUP BY slot HAVING sum(units) > 0",
         TRIES "SELECT t.slot, count(*), total(u.won = 1) FROM u JOIN t ON t.unit = u.unit AND t.lot = u.lot AND t.k = 1 GROUP BY t.slot"},
        {"SELECT fault, slot, sum(units) FROM tally_fault GROUP BY fault, slot HAVING sum(units) > 0",
         TRIES "SELECT t.fault, t.slot, count(*) FROM u JOIN t ON t.unit = u.unit AND t.lot = u.lot AND t.k = u.lost GROUP BY 1, 2"},
        {"SELECT slot, sum(attempts), sum(pass), sum(fail), sum(error), sum(aborted), sum(busy_ms), sum(pass_ms), sum(with_rungs) FROM tally GROUP BY slot",
         "SELECT slot, count(*), total(outcome = 0), total(outcome = 1), total(outcome = 2), total(outcome = 3), total(ms), "
         "total(CASE WHEN outcome = 0 THEN ms END), total(rungs > 0) FROM attempt WHERE purpose IS NULL GROUP BY slot"},
        {"SELECT p.name, sum(attempts), sum(ms) FROM tally_step t JOIN step p ON p.id = t.step GROUP BY 1",
         "SELECT step, count(*), sum(ms) FROM attempt_step WHERE leaf IN (SELECT leaf FROM attempt WHERE purpose IS NULL) GROUP BY 1"},
        {"SELECT sum(cycles), sum(cycle_ms) FROM tally",
         "WITH g AS (SELECT purpose, start_ms, start_ms - lag(start_ms) OVER w AS cycle, start_ms - lag(start_ms + ms) OVER w AS gap FROM attempt "
         "WINDOW w AS (PARTITION BY slot ORDER BY leaf)) SELECT count(*), sum(cycle) FROM g WHERE gap BETWEEN -1000 AND 600000 AND purpose IS NULL"},
    };
    record_random(s, 300);
    for (size_t i = 0; i < T_COUNT(pair); i++)
        same(s, pair[i].tally, pair[i].plain);
}

/* ---- cuts within a half hour ------------------------------------------------------------------------------------ */

static json_t *asked(struct report *r, const char *name, const struct report_query *q)
{
    struct sheet sheet;
    struct fl_why why = {0, ""};
    if (report_run(r, name, q, &sheet, &why))
        fail_msg("%s: %s", name, why.text);
    json_t *j = sheet_json(&sheet);
    assert_non_null(j);
    sheet_fini(&sheet);
    return j;
}

static int64_t sum(const json_t *o, const char *list, const char *member)
{
    const json_t *row;
    size_t i;
    int64_t n = 0;
    json_array_foreach(json_object_get(o, list), i, row) n += fl_json_int(row, member, 0);
    return n;
}

/* One number of a report beside one of plain SQL over the attempts that began in [from, to). */
static void equal(struct t_station *s, const char *what, int64_t got, int64_t from, int64_t to, const char *with, const char *select)
{
    char sql[3000];
    (void)snprintf(sql, sizeof sql, "%s SELECT %s AND a.start_ms >= %lld AND a.start_ms < %lld", with, select, (long long)from, (long long)to);
    int64_t want = t_sql_int(s, sql);
    if (got != want)
        fail_msg("%s from %lld to %lld: the report says %lld, the attempts %lld", what, (long long)from, (long long)to, (long long)got, (long long)want);
}

#define BEGAN "FROM attempt a WHERE a.purpose IS NULL"
#define UNITS_OF "FROM u JOIN t ON t.unit = u.unit AND t.lot = u.lot AND t.k = 1 JOIN attempt a ON a.leaf = t.leaf WHERE 1"

static void check_cut(struct t_station *s, struct report *r, int64_t from, int64_t to)
{
    char since[32], until[32];
    fl_time_format(from, since);
    fl_time_format(to, until);
    (void)snprintf(since + 19, 2, "Z");
    (void)snprintf(until + 19, 2, "Z");
    const struct report_query q = {.since = since, .until = until, .limit = 100000};
    json_t *j = asked(r, "summary", &q), *o = json_object_get(j, "outcomes");
    equal(s, "attempts", fl_json_int(j, "attempts", -1), from, to, "", "count(*) " BEGAN);
    equal(s, "FAIL", fl_json_int(o, "FAIL", -1), from, to, "", "total(a.outcome = 1) " BEGAN);
    equal(s, "units", fl_json_int(j, "units", -1), from, to, TRIES, "count(*) " UNITS_OF);
    equal(s, "passed", fl_json_int(j, "units_passed", -1), from, to, TRIES, "count(u.won) " UNITS_OF);
    equal(s, "slots: attempts", sum(j, "slots", "attempts"), from, to, "", "count(*) " BEGAN);
    equal(s, "slots: rungs", sum(j, "slots", "rungs"), from, to, "", "total(a.rungs > 0) " BEGAN);
    equal(s, "faults: units", sum(j, "faults", "units"), from, to, TRIES,
          "count(*) FROM u JOIN t ON t.unit = u.unit AND t.lot = u.lot AND t.k = u.lost JOIN attempt a ON a.leaf = t.leaf WHERE 1");
    equal(s, "steps: attempts", sum(j, "steps", "attempts"), from, to, "",
          "count(*) FROM attempt a JOIN attempt_step x ON x.leaf = a.leaf WHERE a.purpose IS NULL");
    equal(s, "steps: first tries", sum(j, "steps", "first_tries"), from, to, TRIES,
          "count(*) FROM t JOIN attempt_step x ON x.leaf = t.leaf JOIN attempt a ON a.leaf = t.leaf WHERE t.k = 1");
    json_decref(j);
    static const char *const groups[] = {"hour", "day", "lot", "slot", "bridge", "profile"};
    for (size_t i = 0; i < T_COUNT(groups); i++) {
        struct report_query by = q;
        by.group_by = groups[i];
        j = asked(r, "yield", &by);
        equal(s, groups[i], sum(j, "yield", "first_passed"), from, to, TRIES, "total(u.won = 1) " UNITS_OF);
        json_decref(j);
    }
    j = asked(r, "throughput", &q);
    equal(s, "throughput", sum(j, "throughput", "pass"), from, to, "", "total(a.outcome = 0) " BEGAN);
    json_decref(j);
    j = asked(r, "blame", &q);
    equal(s, "blame: failed", fl_json_int(j, "failed", -1), from, to, TRIES, "total(u.won IS NOT 1) " UNITS_OF);
    json_decref(j);
    j = asked(r, "units", &q);
    equal(s, "units one by one", (int64_t)json_array_size(json_object_get(j, "units")), from, to, TRIES, "count(*) " UNITS_OF);
    json_decref(j);
    /* the line's course is the same series */
    assert_int_equal(report_course(r, from, to, 1, &j, NULL), FL_OK);
    o = json_object_get(j, "totals");
    equal(s, "course: attempts", fl_json_int(o, "attempts", -1), from, to, "", "count(*) " BEGAN);
    equal(s, "course: units", fl_json_int(o, "first", -1), from, to, TRIES, "count(*) " UNITS_OF);
    equal(s, "course: passed", fl_json_int(o, "first_passed", -1), from, to, TRIES, "total(u.won = 1) " UNITS_OF);
    json_decref(j);
}

static void cut_anywhere(void **state)
{
    struct t_station *s = *state;
    struct report *r;
    struct fl_why why = {0, ""};
    record_random(s, 300);
    same(s, "SELECT * FROM tally_step", "SELECT * FROM tally_step_recount");
    int64_t first = t_sql_int(s, "SELECT min(start_ms) FROM attempt"), last = t_sql_int(s, "SELECT max(start_ms) FROM attempt");
    if (report_open(s->data, &r, &why))
        fail_msg("%s", why.text);
    for (int i = 0; i < 12; i++) {
        int64_t from = (first + (int64_t)roll((uint32_t)((last - first) / 1000)) * 1000) / 1000 * 1000, to;
        static const uint32_t spans[] = {20000, 1700, 90, 400000}; /* seconds: half hours between, none, within one, to the end and beyond */
        to = from + 1000 * (int64_t)(1 + roll(spans[i % 4]));
        if (i == 5)
            from -= from % 1800000; /* one end on the half hour */
        if (i == 6)
            to -= to % 86400000, from = to - 86400000 * 2; /* both on days */
        check_cut(s, r, from, to);
    }
    report_close(r);
}

static void rebuilt(void **state)
{
    struct t_station *s = *state;
    struct check_result *r = malloc(sizeof *r);
    struct fl_why why = {0, ""};
    record_random(s, 60);
    const struct check_config c = {.data = s->data};
    if (check_folder(&c, r, &why) || r->report.verdict != AUDIT_GOOD)
        fail_msg("%s %s", why.text, r->report.n_findings ? r->report.finding[0].text : "");
    assert_true(r->rows_checked);
    t_shell("sqlite3 %s/flashline.db 'UPDATE tally SET passed_1 = passed_1 + 1 WHERE units > passed_1'", s->data);
    if (check_folder(&c, r, &why))
        fail_msg("%s", why.text);
    assert_int_equal(r->report.verdict, AUDIT_ROWS);
    free(r);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, t_setup, t_teardown)
    static const struct CMUnitTest tests[] = {T(recounted), T(by_other_sql), T(cut_anywhere), T(rebuilt)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
