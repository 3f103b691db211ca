/* SPDX-License-Identifier: Apache-2.0
 * audit/certs: certificates one by one, and what all of them together show of a log that was written anew. Histories are made
 * here leaf by leaf; what a fork must look like follows from which leaves differ, not from the code that looks. */
#include "unit/t.h"

#include "base/b64.h"
#include "audit/certs.h"
#include "audit/cosign.h"
#include "audit/proof_file.h"

#define ORIGIN "factory.example/station1"

enum { LEAVES = 4096, LEVELS = 13 };

/* A history: all complete subtrees of LEAVES leaves. Leaves from `changed` on differ from another history's. */
struct history {
    struct tree_hash node[LEVELS][LEAVES];
    size_t changed;
};

static struct key *key, *witness_key;
static struct vkey vkey, witness;
static struct fl_hash *hasher;

static size_t record(const struct history *h, uint64_t i, char out[static 600])
{
    return (size_t)snprintf(out, 600, "{\"boot\":1,\"clock\":\"sync\",\"event\":\"unit_final\",\"log\":\"" ORIGIN "\",\"mac\":\"24:6f:28:00:%02x:%02x\","
                            "\"mono_ms\":%llu,\"outcome\":\"PASS\",\"seq\":%llu,\"station\":\"%s\",\"sw\":\"flashline 0.1.0\",\"time\":\"2026-11-22T08:00:00.000Z\",\"v\":1}",
                            (unsigned)(i >> 8 & 255), (unsigned)(i & 255), (unsigned long long)i, (unsigned long long)i,
                            i >= h->changed ? "station2" : "station1");
}

static struct history *history(size_t changed)
{
    struct history *h = calloc(1, sizeof *h);
    char rec[600];
    assert_non_null(h);
    h->changed = changed;
    for (size_t i = 0; i < LEAVES; i++) {
        size_t n = record(h, i, rec);
        assert_int_equal(tree_leaf(hasher, rec, n, &h->node[0][i]), FL_OK);
    }
    for (size_t l = 1; l < LEVELS; l++)
        for (size_t i = 0; i < (size_t)LEAVES >> l; i++)
            assert_int_equal(tree_node(hasher, &h->node[l - 1][2 * i], &h->node[l - 1][2 * i + 1], &h->node[l][i]), FL_OK);
    return h;
}

static enum fl_err read_node(void *ctx, unsigned level, uint64_t index, struct tree_hash *out, struct fl_why *why)
{
    const struct history *h = ctx;
    (void)why;
    assert_true(level < LEVELS && index < (uint64_t)LEAVES >> level);
    *out = h->node[level][index];
    return FL_OK;
}

static void note_of(struct history *h, uint64_t size, bool cosigned, struct fl_buf *out)
{
    const struct tree_reader t = {h, read_node};
    struct tree_hash root;
    char text[CHECKPOINT_TEXT_MAX];
    uint8_t sig[KEY_SIGNATURE], cosig[COSIGN_RAW];
    assert_int_equal(tree_stored_root(hasher, &t, size, &root, NULL), FL_OK);
    size_t n = checkpoint_format(ORIGIN, size, &root, text);
    assert_int_equal(key_sign(key, text, n, sig, NULL), FL_OK);
    checkpoint_note(out, &vkey, ORIGIN, size, &root, sig);
    if (cosigned) {
        assert_int_equal(cosign_make(text, n, 1795334400, witness_key, cosig, NULL), FL_OK);
        note_add_line(out, witness.name, witness.id, cosig, sizeof cosig);
    }
}

static void certificate(struct history *h, uint64_t index, uint64_t size, bool cosigned, struct fl_buf *out)
{
    const struct tree_reader t = {h, read_node};
    struct tree_proof p;
    struct fl_buf note = FL_BUF(10000);
    char rec[600];
    size_t n = record(h, index, rec);
    fl_buf_clear(out);
    assert_int_equal(tree_prove_leaf(hasher, &t, index, size, &p, NULL), FL_OK);
    note_of(h, size, cosigned, &note);
    proof_file_write(out, rec, n, index, &p, note.bytes, note.len);
    assert_int_equal(fl_buf_err(out, NULL), FL_OK);
    fl_buf_fini(&note);
}

static struct trust trust;
static struct certs *start(size_t n_keys, unsigned quorum)
{
    struct certs *x;
    trust = (struct trust){.log = {vkey}, .n_logs = 1, .witness = {witness}, .n_witnesses = n_keys - 1, .quorum = quorum};
    assert_int_equal(certs_new(&trust, &x, NULL), FL_OK);
    return x;
}

static enum audit_class add(struct certs *x, const char *name, const struct fl_buf *b, struct certs_file *f)
{
    struct certs_file own;
    assert_int_equal(certs_add(x, name, b->bytes ? (const void *)b->bytes : "", b->len, f ? f : &own, NULL), FL_OK);
    return f ? f->class : own.class;
}

static struct certs_result end(struct certs *x)
{
    static struct certs_result r;
    assert_int_equal(certs_end(x, &r, NULL), FL_OK);
    certs_free(x);
    return r;
}

/* ---- one ----------------------------------------------------------------------------------------------------- */

static void good_ones(void **state)
{
    (void)state;
    struct history *h = history(LEAVES);
    struct fl_buf b = FL_BUF(100000);
    struct certs *x = start(2, 1);
    struct certs_file f;
    certificate(h, 77, 1000, true, &b);
    if (add(x, "a", &b, &f))
        fail_msg("%s", f.text);
    assert_true(f.has_record && f.index == 77 && f.size == 1000 && f.witnesses == 1);
    assert_string_equal(f.mac, "24:6f:28:00:00:4d");
    assert_string_equal(f.outcome, "PASS");
    certificate(h, 77, 1000, false, &b);
    assert_int_equal(add(x, "b", &b, &f), AUDIT_WITNESS);
    fl_buf_clear(&b);
    note_of(h, 4000, true, &b);
    assert_int_equal(add(x, "c", &b, &f), AUDIT_GOOD);
    assert_false(f.has_record);
    struct certs_result r = end(x);
    assert_int_equal(r.files, 3);
    assert_int_equal(r.good, 2);
    assert_int_equal(r.records, 1);
    assert_int_equal(r.verdict, AUDIT_WITNESS);
    fl_buf_fini(&b);
    free(h);
}

/* P1 to P4: every line of a certificate changed in every way that keeps it a file of that form */
static void every_line_changed(void **state)
{
    (void)state;
    struct history *h = history(LEAVES), *other = history(0);
    struct fl_buf good = FL_BUF(100000), bad = FL_BUF(100000);
    struct certs *x = start(1, 0);
    certificate(h, 77, 1000, false, &good);
    assert_int_equal(add(x, "good", &good, NULL), AUDIT_GOOD);
    for (size_t i = 0; i < good.len; i++) {
        fl_buf_clear(&bad);
        fl_buf_add(&bad, good.bytes, good.len);
        bad.bytes[i] ^= 1;
        if (add(x, "bad", &bad, NULL) == AUDIT_GOOD)
            fail_msg("byte %zu (%c) can be changed", i, good.bytes[i]);
    }
    struct proof_file p;
    struct tree_proof path;
    assert_int_equal(proof_file_parse(good.bytes, good.len, &p, NULL), FL_OK);
    static const struct {
        const char *name;
        uint64_t index;
    } place[] = {{"+1", 78}, {"-1", 76}, {"size", 1000}, {"far", UINT64_C(1) << 62}, {"zero", 0}};
    for (size_t i = 0; i < T_COUNT(place); i++) {
        fl_buf_clear(&bad);
        proof_file_write(&bad, p.extra.bytes, p.extra.len, place[i].index, &p.path, p.note, p.note_n);
        if (add(x, "bad", &bad, NULL) != AUDIT_PROOF)
            fail_msg("index %s", place[i].name);
    }
    for (size_t i = 0; i < p.path.n; i++)
        for (int how = 0; how < 3; how++) { /* dropped, doubled, another's */
            path = p.path;
            if (how == 2)
                path.path[i] = other->node[0][i];
            else
                memmove(&path.path[i + (how == 1)], &path.path[i + (how == 0)], (path.n - i - (how == 0)) * sizeof *path.path);
            path.n += how == 1 ? 1 : how == 0 ? (size_t)-1 : 0;
            fl_buf_clear(&bad);
            proof_file_write(&bad, p.extra.bytes, p.extra.len, 77, &path, p.note, p.note_n);
            assert_int_equal(add(x, "bad", &bad, NULL), AUDIT_PROOF);
        }
    path = p.path;
    path.path[path.n++] = path.path[0]; /* appended */
    fl_buf_clear(&bad);
    proof_file_write(&bad, p.extra.bytes, p.extra.len, 77, &path, p.note, p.note_n);
    assert_int_equal(add(x, "bad", &bad, NULL), AUDIT_PROOF);
    fl_buf_clear(&bad);
    proof_file_write(&bad, NULL, 0, 77, &p.path, p.note, p.note_n);
    assert_int_equal(add(x, "no record", &bad, NULL), AUDIT_MALFORMED);
    char rec[600];
    size_t n = record(h, 78, rec); /* P2, P3: another record of the same log */
    fl_buf_clear(&bad);
    proof_file_write(&bad, rec, n, 77, &p.path, p.note, p.note_n);
    assert_int_equal(add(x, "another record", &bad, NULL), AUDIT_PROOF);
    proof_file_fini(&p);
    assert_int_equal(end(x).good, 1);
    fl_buf_fini(&good);
    fl_buf_fini(&bad);
    free(h);
    free(other);
}

/* ---- many ---------------------------------------------------------------------------------------------------- */

struct cert {
    int history; /* 0: the first; 1: the one that was written anew */
    uint64_t index, size; /* index UINT64_MAX: the head alone */
};

static void histories(void **state)
{
    (void)state;
    struct history *h[2] = {history(LEAVES), history(40)}; /* they part at leaf 40 */
#define HEAD UINT64_MAX
    static const struct {
        const char *name;
        struct cert c[4];
        enum audit_class verdict;
        uint64_t compared;
    } row[] = {
        {"one log, two sizes", {{0, 5, 50}, {0, 30, 90}}, AUDIT_GOOD, 2},
        {"parted later than both know", {{0, 5, 40}, {1, 30, 90}}, AUDIT_GOOD, 2},
        {"two roots of one size", {{0, 5, 50}, {1, 5, 50}}, AUDIT_FORK, 2},
        {"heads alone of one size", {{0, HEAD, 50}, {1, HEAD, 50}}, AUDIT_FORK, 2},
        {"the same record differs", {{0, 41, 50}, {1, 41, 90}}, AUDIT_FORK, 2},
        {"a sibling differs", {{0, 40, 50}, {1, 41, 90}}, AUDIT_FORK, 2},
        {"a subtree over it differs: known from below, and from beside", {{0, 40, 100}, {1, 50, 90}}, AUDIT_FORK, 2},
        {"the root of a head from the others' records", {{1, HEAD, 41}, {0, 40, 64}}, AUDIT_FORK, 1},
        {"no two know the same place", {{0, HEAD, 50}, {1, HEAD, 60}}, AUDIT_GOOD, 0},
        {"four of one log", {{0, 0, 4096}, {0, 4095, 4096}, {0, 2047, 2048}, {0, HEAD, 2049}}, AUDIT_GOOD, 2},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct certs *x = start(1, 0);
        struct fl_buf b = FL_BUF(100000);
        for (size_t k = 0; k < 4 && row[i].c[k].size; k++) {
            const struct cert *c = &row[i].c[k];
            char name[20];
            (void)snprintf(name, sizeof name, "file %zu", k);
            fl_buf_clear(&b);
            if (c->index == HEAD)
                note_of(h[c->history], c->size, false, &b);
            else
                certificate(h[c->history], c->index, c->size, false, &b);
            assert_int_equal(add(x, name, &b, NULL), AUDIT_GOOD); /* each is good by itself: that is the point */
        }
        struct certs_result r = end(x);
        if (r.verdict != row[i].verdict || r.compared != row[i].compared)
            fail_msg("%s: %s, %llu compared: %s", row[i].name, audit_class_name(r.verdict), (unsigned long long)r.compared, r.n_forks ? r.fork[0] : "");
        if (r.n_forks)
            assert_non_null(strstr(r.fork[0], "file 0"));
        fl_buf_fini(&b);
    }
    free(h[0]);
    free(h[1]);
}

/* ten thousand, each under its own head, and one among them of another history */
static void ten_thousand(void **state)
{
    (void)state;
    struct history *h = history(LEAVES), *bad = history(1234);
    for (int spoiled = 0; spoiled < 2; spoiled++) {
        struct certs *x = start(1, 0);
        struct fl_buf b = FL_BUF(100000);
        for (unsigned i = 0; i < 10000; i++) { /* a size comes up to three times */
            uint64_t size = 1 + i % LEAVES, index = (uint64_t)i * 7919 % size;
            certificate(spoiled && i == 2500 ? bad : h, index, size, false, &b);
            if (add(x, i == 2500 ? "the one" : "another", &b, NULL) != AUDIT_GOOD)
                fail_msg("certificate %u", i);
        }
        struct certs_result r = end(x);
        assert_int_equal(r.verdict, spoiled ? AUDIT_FORK : AUDIT_GOOD);
        assert_int_equal(r.heads, LEAVES + spoiled);
        assert_true(r.compared >= LEAVES - 1);
        if (spoiled)
            assert_non_null(strstr(r.fork[0], "the one"));
        fl_buf_fini(&b);
    }
    free(h);
    free(bad);
}

/* ---- size ---------------------------------------------------------------------------------------------------- */

static enum fl_err any_node(void *ctx, unsigned level, uint64_t index, struct tree_hash *out, struct fl_why *why)
{
    (void)ctx;
    (void)why;
    memset(out->b, (int)(level * 7 + index), sizeof out->b);
    return FL_OK;
}

/* A certificate as record/unit_final.h writes it, in a log of ten million, with a witness. Its lines are counted. */
static void below_two_kilobytes(void **state)
{
    (void)state;
    static const char rec[] =
        "{\"attempt\":\"5pQHrpXRkQEh4JhSwU8R85ifxE44thH/+qyNtTlKz90=\",\"boot\":9123456,\"chip\":\"esp32c3\",\"clock\":\"sync\","
        "\"event\":\"unit_final\",\"log\":\"flashline/line-3-a/a560b177\",\"mac\":\"24:6f:28:00:00:01\",\"mono_ms\":136131728,\"outcome\":\"PASS\","
        "\"profile\":\"abababababababababababababababababababababababababababababababab\",\"seq\":9999999,\"station\":\"line-3-a\","
        "\"sw\":\"flashline 0.1.0\",\"time\":\"2026-11-22T18:52:47.671Z\",\"v\":1}";
    const struct tree_reader t = {NULL, any_node};
    struct vkey log, qa;
    struct tree_proof p;
    struct tree_hash root = {{1}};
    struct fl_buf note = FL_BUF(10000), b = FL_BUF(10000);
    uint8_t sig[COSIGN_RAW] = {9};
    assert_int_equal(vkey_make("flashline/line-3-a/a560b177", KEY_NOTE, vkey.key, &log, NULL), FL_OK);
    assert_int_equal(vkey_make("qa.example/witness1", KEY_COSIGN, vkey.key, &qa, NULL), FL_OK);
    checkpoint_note(&note, &log, log.name, 10000000, &root, sig);
    note_add_line(&note, qa.name, qa.id, sig, COSIGN_RAW);
    assert_int_equal(tree_prove_leaf(hasher, &t, 4194303, 10000000, &p, NULL), FL_OK); /* as deep as it gets: ceil(log2(10^7)) */
    assert_int_equal(p.n, 24);
    proof_file_write(&b, rec, sizeof rec - 1, 4194303, &p, note.bytes, note.len);
    print_message("%zu bytes with %zu lines of proof and one witness\n", b.len, p.n);
    assert_true(b.len < 2000);
    fl_buf_fini(&note);
    fl_buf_fini(&b);
}

static int setup(void **state)
{
    uint8_t seed[KEY_SEED], public[KEY_PUBLIC];
    (void)state;
    for (int i = 0; i < KEY_SEED; i++)
        seed[i] = (uint8_t)i;
    if (fl_hash_new(FL_HASH_SHA256, &hasher) || key_from_seed(seed, &key, NULL))
        return -1;
    seed[0] = 77;
    if (key_from_seed(seed, &witness_key, NULL))
        return -1;
    key_public(key, public);
    if (vkey_make(ORIGIN, KEY_NOTE, public, &vkey, NULL))
        return -1;
    key_public(witness_key, public);
    return vkey_make("qa.example/w", KEY_COSIGN, public, &witness, NULL) ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    key_free(key);
    key_free(witness_key);
    fl_hash_free(hasher);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones), cmocka_unit_test(every_line_changed), cmocka_unit_test(histories),
        cmocka_unit_test(ten_thousand), cmocka_unit_test(below_two_kilobytes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
