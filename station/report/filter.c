/* SPDX-License-Identifier: Apache-2.0 */
#include "report/cut.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How a group is told apart in a tally (by time: function period below), and what it is called. Times come as the beginning of the period in ms. */
static const struct {
    const char *name, *key, *label;
} groups[] = {
    [GROUP_HOUR] = {"hour", NULL, "g.k"},
    [GROUP_SHIFT] = {"shift", NULL, "g.k"},
    [GROUP_DAY] = {"day", NULL, "g.k"},
    [GROUP_LOT] = {"lot", "t.lot", "(SELECT iif(name = '', '(no lot)', name) FROM lot WHERE id = g.k)"},
    [GROUP_SLOT] = {"slot", "(SELECT slot FROM slot WHERE id = t.slot)", "g.k"},
    [GROUP_BRIDGE] = {"bridge", "t.model", "(SELECT iif(usb_id = '', '(none known)', usb_id || iif(driver = '', '', ' ' || driver)) "
                                           "FROM bridge_model WHERE id = g.k)"},
    [GROUP_PROFILE] = {"profile", "t.profile", "coalesce((SELECT coalesce(name || ' ' || version, name, lower(substr(hex(hash), 1, 12))) "
                                               "FROM profile WHERE id = g.k), '(none known)')"},
    [GROUP_NONE] = {"none", "0", "'all'"},
};

const char *group_name(enum group g)
{
    return groups[g].name;
}

bool filter_by_time(const struct filter *f)
{
    return f->group <= GROUP_DAY;
}

static enum fl_err group_parse(const char *text, enum group *out, struct fl_why *why)
{
    for (size_t i = 0; i <= GROUP_NONE; i++)
        if (strcmp(groups[i].name, text) == 0) {
            *out = (enum group)i;
            return FL_OK;
        }
    return fl_fail(why, FL_ARG, "a report can be grouped by hour, shift, day, lot, slot, bridge, profile or none, not by '%.40s'", text);
}

/* ---- names ------------------------------------------------------------------------------------------- */

static void say(struct filter *f, const char *fmt, ...) FL_PRINTF(2, 3);
static void say(struct filter *f, const char *fmt, ...)
{
    size_t n = strlen(f->words);
    va_list ap;
    va_start(ap, fmt);
    if (n)
        n += (size_t)snprintf(f->words + n, sizeof f->words - n, ", ");
    if (n < sizeof f->words)
        (void)vsnprintf(f->words + n, sizeof f->words - n, fmt, ap);
    va_end(ap);
}

/* Behind what was said last, without a comma. */
static void say_on(struct filter *f, const char *fmt, ...) FL_PRINTF(2, 3);
static void say_on(struct filter *f, const char *fmt, ...)
{
    size_t n = strlen(f->words);
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(f->words + n, sizeof f->words - n, fmt, ap);
    va_end(ap);
}

static enum fl_err take_names(struct report *r, const struct report_query *q, struct filter *f, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    int64_t id;
    if (q->lot) {
        f->has_lot = true;
        err = query_find(r, "SELECT id FROM lot WHERE name = ?", q->lot, &f->lot, why);
        if (err == FL_NOT_FOUND)
            return fl_fail(why, err, "no lot '%.60s' was ever worked on here", q->lot);
        say(f, "lot %.63s", *q->lot ? q->lot : "(none)");
    }
    if (!err && q->product) {
        f->product = q->product;
        err = query_find(r, "SELECT 1 FROM lot WHERE product = ?", q->product, &id, why);
        if (err == FL_NOT_FOUND)
            return fl_fail(why, err, "no lot of a product '%.60s' is known here", q->product);
        say(f, "product %.60s", q->product);
    }
    if (!err && q->slot) {
        char *end;
        f->has_slot = true;
        f->slot = strtoll(q->slot, &end, 10);
        if (*q->slot < '0' || *q->slot > '9' || *end || end - q->slot > 9)
            return fl_fail(why, FL_ARG, "'%.40s' is no slot: its number on the fixture", q->slot);
        err = query_find(r, "SELECT 1 FROM slot WHERE slot = CAST(? AS INTEGER)", q->slot, &id, why);
        if (err == FL_NOT_FOUND)
            return fl_fail(why, err, "no attempt was ever made in slot %lld", (long long)f->slot);
        say(f, "slot %lld", (long long)f->slot);
    }
    if (!err && q->bridge) {
        f->bridge = q->bridge;
        err = query_find(r, "SELECT 1 FROM bridge_model WHERE usb_id = ?", q->bridge, &id, why);
        if (err == FL_NOT_FOUND)
            return fl_fail(why, err, "no bridge of the kind '%.40s' is known here: VID:PID in hex, such as 1a86:55d4 (one bridge by its "
                           "serial number: flashline trace --bridge)", q->bridge);
        say(f, "bridge %.40s", q->bridge);
    }
    return err;
}

/* ---- times ------------------------------------------------------------------------------------------- */

static enum fl_err take_time(const char *text, const char *word, int64_t now, struct filter *f, int64_t *ms, struct fl_why *why)
{
    char shown[PERIOD_TEXT], zone[8];
    enum fl_err err = time_parse(text, &f->period.zone, now, ms, why);
    if (err)
        return err;
    zone_text(&f->period.zone, *ms, shown);
    say(f, "%s %s", word, shown);
    if (*ms % 60000)
        say_on(f, ":%02d", (int)(*ms / 1000 % 60));
    if (*ms % 1000)
        say_on(f, ".%03d", (int)(*ms % 1000));
    say_on(f, " %s", zone_name(&f->period.zone, zone));
    return FL_OK;
}

enum fl_err filter_make(struct report *r, const struct report_query *q, enum group otherwise, struct filter *out,
                        struct fl_why *why)
{
    *out = (struct filter){.group = otherwise, .from_ms = INT64_MIN, .to_ms = INT64_MAX / 2, .limit = q->limit};
    int64_t now = q->now_ms ? q->now_ms : fl_wall_ms();
    enum fl_err err = zone_parse(q->zone, &out->period.zone, why);
    if (!err)
        err = shifts_parse(q->shifts, &out->period, why);
    if (!err && q->group_by)
        err = group_parse(q->group_by, &out->group, why);
    if (!err)
        err = take_names(r, q, out, why);
    if (!err && q->since)
        err = take_time(q->since, "since", now, out, &out->from_ms, why);
    if (!err && q->until)
        err = take_time(q->until, "until", now, out, &out->to_ms, why);
    if (!err && out->from_ms >= out->to_ms)
        err = fl_fail(why, FL_ARG, "the time until which lies before the time since which");
    if (!out->words[0])
        say(out, "everything");
    fl_utf8_clean(out->words, false); /* a letter that was cut in two would be no JSON text */
    out->period.kind = out->group == GROUP_HOUR ? PERIOD_HOUR : out->group == GROUP_SHIFT ? PERIOD_SHIFT : PERIOD_DAY;
    return err ? err : cut_make(r, out, why);
}

/* ---- SQL --------------------------------------------------------------------------------------------- */

/* period(ms): the beginning of the period, ms. Neighbouring rows ask for the same one: the last answer is kept. */
struct period_cache {
    struct period period;
    int64_t ms, start;
};

static void period_of(sqlite3_context *ctx, int n, sqlite3_value **arg)
{
    struct period_cache *c = sqlite3_user_data(ctx);
    int64_t ms = sqlite3_value_int64(arg[0]);
    (void)n;
    if (ms != c->ms) {
        c->ms = ms;
        c->start = period_start(&c->period, ms);
    }
    sqlite3_result_int64(ctx, c->start);
}

static enum fl_err add_period(struct report *r, const struct filter *f, struct fl_why *why)
{
    struct period_cache *c = calloc(1, sizeof *c);
    if (!c)
        return fl_fail(why, FL_NOMEM, "out of memory");
    c->period = f->period;
    c->ms = INT64_MIN;
    /* SQLite frees c when another takes the name, when the database is closed, and when this fails */
    if (sqlite3_create_function_v2(r->reader.db, "period", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, c, period_of,
                                   NULL, NULL, free) != SQLITE_OK)
        return db_fail(r->reader.db, why, "cannot add a function");
    return FL_OK;
}

/* Only what is asked: each condition costs time on every cell. */
static void where(const struct filter *f, struct fl_buf *out)
{
    const struct {
        bool asked;
        const char *sql;
    } row[] = {
        {f->from_ms != INT64_MIN && !f->split, "t.half >= :from"}, /* where it is split, the sources have the times */
        {f->to_ms != INT64_MAX / 2 && !f->split, "t.half < :to"},
        {f->has_lot, "t.lot = :lot"},
        {f->has_slot, "t.slot IN (SELECT id FROM slot WHERE slot = :slot)"},
        {f->product != NULL, "t.lot IN (SELECT id FROM lot WHERE product = :product)"},
        {f->bridge != NULL, "t.model IN (SELECT id FROM bridge_model WHERE usb_id = :bridge)"},
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (row[i].asked)
            fl_buf_addf(out, "%s%s", n++ ? " AND " : "", row[i].sql);
    if (n == 0)
        fl_buf_adds(out, "1");
}

/* The cells to add up. `whole`: the group does not divide them, so whole days will do. */
static void source(const struct filter *f, enum cut_table table, bool whole, const char *sql, struct fl_buf *out)
{
    static const char *const halves[] = {[CUT_TALLY] = "tally t", [CUT_STEP] = "tally_step t", [CUT_FAULT] = "tally_fault t"};
    static const char *const days[] = {[CUT_TALLY] = "tally_day t", [CUT_STEP] = "tally_step_day t", [CUT_FAULT] = "tally_fault t"};
    if (f->split)
        cut_source(f, table, whole, sql, out);
    else
        fl_buf_adds(out, whole ? days[table] : halves[table]);
}

static void key(const struct filter *f, struct fl_buf *out)
{
    if (filter_by_time(f))
        fl_buf_addf(out, "period(%s)", f->split ? "t.at" : "t.half * 1800000");
    else
        fl_buf_adds(out, groups[f->group].key);
}

/* By the index of the half hours, not through all of them. */
static void first_half(const struct filter *f, struct fl_buf *out)
{
    fl_buf_addf(out, "(SELECT min(x) FROM (SELECT * FROM (SELECT t.half AS x FROM tally t WHERE %s",
                f->split ? "t.half >= :from AND t.half < :to AND " : "");
    where(f, out);
    fl_buf_adds(out, " ORDER BY t.half LIMIT 1)");
    if (f->ends) {
        fl_buf_adds(out, " UNION ALL SELECT min(t.half) FROM temp.cut t WHERE ");
        where(f, out);
    }
    fl_buf_adds(out, "))");
}

static void expand_word(const struct filter *f, const char *name, const char *sql, struct fl_buf *out)
{
    bool utc = !f->period.zone.local && f->period.zone.offset_min == 0, by_day = f->group == GROUP_DAY && utc;
    if (strcmp(name, "key") == 0)
        key(f, out);
    else if (strcmp(name, "label") == 0)
        fl_buf_adds(out, groups[f->group].label);
    else if (strcmp(name, "where") == 0)
        where(f, out);
    else if (strcmp(name, "at") == 0)
        fl_buf_adds(out, f->split ? "t.at" : "t.half * 1800000");
    else if (strcmp(name, "first") == 0)
        first_half(f, out);
    else if (strcmp(name, "cells") == 0)
        source(f, CUT_TALLY, !filter_by_time(f) || by_day, sql, out);
    else if (strcmp(name, "tally") == 0 || strcmp(name, "halves") == 0)
        source(f, CUT_TALLY, *name == 't', sql, out);
    else if (strcmp(name, "step") == 0 || strcmp(name, "step_halves") == 0)
        source(f, CUT_STEP, !name[4], sql, out);
    else if (strcmp(name, "faults") == 0)
        source(f, CUT_FAULT, false, sql, out);
    else if (strcmp(name, "pieces") == 0)
        fl_buf_adds(out, f->split ? "temp.cut t" : "(SELECT half, 0 AS at, 0 AS lost, slot, lot, model, profile FROM tally WHERE 0) t");
    else if (strcmp(name, "units") == 0) /* units by lot have an index; all others are walked from the newest until there are enough */
        fl_buf_adds(out, f->has_lot ? "unit_lot u CROSS JOIN attempt f ON f.leaf = u.first_leaf AND u.lot = :lot"
                                    : "attempt f INDEXED BY attempt_start CROSS JOIN unit_lot u ON u.unit = f.unit AND u.lot = f.lot "
                                      "AND u.first_leaf = f.leaf");
}

static void expand(const struct filter *f, const char *sql, struct fl_buf *out)
{
    char name[16];
    for (const char *p = sql; *p; p++) {
        size_t n = *p == '{' ? strcspn(p + 1, "}") : 0;
        if (n == 0 || n >= sizeof name) {
            fl_buf_addc(out, *p);
            continue;
        }
        memcpy(name, p + 1, n);
        name[n] = 0;
        expand_word(f, name, sql, out);
        p += n + 1;
    }
}

static void bind_int(sqlite3_stmt *s, const char *name, bool there, int64_t v)
{
    int at = sqlite3_bind_parameter_index(s, name);
    if (at && there)
        (void)sqlite3_bind_int64(s, at, v);
}

static void bind_text(sqlite3_stmt *s, const char *name, const char *v)
{
    int at = sqlite3_bind_parameter_index(s, name);
    if (at && v)
        (void)sqlite3_bind_text(s, at, v, -1, SQLITE_STATIC);
}

enum fl_err filter_prepare(struct report *r, const struct filter *f, const char *sql, sqlite3_stmt **out, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(20000);
    *out = NULL;
    expand(f, sql, &b);
    enum fl_err err = fl_buf_err(&b, why);
    if (!err && f->split)
        err = cut_fill(r, f, fl_buf_text(&b), why);
    if (!err && filter_by_time(f) && strstr(fl_buf_text(&b), "period("))
        err = add_period(r, f, why);
    if (!err)
        err = db_prepare(r->reader.db, fl_buf_text(&b), out, why);
    fl_buf_fini(&b);
    if (err)
        return err;
    bind_int(*out, ":from", true, cut_first_whole(f));
    bind_int(*out, ":to", true, f->to_ms / PERIOD_HALF_MS);
    bind_int(*out, ":from_ms", true, f->from_ms);
    bind_int(*out, ":to_ms", true, f->to_ms);
    bind_int(*out, ":lot", f->has_lot, f->lot);
    bind_int(*out, ":slot", f->has_slot, f->slot);
    bind_int(*out, ":limit", true, f->limit ? (int64_t)f->limit : -1);
    bind_text(*out, ":product", f->product);
    bind_text(*out, ":bridge", f->bridge);
    return FL_OK;
}

const char *filter_label(const struct filter *f, sqlite3_stmt *s, int column, char room[static PERIOD_TEXT])
{
    if (!filter_by_time(f))
        return query_text(s, column);
    period_text(&f->period, sqlite3_column_int64(s, column), room);
    return room;
}
