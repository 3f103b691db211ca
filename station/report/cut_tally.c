/* SPDX-License-Identifier: Apache-2.0 */
#include "report/cut_tally.h"

#include "event/fault.h"
#include "report/period.h"

#include <stdlib.h>
#include <string.h>

/* The sums, in the order of table tally. */
enum {
    ATTEMPTS, PASS, FAIL, ERROR, ABORTED, INTERRUPTED, NAMELESS, RETESTS, WITH_RUNGS, BUSY_MS, RETEST_MS, PASS_MS, CYCLES, CYCLE_MS,
    HANDLINGS, HANDLING_MS, LAST_MS, UNITS, PASSED_1, PASSED_2, PASSED_3, PASSED, RETESTED, RECOVERED, SAME_SLOT, SAME_PASSED,
    OTHER_SLOT, OTHER_PASSED, SUMS
};
enum { HALF, SLOT, LOT, MODEL, PROFILE, CELL_NUMBERS };
enum { CELLS = 1024, CELLS_FULL = 768, MODELS = 64 };

struct cell {
    bool used;
    int64_t key[CELL_NUMBERS], sum[SUMS];
};
struct cut_tally {
    sqlite3_stmt *model, *second, *repaired, *add;
    int64_t at, lost;
    struct cell cells[CELLS]; /* found by their key, at the first free place behind its hash */
    size_t n;
    struct {
        int64_t bridge, model; /* bridge 0: none */
    } models[MODELS];
};

/* The attempt, the one before it in its slot (p), and its unit where it is the unit's first (u). */
enum {
    A_LEAF, A_START, A_SLOT, A_LOT, A_BRIDGE, A_PROFILE, A_OUTCOME, A_NUMBER, A_UNIT, A_MS, A_RUNGS, P_START, P_MS, P_UNIT, U_ATTEMPTS,
    U_PASSED_AT, U_FAIL_SLOT
};
#define ATTEMPT(before, join)                                                                                      \
    "SELECT a.leaf, a.start_ms, a.slot, a.lot, a.bridge, a.profile, a.outcome, a.number, a.unit, a.ms, a.rungs, " before ", "       \
    "u.attempts, u.passed_at, u.fail_slot FROM attempt a INDEXED BY attempt_start " join                          \
    "LEFT JOIN unit_lot u ON a.number = 1 AND u.unit = a.unit AND u.lot = a.lot "                                 \
    "WHERE a.start_ms >= ?1 AND a.start_ms < ?2 AND a.purpose IS NULL"
static const char alone_sql[] = ATTEMPT("NULL, NULL, NULL", "");
static const char cycles_sql[] = ATTEMPT("p.start_ms, p.ms, p.unit",
    "LEFT JOIN attempt p ON p.leaf = (SELECT q.leaf FROM attempt q WHERE q.slot = a.slot AND q.leaf < a.leaf ORDER BY q.leaf DESC LIMIT 1) ");
static const char model_sql[] = "SELECT m.id FROM bridge b JOIN bridge_model m ON m.usb_id = b.usb_id AND m.driver = b.driver WHERE b.id = ?1";
static const char second_sql[] = "SELECT slot FROM attempt WHERE unit = ?1 AND lot = ?2 AND number = 2";
static const char repaired_sql[] =
    "SELECT 1 FROM disposition WHERE unit = ?1 AND disposition = 'rework' AND leaf BETWEEN ?3 AND "
    "(SELECT leaf FROM attempt WHERE unit = ?1 AND lot = ?2 AND number = ?4)";

const char *cut_tally_sql(bool cycles)
{
    return cycles ? cycles_sql : alone_sql;
}

/* ---- looked up --------------------------------------------------------------------------------------------- */

/* The first column of the first row; `none` where there is no row. */
static enum fl_err ask(sqlite3_stmt *s, const int64_t *arg, int n, int64_t none, int64_t *out, struct fl_why *why)
{
    for (int i = 0; i < n; i++)
        (void)sqlite3_bind_int64(s, i + 1, arg[i]);
    int rc = sqlite3_step(s);
    *out = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : none;
    enum fl_err err = rc == SQLITE_ROW || rc == SQLITE_DONE ? FL_OK : db_fail(sqlite3_db_handle(s), why, "cannot read");
    (void)sqlite3_reset(s);
    return err;
}

/* Few bridges in a fixture, or one on each board: the last ones are kept. */
static enum fl_err model_of(struct cut_tally *f, int64_t bridge, int64_t *model, struct fl_why *why)
{
    size_t i = (size_t)bridge % MODELS;
    enum fl_err err = FL_OK;
    if (bridge && f->models[i].bridge != bridge) {
        err = ask(f->model, &bridge, 1, 0, &f->models[i].model, why);
        f->models[i].bridge = err ? 0 : bridge;
    }
    *model = bridge ? f->models[i].model : 0;
    return err;
}

/* ---- cells ------------------------------------------------------------------------------------------------- */

static enum fl_err flush(struct cut_tally *f, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    for (size_t c = 0; c < CELLS && f->n && !err; c++) {
        int at = 0;
        if (!f->cells[c].used)
            continue;
        (void)sqlite3_bind_int64(f->add, ++at, f->at);
        (void)sqlite3_bind_int64(f->add, ++at, f->lost);
        for (size_t i = 0; i < CELL_NUMBERS; i++)
            (void)sqlite3_bind_int64(f->add, ++at, f->cells[c].key[i]);
        for (size_t i = 0; i < SUMS; i++)
            (void)sqlite3_bind_int64(f->add, ++at, f->cells[c].sum[i]);
        err = db_run(f->add, why);
    }
    memset(f->cells, 0, sizeof f->cells);
    f->n = 0;
    return err;
}

static enum fl_err cell_of(struct cut_tally *f, const int64_t key[static CELL_NUMBERS], struct cell **out, struct fl_why *why)
{
    uint64_t hash = 0;
    enum fl_err err = f->n == CELLS_FULL ? flush(f, why) : FL_OK; /* a cell may be told in several rows */
    for (size_t i = 0; i < CELL_NUMBERS; i++)
        hash = (hash ^ (uint64_t)key[i]) * 0x9e3779b97f4a7c15u;
    size_t at = (size_t)(hash >> 54);
    while (f->cells[at].used && memcmp(f->cells[at].key, key, sizeof f->cells[at].key) != 0)
        at = (at + 1) % CELLS;
    *out = &f->cells[at];
    if (!f->cells[at].used) {
        f->cells[at].used = true;
        memcpy(f->cells[at].key, key, sizeof f->cells[at].key);
        f->n++;
    }
    return err;
}

/* ---- added up: as views attempt_adds and attempt_tally say --------------------------------------------------- */

static bool is_null(sqlite3_stmt *s, int column)
{
    return sqlite3_column_type(s, column) == SQLITE_NULL;
}

static void add_attempt(sqlite3_stmt *s, int64_t *sum)
{
    int outcome = sqlite3_column_int(s, A_OUTCOME);
    int64_t ms = sqlite3_column_int64(s, A_MS), ended = sqlite3_column_int64(s, A_START) + ms;
    bool again = sqlite3_column_int64(s, A_NUMBER) > 1;
    sum[ATTEMPTS]++;
    sum[PASS + outcome]++;
    sum[NAMELESS] += is_null(s, A_UNIT);
    sum[RETESTS] += again;
    sum[WITH_RUNGS] += sqlite3_column_int64(s, A_RUNGS) > 0;
    sum[BUSY_MS] += ms;
    sum[RETEST_MS] += again ? ms : 0;
    sum[PASS_MS] += outcome == OUTCOME_PASS ? ms : 0;
    sum[LAST_MS] = ended > sum[LAST_MS] ? ended : sum[LAST_MS];
}

/* A pause of up to ten minutes since the end of the attempt before is work, longer is a break. */
static void add_cycle(sqlite3_stmt *s, int64_t *sum)
{
    int64_t cycle = sqlite3_column_int64(s, A_START) - sqlite3_column_int64(s, P_START), pause = cycle - sqlite3_column_int64(s, P_MS);
    if (is_null(s, P_MS) || pause < -1000 || pause > 600000)
        return;
    sum[CYCLES]++;
    sum[CYCLE_MS] += cycle;
    if (!is_null(s, A_UNIT) && !is_null(s, P_UNIT) && sqlite3_column_int64(s, A_UNIT) == sqlite3_column_int64(s, P_UNIT))
        return; /* the unit stayed */
    sum[HANDLINGS]++;
    sum[HANDLING_MS] += pause > 0 ? pause : 0;
}

static enum fl_err add_second(struct cut_tally *f, sqlite3_stmt *s, bool passed, int64_t *sum, struct fl_why *why)
{
    const int64_t unit[] = {sqlite3_column_int64(s, A_UNIT), sqlite3_column_int64(s, A_LOT)};
    int64_t slot;
    enum fl_err err = ask(f->second, unit, 2, -1, &slot, why);
    if (err || slot < 0)
        return err;
    bool same = slot == sqlite3_column_int64(s, U_FAIL_SLOT);
    sum[same ? SAME_SLOT : OTHER_SLOT]++;
    sum[same ? SAME_PASSED : OTHER_PASSED] += passed;
    return FL_OK;
}

/* The unit counts where its first attempt was. */
static enum fl_err add_unit(struct cut_tally *f, sqlite3_stmt *s, int64_t *sum, struct fl_why *why)
{
    int64_t at = sqlite3_column_int64(s, U_PASSED_AT), repaired = 0; /* 0: never */
    bool again = sqlite3_column_int64(s, U_ATTEMPTS) > 1;
    enum fl_err err = FL_OK;
    sum[UNITS]++;
    sum[PASSED_1] += at == 1;
    sum[PASSED_2] += at > 0 && at <= 2;
    sum[PASSED_3] += at > 0 && at <= 3;
    sum[PASSED] += at > 0;
    sum[RETESTED] += again;
    if (at > 1) {
        const int64_t arg[] = {sqlite3_column_int64(s, A_UNIT), sqlite3_column_int64(s, A_LOT), sqlite3_column_int64(s, A_LEAF), at};
        err = ask(f->repaired, arg, 4, 0, &repaired, why);
        sum[RECOVERED] += !repaired;
    }
    if (!err && again && sqlite3_column_int(s, A_OUTCOME) != OUTCOME_PASS)
        err = add_second(f, s, at == 2, sum, why);
    return err;
}

static enum fl_err add_row(struct cut_tally *f, sqlite3_stmt *s, struct fl_why *why)
{
    struct cell *c;
    int64_t key[CELL_NUMBERS] = {[HALF] = sqlite3_column_int64(s, A_START) / PERIOD_HALF_MS, [SLOT] = sqlite3_column_int64(s, A_SLOT),
                                 [LOT] = sqlite3_column_int64(s, A_LOT), [PROFILE] = sqlite3_column_int64(s, A_PROFILE)};
    enum fl_err err = model_of(f, sqlite3_column_int64(s, A_BRIDGE), &key[MODEL], why);
    if (!err)
        err = cell_of(f, key, &c, why);
    if (err)
        return err;
    add_attempt(s, c->sum);
    add_cycle(s, c->sum);
    return is_null(s, U_ATTEMPTS) ? FL_OK : add_unit(f, s, c->sum, why);
}

enum fl_err cut_tally_fill(struct cut_tally *f, sqlite3_stmt *s, int64_t at, int64_t lost, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    int rc = SQLITE_DONE;
    f->at = at;
    f->lost = lost;
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW)
        err = add_row(f, s, why);
    if (!err)
        err = rc == SQLITE_DONE ? flush(f, why) : db_fail(sqlite3_db_handle(s), why, "cannot read");
    (void)sqlite3_reset(s);
    return err;
}

/* ---- life -------------------------------------------------------------------------------------------------- */

enum fl_err cut_tally_open(sqlite3 *db, const char *table, struct cut_tally **out, struct fl_why *why)
{
    struct cut_tally *f = calloc(1, sizeof *f);
    char *sql = sqlite3_mprintf("INSERT INTO %s VALUES (?%s)", table, ", ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                                                                    "?, ?, ?, ?, ?, ?");
    *out = NULL;
    enum fl_err err = f && sql ? db_prepare(db, model_sql, &f->model, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = db_prepare(db, second_sql, &f->second, why);
    if (!err)
        err = db_prepare(db, repaired_sql, &f->repaired, why);
    if (!err)
        err = db_prepare(db, sql, &f->add, why);
    sqlite3_free(sql);
    if (err)
        cut_tally_close(f);
    else
        *out = f;
    return err;
}

void cut_tally_close(struct cut_tally *f)
{
    if (!f)
        return;
    (void)sqlite3_finalize(f->model);
    (void)sqlite3_finalize(f->second);
    (void)sqlite3_finalize(f->repaired);
    (void)sqlite3_finalize(f->add);
    free(f);
}
