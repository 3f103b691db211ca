/* SPDX-License-Identifier: Apache-2.0
 * profile/rules_file: the rules of a lot, in YAML and in JSON, into the form that a lot keeps; every mistake with its place. */
#include "unit/profile/fixture.h"

#include "base/json.h"
#include "line/rules.h"
#include "line/serial.h"
#include "profile/rules_file.h"

static void right(void **state)
{
    (void)state;
    static const char *const row[][2] = {
        {"slot: {consecutive: 3, same_fault: 4, yield: 80, after: 10}\nline:\n  consecutive: 6\n  same_fault: 8\n"
         "shift:\n  golden: [\"24:6f:28:00:00:01\", 24-6F-28-00-00-03]\n  known_bad:\n    - 24:6f:28:00:00:02\n"
         "serial: {template: \"M5-{yy}{ww}-{n:6}\", first: 8}\ntakt: 20 # seconds\n",
         "{\"line\":{\"consecutive\":6,\"same_fault\":8},\"serial\":{\"first\":8,\"template\":\"M5-{yy}{ww}-{n:6}\"},"
         "\"shift\":{\"golden\":[\"24:6f:28:00:00:01\",\"24-6F-28-00-00-03\"],\"known_bad\":[\"24:6f:28:00:00:02\"]},"
         "\"slot\":{\"after\":10,\"consecutive\":3,\"same_fault\":4,\"yield\":80},\"takt\":20}"},
        /* JSON as it was written before */
        {"{\n  \"slot\": {\"consecutive\": 3},\n\t\"line\": {\"same_fault\": 8, \"yield\": 90, \"after\": 50},\n"
         "  \"shift\": {\"golden\": [\"24:6f:28:00:00:01\"]}, \"serial\": {\"template\": \"SN-{n:5}\"}, \"takt\": 5\n}\n",
         "{\"line\":{\"after\":50,\"same_fault\":8,\"yield\":90},\"serial\":{\"template\":\"SN-{n:5}\"},"
         "\"shift\":{\"golden\":[\"24:6f:28:00:00:01\"]},\"slot\":{\"consecutive\":3},\"takt\":5}"},
        {"{}\n", "{}"},
        {"slot: {}\n", "{}"},
    };
    char *dir = fx_dir();
    for (size_t i = 0; i < T_COUNT(row); i++) {
        char *path = fx_write(dir, "r.yaml", row[i][0], strlen(row[i][0]));
        struct profile_problems problems = {NULL, 0};
        struct fl_buf b = FL_BUF(10000);
        struct rules_set set;
        json_t *o = NULL;
        enum fl_err err = rules_file_load(path, serial_check, &o, &problems);
        if (err)
            fail_msg("row %zu: %s", i, problems.n ? problems.list[0].text : fl_err_text(err));
        assert_int_equal(fl_json_canonical(o, &b, NULL), FL_OK);
        assert_string_equal(fl_buf_text(&b), row[i][1]);
        assert_int_equal(rules_parse(o, &set, NULL), FL_OK); /* and the line reads it */
        json_decref(o);
        fl_buf_fini(&b);
        free(path);
    }
    fx_remove(dir);
}

static void wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *says[4];
    } row[] = {
        {"", {"1:1: the file is empty, expected keys and values"}},
        {"[]\n", {"1:1: the file is a list, expected a mapping of slot, line, shift, serial and takt"}},
        {"slot: {consecutiv: 3}\n", {"1:8: unknown key 'slot.consecutiv', expected 'consecutive'"}},
        {"slots: {}\n", {"1:1: unknown key 'slots', expected 'slot'"}},
        {"consecutive: 3\n", {"1:1: unknown key 'consecutive', expected it under 'slot'"}},
        {"slot: {consecutive: 0}\nline: {same_fault: many}\n",
         {"1:21: slot.consecutive is '0', expected a whole number from 1 to 1000",
          "2:20: line.same_fault is 'many', expected a whole number from 1 to 255"}},
        {"line:\n  yield: 90\n", {"2:3: line.yield stands alone, expected yield and after together"}},
        {"slot: {after: 9}\n", {"1:8: slot.after stands alone, expected yield and after together"}},
        {"slot: {yield: 101, after: 9}\n", {"1:15: slot.yield is '101', expected a whole number from 1 to 100"}},
        {"shift:\n  golden:\n    - 24:6f:28:00:00:01\n    - 24:6f:28:00:00\n    - my board\n",
         {"4:7: shift.golden is '24:6f:28:00:00', expected a MAC like 24:6f:28:00:00:01",
          "5:7: shift.golden is 'my board', expected a MAC like 24:6f:28:00:00:01"}},
        {"shift: {golden: 24:6f:28:00:00:01}\n", {"1:17: shift.golden is text, expected a list of 1 to 32 texts of 1 to 17 bytes"}},
        {"shift: {golden: [24:6f:28:00:00:01, 24:6f:28:00:00:02, 24:6f:28:00:00:03, 24:6f:28:00:00:04, 24:6f:28:00:00:05],\n"
         " known_bad: [24:6f:28:00:00:11, 24:6f:28:00:00:12, 24:6f:28:00:00:13, 24:6f:28:00:00:14]}\n",
         {"1:1: shift has 9 boards, expected at most 8"}},
        {"serial: {first: 3}\n", {"1:9: the key 'serial.template' is missing, expected text of 1 to 63 bytes"}},
        {"serial: {template: \"M5-{m:6}\"}\n", {"1:20: "}},
        {"takt: 20s\n", {"1:7: takt is '20s', expected a whole number from 1 to 86400"}},
        {"takt: 5\ntakt: 6\n", {"2:1: the key 'takt' is here twice, expected once (the first is in line 1)"}},
        {"slot: {consecutive: 3\n", {"2:1: "}},
    };
    char *dir = fx_dir();
    for (size_t i = 0; i < T_COUNT(row); i++) {
        char *path = fx_write(dir, "r.yaml", row[i].text, strlen(row[i].text));
        struct profile_problems problems = {NULL, 0};
        json_t *o = NULL;
        assert_int_equal(rules_file_load(path, serial_check, &o, &problems), FL_FORMAT);
        assert_null(o);
        size_t k = 0;
        for (; k < 4 && row[i].says[k]; k++) {
            const char *is = k < problems.n ? problems.list[k].text + strlen(path) + 1 : "(nothing)";
            const char *want = row[i].says[k];
            bool starts = want[strlen(want) - 1] == ' '; /* only the place: the words are another's */
            if (starts ? strncmp(is, want, strlen(want)) != 0 : strcmp(is, want) != 0)
                fail_msg("row %zu: '%s', not '%s'", i, is, want);
        }
        assert_int_equal(problems.n, k);
        profile_problems_fini(&problems);
        free(path);
    }
    fx_remove(dir);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(right), cmocka_unit_test(wrong)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
