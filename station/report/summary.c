/* SPDX-License-Identifier: Apache-2.0 */
#include "report/query.h"

#include "base/clock.h"
#include "event/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ------------------------------------------------------------------------------------------ */

static enum fl_err station_row(void *ctx, sqlite3_stmt *s)
{
    struct report_summary *o = ctx;
    (void)snprintf(o->station, sizeof o->station, "%s", query_text(s, 0));
    (void)snprintf(o->origin, sizeof o->origin, "%s", query_text(s, 1));
    o->leaves = sqlite3_column_int64(s, 2);
    return FL_OK;
}

static enum fl_err outcome_row(void *ctx, sqlite3_stmt *s)
{
    struct report_summary *o = ctx;
    int64_t outcome = sqlite3_column_int64(s, 0), n = sqlite3_column_int64(s, 1);
    int64_t first = sqlite3_column_int64(s, 3), last = sqlite3_column_int64(s, 4);
    if (outcome >= 0 && outcome < 5)
        o->outcome[outcome] = n;
    o->attempts += n;
    o->nameless += sqlite3_column_int64(s, 2);
    o->first_ms = !o->first_ms || first < o->first_ms ? first : o->first_ms;
    o->last_ms = last > o->last_ms ? last : o->last_ms;
    return FL_OK;
}

static enum fl_err yield_row(void *ctx, sqlite3_stmt *s)
{
    struct report_summary *o = ctx;
    o->units = sqlite3_column_int64(s, 0);
    for (int i = 0; i < 3; i++)
        o->passed_by[i] = sqlite3_column_int64(s, 1 + i);
    o->passed = sqlite3_column_int64(s, 4);
    return FL_OK;
}

static enum fl_err open_row(void *ctx, sqlite3_stmt *s)
{
    ((struct report_summary *)ctx)->open = sqlite3_column_int64(s, 0);
    return FL_OK;
}

/* ---- tables ------------------------------------------------------------------------------------------- */

static const struct table_column pareto_columns[] = {
    {"fault", "fault", TABLE_TEXT},        {"units", "units", TABLE_INT},
    {"share", "share", TABLE_PERCENT},     {"cumulative", "cumul.", TABLE_PERCENT},
    {"attempts", "attempts", TABLE_INT},   {"what", "what it is", TABLE_TEXT},
};

struct pareto {
    struct table *t;
    int64_t so_far;
};

static enum fl_err pareto_row(void *ctx, sqlite3_stmt *s)
{
    struct pareto *p = ctx;
    const char *name = query_text(s, 0);
    const struct fault *f = name ? fault_find(name) : NULL;
    int64_t units = sqlite3_column_int64(s, 1), all = sqlite3_column_int64(s, 3);
    p->so_far += units;
    table_text(p->t, name ? name : "(none named)");
    table_int(p->t, units);
    table_ratio(p->t, units, all);
    table_ratio(p->t, p->so_far, all);
    table_int(p->t, sqlite3_column_int64(s, 2));
    table_text(p->t, f ? f->what : NULL);
    table_end(p->t);
    return FL_OK;
}

static const struct table_column slot_columns[] = {
    {"slot", "slot", TABLE_INT},           {"attempts", "attempts", TABLE_INT},  {"pass", "PASS", TABLE_INT},
    {"fail", "FAIL", TABLE_INT},           {"error", "ERROR", TABLE_INT},        {"aborted", "ABORTED", TABLE_INT},
    {"interrupted", "INTERRUPTED", TABLE_INT}, {"pass_rate", "pass rate", TABLE_PERCENT}, {"units", "units", TABLE_INT},
    {"pass_ms", "ms a PASS", TABLE_INT},   {"rungs", "with rungs", TABLE_INT},
};

static enum fl_err slot_row(void *ctx, sqlite3_stmt *s)
{
    struct table *t = ctx;
    int64_t attempts = sqlite3_column_int64(s, 1), pass = sqlite3_column_int64(s, 2), aborted = sqlite3_column_int64(s, 5);
    for (int c = 0; c < 7; c++)
        table_int(t, sqlite3_column_int64(s, c));
    table_ratio(t, pass, attempts - aborted);
    table_int(t, sqlite3_column_int64(s, 7));
    if (sqlite3_column_type(s, 8) == SQLITE_NULL)
        table_none(t);
    else
        table_int(t, sqlite3_column_int64(s, 8));
    table_int(t, sqlite3_column_int64(s, 9));
    table_end(t);
    return FL_OK;
}

static const char pareto_sql[] =
    "WITH u AS (SELECT fail_fault AS fault, count(*) AS n FROM unit_lot WHERE fail_slot IS NOT NULL GROUP BY 1), "
    "a AS (SELECT fault, count(*) AS n FROM attempt WHERE outcome NOT IN (0, 3) GROUP BY 1) "
    "SELECT w.text, coalesce(u.n, 0), a.n, (SELECT sum(n) FROM u) FROM a LEFT JOIN u ON u.fault IS a.fault "
    "LEFT JOIN word w ON w.id = a.fault ORDER BY coalesce(u.n, 0) DESC, a.n DESC, w.text";

static const char slots_sql[] =
    "SELECT s.slot, count(*), sum(outcome = 0), sum(outcome = 1), sum(outcome = 2), sum(outcome = 3), sum(outcome = 4), "
    "count(DISTINCT unit), CAST(round(avg(CASE WHEN outcome = 0 THEN ms END)) AS INTEGER), sum(rungs > 0) "
    "FROM attempt a JOIN slot s ON s.id = a.slot GROUP BY s.slot ORDER BY s.slot";

enum fl_err report_summary(struct report *r, struct report_summary *out, struct fl_why *why)
{
    memset(out, 0, sizeof *out);
    struct pareto p = {table_new(pareto_columns, sizeof pareto_columns / sizeof *pareto_columns), 0};
    out->pareto = p.t;
    out->slots = table_new(slot_columns, sizeof slot_columns / sizeof *slot_columns);
    if (!out->pareto || !out->slots) {
        report_summary_fini(out);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    const struct {
        const char *sql;
        enum fl_err (*row)(void *ctx, sqlite3_stmt *s);
        void *ctx;
    } part[] = {
        {"SELECT name, origin, (SELECT max(idx) + 1 FROM leaf) FROM station", station_row, out},
        {"SELECT outcome, count(*), sum(unit IS NULL), min(start_ms), max(start_ms + coalesce(ms, 0)) FROM attempt GROUP BY 1",
         outcome_row, out},
        {"SELECT count(*), sum(passed_at <= 1), sum(passed_at <= 2), sum(passed_at <= 3), count(passed_at) FROM unit_lot",
         yield_row, out},
        {"SELECT count(*) FROM open_attempt", open_row, out},
        {pareto_sql, pareto_row, &p},
        {slots_sql, slot_row, out->slots},
    };
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < sizeof part / sizeof *part && !err; i++)
        err = query_each(r, part[i].sql, part[i].row, part[i].ctx, why);
    /* who passed at the first try has passed by the second: a report that says otherwise is wrong */
    if (!err && !(out->passed_by[0] <= out->passed_by[1] && out->passed_by[1] <= out->passed_by[2] &&
                  out->passed_by[2] <= out->passed && out->passed <= out->units))
        err = fl_fail(why, FL_MISMATCH, "the yields contradict each other: flashline audit tells which table is wrong");
    if (err)
        report_summary_fini(out);
    return err;
}

void report_summary_fini(struct report_summary *s)
{
    table_free(s->pareto);
    table_free(s->slots);
    s->pareto = s->slots = NULL;
}

/* ---- text and JSON ------------------------------------------------------------------------------------ */

static void yield_line(struct fl_buf *b, const char *what, int64_t part, int64_t whole)
{
    fl_buf_addf(b, "  %-18s ", what);
    if (whole)
        fl_buf_addf(b, "%6.1f %%   %lld of %lld units\n", 100.0 * (double)part / (double)whole, (long long)part, (long long)whole);
    else
        fl_buf_adds(b, "     -     no unit yet\n");
}

enum fl_err report_summary_text(const struct report_summary *s, struct fl_buf *out)
{
    char first[FL_TIME_TEXT], last[FL_TIME_TEXT];
    enum fl_err err = FL_OK;
    fl_time_format(s->first_ms, first);
    fl_time_format(s->last_ms, last);
    fl_buf_addf(out, "station %s, log %s, %lld records\n", s->station, s->origin, (long long)s->leaves);
    if (s->attempts)
        fl_buf_addf(out, "from %s to %s\n", first, last);
    fl_buf_addf(out, "\nattempts %lld:", (long long)s->attempts);
    for (int i = 0; i < 5; i++)
        fl_buf_addf(out, "%s %lld %s", i ? "," : "", (long long)s->outcome[i], outcome_name((enum outcome)i));
    fl_buf_adds(out, "\n");
    if (s->nameless)
        fl_buf_addf(out, "  %lld of them never told a MAC: they belong to no unit\n", (long long)s->nameless);
    if (s->open)
        fl_buf_addf(out, "  %lld more under way\n", (long long)s->open);
    fl_buf_addf(out, "units %lld\n", (long long)s->units);
    yield_line(out, "first-pass yield", s->passed_by[0], s->units);
    yield_line(out, "second-pass yield", s->passed_by[1], s->units);
    yield_line(out, "third-pass yield", s->passed_by[2], s->units);
    yield_line(out, "last-pass yield", s->passed, s->units);
    if (table_rows(s->pareto)) {
        fl_buf_adds(out, "\nfaults: units by what their first failing attempt ended with, and all attempts\n\n");
        err = table_write_text(s->pareto, 2, out);
    }
    if (!err && table_rows(s->slots)) {
        fl_buf_adds(out, "\nslots\n\n");
        err = table_write_text(s->slots, 2, out);
    }
    return err ? err : fl_buf_err(out, NULL);
}

static json_t *ratio(int64_t part, int64_t whole)
{
    return whole ? json_real((double)part / (double)whole) : json_null();
}

json_t *report_summary_json(const struct report_summary *s)
{
    json_t *outcomes = json_object(), *o = NULL;
    for (int i = 0; outcomes && i < 5; i++)
        (void)json_object_set_new(outcomes, outcome_name((enum outcome)i), json_integer((json_int_t)s->outcome[i]));
    json_t *pareto = table_json(s->pareto), *slots = table_json(s->slots);
    if (outcomes && pareto && slots)
        o = json_pack("{ss,ss,sI,sI,sO,sI,sI,sI,sI,so,so,so,so,sO,sO}", "station", s->station, "log", s->origin, "leaves",
                      (json_int_t)s->leaves, "attempts", (json_int_t)s->attempts, "outcomes", outcomes, "without_mac",
                      (json_int_t)s->nameless, "under_way", (json_int_t)s->open, "units", (json_int_t)s->units,
                      "units_passed", (json_int_t)s->passed, "first_pass_yield", ratio(s->passed_by[0], s->units),
                      "second_pass_yield", ratio(s->passed_by[1], s->units), "third_pass_yield",
                      ratio(s->passed_by[2], s->units), "last_pass_yield", ratio(s->passed, s->units), "faults", pareto,
                      "slots", slots);
    if (o && s->attempts) {
        char first[FL_TIME_TEXT], last[FL_TIME_TEXT];
        fl_time_format(s->first_ms, first);
        fl_time_format(s->last_ms, last);
        (void)json_object_set_new(o, "from", json_string(first));
        (void)json_object_set_new(o, "to", json_string(last));
    }
    json_decref(outcomes);
    json_decref(pareto);
    json_decref(slots);
    return o;
}
