/* SPDX-License-Identifier: Apache-2.0
 * What is now: the slots' last attempts, units by a part of their MAC, the log's head. */
#include "report/live.h"
#include "report/query.h"

#include "prove/certificate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How far back a slot's last attempt is looked for: leaves. A slot that was idle longer is not shown. */
enum { RECENT = 50000 };

struct slots {
    struct slot_view *view;
    size_t n, max;
};

static void copy(char *to, size_t n, const char *from)
{
    (void)snprintf(to, n, "%s", from ? from : "");
}

static enum fl_err slot_row(void *ctx, sqlite3_stmt *s)
{
    struct slots *o = ctx;
    if (o->n == o->max)
        return FL_OK;
    struct slot_view *v = &o->view[o->n++];
    const char *fault = query_text(s, 5);
    const struct fault *f = fault ? fault_find(fault) : NULL;
    enum outcome outcome = OUTCOME_ERROR;
    (void)outcome_parse(query_text(s, 4) ? query_text(s, 4) : "", &outcome);
    *v = (struct slot_view){.slot = sqlite3_column_int(s, 0), .state = SLOT_DONE, .step = "", .outcome = outcome,
                            .fault = f ? f->name : "", .leaf = sqlite3_column_int64(s, 6),
                            .ended_ms = (uint64_t)sqlite3_column_int64(s, 7), .rungs = (unsigned)sqlite3_column_int(s, 8),
                            .baud = (uint32_t)sqlite3_column_int64(s, 9)};
    copy(v->port, sizeof v->port, query_text(s, 1));
    copy(v->mac, sizeof v->mac, query_text(s, 2));
    copy(v->chip, sizeof v->chip, query_text(s, 3));
    copy(v->why, sizeof v->why, query_text(s, 10));
    return FL_OK;
}

enum fl_err report_slots_now(struct report *r, struct slot_view *view, size_t max, size_t *n, struct fl_why *why)
{
    struct slots s = {view, 0, max};
    char sql[900];
    (void)snprintf(sql, sizeof sql,
                   "SELECT v.slot, v.port, v.mac, v.chip, v.outcome, v.fault, v.leaf, v.ms, v.rungs, v.baud, n.why "
                   "FROM (SELECT max(a.leaf) AS leaf FROM attempt a JOIN slot s ON s.id = a.slot "
                   "      WHERE a.leaf > (SELECT coalesce(max(leaf), 0) - %d FROM attempt) GROUP BY s.slot) last "
                   "JOIN attempt_view v ON v.leaf = last.leaf JOIN attempt_note n ON n.leaf = last.leaf ORDER BY v.slot", RECENT);
    enum fl_err err = query_each(r, sql, slot_row, &s, why);
    *n = s.n;
    return err;
}

/* ---- counts ----------------------------------------------------------------------------------------------------- */

static enum fl_err counts_row(void *ctx, sqlite3_stmt *s)
{
    struct report_counts *o = ctx;
    copy(o->station, sizeof o->station, query_text(s, 0));
    for (int i = 0; i < 5; i++)
        o->outcome[i] = sqlite3_column_int64(s, 1 + i);
    o->units = sqlite3_column_int64(s, 6);
    o->first_passed = sqlite3_column_int64(s, 7);
    o->passed = sqlite3_column_int64(s, 8);
    return FL_OK;
}

enum fl_err report_counts(struct report *r, struct report_counts *out, struct fl_why *why)
{
    memset(out, 0, sizeof *out);
    return query_each(r, "SELECT (SELECT name FROM station), sum(pass), sum(fail), sum(error), sum(aborted), sum(interrupted), sum(units), "
                         "sum(passed_1), sum(passed) FROM tally_day", counts_row, out, why);
}

/* ---- units ------------------------------------------------------------------------------------------------------ */

static enum fl_err unit_row(void *ctx, sqlite3_stmt *s)
{
    json_t *o = json_pack("{ss* ss* sI ss* ss* sI ss* sI}", "mac", query_text(s, 0), "chip", query_text(s, 1), "attempts",
                          (json_int_t)sqlite3_column_int64(s, 2), "outcome", query_text(s, 3), "fault", query_text(s, 4), "slot",
                          (json_int_t)sqlite3_column_int64(s, 5), "start", query_text(s, 6), "leaf", (json_int_t)sqlite3_column_int64(s, 7));
    return json_array_append_new(ctx, o) == 0 ? FL_OK : FL_NOMEM;
}

enum fl_err report_find_units(struct report *r, const char *part, unsigned max, json_t **out, struct fl_why *why)
{
    uint64_t value = 0;
    unsigned digits = 0;
    char where[500] = "", sql[1200];
    size_t at = 0;
    *out = NULL;
    for (const char *p = part; *p; p++) {
        const char *hex = "0123456789abcdef", *found = strchr(hex, *p >= 'A' && *p <= 'F' ? *p + 32 : *p);
        if (*p == ':' || *p == '-' || *p == ' ')
            continue;
        if (!found || ++digits > 12)
            return fl_fail(why, FL_ARG, "a MAC is searched by 4 to 12 of its hex digits");
        value = value << 4 | (uint64_t)(found - hex);
    }
    if (digits < 4)
        return fl_fail(why, FL_ARG, "a MAC is searched by 4 to 12 of its hex digits");
    uint64_t mask = (UINT64_C(1) << (4 * digits)) - 1;
    for (unsigned shift = 0; shift + 4 * digits <= 48; shift += 8) /* at every byte */
        at += (size_t)snprintf(where + at, sizeof where - at, "%s((mac >> %u) & %llu) = %llu", shift ? " OR " : "", shift,
                               (unsigned long long)mask, (unsigned long long)value);
    if (digits == 12)
        (void)snprintf(where, sizeof where, "mac = %llu", (unsigned long long)value);
    (void)snprintf(sql, sizeof sql,
                   "SELECT v.mac, v.chip, (SELECT count(*) FROM attempt c WHERE c.unit = v.unit), v.outcome, v.fault, v.slot, v.start, v.leaf "
                   "FROM (SELECT leaf FROM unit WHERE %s ORDER BY leaf DESC LIMIT %u) u JOIN attempt_view v ON v.leaf = u.leaf "
                   "ORDER BY v.leaf DESC", where, max);
    *out = json_array();
    enum fl_err err = *out ? query_each(r, sql, unit_row, *out, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (err) {
        json_decref(*out);
        *out = NULL;
    }
    return err;
}

/* ---- the log --------------------------------------------------------------------------------------------------------- */

static enum fl_err log_row(void *ctx, sqlite3_stmt *s)
{
    json_t *o = ctx;
    for (int c = 0; c < sqlite3_column_count(s); c++) {
        int type = sqlite3_column_type(s, c);
        json_t *v = type == SQLITE_INTEGER ? json_integer(sqlite3_column_int64(s, c))
                    : type == SQLITE_NULL  ? json_null()
                                           : json_string(query_text(s, c));
        if (!v || json_object_set_new(o, sqlite3_column_name(s, c), v) != 0)
            return FL_NOMEM;
    }
    return FL_OK;
}

enum fl_err report_log(struct report *r, json_t **out, struct fl_why *why)
{
    static const char sql[] =
        "SELECT s.name AS station, s.origin, s.vkey, (SELECT coalesce(max(idx) + 1, 0) FROM leaf) AS leaves, "
        "c.size, lower(hex(c.root)) AS root, (SELECT count(*) FROM boot) AS boots, "
        "(SELECT at_ms FROM boot ORDER BY leaf DESC LIMIT 1) AS verified_ms, "
        "(SELECT min(start_ms) FROM (SELECT start_ms FROM attempt ORDER BY leaf LIMIT 4096)) AS first_ms, "
        "(SELECT start_ms + coalesce(ms, 0) FROM attempt ORDER BY leaf DESC LIMIT 1) AS last_ms, "
        "(SELECT count(*) FROM open_attempt) AS open "
        "FROM station s LEFT JOIN checkpoint c ON c.size = (SELECT max(size) FROM checkpoint) ORDER BY s.leaf LIMIT 1";
    json_t *o = json_object();
    enum fl_err err = o ? query_each(r, sql, log_row, o, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (err)
        json_decref(o);
    *out = err ? NULL : o;
    return err;
}

enum fl_err report_certificate(struct report *r, int64_t leaf, struct fl_buf *out, struct fl_why *why)
{
    return certificate_best(r->reader.db, r->data, leaf, out, why);
}

enum fl_err report_head(struct report *r, struct fl_buf *out, struct fl_why *why)
{
    return certificate_head(r->reader.db, out, why);
}
