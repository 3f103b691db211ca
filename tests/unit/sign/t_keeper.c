/* SPDX-License-Identifier: Apache-2.0
 * sign/keeper: the two tables of keeper.h row by row. */
#include "unit/t.h"

#include "unit/sign/keeper.h"

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

/* The clock had been years ahead: a person lets one head pass, and its time counts from then on. */
static void a_clock_that_was_ahead(void **state)
{
    struct t_keeper *t = *state;
    struct fl_why why = {0, ""};
    uint8_t sig[KEY_SIGNATURE], again[KEY_SIGNATURE];
    const int64_t years = 5LL * 366 * 86400000;
    t->now += years;
    assert_int_equal(told(t, head(0), NULL), FL_OK);
    assert_int_equal(signs(t, 0, 1, sig), FL_OK);
    t->now -= years;
    struct signer_request r = request(t, 1, 2);
    assert_int_equal(keeper_sign(t->k, &r, sig, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "flashline key clock")); /* what to do */
    t->set_clock = true;
    assert_int_equal(open_keeper(t, NULL), FL_OK);
    assert_int_equal(told(t, head(1), NULL), FL_OK);
    assert_int_equal(signs(t, 0, 2, sig), FL_MISMATCH); /* it helps no fork */
    assert_int_equal(signs(t, 1, 2, sig), FL_OK);
    t->now -= 120001; /* once: what came then counts */
    assert_int_equal(signs(t, 2, 3, again), FL_MISMATCH);
    t->now += 120001;
    t->set_clock = false;
    assert_int_equal(open_keeper(t, NULL), FL_OK);
    assert_int_equal(told(t, head(1), NULL), FL_OK); /* the commit was lost: the same again, without a word */
    assert_int_equal(signs(t, 1, 2, again), FL_OK);
    assert_memory_equal(sig, again, sizeof sig);
    assert_int_equal(signs(t, 2, 3, again), FL_OK);
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(signs_what_continues_and_survives_its_own_end),
        T(gives_back_what_the_log_lost),
        T(gives_back_all_that_is_kept),
        T(nothing_is_lost_behind_an_orderly_end),
        T(forgets_what_it_is_told_to),
        T(refuses_other_logs),
        T(the_clock_goes_on),
        T(a_clock_that_was_ahead),
        T(hands_over_once),
    };
    return cmocka_run_group_tests(tests, leaves_make, leaves_forget);
}
