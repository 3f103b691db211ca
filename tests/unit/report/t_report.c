/* SPDX-License-Identifier: Apache-2.0
 * report/: renderers by literal bytes; a hand-worked history whose numbers stand in db/README.md; random histories against
 * plain counting. */
#include "unit/t.h"

#include "base/file.h"
#include "report/report.h"
#include "store/db.h"
#include "unit/record/station.h"

/* ---- renderers ------------------------------------------------------------------------------------------------ */

static const struct table_column columns[] = {
    {"slot", "slot", TABLE_INT}, {"why", "why it ended", TABLE_TEXT}, {"rate", "rate", TABLE_PERCENT}, {"last", "last", TABLE_TEXT}};

static struct table *small_table(void)
{
    struct table *t = table_new(columns, T_COUNT(columns));
    table_int(t, 7);
    table_text(t, "said \"no\", twice");
    table_ratio(t, 7, 8);
    table_end(t); /* the last cell is left out */
    table_int(t, 12);
    table_text(t, "\xc3\xbc\xe2\x82\xac");
    table_ratio(t, 0, 0);
    table_text(t, "x\ny");
    table_end(t);
    return t;
}

static void renders(void **state)
{
    (void)state;
    struct table *t = small_table(), *odd;
    struct fl_buf b = FL_BUF(10000);
    assert_int_equal(table_rows(t), 2);
    assert_int_equal(table_write_csv(t, &b), FL_OK);
    assert_string_equal(fl_buf_text(&b), "slot,why,rate,last\r\n7,\"said \"\"no\"\", twice\",0.875,\r\n12,\xc3\xbc\xe2\x82\xac,,\"x\ny\"\r\n");
    fl_buf_clear(&b);
    assert_int_equal(table_write_text(t, 2, &b), FL_OK);
    assert_string_equal(fl_buf_text(&b), "  slot  why it ended        rate  last\n"
                                         "  ------------------------------------\n"
                                         "     7  said \"no\", twice  87.5 %\n"
                                         "    12  \xc3\xbc\xe2\x82\xac                        x y\n");
    odd = table_new(columns + 1, 1); /* CSI as one character, DEL, a letter that turns the text, no UTF-8, another row's edge */
    fl_buf_clear(&b);
    table_text(odd, "a\xc2\x9b" "2J\x7f" "b\xe2\x80\xae" "c\xff\x1b" "d");
    table_end(odd);
    assert_int_equal(table_write_text(odd, 0, &b), FL_OK);
    assert_string_equal(fl_buf_text(&b), "why it ended\n------------\na?2J?b?c? d\n");
    table_free(odd);
    json_t *j = table_json(t);
    char *text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, "[{\"last\":null,\"rate\":0.875,\"slot\":7,\"why\":\"said \\\"no\\\", twice\"},"
                              "{\"last\":\"x\\ny\",\"rate\":null,\"slot\":12,\"why\":\"\xc3\xbc\xe2\x82\xac\"}]");
    free(text);
    json_decref(j);
    table_free(t);
    t = table_new(columns, T_COUNT(columns));
    for (int i = 0; i < 5; i++) /* one cell too many: the table is bad, and says so when it is written */
        table_int(t, i);
    table_end(t);
    assert_int_equal(table_write_csv(t, &b), FL_NOMEM);
    assert_null(table_json(t));
    table_free(t);
    fl_buf_fini(&b);
}

/* ---- a history ---------------------------------------------------------------------------------------------------- */

struct step {
    int unit, slot;
    enum outcome outcome;
    const char *fault, *lot;
};

static void record(struct t_station *s, const struct step *h, size_t n)
{
    struct recorder_opened o;
    t_open(s, &o);
    (void)t_profile(s);
    for (size_t i = 0; i < n; i++) {
        struct attempt_facts f = t_attempt(h[i].unit, h[i].outcome);
        f.slot = h[i].slot;
        f.has_mac = h[i].unit != 0;
        f.fault = h[i].fault;
        (void)snprintf(f.lot, sizeof f.lot, "%s", h[i].lot);
        f.duration_ms = 1000 * (unsigned)(i + 1);
        f.n_rungs = i % 2;
        (void)t_result(s, &f);
    }
    t_close(s);
}

/* The report of this name, as programs see it. */
static json_t *report_of(struct t_station *s, const char *name, const struct report_query *q)
{
    struct report *r;
    struct sheet sheet;
    struct fl_why why = {0, ""};
    static const struct report_query all = {.limit = 100};
    if (report_open(s->data, &r, &why) || report_run(r, name, q ? q : &all, &sheet, &why))
        fail_msg("%s", why.text);
    json_t *j = sheet_json(&sheet);
    assert_non_null(j);
    sheet_fini(&sheet);
    report_close(r);
    return j;
}

static void csv_is(struct t_station *s, const char *name, const char *part, const struct report_query *q, const char *want)
{
    struct report *r;
    struct sheet sheet;
    struct fl_why why = {0, ""};
    struct fl_buf b = FL_BUF(100000);
    if (report_open(s->data, &r, &why) || report_run(r, name, q, &sheet, &why))
        fail_msg("%s", why.text);
    assert_int_equal(sheet_csv(&sheet, part, &b), FL_OK);
    assert_string_equal(fl_buf_text(&b), want);
    fl_buf_fini(&b);
    sheet_fini(&sheet);
    report_close(r);
}

static void close_to(const json_t *o, const char *member, double want)
{
    double got = json_number_value(json_object_get(o, member));
    if (!(got > want - 1e-9 && got < want + 1e-9))
        fail_msg("%s is %.12g, expected %.12g", member, got, want);
}

/* Worked by hand (db/README.md, "a history by hand"). */
static const struct step hand[] = {
    {1, 1, OUTCOME_PASS, "", ""},               /* unit 1: passes at once */
    {2, 1, OUTCOME_FAIL, "verify.md5", ""},     /* unit 2: fails, then passes in another slot */
    {2, 2, OUTCOME_PASS, "", ""},
    {3, 2, OUTCOME_ABORTED, "operator.cancelled", ""}, /* unit 3: the operator's first try does not count, then it passes */
    {3, 2, OUTCOME_PASS, "", ""},
    {4, 2, OUTCOME_ERROR, "link.lost", ""},     /* unit 4: never passes, three tries */
    {4, 2, OUTCOME_FAIL, "verify.md5", ""},
    {4, 2, OUTCOME_FAIL, "verify.md5", ""},
    {5, 1, OUTCOME_FAIL, "ram.checksum", ""},   /* unit 5: passes at the third */
    {5, 1, OUTCOME_ERROR, "link.lost", ""},
    {5, 1, OUTCOME_PASS, "", ""},
    {0, 1, OUTCOME_ERROR, "link.silent", ""},   /* a board that never told its MAC */
    {1, 1, OUTCOME_FAIL, "verify.md5", "L-2"},  /* unit 1 again, in a lot: another first attempt */
    {6, 1, OUTCOME_ABORTED, "operator.cancelled", ""}, /* unit 6: only ever aborted: no unit of the yield */
};

static void history_by_hand(void **state)
{
    struct t_station *s = *state;
    static const struct report_query all = {.limit = 100}, by_lot = {.group_by = "lot"};
    record(s, hand, T_COUNT(hand));
    json_t *j = report_of(s, "summary", NULL), *o = json_object_get(j, "outcomes");
    assert_string_equal(fl_json_text(j, "station"), "bench-1");
    assert_int_equal(fl_json_int(j, "attempts", 0), 14);
    assert_int_equal(fl_json_int(o, "PASS", 0), 4);
    assert_int_equal(fl_json_int(o, "FAIL", 0), 5);
    assert_int_equal(fl_json_int(o, "ERROR", 0), 3);
    assert_int_equal(fl_json_int(o, "ABORTED", 0), 2);
    assert_int_equal(fl_json_int(j, "without_mac", 0), 1);
    assert_int_equal(fl_json_int(j, "units", 0), 6); /* 1, 2, 3, 4, 5 without a lot, 1 in L-2 */
    close_to(j, "first_pass_yield", 2.0 / 6);        /* 1 and 3 */
    close_to(j, "second_pass_yield", 3.0 / 6);       /* and 2 */
    close_to(j, "third_pass_yield", 4.0 / 6);        /* and 5 */
    close_to(j, "last_pass_yield", 4.0 / 6);
    close_to(j, "retest_rate", 3.0 / 6);   /* 2, 4, 5 */
    close_to(j, "recovery_rate", 2.0 / 4); /* of 2, 4, 5, 1 in L-2: 2 and 5 */
    json_decref(j);
    /* first failing attempts: 2 verify.md5, 4 link.lost, 5 ram.checksum, 1 in L-2 verify.md5 */
    csv_is(s, "pareto", NULL, &all,
           "fault,units,share,cumulative,attempts,what\r\n"
           "verify.md5,2,0.5,0.5,4,the flash does not hold what was written\r\n"
           "link.lost,1,0.25,0.75,2,the port vanished during the attempt\r\n"
           "ram.checksum,1,0.25,1,1,program bytes arrive damaged in the chip's RAM\r\n"
           "link.silent,0,0,1,1,nothing at all was received\r\n");
    csv_is(s, "pareto", "where", &all,
           "slot,fault,step,units,share,attempts\r\n1,verify.md5,verify,2,0.5,2\r\n2,link.lost,verify,1,0.25,1\r\n1,ram.checksum,verify,1,0.25,1\r\n");
    /* slot 1: PASS after 1 and 11 s, slot 2: after 3 and 5 s; every second attempt had a rung. First attempts in slot 1: units 1, 2, 5, 1 in
     * L-2; in slot 2: 3, 4. Wilson's ends by Python's own arithmetic */
    csv_is(s, "slots", NULL, &all,
           "slot,attempts,pass,fail,error,aborted,interrupted,pass_rate,units,first_pass_yield,first_low,first_high,recovery_rate,pass_ms,rungs,worse_p,flag\r\n"
           "1,8,2,3,2,1,0,0.28571429,4,0.25,0.045587261,0.69935816,0.66666667,6000,4,,\r\n"
           "2,6,2,2,1,1,0,0.4,2,0.5,0.094531206,0.90546879,0,4000,3,,\r\n");
    csv_is(s, "yield", NULL, &by_lot,
           "lot,units,first_passed,first_pass_yield,first_low,first_high,second_pass_yield,third_pass_yield,last_pass_yield,last_low,last_high,"
           "retest_rate,recovery_rate\r\n"
           "(no lot),5,2,0.4,0.11762077,0.76927572,0.6,0.8,0.8,0.37553463,0.96377589,0.6,0.66666667\r\n"
           "L-2,1,0,0,0,0.79345069,0,0,0,0,0.79345069,0,0\r\n");
}

/* Where nothing can be told, members are null: they do not come and go with the numbers. */
static void same_members(void **state)
{
    struct t_station *s = *state;
    static const struct report_query nothing = {.since = "2040-01-01"};
    static const char *const names[] = {"summary", "yield", "lot", "shift"};
    record(s, hand, T_COUNT(hand));
    for (size_t i = 0; i < T_COUNT(names); i++) {
        json_t *full = report_of(s, names[i], NULL), *empty = report_of(s, names[i], &nothing);
        const char *member;
        json_t *v;
        json_object_foreach (full, member, v)
            if (!json_object_get(empty, member))
                fail_msg("%s: %s is missing where there is nothing", names[i], member);
        assert_true(json_is_null(json_object_get(empty, "recovery_rate")) && json_is_null(json_object_get(empty, "dpmo")));
        json_decref(full);
        json_decref(empty);
    }
}

/* The second history by hand of db/README.md: times and steps. One slot, four units, from 08:00. */
static void times_by_hand(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    static const struct {
        int unit, start_s, s;
        enum outcome outcome;
        size_t steps; /* of connect 1 s, write 6 s, boot-check 2 s */
        unsigned rungs; /* in write */
    } row[] = {
        {1, 0, 10, OUTCOME_PASS, 3, 0},
        {2, 25, 10, OUTCOME_PASS, 3, 2},    /* 15 s of handling; a rung in write: not at once */
        {3, 45, 8, OUTCOME_FAIL, 2, 0},     /* 10 s; ends in write */
        {3, 54, 10, OUTCOME_PASS, 3, 0},    /* the same unit again: a cycle, no handling */
        {4, 1264, 10, OUTCOME_PASS, 3, 0},  /* a break of 20 minutes: neither */
    };
    static const struct report_query all = {.limit = 100};
    t_open(s, &o);
    (void)t_profile(s);
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct attempt_facts f = t_attempt(row[i].unit, row[i].outcome);
        f.start_ms += 1000 * row[i].start_s;
        f.duration_ms = 1000 * (unsigned)row[i].s;
        f.n_steps = row[i].steps;
        f.steps[0] = (struct attempt_step){"connect", 1000, 0};
        f.steps[1] = (struct attempt_step){"write", 6000, row[i].rungs};
        f.steps[2] = (struct attempt_step){"boot-check", 2000, 0};
        f.step = row[i].outcome ? "write" : "";
        (void)t_result(s, &f);
    }
    t_close(s);
    json_t *j = report_of(s, "yield", NULL);
    close_to(j, "first_pass_yield", 3.0 / 4);
    close_to(j, "last_pass_yield", 1);
    close_to(j, "rolled_throughput_yield", 4.0 / 4 * (2.0 / 4) * (3.0 / 3)); /* connect, write (2 and 3 not at once), boot-check */
    close_to(j, "dpmo", 1e6 * 2 / 11);                                       /* 4 + 4 + 3 first tries of a step */
    close_to(j, "dpu", 2.0 / 4);
    json_decref(j);
    /* cycles: 25, 20, 9 s. Handling: 15, 10 s. Flash: connect and write, 7 s. One half hour: 4 PASS in 0.5 h. Slots fed: 1 + 7 / 12.5.
     * Retest: 10 of 48 s */
    csv_is(s, "throughput", NULL, &all,
           "day,attempts,pass,run_h,units_per_run_hour,cycle_s,flash_s,handling_s,retest_share,slots_fed\r\n"
           "2026-11-22,5,4,0.5,8,18,7,12.5,0.20833333,1.56\r\n");
    /* a shift begins at 08:15: a quarter of an hour on each side. Before it cycles of 25, 20 and 9 s, retests 10 of 38 s; behind it
     * unit 4 alone */
    static const struct report_query shifts = {.limit = 100, .group_by = "shift", .shifts = "08:15,20:00"};
    csv_is(s, "throughput", NULL, &shifts,
           "shift,attempts,pass,run_h,units_per_run_hour,cycle_s,flash_s,handling_s,retest_share,slots_fed\r\n"
           "2026-11-21 20:00,4,3,0.25,12,18,7,12.5,0.26315789,1.56\r\n"
           "2026-11-22 08:15,1,1,0.25,4,,7,,0,\r\n");
    /* and of a question since 08:00:20 until 08:21:30: 2 PASS in 880 s, and 1 in 390 s */
    static const struct report_query until = {.limit = 100, .shifts = "08:15,20:00", .since = "2026-11-22T08:00:20", .until = "2026-11-22T08:21:30"};
    csv_is(s, "shift", NULL, &until,
           "shift,from,to,attempts,units,passed,not_passed,first_pass_yield,first_low,first_high,last_pass_yield,last_low,last_high,retest_rate,"
           "units_per_run_hour\r\n"
           "2026-11-21 20:00,2026-11-22 08:00,2026-11-22 08:01,3,2,2,0,0.5,0.094531206,0.90546879,1,0.34238023,1,0.5,8.1818182\r\n"
           "2026-11-22 08:15,2026-11-22 08:15,2026-11-22 08:21,1,1,1,0,1,0.20654931,1,1,0.20654931,1,0,9.2307692\r\n");
}

/* More places than are shown: a share is one of all units that failed, and not of those in the list. */
static void many_places(void **state)
{
    struct t_station *s = *state;
    enum { PLACES = 204 };
    struct step h[PLACES + 1];
    for (int i = 0; i <= PLACES; i++)
        h[i] = (struct step){i + 1, i < PLACES ? i + 1 : 1, OUTCOME_FAIL, "verify.md5", ""};
    record(s, h, PLACES + 1);
    json_t *j = report_of(s, "pareto", NULL), *where = json_object_get(j, "where");
    assert_int_equal(json_array_size(where), 200);
    assert_int_equal(fl_json_int(json_array_get(where, 0), "slot", 0), 1);
    close_to(json_array_get(where, 0), "share", 2.0 / (PLACES + 1));
    close_to(json_array_get(where, 199), "share", 1.0 / (PLACES + 1));
    json_decref(j);
}

static void percents(void **state)
{
    (void)state;
    static const struct {
        double ratio;
        const char *text;
    } row[] = {{0, "0.0 %"}, {1, "100.0 %"}, {0.978, "97.8 %"}, {0.9995, "99.95 %"}, {0.99949, "99.9 %"}, {803456.0 / 803462, "99.999 %"},
               {0.0004, "0.04 %"}, {1e-7, "0.00001 %"}, {1.0 / 3, "33.3 %"}};
    for (size_t i = 0; i < T_COUNT(row); i++) {
        char text[24];
        table_percent(row[i].ratio, text);
        assert_string_equal(text, row[i].text);
    }
}

static uint32_t roll(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(*seed >> 8) * n >> 24);
}

/* The same numbers by going through the history with an array a unit and lot. FL_SEED=N: the history of that seed alone. */
static void random_histories(void **state)
{
    (void)state;
    static const char *const faults[] = {"", "verify.md5", "link.lost", "", "station.died"};
    const char *asked = getenv("FL_SEED");
    const uint32_t first = asked ? (uint32_t)strtoul(asked, NULL, 10) : 7, last = asked ? first : first + 5;
    for (uint32_t history = first; history <= last; history++) {
        struct t_station s;
        uint32_t seed = history;
        struct step h[120];
        enum { UNITS = 12, LOTS = 2 };
        int tries[UNITS][LOTS] = {{0}}, passed_at[UNITS][LOTS] = {{0}};
        printf("# seed %u\n", (unsigned)history);
        (void)fflush(stdout);
        t_station_make(&s);
        for (size_t i = 0; i < T_COUNT(h); i++) {
            int u = (int)roll(&seed, UNITS), lot = (int)roll(&seed, LOTS);
            enum outcome o = (enum outcome)roll(&seed, 4);
            h[i] = (struct step){u + 1, 1 + (int)roll(&seed, 3), o, faults[o], lot ? "B" : ""};
            if (o != OUTCOME_ABORTED && ++tries[u][lot] && o == OUTCOME_PASS && !passed_at[u][lot])
                passed_at[u][lot] = tries[u][lot];
        }
        int64_t units = 0, by[4] = {0};
        for (int u = 0; u < UNITS; u++)
            for (int l = 0; l < LOTS; l++) {
                units += tries[u][l] > 0;
                for (int k = 0; k < 4; k++)
                    by[k] += passed_at[u][l] && (k == 3 || passed_at[u][l] <= k + 1);
            }
        record(&s, h, T_COUNT(h));
        json_t *j = report_of(&s, "summary", NULL);
        static const char *const yields[] = {"first_pass_yield", "second_pass_yield", "third_pass_yield", "last_pass_yield"};
        assert_int_equal(fl_json_int(j, "attempts", 0), T_COUNT(h));
        assert_int_equal(fl_json_int(j, "units", 0), units);
        for (int k = 0; k < 4; k++)
            close_to(j, yields[k], (double)by[k] / (double)units);
        json_decref(j);
        t_station_remove(&s);
    }
}

/* A lot's name of 63 bytes, all of them letters of two, is told whole: one cut within a letter would be no JSON text. */
static void a_long_lot(void **state)
{
    struct t_station *s = *state;
    char name[64] = "L", want[80];
    for (int i = 1; i < 63; i += 2)
        memcpy(name + i, "\xc3\xa9", 3);
    const struct report_query q = {.lot = name};
    const struct step h[] = {{1, 1, OUTCOME_PASS, "", name}};
    record(s, h, 1);
    json_t *j = report_of(s, "summary", &q);
    (void)snprintf(want, sizeof want, "lot %s", name);
    assert_string_equal(fl_json_text(j, "about"), want);
    json_decref(j);
}

/* ---- trace -------------------------------------------------------------------------------------------------------- */

/* A file's name and a measurement's come from a profile, which is anybody's. */
static void names_steer_no_terminal(void **state)
{
    struct fl_buf b = FL_BUF(1 << 16);
    (void)state;
    json_t *t = json_pack("{s{ss}s[{s[{sssi}]s[{sssf}]}]}", "unit", "mac", "24:6f:28:00:00:01", "attempts", "images", "file", "a\x1b[2J\nb.bin",
                          "offset", 4096, "measures", "name", "v\xc2\x9b", "value", 3.5);
    assert_non_null(t);
    assert_int_equal(report_trace_text(t, &b), FL_OK);
    assert_non_null(strstr(fl_buf_text(&b), "0x001000 a?[2J?b.bin,"));
    assert_non_null(strstr(fl_buf_text(&b), "measured v?? = 3.5"));
    json_decref(t);
    fl_buf_fini(&b);
}

static void traces(void **state)
{
    struct t_station *s = *state;
    struct report *r;
    struct fl_why why = {0, ""};
    json_t *t, *a;
    record(s, hand, T_COUNT(hand));
    assert_int_equal(report_open(s->data, &r, &why), FL_OK);
    static const char *const spelling[] = {"24:6f:28:00:00:05", "24-6F-28-00-00-05", "246F28000005", "246f28000005"};
    for (size_t i = 0; i < T_COUNT(spelling); i++) {
        if (report_trace(r, spelling[i], &t, &why))
            fail_msg("%s", why.text);
        assert_string_equal(fl_json_text(t, "mac"), "24:6f:28:00:00:05");
        assert_int_equal(json_array_size(json_object_get(t, "attempts")), 3);
        json_decref(t);
    }
    static const char *const bad[] = {"", "24:6f:28:00:00", "24:6f:28:00:00:0g", "24:6f:28:00:00:05:06", "'; DROP TABLE leaf; --"};
    for (size_t i = 0; i < T_COUNT(bad); i++)
        assert_int_equal(report_trace(r, bad[i], &t, &why), FL_ARG);
    assert_int_equal(report_trace(r, "24:6f:28:00:00:99", &t, &why), FL_NOT_FOUND);
    assert_int_equal(report_trace(r, "24:6f:28:ff:fe:00:00:05", &t, &why), FL_NOT_FOUND); /* an EUI-64 that nobody has */

    assert_int_equal(report_trace(r, "24:6f:28:00:00:05", &t, &why), FL_OK);
    assert_string_equal(fl_json_text(json_object_get(t, "unit"), "chip"), "esp32");
    a = json_array_get(json_object_get(t, "attempts"), 1);
    assert_string_equal(fl_json_text(a, "outcome"), "ERROR");
    assert_string_equal(fl_json_text(a, "fault"), "link.lost");
    assert_int_equal(fl_json_int(a, "number", 0), 2);
    assert_int_equal(fl_json_int(a, "slot", 0), 1);
    assert_int_equal(fl_json_int(a, "leaf", 0), 15);
    assert_int_equal(fl_json_int(a, "ms", 0), 10000);
    assert_string_equal(fl_json_text(a, "start"), "2026-11-22T08:00:00.000Z");
    assert_string_equal(fl_json_text(a, "bridge"), "1a86:55d4");
    assert_int_equal(json_array_size(json_object_get(a, "steps")), 2);
    assert_string_equal(fl_json_text(json_array_get(json_object_get(a, "rungs"), 0), "cause"), "ram.checksum");
    assert_string_equal(fl_json_text(json_array_get(json_object_get(a, "images"), 0), "file"), "app.bin");
    assert_string_equal(fl_json_text(json_array_get(json_object_get(a, "regions"), 0), "state"), "verified");
    struct fl_buf b = FL_BUF(100000);
    assert_int_equal(report_trace_text(t, &b), FL_OK);
    static const char *const lines[] = {"unit 24:6f:28:00:00:05, esp32 v3.1, flash c84016 of 4194304 bytes, 3 attempts\n", "  slot 1  ERROR link.lost (",
                                        "  attempt  number 2, 10000 ms, leaf 15\n", "  port     usb:1-1.4.1, bridge 1a86:55d4 5435001234, driver cdc_acm\n",
                                        "  image    0x001000 app.bin, 1048576 bytes, sha256 cdcd", "  rung     small_blocks x1 in write because of ram.checksum (2048)\n",
                                        "  steps    connect 312 ms, write 7000 ms\n"};
    for (size_t i = 0; i < T_COUNT(lines); i++)
        if (!strstr(fl_buf_text(&b), lines[i]))
            fail_msg("missing '%s' in\n%s", lines[i], fl_buf_text(&b));
    fl_buf_clear(&b);
    struct table *table = report_trace_table(t);
    assert_int_equal(table_write_csv(table, &b), FL_OK);
    assert_non_null(strstr(fl_buf_text(&b), "\r\n15,,2,,2026-11-22T08:00:00.000Z,10000,1,usb:1-1.4.1,1a86:55d4,5435001234,,ERROR,link.lost,verify,demo,"));
    table_free(table);
    fl_buf_fini(&b);
    json_decref(t);
    report_close(r);
}

/* What the view gives for one column, as the trace would: NULL is left out. */
static json_t *as_seen(sqlite3_stmt *q, const char *name)
{
    for (int c = 0; c < sqlite3_column_count(q); c++)
        if (strcmp(sqlite3_column_name(q, c), name) == 0)
            return sqlite3_column_type(q, c) == SQLITE_NULL      ? NULL
                   : sqlite3_column_type(q, c) == SQLITE_INTEGER ? json_integer(sqlite3_column_int64(q, c))
                                                                 : json_string((const char *)sqlite3_column_text(q, c));
    fail_msg("attempt_view has no %s", name);
    return NULL;
}

/* A trace reads attempts from the tables, people read attempt_view: they say the same of every attempt. */
static void a_trace_is_the_view(void **state)
{
    static const char *const names[] = {"leaf", "start_leaf", "number", "lot", "start", "ms", "slot", "port", "path", "bridge", "bridge_serial",
                                        "bridge_driver", "operator", "outcome", "fault", "step", "profile", "profile_version", "profile_hash",
                                        "loader", "baud", "tries", "plain_bytes", "bytes_out", "bytes_in", "product", "purpose", "serial"};
    struct t_station *s = *state;
    struct recorder_opened o;
    struct report *r;
    struct db_reader reader;
    sqlite3_stmt *q;
    json_t *t, *a;
    size_t i, told[T_COUNT(names)] = {0};
    t_open(s, &o);
    (void)t_profile(s);
    for (int n = 0; n < 12; n++) { /* each way to have something or not, in one attempt or another */
        struct attempt_facts f = t_attempt(1, n % 3 == 0 ? OUTCOME_ABORTED : n % 3 == 1 ? OUTCOME_FAIL : OUTCOME_PASS);
        (void)snprintf(f.lot, sizeof f.lot, "%s", n % 2 ? "WO-1" : "");
        (void)snprintf(f.operator_id, sizeof f.operator_id, "%s", n % 4 == 1 ? "Ann Example" : "");
        f.purpose = n == 5 ? "golden" : NULL;
        if (n == 3)
            f.stub[0] = 0;
        if (n == 7)
            f.bridge_vid = f.bridge_pid = 0;
        if (n == 8)
            memset(f.profile, 'c', 64); /* never told */
        f.slot = 1 + n % 2;
        (void)snprintf(f.serial, sizeof f.serial, "%s", n == 2 ? "SN-1" : "");
        if (n % 4 == 2)
            (void)t_start(s, &f);
        (void)t_result(s, &f);
    }
    t_close(s);
    char *path = fl_path_join(s->data, "flashline.db");
    assert_int_equal(report_open(s->data, &r, NULL), FL_OK);
    assert_int_equal(db_open_reader(path, false, &reader, NULL), FL_OK);
    assert_int_equal(db_prepare(reader.db, "SELECT * FROM attempt_view WHERE leaf = ?1", &q, NULL), FL_OK);
    assert_int_equal(report_trace(r, "24:6f:28:00:00:01", &t, NULL), FL_OK);
    assert_int_equal(json_array_size(json_object_get(t, "attempts")), 12);
    json_array_foreach(json_object_get(t, "attempts"), i, a) {
        assert_int_equal(sqlite3_bind_int64(q, 1, fl_json_int(a, "leaf", -1)), SQLITE_OK);
        assert_int_equal(sqlite3_step(q), SQLITE_ROW);
        for (size_t k = 0; k < T_COUNT(names); k++) {
            json_t *want = as_seen(q, names[k]);
            if (!(want ? json_equal(want, json_object_get(a, names[k])) : !json_object_get(a, names[k])))
                fail_msg("attempt %zu: %s", i, names[k]);
            told[k] += want != NULL;
            json_decref(want);
        }
        assert_int_equal(sqlite3_reset(q), SQLITE_OK);
    }
    for (size_t k = 0; k < T_COUNT(names); k++)
        if (!told[k] && strcmp(names[k], "product") != 0) /* only a lot that was opened tells it */
            fail_msg("no attempt tells %s", names[k]);
    (void)sqlite3_finalize(q);
    db_close_reader(&reader);
    json_decref(t);
    report_close(r);
    free(path);
}

static void by_eui64(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct report *r;
    json_t *t;
    t_open(s, &o);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    static const uint8_t eui[8] = {0x24, 0x6f, 0x28, 0xff, 0xfe, 0, 0, 1};
    f.has_eui64 = true;
    memcpy(f.eui64, eui, 8);
    (void)t_result(s, &f);
    t_close(s);
    assert_int_equal(report_open(s->data, &r, NULL), FL_OK);
    assert_int_equal(report_trace(r, "246f28fffe000001", &t, NULL), FL_OK);
    assert_string_equal(fl_json_text(json_object_get(t, "unit"), "eui64"), "246f28fffe000001");
    assert_int_equal(json_array_size(json_object_get(t, "attempts")), 1);
    json_decref(t);
    report_close(r);
}

/* Twelve or sixteen digits are a MAC's or an EUI-64's length too. A MAC goes before a serial number that reads the same. */
static void by_serial(void **state)
{
    static const char *const serial[] = {"SN-1", "264700000001", "2647000000000001", "246f28000001"};
    struct t_station *s = *state;
    struct recorder_opened o;
    struct report *r;
    struct fl_why why;
    json_t *t;
    t_open(s, &o);
    for (int i = 0; i < (int)T_COUNT(serial); i++) {
        struct attempt_facts f = t_attempt(i + 1, OUTCOME_PASS);
        (void)snprintf(f.serial, sizeof f.serial, "%s", serial[i]);
        (void)t_start(s, &f);
        (void)t_result(s, &f);
    }
    t_close(s);
    assert_int_equal(report_open(s->data, &r, NULL), FL_OK);
    for (int i = 0; i < (int)T_COUNT(serial); i++) {
        char mac[24];
        (void)snprintf(mac, sizeof mac, "24:6f:28:00:00:%02x", i == 3 ? 1 : i + 1);
        if (report_trace(r, serial[i], &t, &why))
            fail_msg("%s: %s", serial[i], why.text);
        assert_string_equal(fl_json_text(t, "mac"), mac);
        json_decref(t);
    }
    assert_int_equal(report_trace(r, "264700000002", &t, &why), FL_NOT_FOUND);
    assert_non_null(strstr(why.text, "26:47:00:00:00:02"));
    assert_int_equal(report_trace(r, "SN-2", &t, &why), FL_ARG);
    report_close(r);
}

static void no_station(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct report *r;
    struct fl_why why = {0, ""};
    assert_int_equal(report_open(s->data, &r, &why), FL_NOT_FOUND);
    t_open(s, &o);
    const char *name;
    for (size_t i = 0; report_spec_line(i, &name); i++) /* beside a running station, and without one attempt */
        json_decref(report_of(s, name, NULL));
    json_t *j = report_of(s, "summary", NULL);
    assert_int_equal(fl_json_int(j, "attempts", -1), 0);
    assert_true(json_is_null(json_object_get(j, "first_pass_yield")));
    json_decref(j);
    t_close(s);
    t_shell("sqlite3 %s/flashline.db 'PRAGMA user_version = 1'", s->data);
    assert_int_equal(report_open(s->data, &r, &why), FL_UNSUPPORTED);
    assert_non_null(strstr(why.text, "start the station once"));
    t_shell("echo nothing >%s/flashline.db", s->data);
    assert_int_equal(report_open(s->data, &r, &why), FL_MISMATCH);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, t_setup, t_teardown)
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders), cmocka_unit_test(percents), T(many_places), T(history_by_hand), T(same_members), T(times_by_hand), cmocka_unit_test(random_histories), T(traces), cmocka_unit_test(names_steer_no_terminal), T(a_trace_is_the_view), T(by_eui64), T(by_serial), T(a_long_lot), T(no_station),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
