/* SPDX-License-Identifier: Apache-2.0
 * audit/verify_keys: whose key it is, and one key after another: each has its time. */
#include "unit/t.h"

#include "unit/audit/log.h"

/* S3: the log's own word about its key counts, also where another one is trusted beside it */
static void whose_key(void **state)
{
    (void)state;
    struct log *g = good_log();
    struct vkey two[2] = {vkey, other_vkey};
    verify_with(g, &other_vkey, 1, NULL, 0);
    expect("another key is trusted", AUDIT_KEY, 0, -1);
    sign_head(&g->head[g->heads - 1], other_key, &other_vkey);
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
        {"K5 the old key after its time", k5_old, AUDIT_KEY, 16, N} /* good heads behind it cover its records */,
        {"K5 the old key under the newest head", k5_old_last, AUDIT_KEY, N - 1, N - 1},
        {"K5 the new key before its time", k5_new, AUDIT_KEY, 7, N},
        {"K5 the new key alone at the hand-over", k5_new_at, AUDIT_KEY, ROTATE, ROTATE},
        {"K6 a key that was not promised", k6, AUDIT_KEY, ROTATE, ROTATE},
        {"K6 nothing was promised", k6_none, AUDIT_KEY, ROTATE, ROTATE},
        {"the new key did not sign", one_signature, AUDIT_KEY, ROTATE, ROTATE},
        {"its signature is not good", bad_handover, AUDIT_KEY, ROTATE, ROTATE},
        {"the old key signed twice", handover_by_old, AUDIT_KEY, ROTATE, ROTATE},
        {"a second signature without a hand-over", second_elsewhere, AUDIT_KEY, 7, N},
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_key),
        cmocka_unit_test(keys_have_their_time),
        cmocka_unit_test(outside_heads_of_both_keys),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
