/* SPDX-License-Identifier: Apache-2.0
 * audit/tree: literal vectors, and all proofs of all trees up to 64 leaves against a naive second method. */
#include "unit/t.h"

#include "audit/tree.h"

static struct fl_hash *hasher;

static int make_hasher(void **state)
{
    (void)state;
    return fl_hash_new(FL_HASH_SHA256, &hasher) ? -1 : 0;
}
static int free_hasher(void **state)
{
    (void)state;
    fl_hash_free(hasher);
    return 0;
}

static struct tree_hash from_hex(const char *hex)
{
    struct tree_hash h;
    assert_true(fl_unhex(hex, h.b, sizeof h.b));
    return h;
}
#define assert_hash(got, hex)                                                                      \
    do {                                                                                           \
        char text_[65];                                                                            \
        fl_hex((got).b, 32, text_);                                                                \
        assert_string_equal(text_, hex);                                                           \
    } while (0)

/* ---- the naive method: the definition itself, over an array of leaf hashes ----------------------- */

static struct tree_hash mth(const struct tree_hash *d, size_t n)
{
    struct tree_hash out, l, r;
    if (n == 0) {
        assert_int_equal(fl_sha256("", 0, out.b), FL_OK);
        return out;
    }
    if (n == 1)
        return d[0];
    size_t k = 1;
    while (2 * k < n)
        k *= 2;
    l = mth(d, k);
    r = mth(d + k, n - k);
    uint8_t in[65] = {1};
    memcpy(in + 1, l.b, 32);
    memcpy(in + 33, r.b, 32);
    assert_int_equal(fl_sha256(in, 65, out.b), FL_OK);
    return out;
}

static void path(size_t m, const struct tree_hash *d, size_t n, struct tree_proof *p)
{
    if (n == 1)
        return;
    size_t k = 1;
    while (2 * k < n)
        k *= 2;
    if (m < k) {
        path(m, d, k, p);
        p->path[p->n++] = mth(d + k, n - k);
    } else {
        path(m - k, d + k, n - k, p);
        p->path[p->n++] = mth(d, k);
    }
}

static void subproof(size_t m, const struct tree_hash *d, size_t n, bool b, struct tree_proof *p)
{
    if (m == n) {
        if (!b)
            p->path[p->n++] = mth(d, n);
        return;
    }
    size_t k = 1;
    while (2 * k < n)
        k *= 2;
    if (m <= k) {
        subproof(m, d, k, b, p);
        p->path[p->n++] = mth(d + k, n - k);
    } else {
        subproof(m - k, d + k, n - k, false, p);
        p->path[p->n++] = mth(d, k);
    }
}

/* ---- a store of complete subtrees, filled by appending -------------------------------------------- */

enum { N = 300, SMALL = 64 };
struct store {
    struct tree_hash leaf[N], node[2 * N];
    bool have[2 * N];
    struct tree_range range;
    uint64_t next; /* stored index that must come next */
};

static enum fl_err read_store(void *ctx, unsigned level, uint64_t index, struct tree_hash *out,
                              struct fl_why *why)
{
    struct store *s = ctx;
    uint64_t id = tree_stored_index(level, index);
    if (id >= 2 * N || !s->have[id])
        return fl_fail(why, FL_NOT_FOUND, "no node %u/%u", level, (unsigned)index);
    *out = s->node[id];
    return FL_OK;
}

static void put(struct store *s, uint64_t id, const struct tree_hash *h)
{
    assert_int_equal(id, s->next++); /* storage order has no holes */
    s->node[id] = *h;
    s->have[id] = true;
}

static void append(struct store *s)
{
    struct tree_made made[TREE_LEVELS];
    size_t n;
    uint64_t i = s->range.size;
    uint8_t data[2] = {(uint8_t)i, 0x5a};
    assert_int_equal(tree_leaf(hasher, data, sizeof data, &s->leaf[i]), FL_OK);
    put(s, tree_stored_index(0, i), &s->leaf[i]);
    assert_int_equal(tree_range_add(hasher, &s->range, &s->leaf[i], made, &n), FL_OK);
    for (size_t k = 0; k < n; k++)
        put(s, tree_stored_index(made[k].level, made[k].index), &made[k].hash);
    assert_int_equal(tree_stored_count(s->range.size), s->next);
}

static struct store *full_store(void)
{
    struct store *s = calloc(1, sizeof *s);
    for (int i = 0; i < N; i++)
        append(s);
    return s;
}

/* ---- tests ---------------------------------------------------------------------------------------- */

/* the eight leaves of the classic Certificate Transparency set and their roots for n = 1..8 */
static void classic_roots(void **state)
{
    (void)state;
    static const struct {
        const char *leaf;
        size_t n;
        const char *root;
    } row[] = {
        {"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {"\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
        {"\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
        {"\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
        {"\x40\x41\x42\x43", 4, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
        {"\x50\x51\x52\x53\x54\x55\x56\x57", 8,
         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
        {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
    };
    struct tree_range r = {0};
    struct tree_hash h;
    assert_int_equal(tree_range_root(hasher, &r, &h), FL_OK);
    assert_hash(h, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < T_COUNT(row); i++) {
        assert_int_equal(tree_leaf(hasher, row[i].leaf, row[i].n, &h), FL_OK);
        assert_int_equal(tree_range_add(hasher, &r, &h, NULL, NULL), FL_OK);
        assert_int_equal(tree_range_root(hasher, &r, &h), FL_OK);
        assert_hash(h, row[i].root);
    }
}

static void single_hashes(void **state)
{
    (void)state;
    struct tree_hash h, l, r;
    assert_int_equal(tree_leaf(hasher, "L123456", 7, &h), FL_OK);
    assert_hash(h, "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
    /* node("N123", "N456") has children of four bytes: the hash of 01 || N123 || N456 */
    assert_int_equal(fl_sha256("\x01N123N456", 9, h.b), FL_OK);
    assert_hash(h, "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb");
    memset(l.b, 0x11, 32);
    memset(r.b, 0x22, 32);
    uint8_t in[65] = {1};
    memset(in + 1, 0x11, 32);
    memset(in + 33, 0x22, 32);
    struct tree_hash want;
    assert_int_equal(fl_sha256(in, 65, want.b), FL_OK);
    assert_int_equal(tree_node(hasher, &l, &r, &h), FL_OK);
    assert_true(tree_hash_same(&h, &want));
}

/* the five-record log: leaf data is the JSON text */
static const char *const rec[] = {
    "{\"event\":\"log_open\",\"seq\":0,\"station\":\"station1\",\"time\":\"2026-11-22T08:00:00.000Z\",\"v\":1}",
    "{\"event\":\"flash\",\"fw_sha256\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\",\"result\":\"pass\",\"seq\":1,\"serial\":\"A100-000001\",\"station\":\"station1\",\"time\":\"2026-11-22T08:00:01.000Z\",\"v\":1}",
    "{\"event\":\"flash\",\"fw_sha256\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\",\"result\":\"pass\",\"seq\":2,\"serial\":\"A100-000002\",\"station\":\"station1\",\"time\":\"2026-11-22T08:00:02.000Z\",\"v\":1}",
    "{\"code\":\"E_VERIFY\",\"event\":\"flash\",\"fw_sha256\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\",\"result\":\"fail\",\"seq\":3,\"serial\":\"A100-000003\",\"station\":\"station1\",\"time\":\"2026-11-22T08:00:03.000Z\",\"v\":1}",
    "{\"event\":\"log_close\",\"seq\":4,\"station\":\"station1\",\"time\":\"2026-11-22T08:00:04.000Z\",\"v\":1}",
};

static void five_records(void **state)
{
    (void)state;
    static const char *const leaf[] = {
        "68fdbed393090f9b5401db2e28c30efdbff892fdc9187fdcd748fa0bb638143e",
        "1fc51c78ddcbcfa823d22aa9ec2667572394a4f44e73e378a934e7dcfd1778b6",
        "df7956fb6871a74b3b486b008b014f5951dc7fdae2b1a7dcfdd633d3d203bd60",
        "0f936c49dca8c5cf7b84c59a89e3425d7a23f816de3571fdda279eeac90c159b",
        "1afc6ac2b2c105ac9d477d0dbde866550cc2f81bd921dda01b2f161cc93ba8c5",
    };
    static const char *const root[] = {
        NULL, NULL, "887e0c9cc5d8508311c35be0e18bcc9abc91bd73f498b675fa7ec9acf9477d0e",
        "6c5b9fec5d1ebfaad6829ad9a40539a27b7860910c36aac5408efa117650c955", NULL,
        "ac7a686e0b7602a99c5771b5c1ee265934d89967198ce58c1d157fcbd38f7535",
    };
    struct tree_range r = {0};
    struct tree_hash h;
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(tree_leaf(hasher, rec[i], strlen(rec[i]), &h), FL_OK);
        assert_hash(h, leaf[i]);
        assert_int_equal(tree_range_add(hasher, &r, &h, NULL, NULL), FL_OK);
        assert_int_equal(tree_range_root(hasher, &r, &h), FL_OK);
        if (root[i + 1])
            assert_hash(h, root[i + 1]);
    }
    /* the published proofs of this log: leaf 2 in 5, and growth from 3 to 5 */
    struct tree_proof in = {3,
                            {from_hex(leaf[3]), from_hex("887e0c9cc5d8508311c35be0e18bcc9abc91bd73f498b675fa7ec9acf9477d0e"),
                             from_hex(leaf[4])}};
    struct tree_hash l2 = from_hex(leaf[2]), r3 = from_hex(root[3]), r5 = from_hex(root[5]);
    assert_int_equal(tree_check_leaf(hasher, &l2, 2, 5, &in, &r5), FL_OK);
    struct tree_proof grow = {4, {l2, from_hex(leaf[3]), in.path[1], from_hex(leaf[4])}};
    assert_int_equal(tree_check_growth(hasher, 3, &r3, 5, &r5, &grow), FL_OK);
}

static void stored_indexes(void **state)
{
    (void)state;
    static const struct {
        unsigned level;
        uint64_t index, stored;
    } row[] = {{0, 0, 0}, {0, 1, 1}, {1, 0, 2}, {0, 2, 3}, {0, 3, 4}, {1, 1, 5}, {2, 0, 6}, {0, 4, 7},
               /* 2^40 leaves make 2^41 - 1 subtrees, the last of them the whole */
               {40, 0, ((uint64_t)1 << 41) - 2}, {0, (uint64_t)1 << 40, ((uint64_t)1 << 41) - 1}};
    for (size_t i = 0; i < T_COUNT(row); i++)
        assert_int_equal(tree_stored_index(row[i].level, row[i].index), row[i].stored);
}

static void all_roots_and_loads(void **state)
{
    (void)state;
    struct store *s = full_store();
    struct tree_reader t = {s, read_store};
    struct tree_range grown = {0};
    for (uint64_t n = 0; n <= N; n++) {
        struct tree_hash want = mth(s->leaf, n), got;
        struct tree_range r;
        assert_int_equal(tree_stored_root(hasher, &t, n, &got, NULL), FL_OK);
        assert_true(tree_hash_same(&got, &want));
        assert_int_equal(tree_range_load(&t, n, &r, NULL), FL_OK);
        assert_int_equal(tree_range_root(hasher, &r, &got), FL_OK);
        assert_true(tree_hash_same(&got, &want));
        assert_int_equal(tree_range_root(hasher, &grown, &got), FL_OK);
        assert_true(tree_hash_same(&got, &want));
        if (n < N)
            assert_int_equal(tree_range_add(hasher, &grown, &s->leaf[n], NULL, NULL), FL_OK);
    }
    free(s);
}

static void same_proof(const struct tree_proof *a, const struct tree_proof *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++)
        assert_true(tree_hash_same(&a->path[i], &b->path[i]));
}

static void all_inclusions(void **state)
{
    (void)state;
    struct store *s = full_store();
    struct tree_reader t = {s, read_store};
    for (uint64_t n = 1; n <= SMALL; n++) {
        struct tree_hash root = mth(s->leaf, n);
        for (uint64_t i = 0; i < n; i++) {
            struct tree_proof got, want = {0};
            path(i, s->leaf, n, &want);
            assert_int_equal(tree_prove_leaf(hasher, &t, i, n, &got, NULL), FL_OK);
            same_proof(&got, &want);
            assert_int_equal(tree_check_leaf(hasher, &s->leaf[i], i, n, &got, &root), FL_OK);
            /* no other place, size or leaf goes with it */
            for (uint64_t j = 0; j < n; j++)
                if (j != i)
                    assert_int_equal(tree_check_leaf(hasher, &s->leaf[i], j, n, &got, &root), FL_MISMATCH);
            assert_int_equal(tree_check_leaf(hasher, &s->leaf[(i + 1) % SMALL], i, n, &got, &root), FL_MISMATCH);
        }
        struct tree_proof p;
        assert_int_equal(tree_prove_leaf(hasher, &t, n, n, &p, NULL), FL_ARG);
    }
    free(s);
}

static void all_growths(void **state)
{
    (void)state;
    struct store *s = full_store();
    struct tree_reader t = {s, read_store};
    struct tree_hash root[SMALL + 1];
    for (uint64_t n = 0; n <= SMALL; n++)
        root[n] = mth(s->leaf, n);
    for (uint64_t n = 0; n <= SMALL; n++)
        for (uint64_t m = 0; m <= n; m++) {
            struct tree_proof got = {0}, want = {0};
            if (m == 0) {
                assert_int_equal(tree_prove_growth(hasher, &t, m, n, &got, NULL), FL_ARG);
                got.n = 0;
            } else {
                subproof(m, s->leaf, n, true, &want);
                assert_int_equal(tree_prove_growth(hasher, &t, m, n, &got, NULL), FL_OK);
                same_proof(&got, &want);
            }
            assert_int_equal(tree_check_growth(hasher, m, &root[m], n, &root[n], &got), FL_OK);
            if (m > 0) /* another old root must not pass */
                assert_int_equal(tree_check_growth(hasher, m, &root[m - 1], n, &root[n], &got), FL_MISMATCH);
            if (m < n && m > 0)
                assert_int_equal(tree_check_growth(hasher, m, &root[m], n, &root[m], &got), FL_MISMATCH);
        }
    free(s);
}

/* Every proof there is in trees of up to 300 leaves, against roots by the recursive definition. */
static void all_up_to_300(void **state)
{
    (void)state;
    static struct tree_hash root[N + 1];
    struct store *s = full_store();
    struct tree_reader t = {s, read_store};
    struct tree_proof p;
    for (uint64_t n = 1; n <= N; n++) {
        root[n] = mth(s->leaf, n);
        for (uint64_t i = 0; n > SMALL && i < n; i++) {
            assert_int_equal(tree_prove_leaf(hasher, &t, i, n, &p, NULL), FL_OK);
            assert_int_equal(tree_check_leaf(hasher, &s->leaf[i], i, n, &p, &root[n]), FL_OK);
            assert_int_equal(tree_check_leaf(hasher, &s->leaf[i], i, n, &p, &root[n - 1]), FL_MISMATCH);
        }
        for (uint64_t m = 1; n > SMALL && m <= n; m++) {
            assert_int_equal(tree_prove_growth(hasher, &t, m, n, &p, NULL), FL_OK);
            assert_int_equal(tree_check_growth(hasher, m, &root[m], n, &root[n], &p), FL_OK);
        }
    }
    free(s);
}

/* every hash flipped, dropped, doubled, one appended; sizes and places off by one and at the far ends */
static void damaged_proofs(void **state)
{
    (void)state;
    struct store *s = full_store();
    struct tree_reader t = {s, read_store};
    for (uint64_t n = 1; n <= 33; n++)
        for (uint64_t i = 0; i < n; i++) {
            struct tree_hash root = mth(s->leaf, n), l = s->leaf[i];
            struct tree_proof p, q;
            assert_int_equal(tree_prove_leaf(hasher, &t, i, n, &p, NULL), FL_OK);
            for (size_t k = 0; k < p.n; k++) {
                q = p;
                q.path[k].b[(i + k) % 32] ^= (uint8_t)(1u << (k % 8));
                assert_int_equal(tree_check_leaf(hasher, &l, i, n, &q, &root), FL_MISMATCH);
                q = p;
                memmove(&q.path[k], &q.path[k + 1], (q.n - k - 1) * sizeof *q.path);
                q.n--;
                assert_int_equal(tree_check_leaf(hasher, &l, i, n, &q, &root), FL_MISMATCH);
                q = p;
                memmove(&q.path[k + 1], &q.path[k], (q.n - k) * sizeof *q.path);
                q.n++;
                assert_int_equal(tree_check_leaf(hasher, &l, i, n, &q, &root), FL_MISMATCH);
            }
            q = p;
            q.path[q.n++] = root;
            assert_int_equal(tree_check_leaf(hasher, &l, i, n, &q, &root), FL_MISMATCH);
            static const uint64_t far[] = {0, (uint64_t)1 << 62, (uint64_t)1 << 63, UINT64_MAX};
            for (size_t k = 0; k < T_COUNT(far); k++) {
                if (far[k] != n)
                    assert_int_equal(tree_check_leaf(hasher, &l, i, far[k], &p, &root), FL_MISMATCH);
                if (far[k] != i)
                    assert_int_equal(tree_check_leaf(hasher, &l, far[k], n, &p, &root), FL_MISMATCH);
            }
        }
    free(s);
}

/* sizes no store can hold: a reader that makes subtree hashes up, so that 64-bit edges are walked */
static enum fl_err read_made_up(void *ctx, unsigned level, uint64_t index, struct tree_hash *out,
                                struct fl_why *why)
{
    /* all leaves are the same, so a subtree depends on its level only */
    const struct tree_hash *by_level = ctx;
    (void)why;
    assert_true(level < 63);
    assert_true(index <= (TREE_SIZE_MAX >> level));
    *out = by_level[level];
    return FL_OK;
}

static void far_sizes(void **state)
{
    (void)state;
    struct tree_hash by_level[64];
    memset(by_level, 7, sizeof by_level[0]);
    for (int l = 1; l < 64; l++)
        assert_int_equal(tree_node(hasher, &by_level[l - 1], &by_level[l - 1], &by_level[l]), FL_OK);
    struct tree_reader t = {by_level, read_made_up};
    static const uint64_t size[] = {TREE_SIZE_MAX, (uint64_t)1 << 62, ((uint64_t)1 << 62) + 1, ((uint64_t)1 << 33) - 1};
    for (size_t i = 0; i < T_COUNT(size); i++) {
        struct tree_hash root, half;
        struct tree_proof p;
        assert_int_equal(tree_stored_root(hasher, &t, size[i], &root, NULL), FL_OK);
        const uint64_t at[] = {0, size[i] / 3, size[i] - 1};
        for (size_t k = 0; k < T_COUNT(at); k++) {
            assert_int_equal(tree_prove_leaf(hasher, &t, at[k], size[i], &p, NULL), FL_OK);
            assert_int_equal(tree_check_leaf(hasher, &by_level[0], at[k], size[i], &p, &root), FL_OK);
        }
        uint64_t old = size[i] / 3;
        assert_int_equal(tree_stored_root(hasher, &t, old, &half, NULL), FL_OK);
        assert_int_equal(tree_prove_growth(hasher, &t, old, size[i], &p, NULL), FL_OK);
        assert_int_equal(tree_check_growth(hasher, old, &half, size[i], &root, &p), FL_OK);
    }
    struct tree_range full = {.size = TREE_SIZE_MAX};
    assert_int_equal(tree_range_add(hasher, &full, &by_level[0], NULL, NULL), FL_LIMIT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(classic_roots),       cmocka_unit_test(single_hashes),
        cmocka_unit_test(five_records),        cmocka_unit_test(stored_indexes),
        cmocka_unit_test(all_roots_and_loads), cmocka_unit_test(all_inclusions),
        cmocka_unit_test(all_growths), cmocka_unit_test(all_up_to_300),         cmocka_unit_test(damaged_proofs),
        cmocka_unit_test(far_sizes),
    };
    return cmocka_run_group_tests(tests, make_hasher, free_hasher);
}
