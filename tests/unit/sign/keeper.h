/* SPDX-License-Identifier: Apache-2.0
 * keeper.h: a keeper over a memory in a temporary folder, a clock of its own, and logs to ask it about. Included by one test
 * program each. */
#ifndef FL_TESTS_SIGN_KEEPER_H
#define FL_TESTS_SIGN_KEEPER_H

#include "sign/keeper.h"
#include "unit/leaves.h"

#include <stdatomic.h>
#include <unistd.h>

#define T_UNUSED __attribute__((unused))

struct t_keeper {
    char dir[64], memory[80], file[90];
    struct keeper *k;
    struct fl_buf redo, given; /* what is kept; what comes back */
    struct tree_proof growth;
    _Atomic int64_t now; /* also read by the thread that serves the socket */
    uint8_t seed;              /* of the key; next key: seed + 1 */
    bool adopt, with_next, set_clock;
};

T_UNUSED static int64_t clock_of(void *ctx)
{
    return atomic_load(&((struct t_keeper *)ctx)->now);
}

T_UNUSED static enum fl_err open_keeper(struct t_keeper *t, struct fl_why *why)
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
    const struct keeper_config c = {.key = &one, .next = t->with_next ? &two : NULL, .memory = t->memory, .adopt = t->adopt, .set_clock = t->set_clock,
                                    .wall_ms = clock_of, .ctx = t};
    keeper_free(t->k);
    t->k = NULL;
    enum fl_err err = keeper_new(&c, &t->k, why);
    seal_close(&one);
    seal_close(&two);
    return err;
}

T_UNUSED static int setup(void **state)
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

T_UNUSED static int teardown(void **state)
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

T_UNUSED static struct checkpoint head(uint64_t size)
{
    struct checkpoint c = {.origin = "o", .size = size};
    assert_int_equal(tree_stored_root(hasher, &tree, size, &c.root, NULL), FL_OK);
    return c;
}

T_UNUSED static enum fl_err told(struct t_keeper *t, struct checkpoint c, struct fl_why *why)
{
    return keeper_open(t->k, &c, &t->given, why);
}

T_UNUSED static struct signer_request request(struct t_keeper *t, uint64_t from, uint64_t to)
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

T_UNUSED static enum fl_err signs(struct t_keeper *t, uint64_t from, uint64_t to, uint8_t sig[static KEY_SIGNATURE])
{
    struct signer_request r = request(t, from, to);
    return keeper_sign(t->k, &r, sig, NULL);
}

T_UNUSED static bool good(struct t_keeper *t, uint64_t size, const uint8_t sig[static KEY_SIGNATURE], uint8_t seed)
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

T_UNUSED static const uint8_t *public_of(uint8_t seed)
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

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
