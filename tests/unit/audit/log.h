/* SPDX-License-Identifier: Apache-2.0
 * log.h: a signed log in arrays, made, changed and verified in memory. Included by one test program each. */
#ifndef FL_TESTS_AUDIT_LOG_H
#define FL_TESTS_AUDIT_LOG_H

#include "audit/verify.h"
#include "base/clock.h"
#include "base/json.h"

#define T_UNUSED __attribute__((unused))

#define ORIGIN "factory.example/station1"

enum { N = 24, NODES = 2 * N };

struct leaf {
    uint64_t index;
    char rec[700];
    size_t n;
    uint8_t hash[32];
    char event[20], job[40];
    bool has_job;
};
struct log {
    struct leaf leaf[N + 4];
    size_t leaves;
    struct audit_node node[NODES];
    size_t nodes;
    struct audit_head head[N + 4];
    size_t heads;
    size_t at_leaf, at_node, at_head; /* the source's */
};

static struct key *key, *other_key;
static struct vkey vkey, other_vkey;
static struct fl_hash *hasher;

/* ---- making a log ------------------------------------------------------------------------------------------ */

T_UNUSED static void write_leaf(struct leaf *l, uint64_t seq, const char *event, const char *job, int64_t ms, int boot)
{
    char time[FL_TIME_TEXT];
    fl_time_format(ms, time);
    l->n = (size_t)snprintf(l->rec, sizeof l->rec,
                            "{\"boot\":%d,\"clock\":\"sync\",\"event\":\"%s\",%s%s%s\"log\":\"" ORIGIN "\",\"mono_ms\":%lld,\"seq\":%llu,"
                            "\"station\":\"station1\",\"sw\":\"flashline 0.1.0\",\"time\":\"%s\"%s,\"v\":1}",
                            boot, event, job ? "\"job\":\"" : "", job ? job : "", job ? "\"," : "", (long long)(ms - 1795334400000),
                            (unsigned long long)seq, time,
                            strcmp(event, "log_open") == 0
                                ? ",\"vkey\":\"factory.example/station1+991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\"" : "");
    /* canonical order puts "v" before "vkey" and "to_ms" between "time" and "v" */
    if (strcmp(event, "log_open") == 0) {
        char *v = strstr(l->rec, ",\"vkey\""), tail[200];
        (void)snprintf(tail, sizeof tail, ",\"v\":1%.*s}", (int)(strlen(v) - strlen(",\"v\":1}")), v);
        (void)strcpy(v, tail);
        l->n = strlen(l->rec);
    }
    l->index = seq;
    (void)snprintf(l->event, sizeof l->event, "%s", event);
    (void)snprintf(l->job, sizeof l->job, "%s", job ? job : "");
    l->has_job = job != NULL;
}

T_UNUSED static void hash_leaf(struct leaf *l)
{
    struct tree_hash h;
    assert_int_equal(tree_leaf(hasher, l->rec, l->n, &h), FL_OK);
    memcpy(l->hash, h.b, 32);
}

T_UNUSED static void sign_head(struct audit_head *h, const struct key *k, const struct vkey *v)
{
    char text[CHECKPOINT_TEXT_MAX];
    size_t n = checkpoint_format(ORIGIN, h->size, &h->root, text);
    assert_int_equal(key_sign(k, text, n, h->signature, NULL), FL_OK);
    h->key_id = v->id;
}

/* Nodes and roots as the leaves' stored hashes give them. `sign_from`: heads of this size and up are signed anew. */
T_UNUSED static void rebuild(struct log *g, size_t sign_from, const struct key *k, const struct vkey *v)
{
    struct tree_range r = {0};
    size_t at = 0;
    g->nodes = 0;
    for (size_t i = 0; i < g->leaves; i++) {
        struct tree_made made[TREE_LEVELS];
        struct tree_hash h;
        size_t n;
        memcpy(h.b, g->leaf[i].hash, 32);
        assert_int_equal(tree_range_add(hasher, &r, &h, made, &n), FL_OK);
        for (size_t m = 0; m < n; m++)
            g->node[g->nodes++] = (struct audit_node){tree_stored_index(made[m].level, made[m].index), made[m].hash};
        while (at < g->heads && g->head[at].size == i + 1) {
            assert_int_equal(tree_range_root(hasher, &r, &g->head[at].root), FL_OK);
            if (i + 1 >= sign_from)
                sign_head(&g->head[at], k, v);
            at++;
        }
    }
}

/* 24 leaves: log_open, boot, attempts and heartbeats, log_close; a head for every leaf, but one batch of three (12, 13, 14). */
T_UNUSED static struct log *good_log(void)
{
    struct log *g = calloc(1, sizeof *g);
    for (size_t i = 0; i < N; i++) {
        char job[40];
        (void)snprintf(job, sizeof job, "00000000-0000-4000-8000-%012zu", i / 2);
        const char *event = i == 0 ? "log_open" : i == 1 ? "boot" : i == N - 1 ? "log_close"
                            : i % 5 == 0 ? "heartbeat" : i % 2 ? "attempt_result" : "attempt_start";
        write_leaf(&g->leaf[i], i, event, strncmp(event, "attempt", 7) == 0 ? job : NULL, 1795334400000 + (int64_t)i * 60000, 1);
        hash_leaf(&g->leaf[i]);
        if (i != 12 && i != 13)
            g->head[g->heads++].size = i + 1;
        g->leaves++;
    }
    rebuild(g, 0, key, &vkey);
    return g;
}

/* ---- the log as a source ------------------------------------------------------------------------------------- */

T_UNUSED static enum fl_err next_leaf(void *ctx, struct audit_leaf *out, struct fl_why *why)
{
    struct log *g = ctx;
    (void)why;
    if (g->at_leaf == g->leaves)
        return FL_NOT_FOUND;
    const struct leaf *l = &g->leaf[g->at_leaf++];
    *out = (struct audit_leaf){l->index, (const uint8_t *)l->rec, l->n, l->hash, l->event, l->has_job ? l->job : NULL};
    return FL_OK;
}
T_UNUSED static enum fl_err next_node(void *ctx, struct audit_node *out, struct fl_why *why)
{
    struct log *g = ctx;
    (void)why;
    if (g->at_node == g->nodes)
        return FL_NOT_FOUND;
    *out = g->node[g->at_node++];
    return FL_OK;
}
T_UNUSED static enum fl_err next_head(void *ctx, struct audit_head *out, struct fl_why *why)
{
    struct log *g = ctx;
    (void)why;
    if (g->at_head == g->heads)
        return FL_NOT_FOUND;
    *out = g->head[g->at_head++];
    return FL_OK;
}

static struct audit_report report;
T_UNUSED static void verify_with(struct log *g, const struct vkey *keys, size_t n_keys, struct audit_outside *outside, size_t n_outside)
{
    g->at_leaf = g->at_node = g->at_head = 0;
    const struct audit_source source = {g, next_leaf, next_node, next_head};
    const struct audit_config c = {.keys = keys, .n_keys = n_keys, .outside = outside, .n_outside = n_outside};
    assert_int_equal(audit_verify(&source, &c, &report, NULL), FL_OK);
}

T_UNUSED static void verify(struct log *g)
{
    verify_with(g, &vkey, 1, NULL, 0);
}

T_UNUSED static void note_of(const struct audit_head *h, const struct vkey *v, struct fl_buf *out)
{
    fl_buf_clear(out);
    checkpoint_note(out, v, ORIGIN, h->size, &h->root, h->signature);
}

T_UNUSED static void expect(const char *what, enum audit_class class, uint64_t first, int64_t trusted)
{
    const struct audit_finding *worst = audit_worst(&report);
    if (report.verdict != class || (worst && worst->first != first) ||
        (report.has_trusted ? (int64_t)report.trusted_size : -1) != trusted)
        fail_msg("%s: %s at %lld, trusted %lld: %s", what, audit_class_name(report.verdict), worst ? (long long)worst->first : -1,
                 report.has_trusted ? (long long)report.trusted_size : -1, worst ? worst->text : "");
}

T_UNUSED static void edit(struct leaf *l, const char *from, const char *to)
{
    char *p = strstr(l->rec, from), tail[700];
    assert_non_null(p);
    (void)strcpy(tail, p + strlen(from));
    (void)snprintf(p, sizeof l->rec - (size_t)(p - l->rec), "%s%s", to, tail);
    l->n = strlen(l->rec);
}

T_UNUSED static void hash_all(struct log *g)
{
    for (size_t i = 0; i < g->leaves; i++)
        hash_leaf(&g->leaf[i]);
}

T_UNUSED static int setup(void **state)
{
    uint8_t seed[KEY_SEED], pub[KEY_PUBLIC];
    (void)state;
    for (int i = 0; i < KEY_SEED; i++)
        seed[i] = (uint8_t)i;
    if (key_from_seed(seed, &key, NULL))
        return -1;
    seed[0] = 99;
    if (key_from_seed(seed, &other_key, NULL) || fl_hash_new(FL_HASH_SHA256, &hasher))
        return -1;
    key_public(key, pub);
    if (vkey_make(ORIGIN, KEY_NOTE, pub, &vkey, NULL))
        return -1;
    key_public(other_key, pub);
    return vkey_make(ORIGIN, KEY_NOTE, pub, &other_vkey, NULL) ? -1 : 0;
}

T_UNUSED static int teardown(void **state)
{
    (void)state;
    key_free(key);
    key_free(other_key);
    fl_hash_free(hasher);
    return 0;
}

#endif
