/* SPDX-License-Identifier: Apache-2.0 */
#include "report/cut.h"

#include "report/cut_steps.h"
#include "report/cut_tally.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define CELL "half, slot, lot, model, profile, "
#define SUMS                                                                                                      \
    CELL "attempts, pass, fail, error, aborted, interrupted, nameless, retests, with_rungs, busy_ms, retest_ms, pass_ms, " \
         "cycles, cycle_ms, handlings, handling_ms, last_ms, units, passed_1, passed_2, passed_3, passed, retested, recovered, " \
         "same_slot, same_passed, other_slot, other_passed"

static const struct {
    const char *table, *days, *view, *sums; /* days NULL: not kept by days */
} tables[] = {[CUT_TALLY] = {"tally", "tally_day", "attempt_tally", SUMS},
              [CUT_FAULT] = {"tally_fault", NULL, "attempt_tally_fault", CELL "fault, step, attempts, units"},
              [CUT_STEP] = {"tally_step", "tally_step_day", "attempt_tally_step", CELL "step, attempts, ms, pass_ms, firsts, first_passed"}};

/* The temporary tables: of all pieces, and where there are holes of those at the ends alone. */
static const struct temp {
    const char *name;
    enum cut_table of;
    bool ends;
} temps[] = {{"temp.cut", CUT_TALLY, false}, {"temp.cut_fault", CUT_FAULT, false}, {"temp.cut_step", CUT_STEP, false},
             {"temp.cut_ends", CUT_TALLY, true}, {"temp.cut_fault_ends", CUT_FAULT, true}, {"temp.cut_step_ends", CUT_STEP, true}};
enum { TEMPS = sizeof temps / sizeof *temps };

static const int64_t half_ms = PERIOD_HALF_MS;

/* ---- pieces -------------------------------------------------------------------------------------------- */

struct cutter {
    struct filter *f;
    sqlite3_stmt *add, *next;
};

int64_t cut_first_whole(const struct filter *f)
{
    return f->from_ms == INT64_MIN ? INT64_MIN : (f->from_ms + half_ms - 1) / half_ms;
}

static bool on_days(int64_t ms)
{
    return ms == INT64_MIN || ms == INT64_MAX / 2 || ms % (48 * half_ms) == 0;
}

static bool starts_within(const struct filter *f)
{
    return f->from_ms != INT64_MIN && f->from_ms % half_ms != 0;
}

static bool ends_within(const struct filter *f)
{
    return f->to_ms != INT64_MAX / 2 && f->to_ms % half_ms != 0;
}

static enum fl_err add_piece(struct cutter *c, bool ends, int64_t half, int64_t at, int64_t to, struct fl_why *why)
{
    const int64_t v[] = {ends, half, at, to, half_ms - (to - at)};
    for (int i = 0; i < 5; i++)
        (void)sqlite3_bind_int64(c->add, i + 1, v[i]);
    return db_run(c->add, why);
}

/* What of this half hour is asked, in pieces with a border between them: zones and shifts have theirs on minutes, and groups that are
 * not times have none. A half hour that is whole is no piece. */
static enum fl_err cut_half(struct cutter *c, int64_t half, bool ends, struct fl_why *why)
{
    const struct filter *f = c->f;
    int64_t begin = half * half_ms, end = begin + half_ms, at = begin > f->from_ms ? begin : f->from_ms, to = end < f->to_ms ? end : f->to_ms;
    enum fl_err err = FL_OK;
    bool cut = at != begin || to != end;
    for (int64_t t = begin + 60000; !ends && filter_by_time(f) && t < to && !err; t += 60000) {
        if (t <= at || period_start(&f->period, t) == period_start(&f->period, at))
            continue;
        err = add_piece(c, false, half, at, t, why);
        at = t;
        cut = c->f->holes = true;
    }
    return err || !cut ? err : add_piece(c, ends, half, at, to, why);
}

static enum fl_err cut_ends(struct cutter *c, bool ends, struct fl_why *why)
{
    int64_t first = c->f->from_ms / half_ms, last = c->f->to_ms / half_ms;
    bool head = starts_within(c->f), tail = ends_within(c->f) && !(head && first == last);
    enum fl_err err = head ? cut_half(c, first, ends, why) : FL_OK;
    return err || !tail ? err : cut_half(c, last, ends, why);
}

/* Every half hour in which something began: an index gives the next one. */
static enum fl_err cut_all(struct cutter *c, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    for (int64_t half = c->f->from_ms == INT64_MIN ? INT64_MIN : c->f->from_ms / half_ms; !err; half++) {
        (void)sqlite3_bind_int64(c->next, 1, half);
        int rc = sqlite3_step(c->next);
        bool more = rc == SQLITE_ROW && sqlite3_column_type(c->next, 0) == SQLITE_INTEGER;
        half = more ? sqlite3_column_int64(c->next, 0) : half;
        (void)sqlite3_reset(c->next);
        if (rc != SQLITE_ROW)
            return db_fail(sqlite3_db_handle(c->next), why, "cannot read");
        if (!more || half * half_ms >= c->f->to_ms)
            return FL_OK;
        if (period_start(&c->f->period, half * half_ms) != period_start(&c->f->period, (half + 1) * half_ms - 1) ||
            half * half_ms < c->f->from_ms || (half + 1) * half_ms > c->f->to_ms)
            err = cut_half(c, half, false, why);
    }
    return err;
}

/* Can a period begin within a half hour? */
static bool may_divide(const struct filter *f)
{
    bool odd = f->period.zone.local || f->period.zone.offset_min % 30 != 0;
    for (int i = 0; i < f->period.shifts && f->period.kind == PERIOD_SHIFT; i++)
        odd = odd || f->period.shift_min[i] % 30 != 0;
    return odd && filter_by_time(f);
}

/* Tables of another question are none of this one's. */
static enum fl_err forget(struct report *r, struct fl_why *why)
{
    char sql[80];
    enum fl_err err = db_exec(r->reader.db, "DROP TABLE IF EXISTS temp.piece; "
                              "CREATE TEMP TABLE piece (ends INTEGER, half INTEGER, at INTEGER, until INTEGER, lost INTEGER)", why);
    for (size_t i = 0; i < TEMPS && !err; i++) {
        (void)snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS %s", temps[i].name);
        err = db_exec(r->reader.db, sql, why);
    }
    return err;
}

enum fl_err cut_make(struct report *r, struct filter *f, struct fl_why *why)
{
    struct cutter c = {.f = f};
    f->ends = starts_within(f) || ends_within(f);
    f->holes = false;
    enum fl_err err = forget(r, why);
    f->split = !on_days(f->from_ms) || !on_days(f->to_ms);
    if (err || (!f->ends && !may_divide(f)))
        return err;
    err = db_prepare(r->reader.db, "INSERT INTO temp.piece VALUES (?1, ?2, ?3, ?4, ?5)", &c.add, why);
    if (!err)
        err = db_prepare(r->reader.db, "SELECT min(half) FROM tally WHERE half >= ?1", &c.next, why);
    if (!err)
        err = may_divide(f) ? cut_all(&c, why) : cut_ends(&c, false, why);
    if (!err && f->holes)
        err = cut_ends(&c, true, why);
    f->split = f->split || f->holes;
    (void)sqlite3_finalize(c.add);
    (void)sqlite3_finalize(c.next);
    return err;
}

/* ---- as SQL -------------------------------------------------------------------------------------------- */

static bool word_at(const char *p, const char *word, size_t n)
{
    return strncmp(p, word, n) == 0 && p[n] != '_' && !isalnum((unsigned char)p[n]);
}

/* Does the statement have this word behind `head`, and not one that goes on? */
static bool names(const char *sql, const char *head, const char *word, size_t n)
{
    for (const char *p = sql; (p = strstr(p, head)); p++)
        if (word_at(p + strlen(head), word, n))
            return true;
    return false;
}

/* Only sums that the statement asks for: SQLite reads all that such a subquery names, for every cell. */
static void columns(enum cut_table table, const char *sql, struct fl_buf *out)
{
    fl_buf_addf(out, "%.*s", (int)sizeof CELL - 3, CELL); /* without the comma */
    for (const char *p = tables[table].sums + sizeof CELL - 1; *p; p += strspn(p, ", ")) {
        size_t n = strcspn(p, ",");
        if (names(sql, "t.", p, n))
            fl_buf_addf(out, ", %.*s", (int)n, p);
        p += n;
    }
}

struct source {
    const char *sql; /* that asks */
    struct fl_buf *out;
    enum cut_table table;
    bool begun;
};

/* Rows of `from`, a tally or a table of pieces; those of half hours in [lo, hi) where it is a tally. */
static void take(struct source *s, const char *from, bool pieces, int64_t lo, int64_t hi)
{
    fl_buf_addf(s->out, "%sSELECT %s AS at, ", s->begun ? " UNION ALL " : "", pieces ? "at" : "half * 1800000");
    columns(s->table, s->sql, s->out);
    fl_buf_addf(s->out, " FROM %s", from);
    if (!pieces)
        fl_buf_addf(s->out, " WHERE half >= %lld AND half < %lld", (long long)lo, (long long)hi);
    s->begun = true;
}

void cut_source(const struct filter *f, enum cut_table table, bool whole, const char *sql, struct fl_buf *out)
{
    struct source s = {sql, out, table, false};
    int64_t lo = cut_first_whole(f), hi = f->to_ms / half_ms, day_lo = lo == INT64_MIN ? lo : (lo + 47) / 48 * 48,
            day_hi = f->to_ms == INT64_MAX / 2 ? hi : hi / 48 * 48;
    bool ends = whole && f->holes, days = whole && tables[table].days && day_lo < day_hi;
    fl_buf_addc(out, '(');
    if (days)
        take(&s, tables[table].days, false, day_lo, day_hi);
    if (!days || lo < day_lo)
        take(&s, tables[table].table, false, lo, days ? day_lo : hi);
    if (f->holes && !whole)
        fl_buf_adds(out, " AND half NOT IN (SELECT half FROM temp.piece)");
    if (days && day_hi < hi)
        take(&s, tables[table].table, false, day_hi, hi);
    for (size_t i = 0; i < TEMPS; i++)
        if (temps[i].of == table && temps[i].ends == ends && (f->ends || (f->holes && !whole)))
            take(&s, temps[i].name, true, 0, 0);
    fl_buf_adds(out, ") t");
}

/* ---- filled -------------------------------------------------------------------------------------------- */

/* Who fills: of faults, which are few, one statement for each piece (?1 at, ?2 until, ?3 lost); of the others what reads the attempts. */
struct filler {
    enum cut_table of;
    sqlite3_stmt *piece;
    struct cut_tally *tally;
    struct cut_steps *steps;
};

static enum fl_err filler_open(struct report *r, const struct temp *t, bool cycles, struct filler *f, struct fl_why *why)
{
    char *faults = sqlite3_mprintf("INSERT INTO %s SELECT ?1, ?3, %s FROM %s WHERE start_ms >= ?1 AND start_ms < ?2", t->name, tables[t->of].sums,
                                   tables[t->of].view);
    const char *const sql[] = {[CUT_TALLY] = cut_tally_sql(cycles), [CUT_FAULT] = faults, [CUT_STEP] = cut_steps_sql};
    *f = (struct filler){.of = t->of};
    enum fl_err err = faults ? db_prepare(r->reader.db, sql[t->of], &f->piece, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && t->of == CUT_TALLY)
        err = cut_tally_open(r->reader.db, t->name, &f->tally, why);
    if (!err && t->of == CUT_STEP)
        err = cut_steps_open(r->reader.db, t->name, &f->steps, why);
    sqlite3_free(faults);
    return err;
}

static void filler_close(struct filler *f)
{
    (void)sqlite3_finalize(f->piece);
    cut_tally_close(f->tally);
    cut_steps_close(f->steps);
}

static enum fl_err fill_piece(struct filler *f, int64_t at, int64_t until, int64_t lost, struct fl_why *why)
{
    const int64_t v[] = {at, until, lost};
    for (int i = 0; i < sqlite3_bind_parameter_count(f->piece); i++)
        (void)sqlite3_bind_int64(f->piece, i + 1, v[i]);
    switch (f->of) {
    case CUT_TALLY: return cut_tally_fill(f->tally, f->piece, at, lost, why);
    case CUT_STEP: return cut_steps_fill(f->steps, f->piece, at, lost, why);
    case CUT_FAULT: break;
    }
    return db_run(f->piece, why);
}

static enum fl_err fill_pieces(struct report *r, bool ends, struct filler *f, struct fl_why *why)
{
    sqlite3_stmt *list;
    int rc = SQLITE_DONE;
    enum fl_err err = db_prepare(r->reader.db, "SELECT at, until, lost FROM temp.piece WHERE ends = ?1", &list, why);
    if (err)
        return err;
    (void)sqlite3_bind_int(list, 1, ends);
    while (!err && (rc = sqlite3_step(list)) == SQLITE_ROW)
        err = fill_piece(f, sqlite3_column_int64(list, 0), sqlite3_column_int64(list, 1), sqlite3_column_int64(list, 2), why);
    if (!err && rc != SQLITE_DONE)
        err = db_fail(r->reader.db, why, "cannot read");
    (void)sqlite3_finalize(list);
    return err;
}

static enum fl_err fill(struct report *r, const struct temp *t, bool cycles, struct fl_why *why)
{
    struct filler f = {.piece = NULL};
    char *make = sqlite3_mprintf("CREATE TABLE %s AS SELECT 0 AS at, 0 AS lost, %s FROM %s WHERE 0", t->name, tables[t->of].sums, tables[t->of].table);
    enum fl_err err = make ? db_exec(r->reader.db, make, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = filler_open(r, t, cycles, &f, why);
    if (!err)
        err = fill_pieces(r, t->ends, &f, why);
    filler_close(&f);
    sqlite3_free(make);
    return err;
}

enum fl_err cut_fill(struct report *r, const struct filter *f, const char *sql, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    if (!f->cycles && strstr(sql, CUT_CYCLES)) /* a mistake in the table of reports: what was not looked up is no 0 */
        return fl_fail(why, FL_STATE, "the report did not say that it asks for cycles");
    for (size_t i = 0; i < TEMPS && !err; i++) {
        char there[120];
        int64_t n = 0;
        if (!names(sql, "FROM ", temps[i].name, strlen(temps[i].name)))
            continue;
        (void)snprintf(there, sizeof there, "SELECT count(*) FROM temp.sqlite_schema WHERE 'temp.' || name = '%s'", temps[i].name);
        err = db_int(r->reader.db, there, 0, &n, why);
        if (!err && n == 0)
            err = fill(r, &temps[i], f->cycles, why);
    }
    return err;
}
