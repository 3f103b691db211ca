/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/profile/fixture.h"

#include "profile/station_file.h"

static void right(void **state)
{
    (void)state;
    static const char yaml[] = "station: line-3-a\nslots:\n"
                               "  - {slot: 1, port: \"usb:1-1.4.1\"}\n"
                               "  - {slot: 2, port: /dev/ttyUSB0, reset: classic}\n"
                               "  - {slot: 999, port: \"rfc2217://10.0.0.7:3001\", power_cycle: uhubctl -l 1-1 -a cycle, fixture: true}\n"
                               "  - {slot: 4, port: socket://127.0.0.1:6100, reset: D0|R1|W0.1|R0}\n"
                               "  - {port: pty:/run/board5, slot: 5}\n";
    static const struct station_slot want[] = {
        {1, "usb:1-1.4.1", NULL, NULL, false},
        {2, "/dev/ttyUSB0", "classic", NULL, false},
        {999, "rfc2217://10.0.0.7:3001", NULL, "uhubctl -l 1-1 -a cycle", true},
        {4, "socket://127.0.0.1:6100", "D0|R1|W0.1|R0", NULL, false},
        {5, "pty:/run/board5", NULL, NULL, false},
    };
    char *dir = fx_dir(), *path = fx_write(dir, "s.yaml", yaml, sizeof yaml - 1);
    struct profile_problems problems = {NULL, 0};
    struct station_file s;
    assert_int_equal(station_file_load(path, &s, &problems), FL_OK);
    assert_int_equal(problems.n, 0);
    assert_string_equal(s.station, "line-3-a");
    assert_int_equal(s.n, T_COUNT(want));
    for (size_t i = 0; i < s.n; i++) {
        assert_int_equal(s.slots[i].slot, want[i].slot);
        assert_string_equal(s.slots[i].port, want[i].port);
        assert_int_equal(s.slots[i].fixture, want[i].fixture);
        if (want[i].reset)
            assert_string_equal(s.slots[i].reset, want[i].reset);
        else
            assert_null(s.slots[i].reset);
        if (want[i].power_cycle)
            assert_string_equal(s.slots[i].power_cycle, want[i].power_cycle);
        else
            assert_null(s.slots[i].power_cycle);
    }
    station_file_fini(&s);
    free(path);
    path = fx_write(dir, "s.yaml", "slots: [{slot: 7, port: /dev/ttyACM0}]", 38);
    assert_int_equal(station_file_load(path, &s, &problems), FL_OK);
    assert_null(s.station);
    station_file_fini(&s);
    free(path);
    fx_remove(dir);
}

#define PORT "/dev/TTY, usb:PLACE, rfc2217://HOST:PORT, socket://HOST:PORT or pty:PATH"

static void wrong(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *says[4];
    } rows[] = {
        {"station: a\n",
         {"1:1: the key 'slots' is missing, expected a list of 1 to 999 mappings of slot, port, fixture, reset and power_cycle"}},
        {"slots: []\n",
         {"1:8: slots is too short, expected a list of 1 to 999 mappings of slot, port, fixture, reset and power_cycle"}},
        {"station: my line\nslots: [{slot: 1, port: /dev/a}]\n",
         {"1:10: station is 'my line', expected 1 to 64 letters, digits, '.', '_' or '-'"}},
        {"slots: [{slot: 0, port: /dev/a}]\n", {"1:16: slots[0].slot is '0', expected a whole number from 1 to 999"}},
        {"slots: [{slot: 1000, port: /dev/a}]\n",
         {"1:16: slots[0].slot is '1000', expected a whole number from 1 to 999"}},
        {"slots: [{slot: one, port: /dev/a}]\n", {"1:16: slots[0].slot is 'one', expected a whole number from 1 to 999"}},
        {"slots:\n  - {slot: 1}\n  - {port: /dev/a}\n",
         {"2:5: the key 'slots[0].port' is missing, expected text of 1 to 199 bytes",
          "3:5: the key 'slots[1].slot' is missing, expected a whole number from 1 to 999"}},
        {"slots:\n  - {slot: 1, port: /dev/a}\n  - {slot: 1, port: /dev/b}\n",
         {"3:12: slot 1 is here twice, expected each number once"}},
        {"slots:\n  - {slot: 1, port: /dev/a}\n  - {slot: 2, port: /dev/a}\n",
         {"3:21: the port /dev/a is that of slot 1 already, expected each port once"}},
        {"labels: {printer: \"tcp://zebra\", template: t}\nslots: [{slot: 1, port: /dev/a}]\n",
         {"1:19: labels.printer is 'tcp://zebra', expected tcp://HOST:PORT, as in tcp://10.0.0.9:9100"}},
        {"labels: {printer: \"tcp://:9100\", template: t}\nslots: [{slot: 1, port: /dev/a}]\n",
         {"1:19: labels.printer is 'tcp://:9100', expected tcp://HOST:PORT, as in tcp://10.0.0.9:9100"}},
        {"labels: {printer: \"tcp://zebra:0\", template: t}\nslots: [{slot: 1, port: /dev/a}]\n",
         {"1:19: labels.printer is 'tcp://zebra:0', expected tcp://HOST:PORT, as in tcp://10.0.0.9:9100"}},
        {"labels: {printer: \"tcp://zebra:91OO\", template: t}\nslots: [{slot: 1, port: /dev/a}]\n",
         {"1:19: labels.printer is 'tcp://zebra:91OO', expected tcp://HOST:PORT, as in tcp://10.0.0.9:9100"}},
        {"labels: {printer: \"lp\", template: t}\nslots: [{slot: 1, port: /dev/a}]\n",
         {"1:19: labels.printer is 'lp', expected tcp://HOST:PORT, command:PROGRAM ARGUMENTS or dir:/FOLDER"}},
        {"slots: [{slot: 1, port: ttyUSB0}]\n", {"1:25: slots[0].port is 'ttyUSB0', expected " PORT}},
        {"slots: [{slot: 1, port: \"http://a:1\"}]\n", {"1:25: slots[0].port is 'http://a:1', expected " PORT}},
        {"slots: [{slot: 1, port: \"usb:\"}]\n", {"1:25: slots[0].port is 'usb:', expected " PORT}},
        {"slots: [{slot: 1, port: \"/dev/a b\"}]\n", {"1:25: slots[0].port is '/dev/a b', expected " PORT}},
        {"slots: [{slot: 1, prot: /dev/a}]\n",
         {"1:9: the key 'slots[0].port' is missing, expected text of 1 to 199 bytes",
          "1:19: unknown key 'slots[0].prot', expected 'port'"}},
        {"slots: {1: /dev/a}\n",
         {"1:8: slots is a mapping, expected a list of 1 to 999 mappings of slot, port, fixture, reset and power_cycle"}},
    };
    char *dir = fx_dir();
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        char *path = fx_write(dir, "s.yaml", rows[i].yaml, strlen(rows[i].yaml));
        struct profile_problems problems = {NULL, 0};
        struct station_file s;
        assert_int_equal(station_file_load(path, &s, &problems), FL_FORMAT);
        assert_null(s.slots);
        size_t k = 0;
        for (; k < 4 && rows[i].says[k]; k++) {
            const char *is = k < problems.n ? problems.list[k].text + strlen(path) + 1 : "(nothing)";
            if (strcmp(is, rows[i].says[k]) != 0)
                fail_msg("row %zu: '%s', not '%s'", i, is, rows[i].says[k]);
        }
        assert_int_equal(problems.n, k);
        profile_problems_fini(&problems);
        free(path);
    }
    fx_remove(dir);
}

/* The example in profiles/README.md is a station file. */
static void readme_example(void **state)
{
    (void)state;
    struct fl_buf readme = FL_BUF(1 << 20);
    struct profile_problems problems = {NULL, 0};
    struct station_file s;
    assert_int_equal(fl_file_read("profiles/README.md", &readme, NULL), FL_OK);
    const char *start = strstr(fl_buf_text(&readme), "```yaml\n");
    assert_non_null(start);
    start += 8;
    const char *end = strstr(start, "```");
    assert_non_null(end);
    char *dir = fx_dir(), *path = fx_write(dir, "s.yaml", start, (size_t)(end - start));
    assert_int_equal(station_file_load(path, &s, &problems), FL_OK);
    assert_int_equal(s.n, 7);
    station_file_fini(&s);
    fl_buf_fini(&readme);
    free(path);
    fx_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right),
        cmocka_unit_test(wrong),
        cmocka_unit_test(readme_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
