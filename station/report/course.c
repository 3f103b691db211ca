/* SPDX-License-Identifier: Apache-2.0
 * The line's course over time: what each attempt of the range adds to the tallies (views of db/015_moments.sql, which reports are
 * made of too), by steps of any length. */
#include "base/grow.h"
#include "report/live.h"
#include "report/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MAX = 500, SLOTS_MAX = 1024, SAMPLES_MAX = 4096 };

/* Counts of a bucket, a slot or the whole. Durations of PASS attempts are sampled: all up to SAMPLES_MAX, then each
 * later one takes the place of one drawn at random (reservoir sampling), so that percentiles stay honest and bounded. */
struct counts {
    int64_t n, outcome[5], first, first_passed, with_rungs, passes;
    uint32_t *ms;
    size_t n_ms, cap_ms;
};

struct course {
    int64_t from, bucket;
    unsigned n_buckets;
    uint64_t random;
    struct counts total, *buckets, *slots;
};

static bool sample(struct course *c, struct counts *k, int64_t ms)
{
    uint32_t v = ms < 0 ? 0 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
    k->passes++;
    if (k->n_ms < SAMPLES_MAX) {
        uint32_t *list = fl_grow(k->ms, k->n_ms, 1, &k->cap_ms, sizeof *list);
        if (!list)
            return false;
        k->ms = list;
        k->ms[k->n_ms++] = v;
        return true;
    }
    c->random = c->random * UINT64_C(6364136223846793005) + 1442695040888963407; /* Knuth's MMIX constants */
    uint64_t at = (c->random >> 33) % (uint64_t)k->passes;
    if (at < SAMPLES_MAX)
        k->ms[at] = v;
    return true;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* What an attempt adds, as the tallies have it; the outcomes in the order of enum outcome. */
enum { START_MS, SLOT, ATTEMPTS, OUTCOMES, UNITS = OUTCOMES + 5, PASSED_1, WITH_RUNGS, PASS_MS };
static const char attempts_sql[] =
    "SELECT t.start_ms, s.slot, t.attempts, t.pass, t.fail, t.error, t.aborted, t.interrupted, t.units, t.passed_1, t.with_rungs, t.pass_ms "
    "FROM attempt_tally t JOIN slot s ON s.id = t.slot WHERE t.start_ms >= %lld AND t.start_ms < %lld";
static const char faults_sql[] =
    "SELECT w.text, sum(t.attempts) AS n, sum(t.units) FROM attempt_tally_fault t LEFT JOIN word w ON w.id = t.fault "
    "WHERE t.start_ms >= %lld AND t.start_ms < %lld GROUP BY t.fault ORDER BY n DESC, w.text LIMIT 256";

static enum fl_err course_row(void *ctx, sqlite3_stmt *s)
{
    struct course *c = ctx;
    int64_t at = (sqlite3_column_int64(s, START_MS) - c->from) / c->bucket, slot = sqlite3_column_int64(s, SLOT);
    struct counts *k[3] = {&c->total, at >= 0 && at < c->n_buckets ? &c->buckets[at] : NULL,
                           slot >= 0 && slot < SLOTS_MAX ? &c->slots[slot] : NULL};
    for (int i = 0; i < 3; i++) {
        if (!k[i])
            continue;
        k[i]->n += sqlite3_column_int64(s, ATTEMPTS);
        for (int o = 0; o < 5; o++)
            k[i]->outcome[o] += sqlite3_column_int64(s, OUTCOMES + o);
        k[i]->first += sqlite3_column_int64(s, UNITS);
        k[i]->first_passed += sqlite3_column_int64(s, PASSED_1);
        k[i]->with_rungs += sqlite3_column_int64(s, WITH_RUNGS);
        if (i > 0 && sqlite3_column_int64(s, OUTCOMES) && !sample(c, k[i], sqlite3_column_int64(s, PASS_MS)))
            return FL_NOMEM;
    }
    return FL_OK;
}

/* ---- out ---------------------------------------------------------------------------------------------------- */

static json_t *percentile(const struct counts *k, unsigned percent)
{
    return k->n_ms ? json_integer((json_int_t)k->ms[(k->n_ms - 1) * percent / 100]) : json_null();
}

static json_t *counts_json(struct counts *k)
{
    if (k->n_ms)
        qsort(k->ms, k->n_ms, sizeof *k->ms, by_value);
    return json_pack("{sI sI sI sI sI sI so so sI}", "attempts", (json_int_t)k->n, "pass", (json_int_t)k->outcome[0],
                     "fail", (json_int_t)k->outcome[1], "error", (json_int_t)k->outcome[2], "first", (json_int_t)k->first,
                     "first_passed", (json_int_t)k->first_passed, "p50", percentile(k, 50), "p90", percentile(k, 90),
                     "with_rungs", (json_int_t)k->with_rungs);
}

static enum fl_err fault_row(void *ctx, sqlite3_stmt *s)
{
    const char *name = query_text(s, 0);
    const struct fault *f = name ? fault_find(name) : NULL;
    json_t *o = json_pack("{ss sI sI ss ss}", "fault", name ? name : "", "attempts", (json_int_t)sqlite3_column_int64(s, 1), "units",
                          (json_int_t)sqlite3_column_int64(s, 2), "what", f ? f->what : "", "who", f ? f->who : "");
    return json_array_append_new(ctx, o) == 0 ? FL_OK : FL_NOMEM;
}

static json_t *course_json(struct course *c, json_t *pareto)
{
    json_t *buckets = json_array(), *slots = json_array();
    bool bad = !buckets || !slots;
    for (unsigned i = 0; i < c->n_buckets && !bad; i++) {
        json_t *o = counts_json(&c->buckets[i]);
        bad = !o || json_object_set_new(o, "t", json_integer(c->from + (int64_t)i * c->bucket)) != 0 ||
              json_array_append(buckets, o) != 0;
        json_decref(o);
    }
    for (int i = 0; i < SLOTS_MAX && !bad; i++) {
        json_t *o = c->slots[i].n ? counts_json(&c->slots[i]) : NULL;
        bad = c->slots[i].n && (!o || json_object_set_new(o, "slot", json_integer(i)) != 0 || json_array_append(slots, o) != 0);
        json_decref(o);
    }
    json_t *total = json_pack("{sI sI sI sI sI sI sI sI}", "attempts", (json_int_t)c->total.n, "pass",
                              (json_int_t)c->total.outcome[0], "fail", (json_int_t)c->total.outcome[1], "error",
                              (json_int_t)c->total.outcome[2], "aborted", (json_int_t)c->total.outcome[3], "interrupted",
                              (json_int_t)c->total.outcome[4], "first", (json_int_t)c->total.first, "first_passed",
                              (json_int_t)c->total.first_passed);
    json_t *o = bad ? NULL : json_pack("{sI sI sI sO sO sO sO}", "from", (json_int_t)c->from, "to",
                          (json_int_t)(c->from + c->bucket * (int64_t)c->n_buckets), "bucket_ms", (json_int_t)c->bucket, "totals",
                          total, "buckets", buckets, "slots", slots, "pareto", pareto);
    json_decref(total);
    json_decref(buckets);
    json_decref(slots);
    return o;
}

static enum fl_err read_course(struct report *r, struct course *c, json_t *pareto, struct fl_why *why)
{
    char sql[600];
    int64_t to = c->from + c->bucket * (int64_t)c->n_buckets;
    (void)snprintf(sql, sizeof sql, attempts_sql, (long long)c->from, (long long)to);
    enum fl_err err = query_each(r, sql, course_row, c, why);
    (void)snprintf(sql, sizeof sql, faults_sql, (long long)c->from, (long long)to);
    return err ? err : query_each(r, sql, fault_row, pareto, why);
}

enum fl_err report_first_since(struct report *r, int64_t from_ms, int64_t *out, struct fl_why *why)
{
    char sql[160];
    (void)snprintf(sql, sizeof sql, "SELECT start_ms FROM attempt WHERE start_ms >= %lld AND purpose IS NULL ORDER BY start_ms LIMIT 1",
                   (long long)from_ms);
    enum fl_err err = db_int(r->reader.db, sql, 0, out, why);
    return err == FL_NOT_FOUND ? FL_OK : err; /* none */
}

enum fl_err report_course(struct report *r, int64_t from_ms, int64_t to_ms, unsigned buckets, json_t **out,
                          struct fl_why *why)
{
    struct course c = {.from = from_ms, .n_buckets = buckets, .random = 1};
    enum fl_err err = FL_OK;
    *out = NULL;
    if (from_ms < 0)
        c.from = 1; /* an hour back, by a clock that began with the machine in 1970 */
    if (!from_ms)
        err = report_first_since(r, 0, &c.from, why);
    if (err)
        return err;
    if (!c.from || (!from_ms && c.from >= to_ms)) /* none yet, or by a clock that went ahead */
        c.from = to_ms - buckets;
    if (buckets < 1 || buckets > BUCKETS_MAX || to_ms <= c.from)
        return fl_fail(why, FL_ARG, "a course has 1 to %d steps between two times", BUCKETS_MAX);
    c.bucket = (to_ms - c.from + buckets - 1) / buckets;
    c.buckets = calloc(buckets, sizeof *c.buckets);
    c.slots = calloc(SLOTS_MAX, sizeof *c.slots);
    json_t *pareto = json_array();
    if (!c.buckets || !c.slots || !pareto)
        err = fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = read_course(r, &c, pareto, why);
    if (!err && !(*out = course_json(&c, pareto)))
        err = fl_fail(why, FL_NOMEM, "out of memory");
    for (unsigned i = 0; c.buckets && i < buckets; i++)
        free(c.buckets[i].ms);
    for (int i = 0; c.slots && i < SLOTS_MAX; i++)
        free(c.slots[i].ms);
    free(c.buckets);
    free(c.slots);
    json_decref(pareto);
    return err;
}
