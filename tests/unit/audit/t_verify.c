/* SPDX-License-Identifier: Apache-2.0
 * audit/verify: a good log, and everything that can be done to it without the key (and with it), each with the finding
 * that must come of it. The attacks (E1, D2, ...) are listed in station/audit/README.md. */
#include "unit/t.h"

#include "audit/verify_run.h"
#include "unit/audit/log.h"

/* ---- attacks -------------------------------------------------------------------------------------------------- */

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
static void bad_three(struct log *g) { bad_bit_in_signature(g); bad_bit_in_root(g); g->head[5].root.b[0] ^= 1; g->head[g->heads - 1].signature[0] ^= 1; }
static void bad_head_and_record(struct log *g) { bad_bit_in_signature(g); edit(&g->leaf[16], "sync", "free"); }
static void bad_record_and_head(struct log *g) { bad_bit_in_root(g); edit(&g->leaf[6], "sync", "free"); }
static void bad_head_and_e2(struct log *g) { g->head[9].signature[5] ^= 1; edit(&g->leaf[9], "sync", "free"); hash_leaf(&g->leaf[9]); }
static void bad_node(struct log *g) { g->node[5].hash.b[0] ^= 1; }
static void node_gone(struct log *g) { memmove(&g->node[5], &g->node[6], (g->nodes - 6) * sizeof *g->node); g->nodes--; }
static void node_more(struct log *g) { g->node[g->nodes++] = (struct audit_node){1000, g->node[0].hash}; }
static void c1(struct log *g) { write_leaf(&g->leaf[9], 9, "attempt_result", g->leaf[9].job, 1795334400000, 1); hash_leaf(&g->leaf[9]); rebuild(g, 0, key, &vkey); }
static void form_no_log(struct log *g) { edit(&g->leaf[9], "\"log\":\"factory.example/station1\",", ""); hash_leaf(&g->leaf[9]); rebuild(g, 0, key, &vkey); }
static void form_no_clock(struct log *g) { edit(&g->leaf[9], "\"clock\":\"sync\",", ""); hash_leaf(&g->leaf[9]); rebuild(g, 0, key, &vkey); }
static void form_no_sw(struct log *g) { edit(&g->leaf[9], ",\"sw\":\"flashline 0.1.0\"", ""); hash_leaf(&g->leaf[9]); rebuild(g, 0, key, &vkey); }
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
        /* one head damaged, good ones behind it: they cover its records */
        {"H14 signature bit", bad_bit_in_signature, AUDIT_SIGNATURE, 10, N, true},
        {"H14 root bit", bad_bit_in_root, AUDIT_SIGNATURE, 10, N, true},
        {"H14 two damaged, and the newest", bad_three, AUDIT_SIGNATURE, N - 1, N - 1, false},
        {"H14 a damaged head, and a record behind it", bad_head_and_record, AUDIT_CHANGED, 16, 16, true},
        {"H14 a damaged head, and a record under it", bad_record_and_head, AUDIT_CHANGED, 6, 6, true},
        {"H14 a damaged head at a record that was changed and hashed anew", bad_head_and_e2, AUDIT_SIGNATURE, 9, 9, false},
        {"node bit", bad_node, AUDIT_NODE, 7, N, true},
        {"node gone", node_gone, AUDIT_NODE, 7, N, true},
        {"node more", node_more, AUDIT_NODE, N, N, true},
        {"C1 with the key", c1, AUDIT_TIME, 9, 9, true},
        {"no log", form_no_log, AUDIT_FORM, 9, 9, true},
        {"no clock", form_no_clock, AUDIT_FORM, 9, 9, true},
        {"no sw", form_no_sw, AUDIT_FORM, 9, 9, true},
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
    expect("B3", AUDIT_FORK, 10, 10); /* the one that agreed */
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

    /* D1: a record taken out of the middle, of the head at whose size nothing stands any more: what is missing is missing, and
     * nothing is newer elsewhere */
    g = good_log();
    d1(g);
    verify(g);
    size_t alone = report.n_findings;
    verify_with(g, &vkey, 1, out, 2);
    expect("D1", AUDIT_MISSING, 9, 9);
    for (size_t i = 0; i < report.n_findings; i++)
        assert_int_not_equal(report.finding[i].class, AUDIT_ROLLBACK);
    assert_int_equal(report.n_findings, alone);
    assert_int_equal(report.outside, 2);
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

/* I2 with the key: the result of one attempt is recorded a second time under its job, with another outcome perhaps. Every record
 * is what was signed; only who keeps count of jobs sees it. */
static void one_job_twice(void **state)
{
    (void)state;
    struct account *account;
    struct log *g = good_log();
    assert_int_equal(account_new(&account, NULL), FL_OK);
    edit(&g->leaf[9], "000000000004", "000000000003");
    (void)strcpy(g->leaf[9].job, g->leaf[7].job);
    hash_leaf(&g->leaf[9]);
    rebuild(g, 0, key, &vkey);
    verify(g);
    expect("nobody counts", AUDIT_GOOD, 0, N);
    const struct audit_source source = {g, next_leaf, next_node, next_head};
    const struct audit_config c = {.keys = &vkey, .n_keys = 1, .account = account};
    for (int round = 0; round < 2; round++) {
        g->at_leaf = g->at_node = g->at_head = 0;
        assert_int_equal(audit_verify(&source, &c, &report, NULL), FL_OK);
        expect("I2 with the key", AUDIT_TWICE, 9, 9);
        assert_non_null(strstr(audit_worst(&report)->text, "record 7"));
        assert_true(report.tree_intact);
    }
    account_free(account);
    free(g);
}

/* What is found when the heads over it are gone by: back to the newest in front of it, exactly while they are few, else nearly. */
static void back_to_an_earlier_head(void **state)
{
    static const uint64_t behind[] = {0, 1, 2, 5, 2047, 2048, 2049, 5000, 9999};
    struct audit_good good[AUDIT_GOOD_MAX];
    (void)state;
    for (size_t i = 0; i < T_COUNT(behind); i++)
        for (uint64_t heads = 10; heads <= 10000; heads *= 10) {
            struct audit_run r = {.out = &report, .good = good, .good_each = 1};
            memset(&report, 0, sizeof report);
            for (uint64_t size = 1; size <= heads; size++)
                audit_trust(&r, size, &(struct tree_hash){{(uint8_t)size}});
            uint64_t first = behind[i] < heads ? behind[i] : heads - 1, each = heads > AUDIT_GOOD_MAX ? 2 * heads / AUDIT_GOOD_MAX : 1;
            audit_add(&report, AUDIT_TIME, first, first, "late");
            assert_false(report.has_trusted);
            audit_retreat(&r, first);
            assert_int_equal(report.has_trusted, first > 0);
            assert_true(!first || (report.trusted_size <= first && report.trusted_size + each > first));
            assert_true(!first || report.trusted_root.b[0] == (uint8_t)report.trusted_size);
        }
}

/* Scripts rely on these numbers: they never change. */
static void exit_codes(void **state)
{
    (void)state;
    static const char *const name[] = {"changed", "missing", "order",    "form",   "foreign", "time", "copy",  "node",
                                       "root",    "signature", "key",    "unsigned", "rollback", "fork", "rows", "schema",
                                       "database", "proof", "malformed", "witness", "token", "other", "twice"};
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_good_log_tells),
        cmocka_unit_test(attacks),
        cmocka_unit_test(sweep),
        cmocka_unit_test(heads_from_outside),
        cmocka_unit_test(one_job_twice),
        cmocka_unit_test(back_to_an_earlier_head),
        cmocka_unit_test(many_findings),
        cmocka_unit_test(exit_codes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
