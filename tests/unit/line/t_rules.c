/* SPDX-License-Identifier: Apache-2.0
 * line/rules: a table of what ended where and what stops by it; line/serial: numbers from templates. */
#include "unit/t.h"

#include "line/rules.h"
#include "line/serial.h"

static void parse(const char *text, struct rules_set *out)
{
    json_t *o = NULL;
    struct fl_why why = {0};
    assert_int_equal(fl_json_parse(text, strlen(text), &o, &why), FL_OK);
    enum fl_err err = rules_parse(o, out, &why);
    json_decref(o);
    if (err)
        fail_msg("%s: %s", text, why.text);
}

/* A step: slot, letter, unit (0: no MAC). P pass; V FAIL verify.md5; L ERROR link.lost; A ABORTED; R reopen that slot (0: line).
 * `stops`: what it stops, "3:consecutive 0:yield", "" nothing. */
struct step {
    int slot;
    char what;
    unsigned unit;
    const char *stops;
};

static void play(const char *name, const char *rules, const struct step *step, size_t n)
{
    struct rules_set set;
    parse(rules, &set);
    struct rules *r = rules_new(&set);
    assert_non_null(r);
    for (size_t i = 0; i < n; i++) {
        const struct step *s = &step[i];
        uint8_t mac[6] = {0x24, 0x6f, 0x28, 0, (uint8_t)(s->unit >> 8), (uint8_t)s->unit};
        struct rules_stop stops[RULES_STOPS_MAX];
        char said[100] = "";
        size_t k = 0, at = 0;
        if (s->what == 'R')
            rules_reopen(r, s->slot);
        else
            k = rules_add(r, s->slot,
                          s->what == 'P'   ? OUTCOME_PASS
                          : s->what == 'V' ? OUTCOME_FAIL
                          : s->what == 'L' ? OUTCOME_ERROR
                                           : OUTCOME_ABORTED,
                          s->what == 'V' ? "verify.md5" : s->what == 'L' ? "link.lost" : s->what == 'A' ? "operator.cancelled" : "",
                          s->unit ? mac : NULL, stops);
        for (size_t j = 0; j < k; j++) {
            at += (size_t)snprintf(said + at, sizeof said - at, "%s%d:%s", at ? " " : "", stops[j].slot, stops[j].rule);
            assert_true(stops[j].why[0] != 0);
            assert_true(rules_stopped(r, stops[j].slot));
        }
        if (strcmp(said, s->stops) != 0)
            fail_msg("%s, step %zu: '%s', expected '%s'", name, i, said, s->stops);
    }
    rules_free(r);
}

static void table(void **state)
{
    (void)state;
    static const struct step in_a_row[] = {
        {1, 'V', 1, ""}, {2, 'V', 2, ""}, {1, 'A', 3, ""}, {1, 'L', 4, "1:consecutive"}, {1, 'V', 5, ""}, /* said once */
        {1, 'R', 0, ""}, {1, 'V', 6, ""}, {1, 'P', 7, ""}, {1, 'V', 8, ""},              {1, 'V', 9, "1:consecutive"},
        {2, 'L', 0, "2:consecutive"}, /* without a MAC it is an attempt all the same */
    };
    play("in a row", "{\"slot\": {\"consecutive\": 2}}", in_a_row, T_COUNT(in_a_row));
    static const struct step line[] = {
        {1, 'V', 1, ""}, {2, 'V', 2, ""}, {3, 'P', 3, ""}, {1, 'V', 4, ""}, {2, 'V', 5, ""}, {3, 'V', 6, "0:consecutive"},
        {0, 'R', 0, ""}, {3, 'V', 7, ""}, {1, 'V', 8, ""}, {2, 'V', 9, "0:consecutive"},
    };
    play("line", "{\"line\": {\"consecutive\": 3}, \"slot\": {\"consecutive\": 4}}", line, T_COUNT(line));
    static const struct step both[] = {
        {1, 'V', 1, ""}, {1, 'V', 2, "1:consecutive 0:consecutive"}, {2, 'V', 3, ""}, {2, 'V', 4, "2:consecutive"},
    };
    play("both", "{\"line\": {\"consecutive\": 2}, \"slot\": {\"consecutive\": 2}}", both, T_COUNT(both));
    static const struct step same[] = {
        {1, 'V', 1, ""}, {1, 'P', 2, ""}, {1, 'L', 3, ""}, {2, 'V', 4, ""}, {1, 'P', 5, ""}, {3, 'V', 6, "0:same_fault"},
        {0, 'R', 0, ""}, {1, 'V', 7, ""}, {1, 'V', 8, ""}, {1, 'L', 9, ""}, {1, 'V', 10, "0:same_fault"},
    };
    play("same fault", "{\"line\": {\"same_fault\": 3}}", same, T_COUNT(same));
    /* 75 % of at least 4: a unit that fails and then passes was not good at first; known units do not count again */
    static const struct step yield[] = {
        {1, 'P', 1, ""}, {1, 'V', 2, ""}, {1, 'P', 2, ""}, {2, 'P', 3, ""}, {2, 'P', 4, ""}, {1, 'V', 1, ""},
        {1, 'L', 0, ""}, {1, 'V', 5, "0:yield"}, {0, 'R', 0, ""}, {1, 'V', 6, ""}, {1, 'V', 5, ""}, {1, 'V', 7, ""},
        {1, 'V', 8, ""}, {1, 'V', 9, "0:yield"},
    };
    play("yield", "{\"line\": {\"yield\": 75, \"after\": 4}}", yield, T_COUNT(yield));
    /* the same by slot: one slot's faults and units are no other's, and close no other; a slot that is reopened counts anew */
    static const struct step same_slot[] = {
        {1, 'V', 1, ""}, {2, 'V', 2, ""}, {1, 'P', 3, ""}, {1, 'L', 4, ""}, {2, 'P', 5, ""}, {1, 'V', 6, ""},
        {1, 'V', 7, "1:same_fault"}, {2, 'V', 8, ""}, {1, 'R', 0, ""}, {1, 'V', 9, ""}, {2, 'V', 10, "2:same_fault"},
    };
    play("same fault in a slot", "{\"slot\": {\"same_fault\": 3}}", same_slot, T_COUNT(same_slot));
    static const struct step yield_slot[] = {
        {1, 'V', 1, ""}, {2, 'P', 2, ""}, {2, 'P', 3, ""}, {1, 'P', 1, ""}, {1, 'P', 4, ""}, {2, 'V', 5, ""}, {2, 'V', 6, "2:yield"},
        {1, 'V', 7, ""}, {1, 'V', 8, "1:yield"}, {1, 'R', 0, ""}, {1, 'V', 8, ""}, {1, 'V', 9, ""}, {1, 'P', 10, ""}, {1, 'P', 11, ""},
        {1, 'P', 12, ""},
    };
    play("yield of a slot", "{\"slot\": {\"yield\": 51, \"after\": 4}}", yield_slot, T_COUNT(yield_slot));
    /* exactly what is asked for is enough; one unit before `after` nothing stops */
    static const struct step edge[] = {
        {1, 'V', 1, ""}, {1, 'V', 2, ""}, {1, 'P', 3, ""}, {1, 'P', 4, ""}, {1, 'P', 5, ""}, {1, 'V', 6, ""}, {1, 'V', 7, "0:yield"},
    };
    play("yield at its edge", "{\"line\": {\"yield\": 50, \"after\": 4}}", edge, T_COUNT(edge));
    static const struct step none[] = {{1, 'V', 1, ""}, {1, 'V', 2, ""}, {1, 'V', 3, ""}, {1, 'V', 4, ""}, {1, 'V', 5, ""}};
    play("no rules", "{}", none, T_COUNT(none));
}

static void many_units(void **state)
{
    (void)state;
    struct rules_set set;
    struct rules_stop stops[RULES_STOPS_MAX];
    parse("{\"line\": {\"yield\": 50, \"after\": 6001}}", &set);
    struct rules *r = rules_new(&set);
    for (unsigned i = 0; i < 12000; i++) { /* each twice: first PASS, or first FAIL, then the other */
        const uint8_t mac[6] = {0x24, 0x6f, 0x28, 0, (uint8_t)(i / 2 >> 8), (uint8_t)(i / 2)};
        bool good = (i + i / 2) % 2 == 0;
        assert_int_equal(rules_add(r, 1, good ? OUTCOME_PASS : OUTCOME_FAIL, good ? "" : "verify.md5", mac, stops), 0);
    }
    const uint8_t last[6] = {1, 2, 3, 4, 5, 6}; /* 3000 of 6001 is below the half */
    assert_int_equal(rules_add(r, 1, OUTCOME_FAIL, "verify.md5", last, stops), 1);
    assert_string_equal(stops[0].why, "3000 of 6001 units passed at their first attempt, 50 % are asked for");
    rules_free(r);
}

static void shift(void **state)
{
    (void)state;
    struct rules_set set;
    struct rules_stop stops[RULES_STOPS_MAX];
    static const uint8_t golden[6] = {0x24, 0x6f, 0x28, 0, 0, 1}, bad[6] = {0x24, 0x6f, 0x28, 0, 0, 2}, other[6] = {1};
    parse("{\"shift\": {\"golden\": [\"24:6f:28:00:00:01\"], \"known_bad\": [\"24-6F-28-00-00-02\"]}}", &set);
    struct rules *r = rules_new(&set);
    assert_string_equal(rules_purpose(r, golden), "golden");
    assert_string_equal(rules_purpose(r, bad), "known_bad");
    assert_null(rules_purpose(r, other));
    assert_int_equal(rules_samples_left(r), 2);
    assert_int_equal(rules_sample(r, golden, OUTCOME_ABORTED, "operator.removed", stops), 0);
    assert_int_equal(rules_samples_left(r), 2);
    assert_int_equal(rules_sample(r, golden, OUTCOME_PASS, "", stops), 0);
    assert_int_equal(rules_samples_left(r), 1);
    assert_int_equal(rules_sample(r, bad, OUTCOME_PASS, "", stops), 1);
    assert_int_equal(stops[0].slot, RULES_LINE);
    assert_string_equal(stops[0].rule, "shift");
    assert_true(rules_stopped(r, RULES_LINE));
    rules_reopen(r, RULES_LINE);
    assert_int_equal(rules_sample(r, bad, OUTCOME_FAIL, "verify.md5", stops), 0);
    assert_int_equal(rules_samples_left(r), 0);
    assert_int_equal(rules_sample(r, golden, OUTCOME_ERROR, "link.lost", stops), 1); /* later in the shift too */
    assert_int_equal(rules_samples_left(r), 1);
    rules_free(r);
}

static void wrong(void **state)
{
    (void)state;
    static const char *const row[][2] = {
        {"[]", "what is in the file of rules is a mapping"},
        {"{\"slots\": {}}", "'slots' is no rule, expected slot, line, shift, serial or takt"},
        {"{\"slot\": {\"consecutiv\": 3}}", "'consecutiv' is no rule under slot, expected consecutive, same_fault, yield or after"},
        {"{\"slot\": {\"consecutive\": 0}}", "slot.consecutive is a whole number from 1 to 1000"},
        {"{\"line\": {\"consecutive\": \"3\"}}", "line.consecutive is a whole number from 1 to 1000"},
        {"{\"line\": {\"yield\": 90}}", "line: yield and after go together"},
        {"{\"shift\": {\"golden\": \"24:6f:28:00:00:01\"}}", "shift.golden is a list of MACs"},
        {"{\"shift\": {\"golden\": [\"24:6f\"]}}", "shift.golden[0] is a MAC like 24:6f:28:00:00:01"},
        {"{\"serial\": {}}", "serial.template is a text of 1 to 63 bytes"},
        {"{\"serial\": {\"template\": \"SN\"}}", "serial.template has {n} nowhere, expected it once"},
        {"{\"serial\": {\"template\": \"{n}{n}\"}}", "serial.template has {n} more than once, expected it once"},
        {"{\"serial\": {\"template\": \"{mac}{n}\"}}", "serial.template: '{mac}{n}' is no field, expected {n}, {n:1} to {n:9}, "
                                                       "{lot}, {yy}, {yyyy}, {mm}, {dd} or {ww}"},
        {"{\"takt\": 0}", "takt is a whole number from 1 to 86400"},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        json_t *o = NULL;
        struct rules_set set;
        struct fl_why why = {0};
        assert_int_equal(fl_json_parse(row[i][0], strlen(row[i][0]), &o, &why), FL_OK);
        assert_int_equal(rules_parse(o, &set, &why), FL_FORMAT);
        assert_string_equal(why.text, row[i][1]);
        json_decref(o);
    }
}

static void serials(void **state)
{
    (void)state;
    /* 2026-11-22 is a Sunday in ISO week 47: date -u -d @1795305600 +%V */
    static const struct {
        const char *template;
        uint64_t n;
        const char *serial;
    } row[] = {
        {"M5-{yy}{ww}-{n:6}", 17, "M5-2647-000017"},
        {"{lot}/{n}", 1234567, "L-1/1234567"},
        {"{yyyy}{mm}{dd}{n:4}", 9, "202611220009"},
        {"{n:3}{yy}", 1000, "100026"}, /* wider than its width: it grows */
        {"X{n:2}0", 5, "X050"},
        {"{n}{yy}", 7, "726"},
        {"{n:2}0", 1234, "12340"},
        {"{n:3}{lot}", 17, "017L-1"},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        char out[SERIAL_TEXT_MAX];
        uint64_t n = 0;
        assert_int_equal(serial_check(row[i].template, NULL), FL_OK);
        assert_int_equal(serial_format(row[i].template, row[i].n, "L-1", INT64_C(1795305600000), out), FL_OK);
        assert_string_equal(out, row[i].serial);
        assert_true(serial_counter(row[i].template, "L-1", out, &n));
        assert_int_equal(n, row[i].n);
        assert_false(serial_counter(row[i].template, "L-1", "Y", &n));
    }
    uint64_t n;
    assert_false(serial_counter("{lot}/{n}", "L-2", "L-1/5", &n));
    assert_false(serial_counter("A{n:3}", "", "A12", &n));
    assert_false(serial_counter("{n}", "", "07", &n)); /* it makes no zeros in front */
    assert_true(serial_counter("{n:3}{lot}", "26-W47", "00726-W47", &n));
    assert_int_equal(n, 7);
    char out[SERIAL_TEXT_MAX];
    assert_int_equal(serial_format("{lot}{lot}{n}", 1, "0123456789012345678901234567890123456789", 0, out), FL_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(table), cmocka_unit_test(many_units), cmocka_unit_test(shift),
                                       cmocka_unit_test(wrong), cmocka_unit_test(serials)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
