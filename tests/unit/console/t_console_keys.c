/* SPDX-License-Identifier: Apache-2.0
 * console/keys: keys from codes by their times, on a clock of the test's own; console/form: what has to be said before
 * something is reopened. */
#include "unit/t.h"

#include "console/keys.h"
#include "console/tiles.h"

/* Typed: "a@10 b@20 |@130" is 'a' at 10 ms, 'b' at 20 ms, nothing until 130 ms; ~ is Enter. What comes: "key a; code ab; half ab;". */
static void play(const char *typed, const char *comes)
{
    static const char *const name[] = {[KEYS_KEY] = "key ", [KEYS_BACK] = "back ", [KEYS_CODE] = "code ", [KEYS_HALF] = "half ", [KEYS_TOO_LONG] = "long "};
    struct keys k = {.n = 0};
    char text[KEYS_CODE_MAX + 1], said[2000] = "";
    for (const char *p = typed; *p;) {
        char c = *p == '~' ? '\n' : *p, *end;
        unsigned long at = strtoul(p + 2, &end, 10);
        for (int i = 0; i < 2; i++) {
            enum keys_is is = i == 0 ? keys_waited(&k, at, text) : c == '|' ? KEYS_NOTHING : keys_typed(&k, c, at, text);
            if (is == KEYS_NOTHING)
                continue;
            strcat(said, name[is]);
            strcat(said, text[0] == '\n' ? "Enter" : text);
            strcat(said, ";");
        }
        p = *end ? end + 1 : end;
    }
    if (strcmp(said, comes) != 0)
        fail_msg("'%s': '%s', expected '%s'", typed, said, comes);
}

static void times(void **state)
{
    (void)state;
    play("a@10 |@109", "");                      /* it may still be the first of a code */
    play("a@10 |@110", "key a;");
    play("~@10", "key Enter;");
    play("a@10 j@120 |@300", "key a;key j;");    /* a person's */
    play("a@10 j@20 ~@30 |@900", "code aj;");    /* a scanner's: neither a nor j is a key */
    play("a@10 j@109 5@600 ~@610", "code aj5;"); /* once begun, it may be slower */
    play("a@10 j@20 |@519", "");
    play("a@10 j@20 |@520", "half aj;");
    play("a@10 ~@15", "code a;");
    play("a@10 ~@200", "key a;key Enter;");
    play("S@1 7@2 ~@3 ~@4 |@900", "code S7;");   /* CR LF is one end */
    play("S@1 7@2 ~@3 ~@103", "code S7;key Enter;");
    play("S@1 7@2 ~@3 S@4 8@5 ~@6", "code S7;code S8;"); /* two in one burst */
    play("\x02@1 S@2 7@3 \x03@4 ~@5", "code S7;");
    play("S@1 7@2 \t@3", "code S7;");
    play("j@10 j@40 j@70 j@100 |@600", "key jjjj;"); /* held down */
    play("j@10 j@40 ~@50", "code jj;");
}

/* Scanners that are set to be slow, or come over a slow line: what is typed tells them from people, not when. */
static void slow_scanners(void **state)
{
    (void)state;
    play("S@10 a@160 -@310 r@460 7@610 ~@760 |@2000", "code Sa-r7;");       /* 150 ms; begins with what is no key */
    play("S@10 7@309 ~@608 |@2000", "code S7;");                            /* 299 ms */
    play("S@10 7@509 ~@1008 |@2000", "code S7;");                           /* 499 ms */
    play("S@10 7@510 |@1009", "key S;");                                    /* and no slower; S is no key and means nothing */
    play("S@10 7@160 ~@310 ~@460 |@2000", "code S7;");                      /* CR LF as slow */
    play("S@10 7@160 ~@310 ~@536 |@2000", "code S7;key Enter;");            /* slower than the code was: by hand */
    play("a@10 |@110 7@160 ~@310", "key a;back a;code a7;");                /* began with a key: that is taken back */
    play("l@10 |@110 r@200 |@300 -@400 1@550 ~@700", "key l;key r;back lr;code lr-1;");
    play("r@10 |@110 a@160 |@600 ~@650", "key r;back r;code ra;");          /* nobody answers a question that fast */
    play("r@10 |@110 e@411 v@600 |@1100", "key r;half ev;");                /* slower: somebody does, elsewhere */
    play("a@10 |@110 j@160 |@260 ~@310", "key a;key j;key Enter;");         /* a quick hand */
    play("j@10 |@110 j@160 |@260 k@310 |@410 k@700 |@900", "key j;key j;key k;key k;");
    play("a@10 |@110 ~@150 7@200 ~@300", "key a;key Enter;code 7;");        /* Enter is no part of a code's beginning */
    play("5@10 |@509", "");
    play("5@10 |@510", "key 5;");
}

static void lengths(void **state)
{
    (void)state;
    struct keys k = {.n = 0};
    char text[KEYS_CODE_MAX + 1];
    for (int i = 0; i < KEYS_CODE_MAX; i++)
        assert_int_equal(keys_typed(&k, (char)('A' + i % 20), 1, text), KEYS_NOTHING);
    assert_int_equal(keys_typed(&k, '\r', 1, text), KEYS_CODE);
    assert_int_equal(strlen(text), KEYS_CODE_MAX);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(keys_typed(&k, (char)('A' + i % 20), 2000, text), KEYS_NOTHING);
    assert_int_equal(keys_typed(&k, '\r', 2000, text), KEYS_TOO_LONG);
    assert_int_equal(keys_due_ms(&k), UINT64_MAX);
    assert_int_equal(keys_typed(&k, 'j', 2001, text), KEYS_NOTHING); /* may be a key */
    assert_int_equal(keys_due_ms(&k), 2001 + KEYS_QUICK_MS);
    assert_int_equal(keys_waited(&k, 2001 + KEYS_QUICK_MS, text), KEYS_KEY);
    assert_int_equal(keys_typed(&k, 'Y', 3001, text), KEYS_NOTHING); /* is none */
    assert_int_equal(keys_due_ms(&k), 3001 + KEYS_HALF_MS);
}

/* Types a text, a second between two characters, so that a person did; ~ is Enter, < Backspace, ! Enter at once. */
static bool type(struct form *f, const char *text, uint64_t *now)
{
    bool done = false;
    for (; *text; text++) {
        *now += *text == '!' ? 1 : 1000;
        done = form_typed(f, *text == '~' || *text == '!' ? '\n' : *text == '<' ? 127 : *text, *now);
    }
    return done;
}

static void forms(void **state)
{
    (void)state;
    struct form f;
    uint64_t now = 0;
    form_open(&f, 3);
    assert_false(type(&f, "~", &now)); /* nobody answers */
    assert_string_equal(f.note, "say who answers for it");
    assert_false(type(&f, "  ~", &now));
    assert_false(type(&f, "<<J\xc3\xbc<\xc3\xbcrx<g~", &now));
    assert_string_equal(f.who, "J\xc3\xbcrg");
    assert_false(type(&f, "~", &now));
    assert_string_equal(f.note, "say what was found and done");
    assert_false(type(&f, "hub 2!", &now)); /* as fast as a scanner */
    assert_true(f.open);
    now += KEYS_HALF_MS - 1; /* and CR LF of one that is as slow as they come */
    assert_false(form_typed(&f, '\n', now));
    assert_string_equal(f.note, "Enter once more reopens it");
    assert_true(type(&f, "~", &now));
    assert_false(f.open);
    assert_int_equal(f.slot, 3);
    assert_string_equal(f.why, "hub 2");
    form_open(&f, 0);
    form_move(&f, true);
    assert_false(type(&f, "why~", &now)); /* and who? */
    assert_false(f.in_why);
    assert_false(type(&f, "\xff~", &now)); /* no text */
    for (int i = 0; i < 300; i++)
        (void)type(&f, "x", &now);
    assert_int_equal(strlen(f.who), FORM_WHO_MAX);
}

/* The key asks about the line before a slot, about the chosen slot before others; a key of another meaning is its text. */
static void what_it_asks(void **state)
{
    (void)state;
    static const struct slot_view v[] = {{.slot = 1, .step = "", .fault = "", .leaf = -1}, {.slot = 2, .step = "", .fault = "", .leaf = -1},
                                         {.slot = 3, .step = "", .fault = "", .leaf = -1}};
    static const struct tile_meter m[3];
    static const struct {
        struct tally_head h;
        size_t chosen;
        bool any;
        int asks;
    } row[] = {
        {{.n_stopped = 0}, 0, false, -1},
        {{.n_stopped = 1, .stopped = {2}}, 0, false, 2},
        {{.n_stopped = 2, .stopped = {2, 3}}, 2, true, 3},
        {{.n_stopped = 2, .stopped = {2, 3}}, 0, true, 2},
        {{.n_stopped = 2, .stopped = {0, 3}}, 2, true, 0},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct grid g;
        struct tiles_ui ui = {.keys = true, .asks = true, .chosen = row[i].chosen, .any_chosen = row[i].any};
        assert_int_equal(grid_init(&g, 60, 20, false), FL_OK);
        tiles_paint(&g, &(struct tiles_in){v, m, 3, &row[i].h, 1000, ""}, &ui);
        assert_int_equal(ui.reopens, row[i].asks);
        assert_true(tiles_press(&ui, TILES_REOPEN));
        assert_int_equal(ui.form.open, row[i].asks >= 0);
        assert_int_equal(!ui.note, row[i].asks >= 0);
        if (ui.form.open) {
            assert_int_equal(ui.form.slot, row[i].asks);
            assert_false(tiles_press(&ui, TILES_ATTENTION));
            assert_true(tiles_press(&ui, TILES_ESC));
            assert_false(ui.form.open);
        }
        grid_fini(&g);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(times), cmocka_unit_test(slow_scanners), cmocka_unit_test(lengths), cmocka_unit_test(forms),
                                              cmocka_unit_test(what_it_asks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
