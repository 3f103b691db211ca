/* SPDX-License-Identifier: Apache-2.0
 * sign/memory: what a torn, damaged or locked memory does, through the keeper whose it is. */
#include "unit/t.h"

#include "unit/sign/keeper.h"

#include <fcntl.h>
#include <sys/stat.h>

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

/* The form of before: the same bytes in two files by turns. It is read, and each file takes its new place in the first round. */
static void two_files_are_carried_over(void **state)
{
    struct t_keeper *t = *state;
    uint8_t sig[KEY_SIGNATURE];
    char cmd[400];
    assert_int_equal(told(t, head(0), NULL), FL_OK);
    assert_int_equal(signs(t, 0, 3, sig), FL_OK); /* turn 2 */
    assert_int_equal(signs(t, 3, 7, sig), FL_OK); /* turn 3 */
    keeper_free(t->k);
    t->k = NULL;
    (void)snprintf(cmd, sizeof cmd, "cd %s && mv memory.c memory.a && mv memory.d memory.b && [ \"$(ls)\" = \"$(printf 'memory.a\nmemory.b')\" ]", t->dir);
    assert_int_equal(system(cmd), 0);
    assert_int_equal(open_keeper(t, NULL), FL_OK);
    assert_int_equal(told(t, head(3), NULL), FL_OK);
    assert_string_equal(fl_buf_text(&t->given), "from 3 to 7");
    assert_int_equal(told(t, head(7), NULL), FL_OK);
    for (uint64_t i = 7; i < 7 + SIGNER_KEEPS + 2; i++) {
        assert_int_equal(signs(t, i, i + 1, sig), FL_OK);
        assert_int_equal(open_keeper(t, NULL), FL_OK); /* whatever mixture of places there is */
        assert_int_equal(told(t, head(i), NULL), FL_OK);
        assert_true(t->given.len > 0);
        assert_int_equal(told(t, head(i + 1), NULL), FL_OK);
    }
}

/* Looked at without the lock, beside the signer whose it is. */
static void looked_at_beside_its_signer(void **state)
{
    struct t_keeper *t = *state;
    struct remembered r, same;
    uint8_t sig[KEY_SIGNATURE];
    char path[100];
    memory_look(t->memory, &r);
    assert_int_equal(r.known, REMEMBERED_NOTHING);
    assert_int_equal(told(t, head(0), NULL), FL_OK);
    assert_int_equal(signs(t, 0, 3, sig), FL_OK);
    assert_int_equal(signs(t, 3, 7, sig), FL_OK);
    memory_look(t->memory, &r);
    assert_int_equal(r.known, REMEMBERED_TOLD);
    assert_string_equal(r.origin, "o");
    assert_int_equal(r.n, 3);
    assert_int_equal(r.head[0].size, 7);
    assert_int_equal(r.head[0].before_size, 3);
    assert_memory_equal(r.head[0].root.b, head(7).root.b, 32);
    assert_memory_equal(r.head[0].signature, sig, sizeof sig);
    assert_memory_equal(r.head[0].public, public_of(0x20), KEY_PUBLIC);
    assert_true(r.head[0].is_signed && r.head[1].is_signed && !r.head[2].is_signed);
    keeper_tell(t->k, &same);
    assert_int_equal(same.n, r.n);
    assert_memory_equal(same.head[1].signature, r.head[1].signature, KEY_SIGNATURE);
    flip(half(t, 'd'), 30); /* the newest torn: as if never written */
    memory_look(t->memory, &r);
    assert_int_equal(r.head[0].size, 3);
    flip(half(t, 'c'), 30);
    memory_look(t->memory, &r);
    assert_int_equal(r.known, REMEMBERED_CLOSED);
    assert_non_null(strstr(r.why, "damaged"));
    (void)snprintf(path, sizeof path, "%s/nowhere", t->dir);
    memory_look(path, &r);
    assert_int_equal(r.known, REMEMBERED_NOT_HERE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(a_torn_file_is_as_if_never_written),
        T(one_memory_one_signer),
        T(long_and_short_redo),
        T(two_files_are_carried_over),
        T(looked_at_beside_its_signer),
    };
    return cmocka_run_group_tests(tests, leaves_make, leaves_forget);
}
