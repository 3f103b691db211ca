/* SPDX-License-Identifier: Apache-2.0
 * The walk through a log: leaves, nodes and heads, each against the others. */
#include "audit/verify.h"

#include "audit/verify_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

enum { SPAN_TEXT = 60 };

/* "record 7 is", "records 7 to 9 are" */
static const char *span(uint64_t first, uint64_t last, char out[static SPAN_TEXT])
{
    if (first == last)
        (void)snprintf(out, SPAN_TEXT, "record %llu is", (ull)first);
    else
        (void)snprintf(out, SPAN_TEXT, "records %llu to %llu are", (ull)first, (ull)last);
    return out;
}

/* ---- heads -------------------------------------------------------------------------------------- */

static enum fl_err next_head(struct audit_run *r, struct fl_why *why)
{
    enum fl_err err = r->src->head(r->src->ctx, &r->head, why);
    r->more_heads = err == FL_OK;
    return err == FL_NOT_FOUND ? FL_OK : err;
}

static bool wants_signature(const struct audit_run *r)
{
    const struct audit_config *c = r->cfg;
    return !c->signatures || !c->heads || c->heads <= c->signatures ||
           r->heads_seen >= c->heads - c->signatures;
}

/* A good head over all of them: what was wrong with heads below it is wrong with those heads alone. */
static void settle_doubts(struct audit_run *r)
{
    struct audit_report *o = r->out;
    if (!r->doubt)
        return;
    for (size_t i = 0; i < o->n_findings && i < AUDIT_FINDINGS_MAX; i++)
        o->finding[i].covered |= o->finding[i].head;
    o->n_log_findings -= r->doubts;
    o->n_covered += r->doubts;
    r->doubts = 0;
    r->doubt = false;
    o->verdict = audit_worst(o)->class;
}

void audit_trust(struct audit_run *r, uint64_t size, const struct tree_hash *root)
{
    struct audit_report *o = r->out;
    o->has_trusted = true;
    o->trusted_size = size;
    o->trusted_root = *root;
    if (r->good_seen++ % r->good_each != 0)
        return;
    if (r->n_good == AUDIT_GOOD_MAX) {
        for (size_t i = 0; i < AUDIT_GOOD_MAX / 2; i++)
            r->good[i] = r->good[2 * i];
        r->n_good /= 2;
        r->good_each *= 2;
    }
    r->good[r->n_good++] = (struct audit_good){size, *root};
}

void audit_retreat(struct audit_run *r, uint64_t first)
{
    struct audit_report *o = r->out;
    size_t n = r->n_good;
    if (o->has_trusted)
        return;
    while (n && r->good[n - 1].size > first)
        n--;
    const struct audit_good *best = n ? &r->good[n - 1] : NULL;
    if (r->agreed.size && r->agreed.size <= first && (!best || best->size < r->agreed.size))
        best = &r->agreed;
    if (!best)
        return;
    o->has_trusted = true;
    o->trusted_size = best->size;
    o->trusted_root = best->root;
}

static enum fl_err check_head(struct audit_run *r)
{
    const struct audit_head *h = &r->head;
    struct tree_hash root;
    char text[SPAN_TEXT];
    bool good = true;
    enum fl_err err = tree_range_root(r->hasher, &r->range, &root);
    if (err)
        return err;
    bool same = tree_hash_same(&root, &h->root);
    /* one that is over another tree may be nothing but damaged: then it has no say about the records */
    bool sign = wants_signature(r) || r->handover_due || (r->tree_ok && !same);
    if (sign)
        good = audit_keys_signed(r, h);
    if (good && r->tree_ok && !same) {
        uint64_t last = h->size ? h->size - 1 : 0;
        audit_add(r->out, AUDIT_ROOT, r->proven, last, "%s not what the head of %llu records was made over: %s changed, moved, removed or inserted",
                  span(r->proven, last, text), (ull)h->size, r->proven == last ? "it was" : "at least one was");
        r->tree_ok = false;
    }
    if (good && r->tree_ok) {
        r->proven = h->size;
        if (sign)
            settle_doubts(r);
        if (sign && r->out->n_log_findings == 0)
            audit_trust(r, h->size, &h->root);
    }
    return FL_OK;
}

/* Every head that is due at the present count. One that comes late has no business there. */
static enum fl_err heads_due(struct audit_run *r, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    while (!err && r->more_heads && r->head.size <= r->count) {
        if (r->head.size == r->count)
            err = check_head(r);
        if (err)
            return fl_fail(why, err, "%s", fl_err_text(err));
        r->out->heads++;
        r->out->has_head = true;
        r->out->head = r->head;
        r->heads_seen++;
        err = next_head(r, why);
    }
    return err;
}

/* ---- nodes -------------------------------------------------------------------------------------- */

static enum fl_err next_node(struct audit_run *r, struct fl_why *why)
{
    enum fl_err err = r->src->node ? r->src->node(r->src->ctx, &r->node, why) : FL_NOT_FOUND;
    r->more_nodes = err == FL_OK;
    return err == FL_NOT_FOUND ? FL_OK : err;
}

static enum fl_err check_nodes(struct audit_run *r, const struct tree_made *made, size_t n,
                               struct fl_why *why)
{
    if (!r->src->node || !r->nodes_ok || !r->tree_ok)
        return FL_OK;
    for (size_t i = 0; i < n; i++) {
        uint64_t id = tree_stored_index(made[i].level, made[i].index);
        bool there = r->more_nodes && r->node.id == id;
        if (!there || !tree_hash_same(&r->node.hash, &made[i].hash)) {
            uint64_t from = made[i].index << made[i].level;
            audit_add(r->out, AUDIT_NODE, from > r->proven ? from : r->proven, r->count,
                      "the stored tree node %llu over records %llu to %llu is %s", (ull)id, (ull)from,
                      (ull)r->count, there ? "not the one that they give" : "not there");
            r->nodes_ok = false;
            return FL_OK;
        }
        r->out->nodes++;
        enum fl_err err = next_node(r, why);
        if (err)
            return err;
    }
    return FL_OK;
}

/* ---- the walk ----------------------------------------------------------------------------------- */

static enum fl_err one_leaf(struct audit_run *r, const struct audit_leaf *leaf, struct fl_why *why)
{
    struct tree_made made[TREE_LEVELS];
    struct tree_hash hash;
    char text[SPAN_TEXT];
    size_t n = 0;
    if (leaf->index != r->count) {
        if (leaf->index > r->count)
            audit_add(r->out, AUDIT_MISSING, r->count, leaf->index - 1, "%s missing", span(r->count, leaf->index - 1, text));
        else
            audit_add(r->out, AUDIT_ORDER, leaf->index, leaf->index, "record %llu comes twice",
                      (ull)leaf->index);
        r->tree_ok = false;
        r->count = leaf->index; /* go on: what is left can still be read for its own faults */
    }
    enum fl_err err = audit_leaf_check(r, leaf, &hash);
    if (!err && r->tree_ok)
        err = tree_range_add(r->hasher, &r->range, &hash, made, &n);
    if (err)
        return fl_fail(why, err, "%s", fl_err_text(err));
    err = check_nodes(r, made, n, why);
    r->count++;
    r->out->leaves++;
    r->out->bytes += leaf->n;
    if (!err)
        err = heads_due(r, why);
    if (!err && audit_outside_due(r))
        err = fl_fail(why, FL_NOMEM, "out of memory");
    return err;
}

/* Whoever has the key can sign a second end of an attempt; each record by itself is right. */
static void ends_twice(struct audit_run *r)
{
    const struct account_result *a = &r->out->account;
    for (size_t i = 0; i < a->n_ended_twice && i < ACCOUNT_LIST_MAX; i++) {
        audit_add(r->out, AUDIT_TWICE, a->ended_twice[i].again, a->ended_twice[i].again,
                  "record %llu ends an attempt that record %llu had ended: one job, two results", (ull)a->ended_twice[i].again,
                  (ull)a->ended_twice[i].first);
        audit_retreat(r, a->ended_twice[i].again);
    }
}

/* Behind the last leaf: heads that promise more, leaves that no head covers, nodes over nothing. */
static enum fl_err end_of_log(struct audit_run *r, struct fl_why *why)
{
    uint64_t newest = r->out->has_head ? r->out->head.size : 0;
    char text[SPAN_TEXT];
    enum fl_err err = FL_OK;
    if (newest < r->count)
        audit_add(r->out, AUDIT_UNSIGNED, newest, r->count - 1,
                  "%s behind the newest signed head: added without the key, or heads were removed", span(newest, r->count - 1, text));
    uint64_t promised = 0;
    for (; !err && r->more_heads; err = next_head(r, why)) {
        promised = r->head.size;
        r->out->heads++;
        r->out->has_head = true;
        r->out->head = r->head;
    }
    if (promised > r->count)
        audit_add(r->out, AUDIT_MISSING, r->count, promised - 1,
                  "the newest head covers %llu records, here are %llu: %s missing",
                  (ull)promised, (ull)r->count, span(r->count, promised - 1, text));
    if (r->more_nodes && r->nodes_ok && r->tree_ok)
        audit_add(r->out, AUDIT_NODE, r->count, r->count,
                  "the stored tree has nodes over records that are not there");
    audit_keys_end(r);
    audit_outside_ahead(r);
    r->out->open = r->in_run;
    r->out->tree_intact = r->tree_ok && !r->doubt && !r->forked;
    if (!err && r->cfg->account) {
        r->out->accounted = true;
        err = account_end(r->cfg->account, r->in_run ? r->last_boot : -1, &r->out->account);
        if (!err)
            ends_twice(r);
    }
    return err;
}

enum fl_err audit_verify(const struct audit_source *source, const struct audit_config *config,
                         struct audit_report *out, struct fl_why *why)
{
    struct audit_run r = {.src = source, .cfg = config, .out = out, .tree_ok = true, .nodes_ok = true, .good_each = 1,
                          .last_boot = -1, .last_mono = -1, .last_time = INT64_MIN, .latest = INT64_MIN, .not_before = INT64_MIN};
    memset(out, 0, sizeof *out);
    r.good = calloc(AUDIT_GOOD_MAX, sizeof *r.good);
    if (!r.good || fl_hash_new(FL_HASH_SHA256, &r.hasher)) {
        free(r.good);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    enum fl_err err = FL_OK;
    if (config->account)
        account_clear(config->account);
    err = audit_outside_open(&r, why);
    if (!err)
        err = next_head(&r, why);
    if (!err)
        err = next_node(&r, why);
    if (!err)
        err = heads_due(&r, why);
    if (!err && audit_outside_due(&r))
        err = fl_fail(why, FL_NOMEM, "out of memory");
    while (!err) {
        struct audit_leaf leaf;
        err = source->leaf(source->ctx, &leaf, why);
        if (!err)
            err = one_leaf(&r, &leaf, why);
    }
    if (err == FL_NOT_FOUND)
        err = end_of_log(&r, why);
    free(r.outside);
    free(r.good);
    fl_hash_free(r.hasher);
    return err;
}
