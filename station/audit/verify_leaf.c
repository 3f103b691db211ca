/* SPDX-License-Identifier: Apache-2.0
 * One leaf: is it what was hashed, in form, in its place and time; what it tells of the station's life. */
#include "audit/verify_run.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

typedef unsigned long long ull;

/* The bytes against the hash stored beside them. When they differ, the tree is built on with the stored
 * hash: if it still leads to the signed root, only these bytes were touched. */
static enum fl_err check_bytes(struct audit_run *r, const struct audit_leaf *leaf,
                               const struct leaf_view *v, struct tree_hash *hash)
{
    struct tree_hash stored;
    enum fl_err err = tree_leaf(r->hasher, leaf->rec, leaf->n, hash);
    if (err || !leaf->hash)
        return err;
    memcpy(stored.b, leaf->hash, sizeof stored.b);
    if (tree_hash_same(&stored, hash))
        return FL_OK;
    if (v->seq >= 0 && (uint64_t)v->seq != leaf->index)
        audit_add(r->out, AUDIT_CHANGED, leaf->index, leaf->index,
                  "record %llu was replaced: its bytes say that they are record %lld, and its hash is another's",
                  (ull)leaf->index, (long long)v->seq);
    else
        audit_add(r->out, AUDIT_CHANGED, leaf->index, leaf->index,
                  "the bytes of record %llu were changed after it was written: they no longer give its hash",
                  (ull)leaf->index);
    *hash = stored;
    return FL_OK;
}

static void check_form(struct audit_run *r, const struct audit_leaf *leaf, const struct leaf_view *v)
{
    const char *missing = v->v != 1           ? "v (1)"
                          : !v->event.p       ? "event"
                          : !v->log.p         ? "log"
                          : !v->station.p     ? "station"
                          : !v->clock.p       ? "clock"
                          : !v->sw.p          ? "sw"
                          : v->seq < 0        ? "seq"
                          : v->boot < 0       ? "boot"
                          : v->mono_ms < 0    ? "mono_ms"
                          : v->time_ms == INT64_MIN ? "time"
                                              : NULL;
    if (missing)
        audit_add(r->out, AUDIT_FORM, leaf->index, leaf->index, "record %llu has no good member %s",
                  (ull)leaf->index, missing);
}

static void check_place(struct audit_run *r, const struct audit_leaf *leaf, const struct leaf_view *v)
{
    if (v->seq >= 0 && (uint64_t)v->seq != leaf->index)
        audit_add(r->out, AUDIT_ORDER, leaf->index, leaf->index,
                  "in place %llu stands a record that says it is number %lld: records were moved, removed or inserted",
                  (ull)leaf->index, (long long)v->seq);
    if (v->log.p && !leaf_text_is(v->log, r->cfg->keys[0].name))
        audit_add(r->out, AUDIT_FOREIGN, leaf->index, leaf->index,
                  "record %llu belongs to the log %.*s, not to %s", (ull)leaf->index,
                  (int)(v->log.n < 130 ? v->log.n : 130), v->log.p, r->cfg->keys[0].name);
    if (leaf->index == 0 && !leaf_text_is(v->event, "log_open"))
        audit_add(r->out, AUDIT_FORM, 0, 0, "the first record does not open the log");
}

static int64_t far(const struct audit_step *s)
{
    return s->ms < 0 ? -s->ms : s->ms;
}

/* Among the largest: however many small ones there are, a large one is told. */
static enum fl_err keep_step(struct audit_run *r, const struct audit_leaf *leaf, const struct leaf_view *v)
{
    struct audit_report *o = r->out;
    json_t *body;
    int64_t passed = v->boot == r->last_boot ? v->mono_ms - r->last_mono : 0;
    struct audit_step s = {.leaf = leaf->index, .ms = v->time_ms - r->last_time - passed};
    size_t smallest = 0;
    if (r->last_time == INT64_MIN)
        return FL_OK;
    for (size_t i = 1; i < o->n_steps; i++)
        if (far(&o->step[i]) < far(&o->step[smallest]))
            smallest = i;
    if (o->n_steps == AUDIT_STEPS_MAX && far(&s) <= far(&o->step[smallest]))
        return FL_OK;
    enum fl_err err = fl_json_parse(leaf->rec, leaf->n, &body, NULL);
    if (err)
        return err == FL_NOMEM ? err : FL_OK;
    (void)snprintf(s.why, sizeof s.why, "%s", fl_json_text(body, "why"));
    fl_utf8_clean(s.why, false);
    json_decref(body);
    if (o->n_steps == AUDIT_STEPS_MAX)
        memmove(&o->step[smallest], &o->step[smallest + 1], (--o->n_steps - smallest) * sizeof s);
    o->step[o->n_steps++] = s;
    return FL_OK;
}

static void check_time(struct audit_run *r, const struct audit_leaf *leaf, const struct leaf_view *v)
{
    bool step = leaf_text_is(v->event, "clock_step");
    if (v->time_ms == INT64_MIN || v->boot < 0 || v->mono_ms < 0)
        return; /* said by check_form */
    if (step && v->to_ms != v->time_ms)
        audit_add(r->out, AUDIT_TIME, leaf->index, leaf->index,
                  "record %llu tells of a clock step to another time than its own", (ull)leaf->index);
    if (!step && r->count > 0 && v->time_ms < r->last_time)
        audit_add(r->out, AUDIT_TIME, leaf->index, leaf->index,
                  "record %llu is dated %lld ms before the one in front of it", (ull)leaf->index,
                  (long long)(r->last_time - v->time_ms));
    if (v->boot < r->last_boot || (v->boot == r->last_boot && v->mono_ms < r->last_mono))
        audit_add(r->out, AUDIT_TIME, leaf->index, leaf->index,
                  "record %llu comes from an earlier moment of the station than the one in front of it",
                  (ull)leaf->index);
    r->last_time = v->time_ms;
}

/* Between two stamps of an authority a record cannot be dated outside of them, whoever holds the key. */
static void check_stamps(struct audit_run *r, const struct audit_leaf *leaf, const struct leaf_view *v)
{
    char when[FL_TIME_TEXT];
    const struct audit_config *c = r->cfg;
    if (v->time_ms == INT64_MIN)
        return;
    if (v->time_ms > r->latest) {
        r->latest = v->time_ms;
        r->latest_at = leaf->index;
    }
    if (r->not_before != INT64_MIN && v->time_ms < r->not_before - AUDIT_SKEW_MS) {
        fl_time_format(r->not_before, when);
        audit_add(r->out, AUDIT_TIME, leaf->index, leaf->index,
                  "record %llu is dated before %s, but stands behind record %llu, which holds an authority's word of that time: it was dated "
                  "back, or the station's clock was wrong", (ull)leaf->index, when, (ull)r->not_before_by);
        r->not_before = INT64_MIN; /* said once: those that follow are no news */
    }
    for (size_t i = 0; i < c->n_outside && leaf_text_is(v->event, "anchor"); i++) {
        const struct audit_outside *o = &c->outside[i];
        if (o->stamped_ms && o->agreed && o->anchor == leaf->index && o->stamped_ms > r->not_before) {
            r->not_before = o->stamped_ms;
            r->not_before_by = leaf->index;
        }
    }
}

void audit_stamped(struct audit_run *r, const struct audit_outside *o)
{
    char when[FL_TIME_TEXT];
    if (r->latest == INT64_MIN || r->latest <= o->stamped_ms + AUDIT_SKEW_MS)
        return;
    fl_time_format(o->stamped_ms, when);
    audit_add(r->out, AUDIT_TIME, r->latest_at, r->latest_at,
              "record %llu is dated later than %s, when an authority had stamped a head over it already (%.80s): it was dated forward, or the "
              "station's clock was wrong", (ull)r->latest_at, when, o->name);
    audit_retreat(r, r->latest_at);
}

static void check_copies(struct audit_run *r, const struct audit_leaf *leaf, const struct leaf_view *v)
{
    if (!leaf->event)
        return;
    bool job_same = leaf->job ? leaf_text_is(v->job, leaf->job) : v->job.p == NULL;
    if (!leaf_text_is(v->event, leaf->event) || !job_same)
        audit_add(r->out, AUDIT_COPY, leaf->index, leaf->index,
                  "the column %s beside record %llu does not say what the record says",
                  job_same ? "event" : "job", (ull)leaf->index);
}

static void life(struct audit_run *r, const struct audit_leaf *leaf, const struct leaf_view *v)
{
    struct audit_report *o = r->out;
#define EVENT(name, member) {name, sizeof name - 1, offsetof(struct audit_report, member)}
    static const struct {
        const char *event;
        size_t n, at;
    } count[] = {EVENT("boot", boots), EVENT("log_close", closes), EVENT("heartbeat", heartbeats), EVENT("clock_step", clock_steps),
                 EVENT("attempt_start", starts), EVENT("attempt_result", results), EVENT("interrupted", interrupted)};
#undef EVENT
    for (size_t i = 0; i < sizeof count / sizeof *count; i++)
        if (v->event.n == count[i].n && memcmp(v->event.p, count[i].event, count[i].n) == 0)
            ++*(uint64_t *)(void *)((char *)o + count[i].at);
    bool new_run = v->boot != r->last_boot;
    if (new_run && r->in_run)
        o->unclosed++;
    if (new_run)
        r->in_run = true;
    else if (r->in_run && v->mono_ms - r->last_mono > AUDIT_GAP_MS) {
        if (o->n_gaps < AUDIT_GAPS_MAX)
            o->gap[o->n_gaps] = (struct audit_gap){leaf->index, (uint64_t)(v->mono_ms - r->last_mono)};
        o->n_gaps++;
    }
    if (leaf_text_is(v->event, "log_close") || leaf_text_is(v->event, "key_retire"))
        r->in_run = false;
    r->last_boot = v->boot;
    r->last_mono = v->mono_ms;
    if (leaf->index == 0)
        o->first_ms = v->time_ms;
    o->last_ms = v->time_ms;
}

/* The head must be one of the log that it is said to be of; whether that log still leads to it, only its records can tell. */
static void learn_previous(struct audit_run *r, const struct audit_leaf *leaf)
{
    struct fl_why why = {0, ""};
    enum fl_err err = previous_read(leaf->rec, leaf->n, &r->out->previous, &why);
    if (err && err != FL_NOT_FOUND)
        audit_add(r->out, AUDIT_FORM, 0, 0, "the first record names a log in front of it, and not well: %.250s", why.text);
}

enum fl_err audit_leaf_check(struct audit_run *r, const struct audit_leaf *leaf, struct tree_hash *hash)
{
    struct leaf_view v;
    struct fl_why form; /* not cleared: it is read only after a failure wrote it, and this is on the way of every leaf */
    enum fl_err scanned = leaf_scan(leaf->rec, leaf->n, &v, &form);
    enum fl_err err = check_bytes(r, leaf, &v, hash);
    if (err)
        return err;
    if (scanned) {
        audit_add(r->out, AUDIT_FORM, leaf->index, leaf->index, "record %llu: %s", (ull)leaf->index,
                  form.text);
        return FL_OK;
    }
    check_form(r, leaf, &v);
    check_place(r, leaf, &v);
    audit_keys_learn(r, &v, leaf->index);
    if (leaf->index == 0)
        learn_previous(r, leaf);
    if (leaf_text_is(v.event, "clock_step") && v.time_ms != INT64_MIN)
        err = keep_step(r, leaf, &v);
    if (!err)
        err = policy_told_take(&r->out->policy, leaf->index, &v, leaf->rec, leaf->n);
    check_time(r, leaf, &v);
    check_stamps(r, leaf, &v);
    check_copies(r, leaf, &v);
    life(r, leaf, &v);
    return !err && r->cfg->account ? account_take(r->cfg->account, leaf->index, &v, leaf->rec, leaf->n) : err;
}
