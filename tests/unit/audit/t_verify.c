/* SPDX-License-Identifier: Apache-2.0
 * audit/verify: a good log, and everything that can be done to it without the key (and with it), each with the finding
 * that must come of it. The attacks (E1, D2, ...) are listed in station/audit/README.md. */
#include "unit/t.h"

#include "audit/verify.h"
#include "base/clock.h"
#include "base/json.h"

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

static void write_leaf(struct leaf *l, uint64_t seq, const char *event, const char *job, int64_t ms, int boot)
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

static void hash_leaf(struct leaf *l)
{
    struct tree_hash h;
    assert_int_equal(tree_leaf(hasher, l->rec, l->n, &h), FL_OK);
    memcpy(l->hash, h.b, 32);
}

static void sign_head(struct audit_head *h, const struct key *k, const struct vkey *v)
{
    char text[CHECKPOINT_TEXT_MAX];
    size_t n = checkpoint_format(ORIGIN, h->size, &h->root, text);
    assert_int_equal(key_sign(k, text, n, h->signature, NULL), FL_OK);
    h->key_id = v->id;
}

/* Nodes and roots as the leaves' stored hashes give them. `sign_from`: heads of this size and up are signed anew. */
static void rebuild(struct log *g, size_t sign_from, const struct key *k, const struct vkey *v)
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
static struct log *good_log(void)
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

static enum fl_err next_leaf(void *ctx, struct audit_leaf *out, struct fl_why *why)
{
    struct log *g = ctx;
    (void)why;
    if (g->at_leaf == g->leaves)
        return FL_NOT_FOUND;
    const struct leaf *l = &g->leaf[g->at_leaf++];
    *out = (struct audit_leaf){l->index, (const uint8_t *)l->rec, l->n, l->hash, l->event, l->has_job ? l->job : NULL};
    return FL_OK;
}
static enum fl_err next_node(void *ctx, struct audit_node *out, struct fl_why *why)
{
    struct log *g = ctx;
    (void)why;
    if (g->at_node == g->nodes)
        return FL_NOT_FOUND;
    *out = g->node[g->at_node++];
    return FL_OK;
}
static enum fl_err next_head(void *ctx, struct audit_head *out, struct fl_why *why)
{
    struct log *g = ctx;
    (void)why;
    if (g->at_head == g->heads)
        return FL_NOT_FOUND;
    *out = g->head[g->at_head++];
    return FL_OK;
}

static struct audit_report report;
static void verify_with(struct log *g, const struct vkey *keys, size_t n_keys, struct audit_outside *outside, size_t n_outside)
{
    g->at_leaf = g->at_node = g->at_head = 0;
    const struct audit_source source = {g, next_leaf, next_node, next_head};
    const struct audit_config c = {.keys = keys, .n_keys = n_keys, .outside = outside, .n_outside = n_outside};
    assert_int_equal(audit_verify(&source, &c, &report, NULL), FL_OK);
}

static void verify(struct log *g)
{
    verify_with(g, &vkey, 1, NULL, 0);
}

static void note_of(const struct audit_head *h, const struct vkey *v, struct fl_buf *out)
{
    fl_buf_clear(out);
    checkpoint_note(out, v, ORIGIN, h->size, &h->root, h->signature);
}

static void expect(const char *what, enum audit_class class, uint64_t first, int64_t trusted)
{
    const struct audit_finding *worst = audit_worst(&report);
    if (report.verdict != class || (worst && worst->first != first) ||
        (report.has_trusted ? (int64_t)report.trusted_size : -1) != trusted)
        fail_msg("%s: %s at %lld, trusted %lld: %s", what, audit_class_name(report.verdict), worst ? (long long)worst->first : -1,
                 report.has_trusted ? (long long)report.trusted_size : -1, worst ? worst->text : "");
}

/* ---- attacks -------------------------------------------------------------------------------------------------- */

static void edit(struct leaf *l, const char *from, const char *to)
{
    char *p = strstr(l->rec, from), tail[700];
    assert_non_null(p);
    (void)strcpy(tail, p + strlen(from));
    (void)snprintf(p, sizeof l->rec - (size_t)(p - l->rec), "%s%s", to, tail);
    l->n = strlen(l->rec);
}

static void remove_leaf(struct log *g, size_t i)
{
    memmove(&g->leaf[i], &g->leaf[i + 1], (g->leaves - i - 1) * sizeof *g->leaf);
    g->leaves--;
}

static void renumber(struct log *g, size_t from, bool inside)
{
    for (size_t i = from; i < g->leaves; i++) {
        char was[40], is[40];
        (void)snprintf(was, sizeof was, "\"seq\":%llu,", (unsigned long long)g->leaf[i].index);
        (void)snprintf(is, sizeof is, "\"seq\":%zu,", i);
        g->leaf[i].index = i;
        if (inside)
            edit(&g->leaf[i], was, is);
    }
}

static void hash_all(struct log *g)
{
    for (size_t i = 0; i < g->leaves; i++)
        hash_leaf(&g->leaf[i]);
}

static void nothing(struct log *g) { (void)g; }
static void e1(struct log *g) { edit(&g->leaf[6], "attempt_start", "attempt_stark"); (void)strcpy(g->leaf[6].event, "attempt_stark"); }
static void e2(struct log *g) { e1(g); hash_leaf(&g->leaf[6]); }
static void e2_odd(struct log *g) { edit(&g->leaf[7], "sync", "free"); hash_leaf(&g->leaf[7]); }
static void e2_in_batch(struct log *g) { edit(&g->leaf[13], "sync", "free"); hash_leaf(&g->leaf[13]); }
static void e3(struct log *g) { e2(g); rebuild(g, SIZE_MAX, key, &vkey); }
static void e4_space(struct log *g) { edit(&g->leaf[6], ",\"clock\"", ", \"clock\""); }
static void e4_order(struct log *g) { edit(&g->leaf[6], "{\"boot\":1,\"clock\":\"sync\"", "{\"clock\":\"sync\",\"boot\":1"); }
static void e4_number(struct log *g) { edit(&g->leaf[6], "\"v\":1}", "\"v\":1.0}"); }
static void e5_event(struct log *g) { (void)strcpy(g->leaf[6].event, "attempt_result"); }
static void e5_job(struct log *g) { (void)strcpy(g->leaf[6].job, g->leaf[8].job); }
static void e5_no_job(struct log *g) { g->leaf[6].has_job = false; }
static void d1(struct log *g) { remove_leaf(g, 9); }
static void d2(struct log *g) { remove_leaf(g, 9); renumber(g, 9, false); }
static void d3(struct log *g) { remove_leaf(g, 9); renumber(g, 9, true); hash_all(g); g->heads--; rebuild(g, SIZE_MAX, key, &vkey); }
static void d_first(struct log *g) { remove_leaf(g, 0); }
static void swap(struct log *g, size_t a, size_t b)
{
    struct leaf l = g->leaf[a];
    g->leaf[a] = g->leaf[b];
    g->leaf[b] = l;
    g->leaf[a].index = a;
    g->leaf[b].index = b;
}
static void r1(struct log *g) { swap(g, 8, 16); }
static void r2(struct log *g)
{
    swap(g, 8, 16);
    edit(&g->leaf[8], "\"seq\":16,", "\"seq\":8,");
    edit(&g->leaf[16], "\"seq\":8,", "\"seq\":16,");
    hash_all(g);
}
static void i1_end(struct log *g)
{
    write_leaf(&g->leaf[N], N, "attempt_result", "00000000-0000-4000-8000-00000000ffff", 1795334400000 + N * 60000, 1);
    hash_leaf(&g->leaf[N]);
    g->leaves++;
}
static void i1_end_with_head(struct log *g)
{
    i1_end(g);
    g->head[g->heads] = g->head[g->heads - 1];
    g->head[g->heads++].size = N + 1;
    rebuild(g, SIZE_MAX, key, &vkey);
}
static void i1_middle(struct log *g)
{
    memmove(&g->leaf[10], &g->leaf[9], (g->leaves - 9) * sizeof *g->leaf);
    g->leaves++;
    renumber(g, 10, true);
    edit(&g->leaf[9], "attempt_result", "attempt_resulu");
    (void)strcpy(g->leaf[9].event, "attempt_resulu");
    hash_all(g);
}
static void i2_replay(struct log *g)
{
    g->leaf[N] = g->leaf[7];
    g->leaf[N].index = N;
    g->leaves++;
}
static void x1(struct log *g) { edit(&g->leaf[6], "\"log\":\"factory.example/station1\"", "\"log\":\"factory.example/station2\""); hash_leaf(&g->leaf[6]); rebuild(g, 0, key, &vkey); }
static void t2(struct log *g) { g->leaves = 20; }
static void t2_nodes_too(struct log *g) { g->leaves = 20; g->nodes = 18; }
static void t3(struct log *g) { g->heads = 15; }
static void t3_all(struct log *g) { g->heads = 0; }
static void k3(struct log *g) { rebuild(g, 0, other_key, &other_vkey); }
static void k3_last(struct log *g) { sign_head(&g->head[g->heads - 1], other_key, &other_vkey); }
static void k4(struct log *g) { sign_head(&g->head[g->heads - 1], other_key, &other_vkey); g->head[g->heads - 1].key_id = vkey.id; }
static void bad_bit_in_signature(struct log *g) { g->head[10].signature[40] ^= 1; }
static void bad_bit_in_root(struct log *g) { g->head[10].root.b[3] ^= 0x80; }
static void bad_node(struct log *g) { g->node[5].hash.b[0] ^= 1; }
static void node_gone(struct log *g) { memmove(&g->node[5], &g->node[6], (g->nodes - 6) * sizeof *g->node); g->nodes--; }
static void node_more(struct log *g) { g->node[g->nodes++] = (struct audit_node){1000, g->node[0].hash}; }
static void c1(struct log *g) { write_leaf(&g->leaf[9], 9, "attempt_result", g->leaf[9].job, 1795334400000, 1); hash_leaf(&g->leaf[9]); rebuild(g, 0, key, &vkey); }
static void form_no_log(struct log *g) { edit(&g->leaf[9], "\"log\":\"factory.example/station1\",", ""); hash_leaf(&g->leaf[9]); rebuild(g, 0, key, &vkey); }
static void form_e6(struct log *g) { edit(&g->leaf[9], "\"sw\":", "\"sw\":\"x\",\"sw\":"); hash_leaf(&g->leaf[9]); rebuild(g, 0, key, &vkey); }
static void not_opened(struct log *g) { write_leaf(&g->leaf[0], 0, "boot", NULL, 1795334400000, 1); hash_leaf(&g->leaf[0]); rebuild(g, 0, key, &vkey); }
static void empty_record(struct log *g) { g->leaf[9].n = 0; }

static void attacks(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void (*mutate)(struct log *g);
        enum audit_class class;
        uint64_t first;
        int64_t trusted;
        bool intact;
    } row[] = {
        {"good", nothing, AUDIT_GOOD, 0, N, true},
        {"E1", e1, AUDIT_CHANGED, 6, 6, true},
        {"E2", e2, AUDIT_ROOT, 6, 6, false},
        {"E2 at an odd place", e2_odd, AUDIT_ROOT, 7, 7, false},
        {"E2 in a batch", e2_in_batch, AUDIT_ROOT, 12, 12, false}, /* one of 12, 13, 14: the head tells no more */
        {"E3", e3, AUDIT_SIGNATURE, 6, 6, false},
        {"E4 white space", e4_space, AUDIT_CHANGED, 6, 6, true},
        {"E4 order", e4_order, AUDIT_CHANGED, 6, 6, true},
        {"E4 number", e4_number, AUDIT_CHANGED, 6, 6, true},
        {"E5 event", e5_event, AUDIT_COPY, 6, N, true},
        {"E5 job", e5_job, AUDIT_COPY, 6, N, true},
        {"E5 no job", e5_no_job, AUDIT_COPY, 6, N, true},
        {"E6", form_e6, AUDIT_FORM, 9, 9, true},
        {"D1", d1, AUDIT_MISSING, 9, 9, false},
        {"D1 first", d_first, AUDIT_MISSING, 0, -1, false},
        {"D2", d2, AUDIT_ORDER, 9, 9, false},
        {"D3", d3, AUDIT_SIGNATURE, 9, 9, false},
        {"R1", r1, AUDIT_ORDER, 8, 8, false},
        {"R2", r2, AUDIT_ROOT, 8, 8, false},
        {"I1 at the end", i1_end, AUDIT_UNSIGNED, N, N, true},
        {"I1 at the end, with a head", i1_end_with_head, AUDIT_SIGNATURE, N, N, false},
        {"I1 in the middle", i1_middle, AUDIT_ROOT, 9, 9, false},
        {"I2", i2_replay, AUDIT_ORDER, N, N, true},
        {"X1 with the key", x1, AUDIT_FOREIGN, 6, 6, true},
        {"T2", t2, AUDIT_MISSING, 20, 20, true},
        {"T2 with nodes", t2_nodes_too, AUDIT_MISSING, 20, 20, true},
        {"T3", t3, AUDIT_UNSIGNED, 17, 17, true},
        {"T3 all heads", t3_all, AUDIT_UNSIGNED, 0, -1, true},
        {"K3", k3, AUDIT_KEY, 0, -1, false},
        {"K3 newest", k3_last, AUDIT_KEY, N - 1, N - 1, false},
        {"K4", k4, AUDIT_SIGNATURE, N - 1, N - 1, false},
        {"signature bit", bad_bit_in_signature, AUDIT_SIGNATURE, 10, 10, false},
        {"root bit", bad_bit_in_root, AUDIT_SIGNATURE, 10, 10, false},
        {"node bit", bad_node, AUDIT_NODE, 7, N, true},
        {"node gone", node_gone, AUDIT_NODE, 7, N, true},
        {"node more", node_more, AUDIT_NODE, N, N, true},
        {"C1 with the key", c1, AUDIT_TIME, 9, 9, true},
        {"no log", form_no_log, AUDIT_FORM, 9, 9, true},
        {"not opened", not_opened, AUDIT_FORM, 0, -1, true},
        {"no bytes", empty_record, AUDIT_CHANGED, 9, 9, true},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct log *g = good_log();
        row[i].mutate(g);
        verify(g);
        expect(row[i].name, row[i].class, row[i].first, row[i].trusted);
        if (report.tree_intact != row[i].intact)
            fail_msg("%s: intact %d", row[i].name, report.tree_intact);
        free(g);
    }
}

static void what_a_good_log_tells(void **state)
{
    (void)state;
    struct log *g = good_log();
    verify(g);
    assert_int_equal(report.leaves, N);
    assert_int_equal(report.nodes, 22); /* 12 + 6 + 3 + 1 complete subtrees over 24 leaves */
    assert_int_equal(report.heads, N - 2);
    assert_int_equal(report.signatures, N - 2);
    assert_int_equal(report.boots, 1);
    assert_int_equal(report.closes, 1);
    assert_int_equal(report.heartbeats, 4);
    assert_int_equal(report.starts + report.results, N - 3 - 4);
    assert_int_equal(report.unclosed, 0);
    assert_false(report.open);
    assert_int_equal(report.n_gaps, 0);
    assert_int_equal(report.first_ms, 1795334400000);
    assert_int_equal(report.last_ms, 1795334400000 + 23 * 60000);
    free(g);
    /* T4: cut in front of the log_close, head and all: a good log, of a station that is at work, or was cut */
    g = good_log();
    g->leaves--, g->heads--;
    g->nodes = 19; /* those of the last leaf went with it */
    verify(g);
    expect("T4 alone", AUDIT_GOOD, 0, N - 1);
    assert_true(report.open);
    free(g);
}

/* Every byte of every record, one bit each: always found, always at its place. */
static void sweep(void **state)
{
    (void)state;
    struct log *g = good_log();
    g->at_leaf = 0;
    for (size_t i = 0; i < g->leaves; i++)
        for (size_t b = 0; b < g->leaf[i].n; b++) {
            char was = g->leaf[i].rec[b];
            g->leaf[i].rec[b] = (char)(was ^ (1 << (b % 8)));
            g->at_leaf = g->at_node = g->at_head = 0;
            const struct audit_source source = {g, next_leaf, next_node, next_head};
            const struct audit_config c = {.keys = &vkey, .n_keys = 1, .heads = g->heads, .signatures = 1};
            assert_int_equal(audit_verify(&source, &c, &report, NULL), FL_OK);
            assert_int_equal(report.signatures, 1);
            if (report.verdict != AUDIT_CHANGED || audit_worst(&report)->first != i)
                fail_msg("byte %zu of leaf %zu: %s", b, i, audit_class_name(report.verdict));
            g->leaf[i].rec[b] = was;
        }
    free(g);
}

/* What only a head kept elsewhere shows: each attack passes unseen without it, and is caught with it. */
static void heads_from_outside(void **state)
{
    (void)state;
    struct log *g = good_log();
    struct fl_buf newest = FL_BUF(1000), older = FL_BUF(1000), junk = FL_BUF(1000);
    note_of(&g->head[g->heads - 1], &vkey, &newest);
    note_of(&g->head[9], &vkey, &older);
    struct audit_outside out[2] = {{.name = "N", .note = newest.bytes, .n = newest.len}, {.name = "O", .note = older.bytes, .n = older.len}};

    verify_with(g, &vkey, 1, out, 2);
    expect("both agree", AUDIT_GOOD, 0, N);
    assert_true(out[0].agreed && out[1].agreed);
    assert_int_equal(report.outside_size, N);

    /* T1, B1: cut at its end, with its own older head */
    g->leaves = 20, g->nodes = 18, g->heads = 18;
    verify(g);
    expect("T1 alone", AUDIT_GOOD, 0, 20);
    verify_with(g, &vkey, 1, out, 2);
    expect("T1", AUDIT_ROLLBACK, 20, 20);
    assert_false(out[0].agreed);
    assert_true(out[1].agreed);

    /* B3: and then continued */
    for (size_t i = 20; i < N; i++) {
        write_leaf(&g->leaf[i], i, "heartbeat", NULL, 1795334400000 + (int64_t)i * 60000 + 1, 1);
        hash_leaf(&g->leaf[i]);
        g->head[g->heads++].size = i + 1;
    }
    g->leaves = N;
    rebuild(g, 21, key, &vkey);
    verify(g);
    expect("B3 alone", AUDIT_GOOD, 0, N);
    verify_with(g, &vkey, 1, out, 2);
    expect("B3", AUDIT_FORK, 10, -1);
    assert_non_null(strstr(audit_worst(&report)->text, "24 records"));
    free(g);

    /* K1: history rewritten with the real key */
    g = good_log();
    edit(&g->leaf[6], "sync", "free");
    hash_leaf(&g->leaf[6]);
    rebuild(g, 0, key, &vkey);
    verify(g);
    expect("K1 alone", AUDIT_GOOD, 0, N);
    verify_with(g, &vkey, 1, out, 2);
    expect("K1", AUDIT_FORK, 0, -1);
    free(g);

    /* K2: rewritten behind the newest head that anybody holds: nobody can see it, and the report says how far it could be */
    g = good_log();
    edit(&g->leaf[16], "sync", "free");
    hash_leaf(&g->leaf[16]);
    rebuild(g, 0, key, &vkey);
    verify_with(g, &vkey, 1, &out[1], 1);
    expect("K2", AUDIT_GOOD, 0, N);
    assert_int_equal(report.outside_size, 10);
    free(g);

    /* heads that prove nothing: of another log, by another key, altered */
    g = good_log();
    sign_head(&g->head[3], other_key, &other_vkey);
    note_of(&g->head[3], &other_vkey, &junk);
    free(g);
    g = good_log();
    struct audit_outside bad = {.name = "J", .note = junk.bytes, .n = junk.len};
    verify_with(g, &vkey, 1, &bad, 1);
    expect("head by another key", AUDIT_KEY, 0, N); /* the head is no good, which says nothing against the log */
    note_of(&g->head[3], &vkey, &junk);
    junk.bytes[strlen(ORIGIN) + 1]++;
    bad = (struct audit_outside){.name = "J", .note = junk.bytes, .n = junk.len};
    verify_with(g, &vkey, 1, &bad, 1);
    expect("altered head", AUDIT_SIGNATURE, 0, N);
    free(g);
    fl_buf_fini(&newest);
    fl_buf_fini(&older);
    fl_buf_fini(&junk);
}

/* S3: the log's own word about its key counts, also where another one is trusted beside it */
static void whose_key(void **state)
{
    (void)state;
    struct log *g = good_log();
    struct vkey two[2] = {vkey, other_vkey};
    verify_with(g, &other_vkey, 1, NULL, 0);
    expect("another key is trusted", AUDIT_KEY, 0, -1);
    k3_last(g);
    verify_with(g, two, 2, NULL, 0);
    expect("both are trusted, one is the log's", AUDIT_KEY, N - 1, N - 1);
    free(g);
}

/* ---- one key after another -------------------------------------------------------------------------------------- */

enum { ROTATE = 10 }; /* leaf at which `key` hands over to `other_key` */

/* SHA-256 of the public halves of other_key and of the one after it. */
static char promise[2][65];

static void promise_keys(void)
{
    uint8_t seed[KEY_SEED], pub[KEY_PUBLIC], digest[32];
    struct key *third;
    memset(seed, 0x40, sizeof seed);
    assert_int_equal(key_from_seed(seed, &third, NULL), FL_OK);
    key_public(other_key, pub);
    assert_int_equal(fl_sha256(pub, sizeof pub, digest), FL_OK);
    fl_hex(digest, 32, promise[0]);
    key_public(third, pub);
    assert_int_equal(fl_sha256(pub, sizeof pub, digest), FL_OK);
    fl_hex(digest, 32, promise[1]);
    key_free(third);
}

static void sign_handover(struct audit_head *h, const struct key *k, const struct vkey *v)
{
    struct audit_head second = *h;
    sign_head(&second, k, v);
    h->handover_id = second.key_id;
    memcpy(h->handover, second.signature, KEY_SIGNATURE);
}

static struct audit_head *head_of(struct log *g, uint64_t size)
{
    for (size_t i = 0; i < g->heads; i++)
        if (g->head[i].size == size)
            return &g->head[i];
    fail_msg("no head of %d", (int)size);
    return NULL;
}

/* Roots again, every head signed by the key of its time. */
static void sign_by_time(struct log *g)
{
    rebuild(g, 0, key, &vkey);
    for (size_t i = 0; i < g->heads; i++) {
        if (g->head[i].size > ROTATE + 1)
            sign_head(&g->head[i], other_key, &other_vkey);
        else if (g->head[i].size == ROTATE + 1)
            sign_handover(&g->head[i], other_key, &other_vkey);
    }
}

static struct log *rotated_log(void)
{
    struct log *g = good_log();
    char next[100], vk[KEY_VKEY_MAX], tail[400];
    promise_keys();
    (void)snprintf(next, sizeof next, "\"mono_ms\":0,\"next\":\"%s\",", promise[0]);
    edit(&g->leaf[0], "\"mono_ms\":0,", next);
    (void)snprintf(next, sizeof next, "\"mono_ms\":%d,\"next\":\"%s\",", ROTATE * 60000, promise[1]);
    edit(&g->leaf[ROTATE], "\"mono_ms\":600000,", next);
    edit(&g->leaf[ROTATE], "heartbeat", "key_rotate");
    (void)strcpy(g->leaf[ROTATE].event, "key_rotate");
    vkey_format(&other_vkey, vk);
    (void)snprintf(tail, sizeof tail, ",\"v\":1,\"vkey\":\"%s\"}", vk);
    edit(&g->leaf[ROTATE], ",\"v\":1}", tail);
    hash_all(g);
    sign_by_time(g);
    return g;
}

static void rotate_none(struct log *g) { (void)g; }
static void k5_old(struct log *g) { sign_head(head_of(g, 17), key, &vkey); }
static void k5_old_last(struct log *g) { sign_head(head_of(g, N), key, &vkey); }
static void k5_new(struct log *g) { sign_head(head_of(g, 8), other_key, &other_vkey); }
static void k5_new_at(struct log *g) { sign_head(head_of(g, ROTATE + 1), other_key, &other_vkey); }
static void k6(struct log *g) { edit(&g->leaf[0], promise[0], promise[1]); hash_all(g); sign_by_time(g); }
static void k6_none(struct log *g) { edit(&g->leaf[0], "\"next\":", "\"nexu\":"); hash_all(g); sign_by_time(g); }
static void one_signature(struct log *g) { head_of(g, ROTATE + 1)->handover_id = 0; }
static void bad_handover(struct log *g) { head_of(g, ROTATE + 1)->handover[7] ^= 1; }
static void handover_by_old(struct log *g) { sign_handover(head_of(g, ROTATE + 1), key, &vkey); }
static void second_elsewhere(struct log *g) { sign_handover(head_of(g, 8), other_key, &other_vkey); }
static void no_head_there(struct log *g)
{
    struct audit_head *h = head_of(g, ROTATE + 1);
    memmove(h, h + 1, (size_t)(&g->head[g->heads] - h - 1) * sizeof *h);
    g->heads--;
}
static void retired(struct log *g)
{
    edit(&g->leaf[20], "heartbeat", "key_retire");
    (void)strcpy(g->leaf[20].event, "key_retire");
    hash_all(g);
    sign_by_time(g);
}

static void keys_have_their_time(void **state)
{
    static const struct {
        const char *name;
        void (*attack)(struct log *g);
        enum audit_class class;
        uint64_t first;
        int64_t trusted;
    } row[] = {
        {"nothing", rotate_none, AUDIT_GOOD, 0, N},
        {"K5 the old key after its time", k5_old, AUDIT_KEY, 16, 16},
        {"K5 the old key under the newest head", k5_old_last, AUDIT_KEY, N - 1, N - 1},
        {"K5 the new key before its time", k5_new, AUDIT_KEY, 7, 7},
        {"K5 the new key alone at the hand-over", k5_new_at, AUDIT_KEY, ROTATE, ROTATE},
        {"K6 a key that was not promised", k6, AUDIT_KEY, ROTATE, ROTATE},
        {"K6 nothing was promised", k6_none, AUDIT_KEY, ROTATE, ROTATE},
        {"the new key did not sign", one_signature, AUDIT_KEY, ROTATE, ROTATE},
        {"its signature is not good", bad_handover, AUDIT_KEY, ROTATE, ROTATE},
        {"the old key signed twice", handover_by_old, AUDIT_KEY, ROTATE, ROTATE},
        {"a second signature without a hand-over", second_elsewhere, AUDIT_KEY, 7, 7},
        {"no head at the hand-over", no_head_there, AUDIT_KEY, ROTATE, ROTATE},
        {"behind the retirement of the last key", retired, AUDIT_KEY, 21, 21},
    };
    struct vkey given[2] = {vkey, other_vkey}; /* on paper: the first key, or the one of today */
    (void)state;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < T_COUNT(row); i++) {
            bool fails_to_reach = k == 1 && (row[i].attack == k6 || row[i].attack == k6_none);
            struct log *g = rotated_log();
            row[i].attack(g);
            verify_with(g, &given[k], 1, NULL, 0);
            if (fails_to_reach) /* the chain never leads to the key on paper: nothing at all is trusted */
                expect(row[i].name, AUDIT_KEY, 0, -1);
            else
                expect(row[i].name, row[i].class, row[i].first, row[i].trusted);
            free(g);
        }
    struct log *g = rotated_log();
    verify(g);
    assert_int_equal(report.n_keys, 2);
    assert_int_equal(report.key[0].to, ROTATE + 1);
    assert_int_equal(report.key[1].from, ROTATE + 1);
    assert_true(report.key[0].trusted && !report.key[1].trusted);
    assert_string_equal(report.next_key, promise[1]);
    free(g);
}

/* Heads kept elsewhere are judged by the keys of their time, which the auditor need not have. */
static void outside_heads_of_both_keys(void **state)
{
    (void)state;
    struct log *g = rotated_log();
    struct fl_buf note[3] = {FL_BUF(10000), FL_BUF(10000), FL_BUF(10000)};
    note_of(head_of(g, 9), &vkey, &note[0]);
    note_of(head_of(g, N), &other_vkey, &note[1]);
    struct audit_head late = *head_of(g, 20);
    sign_head(&late, key, &vkey); /* the old key's thief signs what is there */
    note_of(&late, &vkey, &note[2]);
    struct audit_outside out[] = {{.name = "old", .note = note[0].bytes, .n = note[0].len},
                                  {.name = "new", .note = note[1].bytes, .n = note[1].len}};
    verify_with(g, &vkey, 1, out, 2);
    expect("both agree", AUDIT_GOOD, 0, N);
    assert_true(out[0].agreed && out[1].agreed);
    verify_with(g, &other_vkey, 1, out, 2);
    expect("both agree", AUDIT_GOOD, 0, N);
    assert_true(out[0].agreed && out[1].agreed);
    g->leaves = 15; /* cut at its end, heads too: only the newer one elsewhere tells */
    while (g->head[g->heads - 1].size > 15)
        g->heads--;
    rebuild(g, SIZE_MAX, key, &vkey);
    verify_with(g, &vkey, 1, out, 2);
    expect("cut", AUDIT_ROLLBACK, 15, 15);
    free(g);
    g = rotated_log();
    struct audit_outside old_late = {.name = "late", .note = note[2].bytes, .n = note[2].len};
    verify_with(g, &other_vkey, 1, &old_late, 1);
    expect("the old key in a note of a later time", AUDIT_KEY, 0, N);
    free(g);
    for (int i = 0; i < 3; i++)
        fl_buf_fini(&note[i]);
}

/* ---- silence, restarts, clocks --------------------------------------------------------------------------------- */

static void life_of_a_station(void **state)
{
    (void)state;
    static const struct {
        const char *event;
        int minute, boot;
    } row[] = {
        {"log_open", 0, 1}, {"boot", 0, 1}, {"heartbeat", 15, 1}, {"heartbeat", 47, 1}, /* 32 minutes of silence */
        {"log_close", 50, 1}, {"boot", 500, 5}, {"heartbeat", 515, 5},                   /* a night: no gap */
        {"boot", 600, 7}, {"attempt_start", 601, 7}, {"interrupted", 602, 7},            /* the run of 5 was never closed */
    };
    struct log *g = calloc(1, sizeof *g);
    for (size_t i = 0; i < T_COUNT(row); i++) {
        write_leaf(&g->leaf[i], i, row[i].event, NULL, 1795334400000 + row[i].minute * 60000, row[i].boot);
        hash_leaf(&g->leaf[i]);
        g->leaves++;
    }
    g->head[0].size = g->leaves;
    g->heads = 1;
    rebuild(g, 0, key, &vkey);
    verify(g);
    expect("life", AUDIT_GOOD, 0, (int64_t)T_COUNT(row));
    assert_int_equal(report.n_gaps, 1);
    assert_int_equal(report.gap[0].leaf, 3);
    assert_int_equal(report.gap[0].ms, 32 * 60000);
    assert_int_equal(report.unclosed, 1);
    assert_true(report.open);
    assert_int_equal(report.interrupted, 1);
    assert_int_equal(report.boots, 3);
    free(g);
}

static void clock_steps(void **state)
{
    (void)state;
    struct log *g = good_log();
    /* the clock goes back at leaf 9, which says so */
    int64_t to = 1795334400000;
    char text[400];
    (void)snprintf(text, sizeof text, "{\"boot\":1,\"event\":\"clock_step\",\"from_ms\":1,\"log\":\"" ORIGIN "\",\"mono_ms\":540000,\"seq\":9,"
                   "\"station\":\"station1\",\"time\":\"2026-11-22T08:00:00.000Z\",\"to_ms\":%lld,\"v\":1}", (long long)to);
    (void)strcpy(g->leaf[9].rec, text);
    g->leaf[9].n = strlen(text);
    (void)strcpy(g->leaf[9].event, "clock_step");
    g->leaf[9].has_job = false;
    hash_leaf(&g->leaf[9]);
    rebuild(g, 0, key, &vkey);
    verify(g);
    expect("told step", AUDIT_GOOD, 0, N);
    assert_int_equal(report.clock_steps, 1);
    edit(&g->leaf[9], "\"to_ms\":17953344", "\"to_ms\":17953345"); /* the step says another time than its leaf */
    hash_leaf(&g->leaf[9]);
    rebuild(g, 0, key, &vkey);
    verify(g);
    expect("lying step", AUDIT_TIME, 9, 9);
    free(g);
    g = good_log(); /* the monotonic clock of one run cannot go back, whatever the wall clock does */
    edit(&g->leaf[9], "\"mono_ms\":540000", "\"mono_ms\":1");
    hash_leaf(&g->leaf[9]);
    rebuild(g, 0, key, &vkey);
    verify(g);
    expect("C3", AUDIT_TIME, 9, 9);
    free(g);
}

/* C3: the station's clock says one thing all along and an authority another: leaf 12 is an anchor of the head of 10 records. */
static void stamps_of_an_authority(void **state)
{
    (void)state;
    enum { SKEW = AUDIT_SKEW_MS / 60000 };
    static const struct {
        const char *name;
        int minute; /* of the stamp; leaf n is dated n minutes */
        enum audit_class class;
        uint64_t first;
        int64_t trusted;
    } row[] = {
        {"in time", 11, AUDIT_GOOD, 0, N},
        {"as far back as clocks may differ", 9 - SKEW, AUDIT_GOOD, 0, N},
        {"stamped before it was made", 8 - SKEW, AUDIT_TIME, 9, -1}, /* record 9 is dated later: the head stamped is doubtful itself */
        {"as far ahead as clocks may differ", 13 + SKEW, AUDIT_GOOD, 0, N},
        {"dated back behind it", 14 + SKEW, AUDIT_TIME, 13, 12},
    };
    for (size_t i = 0; i < T_COUNT(row); i++)
        for (int known = 0; known < 2; known++) {
            struct log *g = good_log();
            struct fl_buf note = FL_BUF(1000);
            note_of(&g->head[9], &vkey, &note);
            edit(&g->leaf[12], "attempt_start", "anchor");
            (void)strcpy(g->leaf[12].event, "anchor");
            hash_leaf(&g->leaf[12]);
            rebuild(g, 0, key, &vkey);
            struct audit_outside o = {.name = "A", .note = note.bytes, .n = note.len, .anchor = 12,
                                      .stamped_ms = known ? 1795334400000 + row[i].minute * 60000 : 0};
            verify_with(g, &vkey, 1, &o, 1);
            if (known)
                expect(row[i].name, row[i].class, row[i].first, row[i].trusted);
            else
                expect(row[i].name, AUDIT_GOOD, 0, N); /* passes unseen where nobody can tell whose stamp it is */
            assert_true(report.n_findings <= 1);
            fl_buf_fini(&note);
            free(g);
        }
}

/* Scripts rely on these numbers: they never change. */
static void exit_codes(void **state)
{
    (void)state;
    static const char *const name[] = {"changed", "missing", "order",    "form",   "foreign", "time", "copy",  "node",
                                       "root",    "signature", "key",    "unsigned", "rollback", "fork", "rows", "schema",
                                       "database", "proof", "malformed", "witness", "token", "other"};
    assert_int_equal(AUDIT_CLASS_COUNT, 1 + T_COUNT(name));
    assert_int_equal(audit_class_exit(AUDIT_GOOD), 0);
    for (size_t i = 0; i < T_COUNT(name); i++) {
        assert_string_equal(audit_class_name((enum audit_class)(i + 1)), name[i]);
        assert_int_equal(audit_class_exit((enum audit_class)(i + 1)), 10 + i);
    }
}

/* a thousand bad leaves keep memory and the verdict where they are */
static void many_findings(void **state)
{
    (void)state;
    memset(&report, 0, sizeof report);
    for (uint64_t i = 1000; i > 0; i--)
        audit_add(&report, AUDIT_CHANGED, i, i, "%llu", (unsigned long long)i);
    assert_int_equal(report.n_findings, 1000);
    assert_int_equal(audit_worst(&report)->first, 1);
    audit_add(&report, AUDIT_SCHEMA, 0, 0, "beside the log");
    assert_int_equal(report.verdict, AUDIT_CHANGED);
}

static int setup(void **state)
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

static int teardown(void **state)
{
    (void)state;
    key_free(key);
    key_free(other_key);
    fl_hash_free(hasher);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_good_log_tells), cmocka_unit_test(attacks),          cmocka_unit_test(sweep),
        cmocka_unit_test(heads_from_outside),    cmocka_unit_test(whose_key),        cmocka_unit_test(life_of_a_station),
        cmocka_unit_test(keys_have_their_time),  cmocka_unit_test(outside_heads_of_both_keys),
        cmocka_unit_test(clock_steps),           cmocka_unit_test(stamps_of_an_authority), cmocka_unit_test(many_findings), cmocka_unit_test(exit_codes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
