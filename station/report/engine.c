/* SPDX-License-Identifier: Apache-2.0 */
#include "report/engine.h"

#include "base/clock.h"
#include "event/fault.h"
#include "report/cut.h"
#include "report/stat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORSE_ALPHA 0.05

/* ---- rows as the query gives them --------------------------------------------------------------------- */

struct raw {
    bool there;
    int64_t i;
    double v;
    char *text; /* owned, may be NULL */
};
struct rows {
    struct raw *at;
    size_t n, cap, columns;
    double *p; /* of CELL_WORSE, a row each */
};

static void rows_free(struct rows *r)
{
    for (size_t i = 0; i < r->n * r->columns; i++)
        free(r->at[i].text);
    free(r->at);
    free(r->p);
}

static const struct raw *raw_at(const struct rows *r, size_t row, int column)
{
    return &r->at[row * r->columns + (size_t)column];
}

static enum fl_err add_row(const struct filter *f, sqlite3_stmt *s, bool label, struct rows *r)
{
    char room[PERIOD_TEXT];
    if (r->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 32;
        struct raw *at = realloc(r->at, cap * r->columns * sizeof *at);
        if (!at)
            return FL_NOMEM;
        r->at = at;
        r->cap = cap;
    }
    for (size_t c = 0; c < r->columns; c++) {
        struct raw *v = &r->at[r->n * r->columns + c];
        int type = sqlite3_column_type(s, (int)c);
        *v = (struct raw){.there = type != SQLITE_NULL, .i = sqlite3_column_int64(s, (int)c), .v = sqlite3_column_double(s, (int)c)};
        const char *text = label && c == 0 ? filter_label(f, s, 0, room) : type == SQLITE_TEXT ? query_text(s, (int)c) : NULL;
        v->text = text ? strdup(text) : NULL;
    }
    r->n++;
    return FL_OK;
}

static enum fl_err read_rows(struct report *r, const struct filter *f, const struct engine_part *p, struct rows *out, struct fl_why *why)
{
    sqlite3_stmt *s;
    int rc = SQLITE_DONE;
    enum fl_err err = filter_prepare(r, f, p->sql, &s, why);
    if (err)
        return err;
    out->columns = (size_t)sqlite3_column_count(s);
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW)
        if (add_row(f, s, p->columns[0].kind == CELL_LABEL, out))
            err = fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && rc != SQLITE_DONE)
        err = db_fail(r->reader.db, why, "cannot read");
    (void)sqlite3_finalize(s);
    return err;
}

/* ---- cells -------------------------------------------------------------------------------------------- */

static int64_t sum_of(const struct rows *r, size_t n, int column)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += raw_at(r, i, column)->i;
    return sum;
}

/* Each row against all others. */
static bool work_out_worse(struct rows *r, const struct engine_part *p)
{
    const struct engine_column *c = NULL;
    for (size_t i = 0; i < p->n_columns; i++)
        if (p->columns[i].kind == CELL_WORSE_P)
            c = &p->columns[i];
    if (!c || !r->n)
        return true;
    r->p = malloc(r->n * sizeof *r->p);
    if (!r->p)
        return false;
    int64_t hits = sum_of(r, r->n, c->a), all = sum_of(r, r->n, c->b);
    for (size_t i = 0; i < r->n; i++) {
        int64_t a = raw_at(r, i, c->a)->i, n = raw_at(r, i, c->b)->i;
        r->p[i] = n && n < all ? stat_fisher_more(a, n, hits - a, all - n) : 1;
    }
    stat_holm(r->p, r->n);
    return true;
}

static void put_cell(struct table *t, const struct filter *f, const struct rows *r, size_t row, const struct engine_column *c)
{
    const struct raw *a = raw_at(r, row, c->a), *b = raw_at(r, row, c->b);
    const struct fault *fault = (c->kind == CELL_WHAT || c->kind == CELL_WHO) && a->text ? fault_find(a->text) : NULL;
    char room[PERIOD_TEXT];
    switch (c->kind) {
    case CELL_LABEL:
        if (f->group == GROUP_SLOT) { /* a number as in every other report: programs join them by it */
            table_int(t, a->i);
            return;
        }
        /* fall through */
    case CELL_TEXT: table_text(t, a->text); return;
    case CELL_INT: a->there ? table_int(t, a->i) : table_none(t); return;
    case CELL_REAL: a->there ? table_real(t, a->v * c->scale, c->decimals) : table_none(t); return;
    case CELL_RATIO: table_ratio(t, a->i, b->i); return;
    case CELL_LOW: b->i ? table_share(t, stat_wilson(a->i, b->i).low) : table_none(t); return;
    case CELL_HIGH: b->i ? table_share(t, stat_wilson(a->i, b->i).high) : table_none(t); return;
    case CELL_MEAN: b->i ? table_real(t, a->v / b->v * c->scale, c->decimals) : table_none(t); return;
    case CELL_SHARE: table_ratio(t, a->i, sum_of(r, r->n, c->a)); return;
    case CELL_CUMULATIVE: table_ratio(t, sum_of(r, row + 1, c->a), sum_of(r, r->n, c->a)); return;
    case CELL_WHAT: table_text(t, fault ? fault->what : NULL); return;
    case CELL_WHO: table_text(t, fault ? fault->who : NULL); return;
    case CELL_WORSE_P: r->p && r->p[row] < 1 ? table_real(t, r->p[row], 4) : table_none(t); return;
    case CELL_WORSE: table_text(t, r->p && r->p[row] <= WORSE_ALPHA ? "worse" : NULL); return;
    case CELL_TIME:
        if (a->there)
            zone_text(&f->period.zone, a->i, room);
        table_text(t, a->there ? room : NULL);
        return;
    }
}

enum fl_err engine_part(struct report *r, const struct filter *f, const struct engine_part *p, struct sheet *s, struct fl_why *why)
{
    struct table_column columns[TABLE_COLUMNS_MAX];
    struct rows rows = {.at = NULL};
    enum fl_err err = read_rows(r, f, p, &rows, why);
    if (!err && !work_out_worse(&rows, p))
        err = fl_fail(why, FL_NOMEM, "out of memory");
    for (size_t c = 0; c < p->n_columns && !err; c++) {
        const struct engine_column *e = &p->columns[c];
        columns[c] = (struct table_column){e->name ? e->name : group_name(f->group), e->name ? e->title : group_name(f->group),
                                           e->kind == CELL_LABEL && f->group == GROUP_SLOT ? TABLE_INT : e->type};
    }
    struct table *t = err ? NULL : table_new(columns, p->n_columns);
    for (size_t row = 0; t && row < rows.n; row++) {
        for (size_t c = 0; c < p->n_columns; c++)
            put_cell(t, f, &rows, row, &p->columns[c]);
        table_end(t);
    }
    if (!err)
        sheet_part(s, &(struct sheet_part){p->name, p->title, p->note, t, p->chart});
    rows_free(&rows);
    return err;
}

/* ---- a whole report -------------------------------------------------------------------------------------- */

struct about {
    char station[64], origin[128];
};

static enum fl_err station_row(void *ctx, sqlite3_stmt *s)
{
    struct about *a = ctx;
    (void)snprintf(a->station, sizeof a->station, "%s", query_text(s, 0));
    (void)snprintf(a->origin, sizeof a->origin, "%s", query_text(s, 1));
    return FL_OK;
}

/* "station line-3-a, lot L-1, ..., made 2026-11-22 14:03 UTC" */
static enum fl_err say_about(struct report *r, const struct filter *f, const struct report_query *q, struct sheet *s, struct fl_why *why)
{
    struct about a = {"", ""};
    char made[PERIOD_TEXT], zone[8];
    enum fl_err err = query_each(r, "SELECT name, origin FROM station", station_row, &a, why);
    if (err)
        return err;
    zone_text(&f->period.zone, q->now_ms ? q->now_ms : fl_wall_ms(), made);
    if (asprintf(&s->about, "station %s, %s; made %s %s", a.station, f->words, made, zone_name(&f->period.zone, zone)) < 0)
        s->about = NULL;
    sheet_fact(s, "station", json_string(a.station), NULL, "%s", "");
    sheet_fact(s, "log", json_string(a.origin), NULL, "%s", "");
    sheet_fact(s, "about", json_string(f->words), NULL, "%s", "");
    sheet_fact(s, "zone", json_string(zone_name(&f->period.zone, zone)), NULL, "%s", "");
    return FL_OK;
}

static const struct report_spec *report_find(const char *name)
{
    for (size_t i = 0; report_specs[i].name; i++)
        if (strcmp(report_specs[i].name, name) == 0)
            return &report_specs[i];
    return NULL;
}

const char *report_spec_line(size_t i, const char **name)
{
    *name = report_specs[i].name;
    return report_specs[i].name ? report_specs[i].line : NULL;
}

static bool asks_for_cycles(const struct report_spec *spec)
{
    for (size_t i = 0; i < SHEET_PARTS_MAX && spec->parts[i]; i++)
        if (strstr(spec->parts[i]->sql, CUT_CYCLES))
            return true;
    return false;
}

enum fl_err report_run(struct report *r, const char *name, const struct report_query *q, struct sheet *out, struct fl_why *why)
{
    struct filter *f = malloc(sizeof *f);
    const struct report_spec *spec = report_find(name);
    sheet_init(out, name, spec ? spec->title : "");
    enum fl_err err = !f ? fl_fail(why, FL_NOMEM, "out of memory") : FL_OK;
    if (!err && !spec)
        err = fl_fail(why, FL_ARG, "there is no report '%.40s'", name);
    if (!err && spec->fixed && q->group_by)
        err = fl_fail(why, FL_ARG, "the report %s cannot be grouped", name);
    if (!err)
        err = filter_make(r, q, spec->group, f, why);
    if (!err)
        f->cycles = asks_for_cycles(spec);
    if (!err)
        err = say_about(r, f, q, out, why);
    if (!err)
        err = facts_check(r, f, why);
    if (!err && spec->facts)
        err = spec->facts(r, f, out, why);
    for (size_t i = 0; !err && i < SHEET_PARTS_MAX && spec->parts[i]; i++)
        err = engine_part(r, f, spec->parts[i], out, why);
    if (!err && out->bad)
        err = fl_fail(why, FL_NOMEM, "out of memory");
    free(f);
    if (err)
        sheet_fini(out);
    return err;
}
