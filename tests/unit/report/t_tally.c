/* SPDX-License-Identifier: Apache-2.0
 * Random histories of a line (random_line.h). The tallies that triggers keep, the views and the reports, against the same counted again
 * in other ways: by sums of what each attempt adds, by SQL over the attempts alone that knows nothing of the views, and by a rebuild from the leaves. */
#include "unit/t.h"

#include "base/clock.h"
#include "prove/check.h"
#include "report/live.h"
#include "unit/record/recount.h"
#include "unit/report/random_line.h"

#include <math.h>

static void same(struct t_station *s, const char *a, const char *b)
{
    char sql[4000];
    for (int i = 0; i < 2; i++) {
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM (SELECT * FROM (%s) EXCEPT SELECT * FROM (%s))", i ? a : b, i ? b : a);
        if (t_sql_int(s, sql) != 0)
            fail_msg("%lld rows of '%s' are not in '%s'", (long long)t_sql_int(s, sql), i ? a : b, i ? b : a);
    }
}

static void recounted(struct t_station *s, const struct line *told)
{
    const struct line l = *told;
    same(s, "SELECT * FROM tally", T_TALLY_AGAIN);
    same(s, "SELECT * FROM tally_fault", T_FAULT_AGAIN);
    same(s, "SELECT * FROM tally_step", T_STEP_AGAIN);
    /* the days are sums of the half hours */
    same(s, "SELECT * FROM tally_day",
         "SELECT half / 48 * 48, slot, lot, model, profile, sum(attempts), sum(pass), sum(fail), sum(error), sum(aborted), sum(interrupted), "
         "sum(nameless), sum(retests), sum(with_rungs), sum(busy_ms), sum(retest_ms), sum(pass_ms), sum(cycles), sum(cycle_ms), sum(handlings), "
         "sum(handling_ms), sum(units), sum(passed_1), sum(passed_2), sum(passed_3), sum(passed), sum(retested), sum(recovered), sum(same_slot), "
         "sum(same_passed), sum(other_slot), sum(other_passed), max(last_ms) FROM tally GROUP BY 1, 2, 3, 4, 5");
    same(s, "SELECT step, half, slot, lot, model, profile, attempts, ms, pass_ms, firsts, first_passed FROM tally_step_day",
         "SELECT step, half / 48 * 48, slot, lot, model, profile, sum(attempts), sum(ms), sum(pass_ms), sum(firsts), sum(first_passed) FROM tally_step "
         "GROUP BY 1, 2, 3, 4, 5, 6");
    /* and what was told is there */
    assert_int_equal(t_sql_int(s, "SELECT count(*) FROM attempt"), l.attempts);
    assert_int_equal(t_sql_int(s, "SELECT sum(interrupted) + (SELECT count(*) FROM attempt WHERE outcome = 4 AND purpose IS NOT NULL) FROM tally"), l.died);
    assert_int_equal(t_sql_int(s, "SELECT (SELECT count(*) FROM attempt WHERE purpose IS NULL) - (SELECT sum(attempts) FROM tally)"), 0);
    assert_int_equal(t_sql_int(s, "SELECT count(*) FROM unit_remark WHERE what = 'rework'"), l.rework);
    assert_int_equal(t_sql_int(s, "SELECT count(*) FROM unit_remark WHERE what = 'scrap'"), l.scrap);
    assert_int_equal(t_sql_int(s, "SELECT count(*) FROM unit_remark WHERE what = 'released'"), l.released);
    for (int i = 0; i < LINE_STEPS; i++) {
        char sql[200];
        (void)snprintf(sql, sizeof sql, "SELECT sum(attempts) FROM tally_step t JOIN step p ON p.id = t.step WHERE p.name = '%s'", line_steps[i]);
        assert_int_equal(t_sql_int(s, sql), l.step_attempts[i]);
        (void)snprintf(sql, sizeof sql, "SELECT sum(ms) FROM tally_step t JOIN step p ON p.id = t.step WHERE p.name = '%s'", line_steps[i]);
        assert_int_equal(t_sql_int(s, sql), l.step_ms[i]);
    }
}

/* A history has in it what the tests are about. Of the first seed: others may happen to have less. */
static void has_everything(struct t_station *s, const struct line *l)
{
    assert_true(l->refused > 10 && l->died > 1 && l->rework > 10 && l->scrap > 1 && l->released > 3);
    static const char *const some[] = {
        "SELECT count(*) > 100 FROM tally",
        "SELECT sum(cycles) > 20 AND sum(handlings) > 20 AND sum(handlings) < sum(cycles) FROM tally",
        "SELECT sum(other_slot) > 3 AND sum(other_passed) > 0 AND sum(same_slot) > 1 FROM tally",
        "SELECT count(DISTINCT purpose) = 3 AND count(purpose) > 20 FROM attempt",
        "SELECT count(*) > 3 FROM attempt WHERE unit IS NULL",
        "SELECT count(*) > 3 FROM (SELECT 1 FROM unit_lot GROUP BY unit HAVING count(*) = 4)", /* in every lot */
        /* failed at first, passed later; most without rework between, some with it */
        "SELECT sum(recovered) > 5 AND sum(recovered) < (SELECT count(*) FROM unit_lot WHERE passed_at > 1) FROM tally",
        /* a lot that refuses has each unit's PASS once, one that reflashes more often */
        "SELECT max(n) = 1 FROM (SELECT count(*) AS n FROM attempt_view WHERE lot = 'L-refuse' AND outcome = 'PASS' AND purpose IS NULL GROUP BY unit)",
        "SELECT max(n) > 1 FROM (SELECT count(*) AS n FROM attempt_view WHERE lot = 'L-reflash' AND outcome = 'PASS' AND purpose IS NULL GROUP BY unit)",
    };
    for (size_t i = 0; i < T_COUNT(some); i++)
        if (t_sql_int(s, some[i]) != 1)
            fail_msg("not so: %s", some[i]);
}

/* From the attempts and nothing else. A unit's attempts in a lot are put in order by leaf; ABORTED ones are left out. */
#define TRIES                                                                                                            \
    "WITH t AS (SELECT unit, lot, leaf, outcome, fault, step, slot, ms, start_ms, row_number() OVER (PARTITION BY unit, lot ORDER BY leaf) AS k " \
    "FROM attempt WHERE unit IS NOT NULL AND outcome <> 3 AND purpose IS NULL), "                                       \
    "u AS (SELECT unit, lot, count(*) AS n, min(CASE WHEN outcome = 0 THEN k END) AS won, "                             \
    "min(CASE WHEN outcome <> 0 THEN k END) AS lost, min(leaf) AS began, min(CASE WHEN outcome = 0 THEN leaf END) AS ended " \
    "FROM t GROUP BY unit, lot) "
/* failed at first and passed later, and nobody had repaired it */
#define RECOVERED "u.won > 1 AND (SELECT count(*) FROM disposition d WHERE d.unit = u.unit AND d.disposition = 'rework' AND d.leaf > u.began AND d.leaf < u.ended) = 0"
#define FIRST_OF "FROM u JOIN t ON t.unit = u.unit AND t.lot = u.lot AND t.k = 1 "
/* from start to start in a slot, whatever the attempts were for */
#define GAPS                                                                                                             \
    "WITH g AS (SELECT purpose, slot, unit, lag(unit) OVER w AS unit_before, start_ms - lag(start_ms) OVER w AS cycle, "  \
    "start_ms - lag(start_ms + ms) OVER w AS gap FROM attempt WINDOW w AS (PARTITION BY slot ORDER BY leaf)), "           \
    "c AS (SELECT * FROM g WHERE gap BETWEEN -1000 AND 600000 AND purpose IS NULL) "
#define RATES "count(*), total(won = 1) / count(*), total(won <= 2) / count(*), total(won <= 3) / count(*), count(won) * 1.0 / count(*), " \
              "total(n > 1) / count(*), total(" RECOVERED ") / nullif(total(u.won IS NOT 1), 0) "
#define RATE_COLUMNS "units, first_pass, second_pass, third_pass, last_pass, retest_rate, recovery_rate"

static const struct {
    const char *kept, *plain;
} pairs[] = {
    {"SELECT sum(units), sum(passed_1), sum(passed_2), sum(passed_3), sum(passed), sum(retested), sum(recovered) FROM tally",
     TRIES "SELECT count(*), total(won = 1), total(won <= 2), total(won <= 3), count(won), total(n > 1), total(" RECOVERED ") FROM u"},
    {"SELECT lot, sum(units), sum(passed_1), sum(passed), sum(retested), sum(recovered) FROM tally GROUP BY lot HAVING sum(units) > 0",
     TRIES "SELECT lot, count(*), total(won = 1), count(won), total(n > 1), total(" RECOVERED ") FROM u GROUP BY lot"},
    {"SELECT slot, sum(units), sum(passed_1), sum(recovered) FROM tally GROUP BY slot HAVING sum(units) > 0",
     TRIES "SELECT t.slot, count(*), total(u.won = 1), total(" RECOVERED ") " FIRST_OF "GROUP BY t.slot"},
    {"SELECT half, sum(units), sum(passed_1), sum(passed), sum(recovered) FROM tally GROUP BY half HAVING sum(units) > 0",
     TRIES "SELECT t.start_ms / 1800000, count(*), total(u.won = 1), count(u.won), total(" RECOVERED ") " FIRST_OF "GROUP BY 1"},
    {"SELECT m.usb_id, sum(units), sum(passed_1) FROM tally t JOIN bridge_model m ON m.id = t.model GROUP BY 1 HAVING sum(units) > 0",
     TRIES "SELECT coalesce(b.usb_id, ''), count(*), total(u.won = 1) " FIRST_OF "JOIN attempt a ON a.leaf = t.leaf LEFT JOIN bridge b ON b.id = a.bridge GROUP BY 1"},
    {"SELECT profile, sum(units), sum(passed_1) FROM tally GROUP BY 1 HAVING sum(units) > 0",
     TRIES "SELECT coalesce(a.profile, 0), count(*), total(u.won = 1) " FIRST_OF "JOIN attempt a ON a.leaf = t.leaf GROUP BY 1"},
    {"SELECT sum(same_slot), sum(same_passed), sum(other_slot), sum(other_passed) FROM tally",
     TRIES "SELECT total(b.slot = a.slot), total(b.slot = a.slot AND b.outcome = 0), total(b.slot <> a.slot), total(b.slot <> a.slot AND b.outcome = 0) "
           "FROM t a JOIN t b ON b.unit = a.unit AND b.lot = a.lot WHERE a.k = 1 AND b.k = 2 AND a.outcome <> 0"},
    {"SELECT sum(retests), sum(retest_ms) FROM tally", TRIES "SELECT count(*), total(ms) FROM t WHERE k > 1"},
    {"SELECT fault, slot, sum(units) FROM tally_fault GROUP BY fault, slot HAVING sum(units) > 0",
     TRIES "SELECT t.fault, t.slot, count(*) FROM u JOIN t ON t.unit = u.unit AND t.lot = u.lot AND t.k = u.lost GROUP BY 1, 2"},
    {"SELECT fault, step, sum(attempts) FROM tally_fault GROUP BY 1, 2",
     "SELECT coalesce(fault, 0), coalesce(step, 0), count(*) FROM attempt WHERE purpose IS NULL AND outcome IN (1, 2, 4) GROUP BY 1, 2"},
    {"SELECT slot, sum(attempts), sum(pass), sum(fail), sum(error), sum(aborted), sum(interrupted), sum(nameless), sum(busy_ms), sum(pass_ms), "
     "sum(with_rungs) FROM tally GROUP BY slot",
     "SELECT slot, count(*), total(outcome = 0), total(outcome = 1), total(outcome = 2), total(outcome = 3), total(outcome = 4), total(unit IS NULL), "
     "total(ms), total(CASE WHEN outcome = 0 THEN ms END), total(rungs > 0) FROM attempt WHERE purpose IS NULL GROUP BY slot"},
    {"SELECT p.name, sum(attempts), sum(ms) FROM tally_step t JOIN step p ON p.id = t.step GROUP BY 1",
     "SELECT step, count(*), sum(ms) FROM attempt_step WHERE leaf IN (SELECT leaf FROM attempt WHERE purpose IS NULL) GROUP BY 1"},
    {"SELECT p.name, sum(firsts), sum(first_passed) FROM tally_step t JOIN step p ON p.id = t.step GROUP BY 1 HAVING sum(firsts) > 0",
     TRIES "SELECT x.step, count(*), total(x.rungs = 0 AND (t.outcome = 0 OR x.step IS NOT (SELECT text FROM word WHERE id = t.step))) "
           "FROM t JOIN attempt_step x ON x.leaf = t.leaf WHERE t.k = 1 GROUP BY 1"},
    {"SELECT sum(cycles), sum(cycle_ms) FROM tally", GAPS "SELECT count(*), sum(cycle) FROM c"},
    {"SELECT sum(handlings), sum(handling_ms) FROM tally",
     GAPS "SELECT count(*), sum(CASE WHEN gap > 0 THEN gap ELSE 0 END) FROM c WHERE unit IS NULL OR unit_before IS NULL OR unit <> unit_before"},
    /* a lot's quantity: each unit that passed, once */
    {"SELECT id, passed FROM lot WHERE id > 0", TRIES "SELECT l.id, (SELECT count(won) FROM u WHERE u.lot = l.id) FROM lot l WHERE l.id > 0"},
    /* the views of the page */
    {"SELECT lot, " RATE_COLUMNS " FROM yield_by_lot", TRIES "SELECT l.name, " RATES "FROM u JOIN lot l ON l.id = u.lot GROUP BY 1"},
    {"SELECT slot, " RATE_COLUMNS " FROM yield_by_slot", TRIES "SELECT s.slot, " RATES FIRST_OF "JOIN slot s ON s.id = t.slot GROUP BY 1"},
    {"SELECT day, " RATE_COLUMNS " FROM yield_by_day",
     TRIES "SELECT date(t.start_ms / 1000, 'unixepoch'), " RATES FIRST_OF "GROUP BY 1"},
    {"SELECT hour, " RATE_COLUMNS " FROM yield_by_hour",
     TRIES "SELECT strftime('%Y-%m-%dT%H:00Z', t.start_ms / 1000, 'unixepoch'), " RATES FIRST_OF "GROUP BY 1"},
    {"SELECT fault, step, slot, lot, units FROM pareto WHERE units > 0",
     TRIES "SELECT coalesce(f.text, '(none told)'), w.text, s.slot, l.name, count(*) FROM u JOIN t ON t.unit = u.unit AND t.lot = u.lot AND t.k = u.lost "
           "JOIN slot s ON s.id = t.slot JOIN lot l ON l.id = t.lot LEFT JOIN word f ON f.id = t.fault LEFT JOIN word w ON w.id = t.step GROUP BY 1, 2, 3, 4"},
    {"SELECT slot, attempts, pass, pass_s, pass_per_run_hour FROM slot_times",
     "SELECT s.slot, count(*), total(outcome = 0), total(iif(outcome = 0, ms, 0)) * 0.001 / total(outcome = 0), "
     "total(outcome = 0) * 2.0 / count(DISTINCT start_ms / 1800000) FROM attempt a JOIN slot s ON s.id = a.slot WHERE purpose IS NULL GROUP BY 1"},
    {"SELECT mac, lot, attempts, first_outcome, passed_at, first_fault_slot FROM unit_lot_view",
     TRIES "SELECT printf('%02x:%02x:%02x:%02x:%02x:%02x', u.unit >> 40, u.unit >> 32 & 255, u.unit >> 24 & 255, u.unit >> 16 & 255, u.unit >> 8 & 255, "
           "u.unit & 255), l.name, u.n, o.name, u.won, (SELECT s.slot FROM t b JOIN slot s ON s.id = b.slot WHERE b.unit = u.unit AND b.lot = u.lot AND b.k = u.lost) "
           FIRST_OF "JOIN lot l ON l.id = u.lot JOIN outcome o ON o.id = t.outcome"},
};

static void by_other_sql(struct t_station *s)
{
    for (size_t i = 0; i < T_COUNT(pairs); i++)
        same(s, pairs[i].kept, pairs[i].plain);
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

/* The sum of value x weight x scale over a list's rows (NULL: of the report itself), as a whole number. */
static int64_t rounded(const json_t *o, const char *list, const char *value, const char *weight, double scale)
{
    const json_t *row;
    size_t i;
    double v = 0;
    if (!list)
        return llround(json_number_value(json_object_get(o, value)) * (double)fl_json_int(o, weight, 0) * scale);
    json_array_foreach(json_object_get(o, list), i, row) v += json_number_value(json_object_get(row, value)) * (double)fl_json_int(row, weight, 0);
    return llround(v * scale);
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
#define UNITS_OF FIRST_OF "JOIN attempt a ON a.leaf = t.leaf WHERE 1"

/* Run time is half hours with an attempt in them, as far as they were asked for. No border of a zone's days divides a group that is no time. */
static void check_run_time(struct t_station *s, struct report *r, struct report_query q, int64_t from, int64_t to)
{
    char sql[1000];
    q.zone = "-00:01";
    q.group_by = "none";
    json_t *j = asked(r, "throughput", &q);
    (void)snprintf(sql, sizeof sql, "CAST(total(min((a.start_ms / 1800000 + 1) * 1800000, %lld) - max(a.start_ms / 1800000 * 1800000, %lld)) AS INTEGER) " BEGAN
                   " AND a.leaf = (SELECT min(b.leaf) FROM attempt b WHERE b.purpose IS NULL AND b.start_ms / 1800000 = a.start_ms / 1800000 AND "
                   "b.start_ms BETWEEN %lld AND %lld)", (long long)to, (long long)from, (long long)from, (long long)to - 1);
    equal(s, "run time", llround(3600000 * json_number_value(json_object_get(json_array_get(json_object_get(j, "throughput"), 0), "run_h"))), from, to, "", sql);
    json_decref(j);
}

static void check_cut(struct t_station *s, struct report *r, int64_t from, int64_t to)
{
    char since[32], until[32];
    fl_time_format(from, since);
    fl_time_format(to, until);
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
    equal(s, "steps: at once", sum(j, "steps", "first_passed"), from, to, TRIES,
          "total(x.rungs = 0 AND (t.outcome = 0 OR x.step IS NOT (SELECT text FROM word WHERE id = t.step))) "
          "FROM t JOIN attempt_step x ON x.leaf = t.leaf JOIN attempt a ON a.leaf = t.leaf WHERE t.k = 1");
    equal(s, "steps: ms", rounded(j, "steps", "mean_s", "attempts", 1000), from, to, "",
          "total(x.ms) FROM attempt a JOIN attempt_step x ON x.leaf = a.leaf WHERE a.purpose IS NULL");
    int64_t units = fl_json_int(j, "units", 0), failed = units - rounded(j, NULL, "first_pass_yield", "units", 1);
    equal(s, "retested", rounded(j, NULL, "retest_rate", "units", 1), from, to, TRIES, "total(u.n > 1) " UNITS_OF);
    equal(s, "recovered", failed ? llround((double)failed * json_number_value(json_object_get(j, "recovery_rate"))) : 0, from, to, TRIES,
          "total(" RECOVERED ") " UNITS_OF);
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
    check_run_time(s, r, q, from, to);
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

static void cut_anywhere(struct t_station *s, struct report *r, const struct line *told)
{
    struct line l = *told; /* its dice go on */
    int64_t first = line_start, last = l.clock;
    for (int i = 0; i < 8; i++) {
        int64_t from = first + (int64_t)line_roll(&l, (uint32_t)((last - first) / 1000)) * 1000 + line_roll(&l, 1000), to;
        /* odd milliseconds: half hours between, none, within one, to the end and beyond, days between */
        static const uint32_t spans[] = {20000, 1700, 90, 400000};
        to = from + 1000 * (int64_t)(1 + line_roll(&l, spans[i % 4])) + line_roll(&l, 1000);
        if (i == 5)
            from -= from % 1800000; /* one end on the half hour */
        if (i == 6)
            to -= to % 86400000, from = to - 86400000 * 2; /* both on days */
        if (i == 7)
            to -= to % 1800000, from = to - 86400000 * 3 - 1800000; /* both on half hours, days between */
        check_cut(s, r, from, to);
    }
}

/* ---- borders of periods within a half hour ------------------------------------------------------------------------ */

/* label|number|number of each row of a report's part */
static void rows_text(const json_t *o, const char *list, const char *const member[3], char *out, size_t n)
{
    const json_t *row;
    size_t i, at = 0;
    out[0] = 0;
    json_array_foreach(json_object_get(o, list), i, row)
    {
        at += (size_t)snprintf(out + at, n - at, "%s%s|%lld|%lld", at ? "\n" : "", fl_json_text(row, member[0]), (long long)fl_json_int(row, member[1], -1),
                               (long long)fl_json_int(row, member[2], -1));
        assert_true(at < n);
    }
}

/* Clocks there show this moment as seconds since 1970 */
#define SHOWN(offset) "((a.start_ms + " offset " * 60000) / 1000)"
#define HOUR(offset)  "strftime('%Y-%m-%d %H:00', " SHOWN(offset) ", 'unixepoch')"
#define DAY(offset)   "date(" SHOWN(offset) ", 'unixepoch')"
#define MINUTE(offset) "(" SHOWN(offset) " / 60 % 1440)"
/* shifts from 06:15, 14:10 and 22:40 */
#define SHIFT(offset)                                                                                                    \
    "CASE WHEN " MINUTE(offset) " >= 1360 THEN " DAY(offset) " || ' 22:40' WHEN " MINUTE(offset) " >= 850 THEN " DAY(offset) " || ' 14:10' "  \
    "WHEN " MINUTE(offset) " >= 375 THEN " DAY(offset) " || ' 06:15' ELSE date(" SHOWN(offset) " - 86400, 'unixepoch') || ' 22:40' END"

static void borders_anywhere(struct t_station *s, struct report *r)
{
    static const struct {
        const char *report, *list, *member[3], *zone, *group, *label;
        bool units; /* of attempts 1: units and how many passed at once; or attempts and PASS */
    } row[] = {
        {"yield", "yield", {"hour", "units", "first_passed"}, "+05:45", "hour", HOUR("345"), true},
        {"yield", "yield", {"day", "units", "first_passed"}, "+05:45", "day", DAY("345"), true},
        {"yield", "yield", {"day", "units", "first_passed"}, "local", "day", DAY("345"), true}, /* by TZ, below */
        {"yield", "yield", {"shift", "units", "first_passed"}, "UTC", "shift", SHIFT("0"), true},
        {"yield", "yield", {"shift", "units", "first_passed"}, "-03:30", "shift", SHIFT("-210"), true},
        {"throughput", "throughput", {"hour", "attempts", "pass"}, "+12:45", "hour", HOUR("765"), false},
        {"throughput", "throughput", {"shift", "attempts", "pass"}, "+05:45", "shift", SHIFT("345"), false},
        {"throughput", "throughput", {"day", "attempts", "pass"}, "-00:01", "day", DAY("-1"), false},
    };
    static const char *const spans[][2] = {{NULL, NULL}, {"2026-11-22T10:07:30Z", "2026-11-24T05:59Z"}, {"2026-11-23T00:00Z", NULL}};
    enum { ROOM = 60000 };
    (void)setenv("TZ", "NPT-5:45", 1);
    char *got = malloc(ROOM), *want = malloc(ROOM), *sql = malloc(ROOM);
    for (size_t i = 0; i < T_COUNT(row); i++)
        for (size_t k = 0; k < T_COUNT(spans); k++) {
            const struct report_query q = {.since = spans[k][0], .until = spans[k][1], .zone = row[i].zone, .shifts = "06:15,14:10,22:40", .group_by = row[i].group};
            json_t *j = asked(r, row[i].report, &q);
            (void)snprintf(sql, ROOM, "%s SELECT group_concat(x, char(10)) FROM (SELECT %s || '|' || count(*) || '|' || CAST(total(%s) AS INTEGER) AS x %s "
                           "AND a.start_ms >= %s AND a.start_ms < %s GROUP BY %s ORDER BY %s)", row[i].units ? TRIES : "", row[i].label,
                           row[i].units ? "u.won = 1" : "a.outcome = 0", row[i].units ? UNITS_OF : BEGAN,
                           k == 1 ? "1795342050000" : k == 2 ? "1795392000000" : "0", k == 1 ? "1795499940000" : "9e15", row[i].label, row[i].label);
            rows_text(j, row[i].list, row[i].member, got, ROOM);
            t_sql_text(s, sql, want, ROOM);
            if (strcmp(got, want) != 0)
                fail_msg("%s by %s at %s, from %s: the report says\n%s\nand the attempts\n%s", row[i].report, row[i].group, row[i].zone,
                         spans[k][0] ? spans[k][0] : "ever", got, want);
            /* what no period divides is as ever */
            if (row[i].units && k == 0)
                equal(s, "steps", sum(j, "steps", "attempts"), 0, INT64_MAX, "", "count(*) FROM attempt a JOIN attempt_step x ON x.leaf = a.leaf WHERE a.purpose IS NULL");
            json_decref(j);
        }
    (void)unsetenv("TZ");
    free(got);
    free(want);
    free(sql);
}

/* ---- all of it, history by history ------------------------------------------------------------------------------- */

static uint32_t number_of(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);
    return text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

enum { SEED = 20261122 };

/* FL_SEEDS histories, the first from FL_SEED. */
static void random_histories(void **state)
{
    uint32_t first = number_of("FL_SEED", SEED), n = number_of("FL_SEEDS", 2);
    (void)state;
    for (uint32_t seed = first; seed < first + n; seed++) {
        struct t_station s;
        struct report *r;
        struct fl_why why = {0, ""};
        t_station_make(&s);
        const struct line l = line_record(&s, seed, 250);
        if (seed == SEED)
            has_everything(&s, &l);
        recounted(&s, &l);
        by_other_sql(&s);
        if (report_open(s.data, &r, &why))
            fail_msg("%s", why.text);
        cut_anywhere(&s, r, &l);
        borders_anywhere(&s, r);
        report_close(r);
        t_station_remove(&s);
    }
}

static void rebuilt(void **state)
{
    struct t_station *s = *state;
    struct check_result *r = malloc(sizeof *r);
    struct fl_why why = {0, ""};
    (void)line_record(s, SEED, 60);
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
    static const struct CMUnitTest tests[] = {cmocka_unit_test(random_histories), T(rebuilt)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
