/* SPDX-License-Identifier: Apache-2.0
 * The reset language and the strategies, written out a second time in the notation of the facts
 * sheet's table 2.2: (D,R) line states and times in ms. */
#include "unit/t.h"

#include "esp/reset.h"

static void describe(const struct reset_sequence *s, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct reset_step *t = &s->steps[i];
        const char *sep = i ? " " : "";
        if (t->dtr != LINK_KEEP && t->rts != LINK_KEEP)
            n += (size_t)snprintf(out + n, cap - n, "%s(D%d,R%d)", sep, t->dtr, t->rts);
        else if (t->dtr != LINK_KEEP)
            n += (size_t)snprintf(out + n, cap - n, "%sD%d", sep, t->dtr);
        else if (t->rts != LINK_KEEP)
            n += (size_t)snprintf(out + n, cap - n, "%sR%d", sep, t->rts);
        else
            n += (size_t)snprintf(out + n, cap - n, "%s%u", sep, t->wait_ms);
    }
}

static void strategies(void **state)
{
    (void)state;
    static const struct {
        const char *name, *steps;
    } cases[] = {
        {"classic", "D0 R1 100 D1 R0 50 D0"},
        {"classic-slow", "D0 R1 100 D1 R0 550 D0"},
        {"classic-hold", "D0 R1 100 D1 100 R0 50 D0"},
        {"unix-tight", "(D0,R0) (D1,R1) (D0,R1) 100 (D1,R0) 50 (D0,R0) D0"},
        {"unix-tight-slow", "(D0,R0) (D1,R1) (D0,R1) 100 (D1,R0) 550 (D0,R0) D0"},
        {"usb-jtag", "R0 D0 100 D1 R0 100 R1 D0 R1 100 D0 R0"},
        {"cp2102c", "D0 R1 100 D1 R0 50"},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        const struct reset_strategy *s = reset_named(cases[i].name);
        assert_non_null(s);
        struct reset_sequence seq;
        assert_int_equal(reset_parse(s->text, &seq, NULL), FL_OK);
        char text[400];
        describe(&seq, text, sizeof text);
        assert_string_equal(text, cases[i].steps);
    }
    size_t n = 0;
    while (reset_strategies[n].name)
        n++;
    assert_int_equal(n, T_COUNT(cases));
    assert_null(reset_named("no such"));
}

static void language(void **state)
{
    (void)state;
    static const struct {
        const char *text, *steps; /* NULL: refused */
    } cases[] = {
        {"D0|R1|W0.1|D1|R0|W0.05|D0", "D0 R1 100 D1 R0 50 D0"},
        {"U0,1", "(D0,R1)"},
        {"W2", "2000"},
        {"W.25", "250"},
        {"W0.0019", "1"},
        {"W5", "5000"},
        {"W5.001", NULL},
        {"W99999999999", NULL},
        {"W", NULL},
        {"W.", NULL},
        {"W1.2.3", NULL},
        {"", NULL},
        {"D2", NULL},
        {"D", NULL},
        {"D0|", NULL},
        {"|D0", NULL},
        {"D0 |R1", NULL},
        {"U0", NULL},
        {"U0,", NULL},
        {"U01", NULL},
        {"d0", NULL},
        {"D0|D0|D0|D0|D0|D0|D0|D0|D0|D0|D0|D0|D0|D0|D0|D0|D0|D0|D0|D0|D0|D0|D0|D0|D0", NULL},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct reset_sequence seq;
        struct fl_why why = {0, ""};
        enum fl_err err = reset_parse(cases[i].text, &seq, &why);
        if (!cases[i].steps) {
            if (err != FL_FORMAT)
                fail_msg("\"%s\" was accepted", cases[i].text);
            assert_true(strlen(why.text) > 0);
            continue;
        }
        assert_int_equal(err, FL_OK);
        char text[400];
        describe(&seq, text, sizeof text);
        assert_string_equal(text, cases[i].steps);
    }
    assert_int_equal(reset_check("auto", NULL), FL_OK);
    assert_int_equal(reset_check("none", NULL), FL_OK);
    assert_int_equal(reset_check("unix-tight", NULL), FL_OK);
    assert_int_equal(reset_check("D0|W1", NULL), FL_OK);
    assert_int_equal(reset_check("sometimes", NULL), FL_FORMAT);
}

static void by_link(void **state)
{
    (void)state;
    static const struct {
        enum link_kind kind;
        uint16_t vid, pid;
        const char *first, *app;
        enum reset_usb usb;
    } cases[] = {
        {LINK_SERIAL, 0x10c4, 0xea60, "unix-tight", "D0|R1|W0.1|R0", USB_NONE},
        {LINK_SERIAL, 0x1a86, 0x55d4, "unix-tight", "D0|R1|W0.1|R0", USB_NONE},
        {LINK_RFC2217, 0, 0, "classic", "D0|R1|W0.1|R0", USB_NONE},
        {LINK_SERIAL, 0x303a, 0x1001, "usb-jtag", "D0|R1|W0.2|R0|W0.2", USB_JTAG},
        {LINK_SERIAL, 0x303a, 0x0002, "unix-tight", "D0|R1|W0.2|R0|W0.2", USB_OTG},
        {LINK_SERIAL, 0x303a, 0x4001, "unix-tight", "D0|R1|W0.1|R0", USB_NONE},
        {LINK_SERIAL, 0x10c4, 0xea64, "cp2102c", "D0|R1|W0.1|D1|W0.1|R0", USB_NONE},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct link_info l = {
            .kind = cases[i].kind, .usb_vid = cases[i].vid, .usb_pid = cases[i].pid};
        assert_string_equal(reset_cycle(&l)[0], cases[i].first);
        for (const char *const *name = reset_cycle(&l); *name; name++)
            assert_non_null(reset_named(*name));
        assert_string_equal(reset_into_app(&l), cases[i].app);
        assert_int_equal(reset_usb_kind(&l), cases[i].usb);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strategies),
        cmocka_unit_test(language),
        cmocka_unit_test(by_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
