/* SPDX-License-Identifier: Apache-2.0
 * sign/: the two tables of keeper.h row by row, here and over a socket, and what a torn, damaged or locked memory does. */
#include "unit/t.h"

#include "base/file.h"
#include "sign/keeper.h"
#include "sign/remote.h"
#include "sign/server.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N = SIGNER_KEEPS + 8 };
static struct tree_hash leaf[N];
static struct fl_hash *hasher;

static enum fl_err read_leaf(void *ctx, unsigned level, uint64_t index, struct tree_hash *out, struct fl_why *why)
{
    struct tree_range r = {0};
    (void)ctx;
    (void)why;
    for (uint64_t i = index << level; i < (index + 1) << level; i++)
        if (tree_range_add(hasher, &r, &leaf[i], NULL, NULL))
            return FL_NOMEM;
    return tree_range_root(hasher, &r, out);
}
static const struct tree_reader tree = {NULL, read_leaf};

struct t_keeper {
    char dir[64], memory[80], file[90];
    struct keeper *k;
    struct fl_buf redo, given; /* what is kept; what comes back */
    struct tree_proof growth;
    _Atomic int64_t now; /* also read by the thread that serves the socket */
    uint8_t seed;              /* of the key; next key: seed + 1 */
    bool adopt, with_next;
};

static int64_t clock_of(void *ctx)
{
    return atomic_load(&((struct t_keeper *)ctx)->now);
}

static enum fl_err open_keeper(struct t_keeper *t, struct fl_why *why)
{
    struct seal one, two = {.ctx = NULL};
    struct key *key;
    uint8_t seed[KEY_SEED];
    memset(seed, t->seed, sizeof seed);
    assert_int_equal(key_from_seed(seed, &key, NULL), FL_OK);
    seal_of_key(key, &one);
    memset(seed, t->seed + 1, sizeof seed);
    if (t->with_next) {
        assert_int_equal(key_from_seed(seed, &key, NULL), FL_OK);
        seal_of_key(key, &two);
    }
    const struct keeper_config c = {.key = &one, .next = t->with_next ? &two : NULL, .memory = t->memory, .adopt = t->adopt,
                                    .wall_ms = clock_of, .ctx = t};
    keeper_free(t->k);
    t->k = NULL;
    enum fl_err err = keeper_new(&c, &t->k, why);
    seal_close(&one);
    seal_close(&two);
    return err;
}

static int setup(void **state)
{
    struct t_keeper *t = calloc(1, sizeof *t);
    (void)strcpy(t->dir, "/tmp/flashline-test-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    (void)snprintf(t->memory, sizeof t->memory, "%s/memory", t->dir);
    t->redo = FL_BUF(1000000);
    t->given = FL_BUF(1000000);
    t->now = 1795334400000;
    t->seed = 0x20;
    assert_int_equal(open_keeper(t, NULL), FL_OK);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct t_keeper *t = *state;
    char cmd[100];
    keeper_free(t->k);
    fl_buf_fini(&t->redo);
    fl_buf_fini(&t->given);
    (void)snprintf(cmd, sizeof cmd, "rm -rf %s", t->dir);
    assert_int_equal(system(cmd), 0);
    free(t);
    return 0;
}

static struct checkpoint head(uint64_t size)
{
    struct checkpoint c = {.origin = "o", .size = size};
    assert_int_equal(tree_stored_root(hasher, &tree, size, &c.root, NULL), FL_OK);
    return c;
}

static enum fl_err told(struct t_keeper *t, struct checkpoint c, struct fl_why *why)
{
    return keeper_open(t->k, &c, &t->given, why);
}

static struct signer_request request(struct t_keeper *t, uint64_t from, uint64_t to)
{
    struct signer_request r = {.origin = "o", .old_size = from, .new_size = to, .old_root = head(from).root,
                               .new_root = head(to).root, .growth = &t->growth, .redo = &t->redo};
    t->growth.n = 0;
    fl_buf_clear(&t->redo);
    fl_buf_addf(&t->redo, "from %d to %d", (int)from, (int)to);
    if (from && from < to)
        assert_int_equal(tree_prove_growth(hasher, &tree, from, to, &t->growth, NULL), FL_OK);
    return r;
}

static enum fl_err signs(struct t_keeper *t, uint64_t from, uint64_t to, uint8_t sig[static KEY_SIGNATURE])
{
    struct signer_request r = request(t, from, to);
    return keeper_sign(t->k, &r, sig, NULL);
}

static bool good(struct t_keeper *t, uint64_t size, const uint8_t sig[static KEY_SIGNATURE], uint8_t seed)
{
    char text[CHECKPOINT_TEXT_MAX];
    uint8_t s[KEY_SEED], pub[KEY_PUBLIC];
    struct key *key;
    struct tree_hash root = head(size).root;
    (void)t;
    memset(s, seed, sizeof s);
    assert_int_equal(key_from_seed(s, &key, NULL), FL_OK);
    key_public(key, pub);
    key_free(key);
    return vkey_verify(pub, text, checkpoint_format("o", size, &root, text), sig) == FL_OK;
}

/* ---- what it signs ------------------------------------------------------------------------------------------ */

static void signs_what_continues_and_survives_its_own_end(void **state)
{
    struct t_keeper *t = *state;
    uint8_t sig[KEY_SIGNATURE], again[KEY_SIGNATURE];
    assert_int_equal(signs(t, 0, 3, sig), FL_STATE); /* not told of the log first */
    assert_int_equal(told(t, head(0), NULL), FL_OK);
    assert_int_equal(t->given.len, 0);
    assert_int_equal(signs(t, 0, 3, sig), FL_OK);
    assert_true(good(t, 3, sig, 0x20));
    assert_int_equal(signs(t, 3, 7, sig), FL_OK);
    assert_int_equal(signs(t, 3, 8, again), FL_MISMATCH); /* from a head that is not the last */
    assert_int_equal(signs(t, 0, 9, again), FL_MISMATCH);
    assert_int_equal(signs(t, 3, 7, again), FL_OK); /* the same again: the same bytes */
    assert_memory_equal(sig, again, sizeof sig);
    assert_int_equal(signs(t, 7, 7, again), FL_MISMATCH);
    struct signer_request r = request(t, 7, 9);
    r.new_root = head(10).root;
    assert_int_equal(keeper_sign(t->k, &r, again, NULL), FL_MISMATCH);
    r = request(t, 7, 9);
    r.origin = "p";
    assert_int_equal(keeper_sign(t->k, &r, again, NULL), FL_MISMATCH);

    assert_int_equal(open_keeper(t, NULL), FL_OK); /* a new process */
    assert_string_equal(keeper_origin(t->k), "o");
    assert_int_equal(told(t, head(7), NULL), FL_OK);
    assert_int_equal(t->given.len, 0);
    assert_int_equal(signs(t, 3, 8, again), FL_MISMATCH);
    assert_int_equal(signs(t, 7, 8, again), FL_OK);
    assert_true(good(t, 8, again, 0x20));
}

static void gives_back_what_the_log_lost(void **state)
{
    struct t_keeper *t = *state;
    uint8_t sig[KEY_SIGNATURE], again[KEY_SIGNATURE];
    assert_int_equal(told(t, head(0), NULL), FL_OK);
    assert_int_equal(signs(t, 0, 3, sig), FL_OK);
    assert_int_equal(signs(t, 3, 7, sig), FL_OK);
    assert_int_equal(open_keeper(t, NULL), FL_OK);
    assert_int_equal(told(t, head(3), NULL), FL_OK); /* its commit of 7 never came */
    assert_string_equal(fl_buf_text(&t->given), "from 3 to 7");
    assert_int_equal(signs(t, 3, 6, again), FL_MISMATCH); /* anything but that one */
    assert_int_equal(signs(t, 3, 8, again), FL_MISMATCH);
    assert_int_equal(signs(t, 3, 7, again), FL_OK);
    assert_memory_equal(sig, again, sizeof sig);
    assert_int_equal(signs(t, 7, 9, sig), FL_OK);
}

/* The database's own disk may be behind by all that is kept: one after the other comes again, and then it goes on. */
static void gives_back_all_that_is_kept(void **state)
{
    struct t_keeper *t = *state;
    struct fl_why why = {0, ""};
    enum { HEADS = SIGNER_KEEPS + 4 };
    uint8_t sig[HEADS + 1][KEY_SIGNATURE], again[KEY_SIGNATURE];
    char want[40];
    assert_int_equal(told(t, head(0), NULL), FL_OK);
    for (uint64_t i = 0; i < HEADS; i++)
        assert_int_equal(signs(t, i, i + 1, sig[i + 1]), FL_OK);
    assert_int_equal(open_keeper(t, NULL), FL_OK);
    assert_int_equal(told(t, head(HEADS - SIGNER_KEEPS - 1), &why), FL_MISMATCH); /* one too far */
    assert_non_null(strstr(why.text, "ROLLBACK"));
    for (uint64_t i = HEADS - SIGNER_KEEPS; i < HEADS; i++) {
        assert_int_equal(told(t, head(i), NULL), FL_OK);
        (void)snprintf(want, sizeof want, "from %d to %d", (int)i, (int)i + 1);
        assert_string_equal(fl_buf_text(&t->given), want);
        if (i + 2 <= HEADS) /* not two in one: that would be another history of heads */
            assert_int_equal(signs(t, i, i + 2, again), FL_MISMATCH);
        assert_int_equal(signs(t, i, i + 1, again), FL_OK);
        assert_memory_equal(sig[i + 1], again, sizeof again);
    }
    assert_int_equal(told(t, head(HEADS), NULL), FL_OK);
    assert_int_equal(t->given.len, 0);
    assert_int_equal(signs(t, HEADS, HEADS + 1, again), FL_OK);
    assert_int_equal(told(t, head(HEADS - SIGNER_KEEPS), NULL), FL_MISMATCH);
}

/* After an orderly end nothing is given back: whoever comes with less was put back. */
static void nothing_is_lost_behind_an_orderly_end(void **state)
{
    struct t_keeper *t = *state;
    struct fl_why why = {0, ""};
    uint8_t sig[KEY_SIGNATURE];
    assert_int_equal(told(t, head(0), NULL), FL_OK);
    assert_int_equal(signs(t, 0, 3, sig), FL_OK);
    assert_int_equal(signs(t, 3, 7, sig), FL_OK);
    assert_int_equal(keeper_settled(t->k, NULL), FL_OK);
    assert_int_equal(keeper_settled(t->k, NULL), FL_OK);
    for (int opened = 0; opened < 2; opened++) {
        assert_int_equal(told(t, head(3), &why), FL_MISMATCH);
        assert_non_null(strstr(why.text, "ROLLBACK"));
        assert_int_equal(told(t, head(0), NULL), FL_MISMATCH);
        assert_int_equal(told(t, head(7), NULL), FL_OK);
        assert_int_equal(t->given.len, 0);
        assert_int_equal(open_keeper(t, NULL), FL_OK);
    }
    assert_int_equal(told(t, head(7), NULL), FL_OK);
    assert_int_equal(signs(t, 7, 9, sig), FL_OK);
    assert_int_equal(open_keeper(t, NULL), FL_OK);
    assert_int_equal(told(t, head(7), NULL), FL_OK);
    assert_string_equal(fl_buf_text(&t->given), "from 7 to 9");
    assert_int_equal(told(t, head(3), NULL), FL_MISMATCH);
}

/* Asked to, it forgets what the earlier ones were made from, and knows the last. */
static void forgets_what_it_is_told_to(void **state)
{
    struct t_keeper *t = *state;
    struct fl_why why = {0, ""};
    uint8_t sig[KEY_SIGNATURE];
    assert_int_equal(told(t, head(0), NULL), FL_OK);
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(signs(t, i, i + 1, sig), FL_OK);
    struct signer_request r = request(t, 5, 6);
    r.alone = true;
    assert_int_equal(keeper_sign(t->k, &r, sig, NULL), FL_OK);
    for (int opened = 0; opened < 2; opened++) {
        assert_int_equal(told(t, head(4), &why), FL_MISMATCH);
        assert_non_null(strstr(why.text, "ROLLBACK"));
        assert_int_equal(told(t, head(5), NULL), FL_OK);
        assert_string_equal(fl_buf_text(&t->given), "from 5 to 6");
        assert_int_equal(open_keeper(t, NULL), FL_OK);
    }
    char cmd[200];
    (void)snprintf(cmd, sizeof cmd, "! grep -q 'from [0-4] to' %s.*", t->memory);
    assert_int_equal(system(cmd), 0);
    assert_int_equal(told(t, head(6), NULL), FL_OK);
    assert_int_equal(signs(t, 6, 7, sig), FL_OK);
}

/* ---- what it says to a log ------------------------------------------------------------------------------------ */

static void refuses_other_logs(void **state)
{
    struct t_keeper *t = *state;
    struct fl_why why = {0, ""};
    struct checkpoint c;
    uint8_t sig[KEY_SIGNATURE];
    assert_int_equal(told(t, head(5), &why), FL_MISMATCH); /* nothing remembered, and a log that has records */
    assert_non_null(strstr(why.text, "key adopt"));
    assert_int_equal(told(t, head(0), NULL), FL_OK);
    assert_int_equal(signs(t, 0, 1, sig), FL_OK);
    assert_int_equal(signs(t, 1, 3, sig), FL_OK);
    assert_int_equal(signs(t, 3, 7, sig), FL_OK);
    assert_int_equal(told(t, head(2), &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "ROLLBACK"));
    assert_int_equal(told(t, head(9), &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "put back"));
    for (uint64_t i = 0; i < 3; i++) { /* the last and the two before */
        c = head((uint64_t[]){1, 3, 7}[i]);
        c.root.b[3] ^= 1;
        assert_int_equal(told(t, c, &why), FL_MISMATCH);
        assert_non_null(strstr(why.text, "FORK"));
    }
    c = head(7);
    (void)strcpy(c.origin, "another");
    assert_int_equal(told(t, c, &why), FL_MISMATCH);
    assert_int_equal(signs(t, 7, 9, sig), FL_STATE); /* after a refusal nothing is signed */

    t->adopt = true; /* helps a memory that is behind, never a log that is */
    assert_int_equal(open_keeper(t, NULL), FL_OK);
    assert_int_equal(told(t, head(2), NULL), FL_MISMATCH);
    assert_int_equal(told(t, head(9), NULL), FL_OK);
    assert_int_equal(signs(t, 9, 11, sig), FL_OK);
}

static void the_clock_goes_on(void **state)
{
    struct t_keeper *t = *state;
    struct fl_why why = {0, ""};
    uint8_t sig[KEY_SIGNATURE];
    assert_int_equal(told(t, head(0), NULL), FL_OK);
    assert_int_equal(signs(t, 0, 1, sig), FL_OK);
    t->now -= 120000; /* as far as a time service may set it */
    assert_int_equal(signs(t, 1, 2, sig), FL_OK);
    t->now -= 1; /* and not by many small steps further */
    struct signer_request r = request(t, 2, 3);
    assert_int_equal(keeper_sign(t->k, &r, sig, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "120 s behind"));
    assert_int_equal(open_keeper(t, NULL), FL_OK);
    assert_int_equal(told(t, head(2), NULL), FL_OK);
    assert_int_equal(signs(t, 2, 3, sig), FL_MISMATCH);
    t->now += 1;
    assert_int_equal(signs(t, 2, 3, sig), FL_OK);
}

static const uint8_t *public_of(uint8_t seed)
{
    static uint8_t pub[KEY_PUBLIC];
    uint8_t s[KEY_SEED];
    struct key *key;
    memset(s, seed, sizeof s);
    assert_int_equal(key_from_seed(s, &key, NULL), FL_OK);
    key_public(key, pub);
    key_free(key);
    return pub;
}

/* ---- the key after it ------------------------------------------------------------------------------------------ */

static void hands_over_once(void **state)
{
    struct t_keeper *t = *state;
    uint8_t one[KEY_SIGNATURE], two[KEY_SIGNATURE], again[2][KEY_SIGNATURE];
    assert_int_equal(told(t, head(0), NULL), FL_OK);
    assert_int_equal(signs(t, 0, 3, one), FL_OK);
    struct signer_request r = request(t, 3, 5);
    r.handover = two;
    r.handover_to = public_of(0x21);
    assert_int_equal(keeper_sign(t->k, &r, one, NULL), FL_STATE); /* it has no next key */
    t->with_next = true;
    assert_int_equal(open_keeper(t, NULL), FL_OK);
    assert_int_equal(told(t, head(3), NULL), FL_OK);
    r = request(t, 3, 5);
    r.handover = two;
    r.handover_to = public_of(0x22); /* to another than the one at hand */
    assert_int_equal(keeper_sign(t->k, &r, one, NULL), FL_MISMATCH);
    r.handover_to = public_of(0x21);
    assert_int_equal(keeper_sign(t->k, &r, one, NULL), FL_OK);
    assert_true(good(t, 5, one, 0x20));
    assert_true(good(t, 5, two, 0x21));

    assert_int_equal(open_keeper(t, NULL), FL_OK); /* the commit was lost: both signatures again, though the old key is gone */
    t->seed = 0x21;
    t->with_next = false;
    assert_int_equal(open_keeper(t, NULL), FL_OK);
    assert_int_equal(told(t, head(3), NULL), FL_OK);
    assert_string_equal(fl_buf_text(&t->given), "from 3 to 5");
    assert_int_equal(signs(t, 3, 5, again[0]), FL_MISMATCH); /* without the second one it is another request */
    r = request(t, 3, 5);
    r.handover = again[1];
    r.handover_to = public_of(0x21);
    assert_int_equal(keeper_sign(t->k, &r, again[0], NULL), FL_OK);
    assert_memory_equal(one, again[0], sizeof one);
    assert_memory_equal(two, again[1], sizeof two);
    assert_int_equal(signs(t, 5, 6, one), FL_OK);
    assert_true(good(t, 6, one, 0x21));

    t->seed = 0x20; /* the old key alone is of no use any more */
    assert_int_equal(open_keeper(t, NULL), FL_MISMATCH);
    t->with_next = true; /* and with the new one beside it the new one signs */
    assert_int_equal(open_keeper(t, NULL), FL_OK);
    assert_int_equal(told(t, head(6), NULL), FL_OK);
    assert_int_equal(signs(t, 6, 7, one), FL_OK);
    assert_true(good(t, 7, one, 0x21));
}

/* ---- its memory -------------------------------------------------------------------------------------------------- */

static const char *half(struct t_keeper *t, char which)
{
    (void)snprintf(t->file, sizeof t->file, "%s.%c", t->memory, which);
    return t->file;
}

static void flip(const char *path, off_t at)
{
    uint8_t c;
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 0x40;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    (void)close(fd);
}

/* Heads 3 (turn 2, in .c) and 7 (turn 3, in .d); then one half is damaged at every place where something stands. */
static void a_torn_file_is_as_if_never_written(void **state)
{
    struct t_keeper *t = *state;
    uint8_t sig[KEY_SIGNATURE], again[KEY_SIGNATURE];
    static const off_t places[] = {0, 8, 16, 24, 160, 184, 192, 224, 232, 264, 265, 400, 397, 405, 410, 430};
    assert_int_equal(told(t, head(0), NULL), FL_OK);
    assert_int_equal(signs(t, 0, 3, sig), FL_OK);
    assert_int_equal(signs(t, 3, 7, sig), FL_OK);
    for (size_t i = 0; i < T_COUNT(places); i++) {
        flip(half(t, 'd'), places[i]);
        assert_int_equal(open_keeper(t, NULL), FL_OK);
        assert_int_equal(told(t, head(3), NULL), FL_OK); /* what was signed before is the last again */
        assert_int_equal(t->given.len, 0);
        assert_int_equal(told(t, head(7), NULL), FL_MISMATCH); /* a log that has more does not pass */
        flip(half(t, 'd'), places[i]);
        flip(half(t, 'c'), places[i]); /* an older one is not needed */
        assert_int_equal(open_keeper(t, NULL), FL_OK);
        assert_int_equal(told(t, head(7), NULL), FL_OK);
        flip(half(t, 'c'), places[i]);
    }
    flip(half(t, 'c'), 30);
    flip(half(t, 'd'), 30);
    assert_int_equal(open_keeper(t, NULL), FL_MISMATCH); /* both: it must not start from nothing */
    flip(half(t, 'c'), 30);
    flip(half(t, 'd'), 30);
    assert_int_equal(open_keeper(t, NULL), FL_OK);
    assert_int_equal(told(t, head(7), NULL), FL_OK);
    assert_int_equal(signs(t, 7, 9, again), FL_OK);
}

static void one_memory_one_signer(void **state)
{
    struct t_keeper *t = *state;
    struct t_keeper second = *t;
    struct fl_why why = {0, ""};
    second.k = NULL;
    assert_int_equal(told(t, head(0), NULL), FL_OK);
    assert_int_equal(open_keeper(&second, &why), FL_BUSY);
    assert_int_equal(chmod(half(t, 'b'), 0644), 0);
    assert_int_equal(open_keeper(t, &why), FL_ACCESS);
    assert_non_null(strstr(why.text, "chmod 600"));
}

/* A large batch and then a small one: what is left of the large one behind it counts for nothing. */
static void long_and_short_redo(void **state)
{
    struct t_keeper *t = *state;
    uint8_t sig[KEY_SIGNATURE];
    assert_int_equal(told(t, head(0), NULL), FL_OK);
    for (uint64_t i = 0; i < 6; i++) {
        struct signer_request r = request(t, i, i + 1);
        for (size_t n = 0; i < 3 && n < 40000; n++)
            fl_buf_adds(&t->redo, "0123456789");
        assert_int_equal(keeper_sign(t->k, &r, sig, NULL), FL_OK);
        assert_int_equal(open_keeper(t, NULL), FL_OK);
        assert_int_equal(told(t, head(i), NULL), FL_OK);
        assert_int_equal(t->given.len, t->redo.len);
        assert_memory_equal(t->given.bytes, t->redo.bytes, t->redo.len);
        assert_int_equal(told(t, head(i + 1), NULL), FL_OK);
    }
}

/* ---- the same over a socket -------------------------------------------------------------------------------------- */

struct t_server {
    struct t_keeper *t;
    char path[100];
    struct fl_wake stop, ready;
    pthread_t thread;
};

static void is_ready(void *ctx)
{
    fl_wake_raise(ctx);
}

static void *serve(void *ctx)
{
    struct t_server *s = ctx;
    struct fl_why why = {0, ""};
    if (server_listen(s->t->k, s->path, &s->stop, is_ready, &s->ready, &why))
        fprintf(stderr, "server: %s\n", why.text);
    return NULL;
}

static void serve_start(struct t_server *s)
{
    (void)snprintf(s->path, sizeof s->path, "%s/socket", s->t->dir);
    assert_int_equal(fl_wake_init(&s->stop, NULL), FL_OK);
    assert_int_equal(fl_wake_init(&s->ready, NULL), FL_OK);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    assert_int_equal(fl_wake_sleep(&s->ready, fl_deadline_in_ms(30000)), FL_CANCELLED);
}

static void serve_end(struct t_server *s)
{
    fl_wake_raise(&s->stop);
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    fl_wake_fini(&s->stop);
    fl_wake_fini(&s->ready);
}

/* A station whose newest head is `d`: what it is told, and it stays connected when it is let in. */
static enum fl_err station_comes(struct t_server *s, struct checkpoint d, struct remote **r, struct signer **out, struct fl_why *why)
{
    assert_int_equal(remote_connect(s->path, r, why), FL_OK);
    enum fl_err err = signer_remote.open(r, &d, &s->t->given, out, why);
    if (err)
        remote_free(*r);
    return err;
}

static void over_a_socket(void **state)
{
    struct t_keeper *t = *state;
    struct t_server s = {.t = t};
    struct remote *r;
    struct signer *signer;
    struct fl_why why = {0, ""};
    struct checkpoint c;
    uint8_t sig[KEY_SIGNATURE], again[KEY_SIGNATURE];
    serve_start(&s);
    assert_int_equal(station_comes(&s, head(0), &r, &signer, &why), FL_OK);
    struct signer_request q = request(t, 0, 3);
    assert_int_equal(signer_remote.sign(signer, &q, sig, NULL), FL_OK);
    q = request(t, 3, 7);
    assert_int_equal(signer_remote.sign(signer, &q, sig, NULL), FL_OK);
    assert_true(good(t, 7, sig, 0x20));

    q = request(t, 3, 8); /* a fork of what it signed last */
    assert_int_equal(signer_remote.sign(signer, &q, again, &why), FL_MISMATCH);
    q = request(t, 7, 9);
    q.new_root = head(10).root;
    assert_int_equal(signer_remote.sign(signer, &q, again, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "does not continue"));
    t->now -= 120001; /* a clock that runs backwards */
    q = request(t, 7, 9);
    assert_int_equal(signer_remote.sign(signer, &q, again, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "120 s behind"));
    t->now += 120001;
    q.handover = again; /* it was started without a next key */
    q.handover_to = public_of(0x21);
    assert_int_equal(signer_remote.sign(signer, &q, again, &why), FL_STATE);
    remote_free(r); /* it goes without a word: a crash */

    assert_int_equal(station_comes(&s, head(2), &r, &signer, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "ROLLBACK"));
    assert_int_equal(station_comes(&s, head(9), &r, &signer, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "put back"));
    c = head(7);
    c.root.b[0] ^= 1;
    assert_int_equal(station_comes(&s, c, &r, &signer, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "FORK"));
    c = head(7);
    (void)strcpy(c.origin, "another");
    assert_int_equal(station_comes(&s, c, &r, &signer, &why), FL_MISMATCH);

    assert_int_equal(station_comes(&s, head(3), &r, &signer, &why), FL_OK); /* its commit of 7 never came */
    assert_string_equal(fl_buf_text(&t->given), "from 3 to 7");
    q = request(t, 3, 7);
    assert_int_equal(signer_remote.sign(signer, &q, again, NULL), FL_OK);
    assert_memory_equal(sig, again, sizeof sig);
    assert_int_equal(signer_remote.settled(signer, NULL), FL_OK); /* an orderly end */
    remote_free(r);
    assert_int_equal(station_comes(&s, head(3), &r, &signer, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "ROLLBACK"));
    assert_int_equal(station_comes(&s, head(7), &r, &signer, &why), FL_OK);
    remote_free(r);
    serve_end(&s);
}

static int group_setup(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < N; i++)
        memset(leaf[i].b, i, sizeof leaf[i].b);
    return fl_hash_new(FL_HASH_SHA256, &hasher) ? -1 : 0;
}
static int group_teardown(void **state)
{
    (void)state;
    fl_hash_free(hasher);
    return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(signs_what_continues_and_survives_its_own_end), T(gives_back_what_the_log_lost), T(refuses_other_logs),
        T(the_clock_goes_on), T(hands_over_once), T(a_torn_file_is_as_if_never_written), T(gives_back_all_that_is_kept), T(forgets_what_it_is_told_to), T(over_a_socket), T(nothing_is_lost_behind_an_orderly_end), T(one_memory_one_signer),
        T(long_and_short_redo),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
