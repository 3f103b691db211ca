/* SPDX-License-Identifier: Apache-2.0 */
#include "report/cut_steps.h"

#include "report/query.h"
#include "rows/steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_NUMBERS = 5, STEPS_MAX = 64, NAME_MAX = 64 };

struct step_sums {
    int64_t id, attempts, ms, pass_ms, firsts, first_passed;
};
struct cut_steps {
    struct steps *steps;
    sqlite3_stmt *find, *add;
    int64_t at, lost, cell[CELL_NUMBERS];
    struct step_sums sums[STEPS_MAX];
    size_t n;
    struct {
        char name[NAME_MAX];
        int64_t id;
    } known[STEPS_MAX];
    size_t n_known;
};
/* The columns of the query behind it. */
enum { S_LEAF, S_CELL, S_PASS = S_CELL + CELL_NUMBERS, S_FIRST, S_STEP };
const char cut_steps_sql[] =
    "SELECT a.leaf, c.half, c.slot, c.lot, c.model, c.profile, a.outcome = 0, a.number IS 1, w.text "
    "FROM attempt a INDEXED BY attempt_start CROSS JOIN attempt_cell c ON c.leaf = a.leaf LEFT JOIN word w ON w.id = a.step "
    "WHERE a.start_ms >= ?1 AND a.start_ms < ?2 AND a.purpose IS NULL ORDER BY c.slot, c.lot, c.model, c.profile";

/* *id 0: the table has no such step. */
static enum fl_err step_id(struct cut_steps *f, const char *name, int64_t *id, struct fl_why *why)
{
    for (size_t i = 0; i < f->n_known; i++)
        if (strcmp(f->known[i].name, name) == 0) {
            *id = f->known[i].id;
            return FL_OK;
        }
    (void)sqlite3_bind_text(f->find, 1, name, -1, SQLITE_STATIC);
    int rc = sqlite3_step(f->find);
    *id = rc == SQLITE_ROW ? sqlite3_column_int64(f->find, 0) : 0;
    enum fl_err err = rc == SQLITE_ROW || rc == SQLITE_DONE ? FL_OK : db_fail(sqlite3_db_handle(f->find), why, "cannot read");
    (void)sqlite3_reset(f->find);
    if (!err && f->n_known < STEPS_MAX && strlen(name) < NAME_MAX) {
        (void)strcpy(f->known[f->n_known].name, name);
        f->known[f->n_known++].id = *id;
    }
    return err;
}

static enum fl_err flush_steps(struct cut_steps *f, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < f->n && !err; i++) {
        const struct step_sums *s = &f->sums[i];
        const int64_t v[] = {f->at, f->lost, f->cell[0], f->cell[1], f->cell[2], f->cell[3], f->cell[4], s->id, s->attempts, s->ms, s->pass_ms,
                             s->firsts, s->first_passed};
        for (size_t k = 0; k < sizeof v / sizeof *v; k++)
            (void)sqlite3_bind_int64(f->add, (int)k + 1, v[k]);
        err = db_run(f->add, why);
    }
    f->n = 0;
    return err;
}

static enum fl_err sums_of(struct cut_steps *f, int64_t id, struct step_sums **out, struct fl_why *why)
{
    size_t i = 0;
    enum fl_err err = FL_OK;
    while (i < f->n && f->sums[i].id != id)
        i++;
    if (i == STEPS_MAX) { /* a cell may be told in several rows */
        err = flush_steps(f, why);
        i = 0;
    }
    if (i == f->n)
        f->sums[f->n++] = (struct step_sums){.id = id};
    *out = &f->sums[i];
    return err;
}

static enum fl_err add_steps(struct cut_steps *f, sqlite3_stmt *s, struct fl_why *why)
{
    const struct step_told *told;
    size_t n;
    bool pass = sqlite3_column_int(s, S_PASS), first = sqlite3_column_int(s, S_FIRST);
    const char *last = query_text(s, S_STEP);
    enum fl_err err = steps_of(f->steps, sqlite3_column_int64(s, S_LEAF), &told, &n, why);
    for (size_t i = 0; i < n && !err; i++) {
        struct step_sums *sums;
        int64_t id = 0;
        if (told[i].name)
            err = step_id(f, told[i].name, &id, why);
        if (!err && id)
            err = sums_of(f, id, &sums, why);
        if (err || !id)
            continue;
        sums->attempts++;
        sums->ms += told[i].ms;
        sums->pass_ms += pass ? told[i].ms : 0;
        sums->firsts += first;
        sums->first_passed += first && told[i].rungs == 0 && (pass || !last || strcmp(last, told[i].name) != 0);
    }
    return err;
}

enum fl_err cut_steps_fill(struct cut_steps *f, sqlite3_stmt *s, int64_t at, int64_t lost, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    int rc = SQLITE_DONE;
    f->at = at;
    f->lost = lost;
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        bool same = true;
        for (int i = 0; i < CELL_NUMBERS; i++)
            same = same && f->cell[i] == sqlite3_column_int64(s, S_CELL + i);
        if (!same)
            err = flush_steps(f, why);
        for (int i = 0; i < CELL_NUMBERS && !same; i++)
            f->cell[i] = sqlite3_column_int64(s, S_CELL + i);
        if (!err)
            err = add_steps(f, s, why);
    }
    if (!err)
        err = rc == SQLITE_DONE ? flush_steps(f, why) : db_fail(sqlite3_db_handle(s), why, "cannot read");
    (void)sqlite3_reset(s);
    return err;
}

enum fl_err cut_steps_open(sqlite3 *db, const char *table, struct cut_steps **out, struct fl_why *why)
{
    char sql[160];
    struct cut_steps *f = calloc(1, sizeof *f);
    *out = NULL;
    if (!f)
        return fl_fail(why, FL_NOMEM, "out of memory");
    (void)snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)", table);
    enum fl_err err = steps_new(db, &f->steps, why);
    if (!err)
        err = db_prepare(db, "SELECT id FROM step WHERE name = ?1", &f->find, why);
    if (!err)
        err = db_prepare(db, sql, &f->add, why);
    if (err)
        cut_steps_close(f);
    else
        *out = f;
    return err;
}

void cut_steps_close(struct cut_steps *f)
{
    if (!f)
        return;
    (void)sqlite3_finalize(f->find);
    (void)sqlite3_finalize(f->add);
    steps_free(f->steps);
    free(f);
}
