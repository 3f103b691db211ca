/* SPDX-License-Identifier: Apache-2.0
 * What stands above the tables of a report: counts, yields, and the check that they do not contradict each other. */
#include "report/engine.h"

#include "base/clock.h"
#include "event/fault.h"
#include "report/stat.h"

#include <stdio.h>
#include <string.h>

static json_t *ratio_json(int64_t part, int64_t whole)
{
    return whole ? json_real((double)part / (double)whole) : json_null();
}

/* Of `whole` that is not 0. */
static const char *percent(int64_t part, int64_t whole, char out[static 24])
{
    table_percent((double)part / (double)whole, out);
    return out;
}

static void yield_fact(struct sheet *s, const char *name, const char *title, int64_t part, int64_t whole)
{
    struct stat_interval w = stat_wilson(part, whole);
    json_t *v = ratio_json(part, whole), *ends = whole ? json_pack("[ff]", w.low, w.high) : json_null();
    char range[40], share[24], low[24], high[24];
    (void)snprintf(range, sizeof range, "%s_95", name);
    table_percent(w.low, low);
    table_percent(w.high, high);
    if (whole)
        sheet_fact(s, name, v, title, "%7s   %lld of %lld units, 95 %%: %s to %s", percent(part, whole, share), (long long)part,
                   (long long)whole, low, high);
    else
        sheet_fact(s, name, v, title, "    -     no unit yet");
    sheet_fact(s, range, ends, NULL, "%s", "");
}

/* ---- yields ------------------------------------------------------------------------------------------- */

enum { UNITS, P1, P2, P3, P, RETESTED, RECOVERED, YIELD_SUMS };

static const char yield_sums[] = "SELECT sum(t.units), sum(t.passed_1), sum(t.passed_2), sum(t.passed_3), sum(t.passed), sum(t.retested), "
                                 "sum(t.recovered) FROM {tally} WHERE {where}";

static enum fl_err one_row(struct report *r, const struct filter *f, const char *sql, int64_t *out, int n, struct fl_why *why)
{
    sqlite3_stmt *s;
    enum fl_err err = filter_prepare(r, f, sql, &s, why);
    if (err)
        return err;
    int rc = sqlite3_step(s);
    for (int i = 0; i < n; i++)
        out[i] = rc == SQLITE_ROW ? sqlite3_column_int64(s, i) : 0;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = db_fail(r->reader.db, why, "cannot read");
    (void)sqlite3_finalize(s);
    return err;
}

enum fl_err facts_check(struct report *r, const struct filter *f, struct fl_why *why)
{
    int64_t wrong;
    enum fl_err err = one_row(r, f, "SELECT count(*) FROM {tally} WHERE {where} AND NOT (t.passed_1 >= 0 AND t.passed_1 <= t.passed_2 AND "
                              "t.passed_2 <= t.passed_3 AND t.passed_3 <= t.passed AND t.passed <= t.units)", &wrong, 1, why);
    if (!err && wrong)
        err = fl_fail(why, FL_MISMATCH, "the yields contradict each other (first-pass <= second <= third <= last-pass <= units does not hold in "
                      "%lld places): flashline audit tells which table is wrong", (long long)wrong);
    return err;
}

/* What cannot be told is null in JSON: a reader finds the same members in every report. */
static void no_fact(struct sheet *s, const char *name)
{
    sheet_fact(s, name, json_null(), NULL, "%s", "");
}

/* Rolled throughput yield: the product over the steps; defects a million opportunities: a first try of a step is one
 * opportunity, not going through at once is one defect. */
struct rolled {
    double product;
    int64_t tries, defects, steps;
};

static enum fl_err rolled_of(struct report *r, const struct filter *f, struct rolled *out, struct fl_why *why)
{
    sqlite3_stmt *s;
    int rc;
    *out = (struct rolled){.product = 1};
    enum fl_err err = filter_prepare(r, f, "SELECT sum(t.firsts), sum(t.first_passed) FROM {step} WHERE {where} GROUP BY t.step", &s, why);
    if (err)
        return err;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        int64_t tries = sqlite3_column_int64(s, 0), passed = sqlite3_column_int64(s, 1);
        if (!tries)
            continue;
        out->product *= (double)passed / (double)tries;
        out->tries += tries;
        out->defects += tries - passed;
        out->steps++;
    }
    if (rc != SQLITE_DONE)
        err = db_fail(r->reader.db, why, "cannot read");
    (void)sqlite3_finalize(s);
    return err;
}

enum fl_err facts_yield(struct report *r, const struct filter *f, struct sheet *s, struct fl_why *why)
{
    int64_t v[YIELD_SUMS];
    struct rolled rolled;
    char text[24];
    enum fl_err err = one_row(r, f, yield_sums, v, YIELD_SUMS, why);
    if (!err)
        err = rolled_of(r, f, &rolled, why);
    if (err)
        return err;
    int64_t failed = v[UNITS] - v[P1];
    sheet_fact(s, "units", json_integer(v[UNITS]), "units", "%lld", (long long)v[UNITS]);
    sheet_fact(s, "units_passed", json_integer(v[P]), NULL, "%s", "");
    yield_fact(s, "first_pass_yield", "first-pass yield", v[P1], v[UNITS]);
    yield_fact(s, "second_pass_yield", "second-pass yield", v[P2], v[UNITS]);
    yield_fact(s, "third_pass_yield", "third-pass yield", v[P3], v[UNITS]);
    yield_fact(s, "last_pass_yield", "last-pass yield", v[P], v[UNITS]);
    if (rolled.steps)
        sheet_fact(s, "rolled_throughput_yield", json_real(rolled.product), "rolled throughput",
                   "%5.1f %%   product of %lld steps at their first try", 100 * rolled.product,
                   (long long)rolled.steps);
    else
        no_fact(s, "rolled_throughput_yield");
    if (v[UNITS])
        sheet_fact(s, "retest_rate", ratio_json(v[RETESTED], v[UNITS]), "retest rate", "%7s   %lld units with two attempts or more",
                   percent(v[RETESTED], v[UNITS], text), (long long)v[RETESTED]);
    else
        no_fact(s, "retest_rate");
    if (failed)
        sheet_fact(s, "recovery_rate", ratio_json(v[RECOVERED], failed), "recovery rate",
                   "%7s   %lld of %lld that failed at first passed later: suspected false fails",
                   percent(v[RECOVERED], failed, text), (long long)v[RECOVERED], (long long)failed);
    else
        no_fact(s, "recovery_rate");
    if (rolled.tries) {
        double dpmo = 1e6 * (double)rolled.defects / (double)rolled.tries;
        sheet_fact(s, "dpmo", json_real(dpmo), "defects per million",
                   "%.0f     %lld steps not gone through at once, of %lld first tries of a step", dpmo,
                   (long long)rolled.defects, (long long)rolled.tries);
        sheet_fact(s, "dpu", json_real((double)rolled.defects / (double)(v[UNITS] ? v[UNITS] : 1)), NULL, "%s", "");
    } else {
        no_fact(s, "dpmo");
        no_fact(s, "dpu");
    }
    return FL_OK;
}

/* ---- summary -------------------------------------------------------------------------------------------- */

enum { ATTEMPTS, PASS, FAIL, ERROR, ABORTED, INTERRUPTED, NAMELESS, FIRST_HALF, LAST_MS, RETEST_MS, BUSY_MS, SUMMARY_SUMS };

static const char summary_sums[] =
    "SELECT sum(t.attempts), sum(t.pass), sum(t.fail), sum(t.error), sum(t.aborted), sum(t.interrupted), sum(t.nameless), "
    "{first}, max(t.last_ms), sum(t.retest_ms), sum(t.busy_ms) "
    "FROM {tally} WHERE {where}";

static void attempt_facts_of(const int64_t *v, const struct filter *f, struct sheet *s)
{
    char first[FL_TIME_TEXT], last[FL_TIME_TEXT], words[2][PERIOD_TEXT];
    json_t *outcomes = json_object();
    for (int i = 0; outcomes && i < 5; i++)
        (void)json_object_set_new(outcomes, outcome_name((enum outcome)i), json_integer(v[PASS + i]));
    if (v[ATTEMPTS]) {
        int64_t half = v[FIRST_HALF] * PERIOD_HALF_MS, from = half > f->from_ms ? half : f->from_ms;
        fl_time_format(from, first);
        fl_time_format(v[LAST_MS], last);
        zone_text(&f->period.zone, from, words[0]);
        zone_text(&f->period.zone, v[LAST_MS], words[1]);
        sheet_fact(s, "from", json_string(first), "attempts from", "%s to %s", words[0], words[1]);
        sheet_fact(s, "to", json_string(last), NULL, "%s", "");
    } else {
        no_fact(s, "from");
        no_fact(s, "to");
    }
    sheet_fact(s, "outcomes", outcomes, NULL, "%s", "");
    sheet_fact(s, "attempts", json_integer(v[ATTEMPTS]), "attempts", "%lld: %lld PASS, %lld FAIL, %lld ERROR, %lld ABORTED, %lld INTERRUPTED",
               (long long)v[ATTEMPTS], (long long)v[PASS], (long long)v[FAIL], (long long)v[ERROR], (long long)v[ABORTED],
               (long long)v[INTERRUPTED]);
    sheet_fact(s, "without_mac", json_integer(v[NAMELESS]), v[NAMELESS] ? "without a MAC" : NULL, "%lld: they belong to no unit",
               (long long)v[NAMELESS]);
    if (v[BUSY_MS])
        sheet_fact(s, "retest_share", ratio_json(v[RETEST_MS], v[BUSY_MS]), "time in retests", "%5.1f %%   of the time in attempts",
                   100.0 * (double)v[RETEST_MS] / (double)v[BUSY_MS]);
    else
        no_fact(s, "retest_share");
}

enum fl_err facts_summary(struct report *r, const struct filter *f, struct sheet *s, struct fl_why *why)
{
    int64_t v[SUMMARY_SUMS], leaves, open;
    enum fl_err err = one_row(r, f, summary_sums, v, SUMMARY_SUMS, why);
    if (!err)
        err = db_int(r->reader.db, "SELECT coalesce(max(idx) + 1, 0) FROM leaf", 0, &leaves, why);
    if (!err)
        err = db_int(r->reader.db, "SELECT count(*) FROM open_attempt", 0, &open, why);
    if (err)
        return err;
    sheet_fact(s, "leaves", json_integer(leaves), "records", "%lld", (long long)leaves);
    attempt_facts_of(v, f, s);
    sheet_fact(s, "under_way", json_integer(open), open ? "under way" : NULL, "%lld", (long long)open);
    return facts_yield(r, f, s, why);
}
