/* SPDX-License-Identifier: Apache-2.0
 * audit/witness, witness_store: every row of the protocol's status table, the example conversation of five records worked out by
 * hand, two stations' requests side by side, a witness that dies between storing and answering, answers that are none. */
#include "unit/t.h"

#include "base/b64.h"
#include "audit/cosign.h"
#include "audit/witness_store.h"
#include "base/file.h"

#include <pthread.h>
#include <unistd.h>

#define ORIGIN "factory.example/station1"

/* Five records, their checkpoint of size 5 signed with the seed 00..1f, and the proof from 3 to 5: worked out with other programs. */
static const char worked[] =
    "old 3\n"
    "33lW+2hxp0s7SGsAiwFPWVHcf9risafc/dYz09IDvWA=\n"
    "D5NsSdyoxc97hMWaieNCXXoj+BbeNXH92iee6skMFZs=\n"
    "iH4MnMXYUIMRw1vg4YvMmryRvXP0mLZ1+n7JrPlHfQ4=\n"
    "GvxqwrLBBaydR30NvehmVQzC+BvZId2gGy8WHMk7qMU=\n"
    "\n"
    "factory.example/station1\n5\nrHpobgt2AqmcV3G1we4mWTTYmWcZjOWMHRV/y9OPdTU=\n\n"
    "\xe2\x80\x94 factory.example/station1 mR34d4vcsXaE2c0kejCqrTeKRe3gU7VtzbRwQABcrCbpgSlJfLUVB2BiTMQXyHDozUBIEXqpVvrFC8wv6AzenQ0rBgY=\n";
static const char root3[] = "6c5b9fec5d1ebfaad6829ad9a40539a27b7860910c36aac5408efa117650c955";

enum { LEAVES = 64, LEVELS = 7 };
struct history {
    struct tree_hash node[LEVELS][LEAVES];
};

static struct key *log_key, *other_key;
static struct vkey log_vkey;
static struct fl_hash *hasher;
static char dir[64], witness_dir[80];
static struct history one, two; /* they part at leaf 10 */

static void fill(struct history *h, unsigned parted)
{
    for (unsigned i = 0; i < LEAVES; i++) {
        char rec[20];
        size_t n = (size_t)snprintf(rec, sizeof rec, "%s%u", i >= parted ? "x" : "", i);
        assert_int_equal(tree_leaf(hasher, rec, n, &h->node[0][i]), FL_OK);
    }
    for (unsigned l = 1; l < LEVELS; l++)
        for (unsigned i = 0; i < (unsigned)LEAVES >> l; i++)
            assert_int_equal(tree_node(hasher, &h->node[l - 1][2 * i], &h->node[l - 1][2 * i + 1], &h->node[l][i]), FL_OK);
}

static enum fl_err read_node(void *ctx, unsigned level, uint64_t index, struct tree_hash *out, struct fl_why *why)
{
    (void)why;
    *out = ((struct history *)ctx)->node[level][index];
    return FL_OK;
}

static void note_of(struct history *h, uint64_t size, const char *origin, const struct key *k, struct fl_buf *out)
{
    const struct tree_reader t = {h, read_node};
    struct tree_hash root;
    struct vkey named = log_vkey;
    char text[CHECKPOINT_TEXT_MAX];
    uint8_t sig[KEY_SIGNATURE];
    static const struct tree_range nothing;
    assert_int_equal(size ? tree_stored_root(hasher, &t, size, &root, NULL) : tree_range_root(hasher, &nothing, &root), FL_OK);
    assert_int_equal(key_sign(k, text, checkpoint_format(origin, size, &root, text), sig, NULL), FL_OK);
    checkpoint_note(out, &named, origin, size, &root, sig);
}

static void request(struct history *h, uint64_t old, uint64_t size, struct fl_buf *out)
{
    const struct tree_reader t = {h, read_node};
    struct tree_proof p = {.n = 0};
    struct fl_buf note = FL_BUF(10000);
    if (old && old <= size)
        assert_int_equal(tree_prove_growth(hasher, &t, old, size, &p, NULL), FL_OK);
    note_of(h, size, ORIGIN, log_key, &note);
    fl_buf_clear(out);
    witness_request(old, &p, note.bytes, note.len, out);
    fl_buf_fini(&note);
}

static struct witness_store *open_store(void)
{
    struct witness_store *s;
    struct fl_why why = {0, ""};
    if (witness_store_open(witness_dir, &s, &why))
        fail_msg("%s", why.text);
    return s;
}

static int ask(struct witness_store *s, const void *bytes, size_t n, char body[static 400])
{
    struct witness_reply r;
    struct fl_why why = {0, ""};
    if (witness_store_answer(s, bytes, n, 1795334400, &r, &why))
        fail_msg("%s", why.text);
    int status = r.status;
    (void)snprintf(body, 400, "%s", fl_buf_text(&r.body));
    if (status == 409)
        assert_string_equal(r.type, "text/x.tlog.size");
    assert_true((status == 200) == (r.note.len > 0));
    witness_reply_fini(&r);
    return status;
}

static int ask_buf(struct witness_store *s, const struct fl_buf *b)
{
    char body[400];
    return ask(s, b->bytes, b->len, body);
}

/* ---- the bytes ------------------------------------------------------------------------------------------------------ */

struct memory {
    struct vkey key;
    uint64_t size;
    struct tree_hash root;
    int stored;
    enum fl_err store_err;
};
static enum fl_err find(void *ctx, const char *origin, struct witness_log *out)
{
    struct memory *m = ctx;
    *out = (struct witness_log){.keys = &m->key, .n_keys = 1, .size = m->size, .root = m->root};
    return strcmp(origin, m->key.name) == 0 ? FL_OK : FL_NOT_FOUND;
}
static enum fl_err keep(void *ctx, const struct checkpoint *head, const void *note, size_t n, struct fl_why *why)
{
    struct memory *m = ctx;
    (void)head;
    (void)note;
    (void)n;
    m->stored++;
    return m->store_err ? fl_fail(why, m->store_err, "the disk is full") : FL_OK;
}

/* the worked conversation: the request as printed, the cosignature line byte for byte (witness seed 40..5f, time 1795334400) */
static void worked_example(void **state)
{
    (void)state;
    uint8_t seed[KEY_SEED], public[KEY_PUBLIC];
    struct memory m = {.key = log_vkey, .size = 3};
    struct key *wk;
    struct vkey wv;
    struct witness_reply r;
    struct fl_why why = {0, ""};
    for (int i = 0; i < KEY_SEED; i++)
        seed[i] = (uint8_t)(0x40 + i);
    assert_int_equal(key_from_seed(seed, &wk, NULL), FL_OK);
    key_public(wk, public);
    assert_int_equal(vkey_make("qa.example/witness1", KEY_COSIGN, public, &wv, NULL), FL_OK);
    assert_true(fl_unhex(root3, m.root.b, 32));
    const struct witness w = {.ctx = &m, .key = wk, .vkey = &wv, .find = find, .store = keep};
    assert_int_equal(witness_answer(&w, worked, sizeof worked - 1, 1795334400, &r, &why), FL_OK);
    assert_int_equal(r.status, 200);
    assert_string_equal(fl_buf_text(&r.body), "\xe2\x80\x94 qa.example/witness1 "
                        "36iIpAAAAABrAqEAn22Bh6hbIus2CuH6VKNt52CTSvsXzShqvKNLpGZzw/HdVyg9GDZs/KlX52F+YshzWOntu/vzoBTgnePE1MKXAA==\n");
    assert_int_equal(m.stored, 1);
    witness_reply_fini(&r);
    /* not stored, not said */
    m.store_err = FL_FULL;
    assert_int_equal(witness_answer(&w, worked, sizeof worked - 1, 1795334400, &r, &why), FL_FULL);
    assert_int_equal(r.status, 0);
    witness_reply_fini(&r);
    key_free(wk);
}

/* ---- W1: the status table ------------------------------------------------------------------------------------------- */

static void status_table(void **state)
{
    (void)state;
    struct witness_store *s = open_store();
    struct fl_buf b = FL_BUF(1 << 20), note = FL_BUF(10000);
    char body[400], big[20000];
    static const struct {
        const char *name;
        int history;
        uint64_t old, size;
        int status;
    } row[] = {
        {"first, from nothing", 0, 0, 5, 200},
        {"the same again, old 0", 0, 0, 5, 409},
        {"same size again", 0, 5, 5, 200},
        {"grown", 0, 5, 12, 200},
        {"stale old", 0, 5, 20, 409},
        {"old from the future", 0, 13, 20, 409},
        {"shrinking", 0, 12, 11, 400},
        {"another history, same size", 1, 12, 12, 422},
        {"another history, grown", 1, 12, 20, 422},
        {"far", 0, 12, 64, 200},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        request(row[i].history ? &two : &one, row[i].old, row[i].size, &b);
        int got = ask(s, b.bytes, b.len, body);
        if (got != row[i].status)
            fail_msg("%s: %d %s", row[i].name, got, body);
        if (i == 1)
            assert_string_equal(body, "5\n");
    }
    /* a proof with old 0, of a log never seen: another witness folder's business is another log's, so by memory */
    struct memory m = {.key = log_vkey};
    struct vkey wv = *witness_store_vkey(s);
    const struct witness fresh = {.ctx = &m, .key = other_key, .vkey = &wv, .find = find, .store = keep};
    static const struct {
        const char *name, *from, *to;
        int status;
    } edit[] = {
        {"proof from nothing", "old 0\n", "old 0\nrHpobgt2AqmcV3G1we4mWTTYmWcZjOWMHRV/y9OPdTU=\n", 422},
        {"leading zero", "old 0\n", "old 00\n", 400},
        {"no number", "old 0\n", "old\n", 400},
        {"negative", "old 0\n", "old -1\n", 400},
        {"beyond 2^63", "old 0\n", "old 9223372036854775808\n", 400},
        {"no empty line", "old 0\n\n", "old 0\n", 400},
        {"a hash that is none", "old 0\n", "old 0\nabc\n", 400},
        {"unknown log", ORIGIN "\n", "factory.example/station2\n", 404},
        {"signature broken", "\n5\n", "\n6\n", 403},
        {"nothing", NULL, "", 400},
        {"no signature", "\xe2\x80\x94 ", "", 400},
    };
    for (size_t i = 0; i < T_COUNT(edit); i++) {
        struct witness_reply r;
        char text[2000];
        request(&one, 0, 5, &b);
        const char *all = fl_buf_text(&b), *at = edit[i].from ? strstr(all, edit[i].from) : all + b.len;
        assert_non_null(at);
        int n = snprintf(text, sizeof text, "%.*s%s%s", edit[i].from ? (int)(at - all) : 0, all, edit[i].to,
                         edit[i].from ? at + strlen(edit[i].from) : "");
        assert_int_equal(witness_answer(&fresh, text, (size_t)n, 1, &r, NULL), FL_OK);
        if (r.status != edit[i].status)
            fail_msg("%s: %d", edit[i].name, r.status);
        witness_reply_fini(&r);
    }
    assert_int_equal(m.stored, 0);
    /* the empty tree: its root, or 422 */
    request(&one, 0, 0, &b);
    assert_int_equal(ask_buf(s, &b), 409); /* that folder is at 64 */
    note_of(&one, 5, ORIGIN, other_key, &note); /* by another key that claims the log's name and ID */
    fl_buf_clear(&b);
    witness_request(64, NULL, note.bytes, note.len, &b);
    assert_int_equal(ask_buf(s, &b), 403);
    memset(big, 'A', sizeof big);
    assert_int_equal(ask(s, big, sizeof big, body), 400);
    fl_buf_fini(&b);
    fl_buf_fini(&note);
    witness_store_close(s);
}

/* ---- W2: two at once ------------------------------------------------------------------------------------------------- */

struct racer {
    struct witness_store *s;
    struct fl_buf b;
    int status;
};
static void *race(void *ctx)
{
    struct racer *r = ctx;
    struct witness_reply reply;
    r->status = witness_store_answer(r->s, r->b.bytes, r->b.len, 1795334400, &reply, NULL) ? 500 : reply.status;
    witness_reply_fini(&reply);
    return NULL;
}

static void two_at_once(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct witness_store *s;
        struct racer r[2] = {{.b = FL_BUF(10000)}, {.b = FL_BUF(10000)}};
        struct fl_buf b = FL_BUF(10000);
        pthread_t t[2];
        char cmd[200];
        (void)snprintf(cmd, sizeof cmd, "rm -f %s/*.note", witness_dir);
        assert_int_equal(system(cmd), 0);
        s = open_store();
        request(&one, 0, 1, &b);
        assert_int_equal(ask_buf(s, &b), 200);
        for (int i = 0; i < 2; i++) {
            r[i].s = s;
            request(&one, 1, i ? 5 : 3, &r[i].b);
            assert_int_equal(pthread_create(&t[i], NULL, race, &r[i]), 0);
        }
        for (int i = 0; i < 2; i++)
            assert_int_equal(pthread_join(t[i], NULL), 0);
        if (!((r[0].status == 200 && r[1].status == 409) || (r[0].status == 409 && r[1].status == 200)))
            fail_msg("%d and %d", r[0].status, r[1].status);
        request(&one, r[0].status == 200 ? 3 : 5, 6, &b); /* and it stands where the winner left it */
        assert_int_equal(ask_buf(s, &b), 200);
        witness_store_close(s);
        for (int i = 0; i < 2; i++)
            fl_buf_fini(&r[i].b);
        fl_buf_fini(&b);
    }
}

/* ---- W3: killed between storing and answering ------------------------------------------------------------------------ */

static void answer_lost(void **state)
{
    (void)state;
    struct witness_store *s = open_store(), *again;
    struct fl_buf b = FL_BUF(10000);
    char body[400];
    assert_int_equal(witness_store_open(witness_dir, &again, NULL), FL_BUSY); /* one folder, one witness */
    request(&one, 6, 20, &b);
    assert_int_equal(ask_buf(s, &b), 200); /* stored; the answer gets lost */
    witness_store_close(s);
    s = open_store();
    assert_int_equal(ask(s, b.bytes, b.len, body), 409); /* the station asks again from where it thinks it is */
    assert_string_equal(body, "20\n");
    request(&one, 20, 20, &b);
    assert_int_equal(ask_buf(s, &b), 200); /* the same size, again */
    witness_store_close(s);
    /* a memory that was damaged is no "never signed": nothing more is signed */
    char cmd[200];
    (void)snprintf(cmd, sizeof cmd, "for f in %s/*.note; do echo x >$f; done", witness_dir);
    assert_int_equal(system(cmd), 0);
    s = open_store();
    struct witness_reply r;
    request(&one, 0, 20, &b);
    assert_int_not_equal(witness_store_answer(s, b.bytes, b.len, 1, &r, NULL), FL_OK);
    witness_reply_fini(&r);
    witness_store_close(s);
    fl_buf_fini(&b);
}

/* ---- W4, K7: answers that are none ----------------------------------------------------------------------------------- */

static void bad_answers(void **state)
{
    (void)state;
    struct fl_buf note = FL_BUF(10000), older = FL_BUF(10000), line = FL_BUF(10000), out = FL_BUF(20000);
    struct vkey w, typed;
    uint8_t raw[COSIGN_RAW], public[KEY_PUBLIC];
    key_public(other_key, public);
    assert_int_equal(vkey_make("qa.example/w", KEY_COSIGN, public, &w, NULL), FL_OK);
    assert_int_equal(vkey_make("qa.example/w", KEY_NOTE, public, &typed, NULL), FL_OK);
    note_of(&one, 20, ORIGIN, log_key, &note);
    note_of(&one, 12, ORIGIN, log_key, &older);
    const char *blank = strstr(fl_buf_text(&note), "\n\n");
    assert_int_equal(cosign_make(fl_buf_text(&note), (size_t)(blank + 1 - fl_buf_text(&note)), 1795334400, other_key, raw, NULL), FL_OK);
    fl_buf_adds(&line, "garbage\n\xe2\x80\x94 somebody else AAAAAAAA\n");
    note_add_line(&line, w.name, w.id, raw, sizeof raw);
    assert_int_equal(witness_take(note.bytes, note.len, line.bytes, line.len, &w, &out, NULL), FL_OK); /* unknown lines are passed over */
    struct checkpoint head;
    assert_int_equal(checkpoint_open(out.bytes, out.len, &w, 1, ORIGIN, &head, NULL), FL_OK);
    assert_int_equal(checkpoint_open(out.bytes, out.len, &log_vkey, 1, ORIGIN, &head, NULL), FL_OK);
    /* replayed on another head; as a plain signature; with another time; nothing at all */
    assert_int_equal(witness_take(older.bytes, older.len, line.bytes, line.len, &w, &out, NULL), FL_MISMATCH);
    fl_buf_clear(&line);
    note_add_line(&line, typed.name, typed.id, raw, sizeof raw);
    assert_int_equal(witness_take(note.bytes, note.len, line.bytes, line.len, &typed, &out, NULL), FL_MISMATCH);
    assert_int_equal(witness_take(note.bytes, note.len, line.bytes, line.len, &w, &out, NULL), FL_NOT_FOUND);
    raw[7] ^= 1;
    fl_buf_clear(&line);
    note_add_line(&line, w.name, w.id, raw, sizeof raw);
    assert_int_equal(witness_take(note.bytes, note.len, line.bytes, line.len, &w, &out, NULL), FL_MISMATCH);
    assert_int_equal(witness_take(note.bytes, note.len, "", 0, &w, &out, NULL), FL_NOT_FOUND);
    assert_int_equal(witness_take(note.bytes, note.len, "<html>busy</html>", 17, &w, &out, NULL), FL_NOT_FOUND);
    fl_buf_fini(&note);
    fl_buf_fini(&older);
    fl_buf_fini(&line);
    fl_buf_fini(&out);
}

static int setup(void **state)
{
    uint8_t seed[KEY_SEED], public[KEY_PUBLIC];
    char text[KEY_VKEY_MAX];
    struct vkey w;
    (void)state;
    for (int i = 0; i < KEY_SEED; i++)
        seed[i] = (uint8_t)i;
    if (fl_hash_new(FL_HASH_SHA256, &hasher) || key_from_seed(seed, &log_key, NULL))
        return -1;
    seed[0] = 9;
    if (key_from_seed(seed, &other_key, NULL))
        return -1;
    key_public(log_key, public);
    if (vkey_make(ORIGIN, KEY_NOTE, public, &log_vkey, NULL))
        return -1;
    fill(&one, LEAVES);
    fill(&two, 10);
    (void)strcpy(dir, "/tmp/flashline-test-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(witness_dir, sizeof witness_dir, "%s/w", dir);
    vkey_format(&log_vkey, text);
    if (witness_store_make(witness_dir, "qa.example/w", &w, NULL) || witness_store_make(witness_dir, "qa.example/w", &w, NULL) != FL_EXISTS)
        return -1;
    if (witness_store_trust(witness_dir, text, NULL) || witness_store_trust(witness_dir, text, NULL) != FL_EXISTS)
        return -1;
    return 0;
}

static int teardown(void **state)
{
    char cmd[100];
    (void)state;
    (void)snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    key_free(log_key);
    key_free(other_key);
    fl_hash_free(hasher);
    return system(cmd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_example), cmocka_unit_test(status_table), cmocka_unit_test(two_at_once),
        cmocka_unit_test(answer_lost),    cmocka_unit_test(bad_answers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
