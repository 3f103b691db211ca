/* SPDX-License-Identifier: Apache-2.0
 * Lots: who is let in, what is counted, and that a crash or many slots at once cannot make one too many. */
#include "unit/t.h"

#include "unit/record/station.h"

#define HASH "abababababababababababababababababababababababababababababababab"

static json_t *with_job(json_t *o)
{
    char job[EVENT_JOB_TEXT];
    assert_int_equal(event_job(job), FL_OK);
    assert_int_equal(json_object_set_new(o, "job", json_string(job)), 0);
    return o;
}

static json_t *lot_open(const char *name, int authorised, const char *duplicates, int tries)
{
    json_t *o = json_pack("{ss,ss,ss,s[{ss,s[s]}],ss}", "lot", name, "product", "core", "duplicates", duplicates, "profiles", "hash", HASH,
                          "images", HASH, "operator", "ann");
    assert_non_null(o);
    if (authorised)
        assert_int_equal(json_object_set_new(o, "authorised", json_integer(authorised)), 0);
    if (tries)
        assert_int_equal(json_object_set_new(o, "tries", json_integer(tries)), 0);
    return with_job(o);
}

static struct attempt_facts unit(int n, enum outcome o, const char *lot)
{
    struct attempt_facts f = t_attempt(n, o);
    f.slot = 1 + n;
    (void)snprintf(f.port, sizeof f.port, "usb:1-%d", n);
    (void)strcpy(f.profile, HASH);
    (void)strcpy(f.lot, lot);
    return f;
}

static void refused(struct t_station *s, enum event_kind kind, json_t *body, const char *fault, const char *words)
{
    struct event_ticket t;
    struct fl_why why = {0, ""};
    int64_t leaf;
    assert_int_equal(event_ticket_init(&t), FL_OK);
    t_put(s, kind, body, &t);
    enum fl_err err = event_ticket_wait(&t, fl_deadline_in_ms(60000), &leaf, &why);
    if (err != FL_REFUSED || strcmp(event_ticket_fault(&t), fault) != 0 || !strstr(why.text, words))
        fail_msg("%s: err %d, fault %s, %s", event_kind_name(kind), err, event_ticket_fault(&t), why.text);
    assert_true(!*fault || fault_find(fault));
    event_ticket_fini(&t);
}

static void start_refused(struct t_station *s, const struct attempt_facts *f, const char *fault, const char *words)
{
    refused(s, EVENT_ATTEMPT_START, event_attempt_start_body(f), fault, words);
}

static void make(struct t_station *s, int n, enum outcome o, const char *lot)
{
    struct attempt_facts f = unit(n, o, lot);
    (void)t_start(s, &f);
    (void)t_result(s, &f);
}

static void life_of_a_lot(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    t_open(s, &o);
    struct attempt_facts f = unit(1, OUTCOME_PASS, "L-1");
    start_refused(s, &f, "lot.closed", "was not opened");
    refused(s, EVENT_LOT_OPEN, lot_open("", 0, "refuse", 0), "", "printable");
    refused(s, EVENT_LOT_OPEN, lot_open("L-1", 0, "never", 0), "", "duplicates");
    refused(s, EVENT_LOT_OPEN, lot_open("L-1", -4, "refuse", 0), "", "above 0");
    refused(s, EVENT_LOT_CLOSE, with_job(json_pack("{ss}", "lot", "L-1")), "", "was not opened");
    (void)t_told(s, EVENT_LOT_OPEN, lot_open("L-1", 3, "refuse", 0));
    refused(s, EVENT_LOT_OPEN, lot_open("L-1", 3, "refuse", 0), "", "open already");

    (void)strcpy(f.profile, "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd");
    start_refused(s, &f, "lot.profile", "not opened with this profile");
    make(s, 1, OUTCOME_FAIL, "L-1");
    make(s, 1, OUTCOME_PASS, "L-1");
    f = unit(1, OUTCOME_PASS, "L-1");
    start_refused(s, &f, "lot.duplicate", "24:6f:28:00:00:01 has passed in lot L-1");
    make(s, 2, OUTCOME_PASS, "L-1");
    t_sql_is(s, "SELECT state, passed, authorised, running, opened_by FROM lot_view", "open|2|3|0|ann");

    /* one place: unit 3 holds it, 4 must wait until 3 does not pass */
    struct attempt_facts three = unit(3, OUTCOME_FAIL, "L-1"), four = unit(4, OUTCOME_PASS, "L-1");
    (void)t_start(s, &three);
    start_refused(s, &four, "lot.quantity", "2 units of lot L-1 have passed, 1 more are being worked on, and 3");
    three.slot = 9;
    assert_int_equal(event_job(three.job), FL_OK);
    start_refused(s, &three, "unit.twice", "in slot 4");
    t_sql_is(s, "SELECT count(*) FROM open_attempt", "1");
    t_close(s); /* the station dies: the place comes back at the next start */
    t_open(s, &o);
    assert_int_equal(o.interrupted, 1);
    (void)t_start(s, &four);
    (void)t_result(s, &four);
    three = unit(3, OUTCOME_PASS, "L-1");
    start_refused(s, &three, "lot.quantity", "3 are authorised");
    (void)t_told(s, EVENT_LOT_CLOSE, with_job(json_pack("{ss,ss}", "lot", "L-1", "operator", "bo")));
    start_refused(s, &three, "lot.closed", "is closed");
    t_sql_is(s, "SELECT state, passed, closed_by FROM lot_view", "closed|3|bo");
    t_sql_is(s, "SELECT mac, outcome, number FROM attempt_view ORDER BY leaf",
             "24:6f:28:00:00:01|FAIL|1\n24:6f:28:00:00:01|PASS|2\n24:6f:28:00:00:02|PASS|1\n24:6f:28:00:00:03|INTERRUPTED|1\n"
             "24:6f:28:00:00:04|PASS|1");
    t_close(s);
    t_verdict(s, AUDIT_GOOD);
}

static void reflash_and_tries(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    t_open(s, &o);
    (void)t_told(s, EVENT_LOT_OPEN, lot_open("L-2", 1, "reflash", 2));
    make(s, 1, OUTCOME_PASS, "L-2");
    make(s, 1, OUTCOME_PASS, "L-2"); /* again, and counted once */
    t_sql_is(s, "SELECT passed FROM lot_view", "1");
    struct attempt_facts f = unit(2, OUTCOME_FAIL, "L-2");
    start_refused(s, &f, "lot.quantity", "1 are authorised");
    (void)t_told(s, EVENT_LOT_OPEN, lot_open("L-3", 0, "refuse", 2));
    make(s, 2, OUTCOME_FAIL, "L-3");
    make(s, 2, OUTCOME_ERROR, "L-3");
    f = unit(2, OUTCOME_FAIL, "L-3");
    start_refused(s, &f, "lot.tries", "has failed 2 times");
    refused(s, EVENT_DISPOSITION, with_job(json_pack("{ss,ss}", "mac", "24:6f:28:00:00:02", "disposition", "rework")), "", "by whom and why");
    refused(s, EVENT_DISPOSITION, with_job(json_pack("{ss,ss,ss,ss}", "mac", "24:6f:28:00:00:07", "disposition", "rework", "why", "x",
                                                     "operator", "ann")), "", "never saw");
    (void)t_told(s, EVENT_DISPOSITION, with_job(json_pack("{ss,ss,ss,ss}", "mac", "24:6f:28:00:00:02", "disposition", "rework", "why",
                                                          "new flash chip", "operator", "ann")));
    make(s, 2, OUTCOME_FAIL, "L-3");
    (void)t_told(s, EVENT_DISPOSITION, with_job(json_pack("{ss,ss,ss,ss}", "mac", "24:6f:28:00:00:02", "disposition", "scrap", "why",
                                                          "burnt", "operator", "ann")));
    start_refused(s, &f, "unit.scrapped", "scrapped");
    (void)t_told(s, EVENT_NOTE, with_job(json_pack("{ss,ss}", "mac", "24:6f:28:00:00:01", "text", "a scratch on the case")));
    t_sql_is(s, "SELECT what, text, operator FROM unit_remark ORDER BY leaf", "rework|new flash chip|ann\nscrap|burnt|ann\nnote|a scratch on the case|");
    /* golden boards: no place, no duplicate, no yield */
    struct attempt_facts g = unit(1, OUTCOME_PASS, "L-3");
    g.purpose = "golden";
    for (int i = 0; i < 2; i++) {
        assert_int_equal(event_job(g.job), FL_OK);
        (void)t_start(s, &g);
        (void)t_result(s, &g);
    }
    t_sql_is(s, "SELECT purpose, number FROM attempt_view WHERE purpose IS NOT NULL", "golden|\ngolden|");
    t_sql_is(s, "SELECT passed, (SELECT count(*) FROM unit_lot WHERE lot = lot_view.id) FROM lot_view ORDER BY lot", "1|1\n0|1");
    t_close(s);
    t_verdict(s, AUDIT_GOOD);
}

static void serial_numbers(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    t_open(s, &o);
    (void)t_told(s, EVENT_LOT_OPEN, lot_open("L-4", 0, "refuse", 0));
    struct attempt_facts a = unit(1, OUTCOME_FAIL, "L-4"), b = unit(2, OUTCOME_PASS, "L-4");
    (void)strcpy(a.serial, "SN-0001");
    (void)strcpy(b.serial, "SN-0001");
    (void)t_start(s, &a);
    start_refused(s, &b, "serial.used", "SN-0001 belongs to another unit");
    (void)t_result(s, &a); /* FAIL: given back */
    t_sql_is(s, "SELECT serial, state, unit FROM serial", "SN-0001|returned|");
    (void)t_start(s, &b);
    (void)t_result(s, &b);
    t_sql_is(s, "SELECT serial, state, printf('%x', unit) FROM serial", "SN-0001|confirmed|246f28000002");
    a = unit(1, OUTCOME_PASS, "L-4");
    (void)strcpy(a.serial, "SN-0001");
    start_refused(s, &a, "serial.used", "SN-0001");
    refused(s, EVENT_SERIAL, with_job(json_pack("{ss,ss}", "serial", "SN-0001", "state", "reserved")), "serial.used", "is used");
    (void)t_told(s, EVENT_SERIAL, with_job(json_pack("{ss,ss,ss}", "serial", "SN-0002", "state", "reserved", "lot", "L-4")));
    (void)t_told(s, EVENT_SERIAL, with_job(json_pack("{ss,ss}", "serial", "SN-0002", "state", "returned")));
    refused(s, EVENT_SERIAL, with_job(json_pack("{ss,ss}", "serial", "SN-0002", "state", "returned")), "", "not reserved");
    (void)strcpy(a.serial, "SN-0002");
    t_close(s);
    struct attempt_facts done = unit(8, OUTCOME_PASS, "L-4");
    t_die(s, &a, &done); /* dies holding SN-0002 */
    t_sql_is(s, "SELECT state FROM serial WHERE serial = 'SN-0002'", "reserved");
    t_open(s, &o);
    t_sql_is(s, "SELECT state FROM serial WHERE serial = 'SN-0002'", "returned");
    t_close(s);
    t_verdict(s, AUDIT_GOOD);
}

enum { SLOTS = 64, PLACES = 20 };

static void sixty_four_at_once(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct event_ticket *t = calloc(SLOTS, sizeof *t);
    struct attempt_facts *f = calloc(SLOTS, sizeof *f);
    unsigned in = 0;
    assert_true(t && f);
    t_open(s, &o);
    (void)t_told(s, EVENT_LOT_OPEN, lot_open("L-5", PLACES, "refuse", 0));
    for (int i = 0; i < SLOTS; i++) {
        assert_int_equal(event_ticket_init(&t[i]), FL_OK);
        f[i] = unit(i, OUTCOME_PASS, "L-5");
        t_put(s, EVENT_ATTEMPT_START, event_attempt_start_body(&f[i]), &t[i]);
    }
    for (int i = 0; i < SLOTS; i++) {
        enum fl_err err = event_ticket_wait(&t[i], fl_deadline_in_ms(60000), NULL, NULL);
        in += err == FL_OK;
        if (err)
            assert_string_equal(event_ticket_fault(&t[i]), "lot.quantity");
        /* a maker that does not listen: the result of one that was not let in is no PASS of the lot */
        event_ticket_reset(&t[i]);
        t_put(s, EVENT_ATTEMPT_RESULT, event_attempt_result_body(&f[i]), &t[i]);
    }
    assert_int_equal(in, PLACES);
    in = 0;
    for (int i = 0; i < SLOTS; i++) {
        in += event_ticket_wait(&t[i], fl_deadline_in_ms(60000), NULL, NULL) == FL_OK;
        event_ticket_fini(&t[i]);
    }
    assert_int_equal(in, PLACES);
    t_sql_is(s, "SELECT passed, running FROM lot_view", "20|0");
    t_close(s);
    t_verdict(s, AUDIT_GOOD);
    free(t);
    free(f);
}

static void names_stay_out_of_the_log(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    t_open(s, &o);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    (void)strcpy(f.operator_id, "Ann Example");
    (void)t_told(s, EVENT_OPERATOR, with_job(json_pack("{ss,ss}", "operator", "Ann Example", "shift", "early")));
    (void)t_start(s, &f);
    (void)t_result(s, &f);
    t_sql_is(s, "SELECT operator FROM attempt_view", "Ann Example");
    t_sql_is(s, "SELECT count(*) FROM record WHERE rec LIKE '%Ann%'", "0");
    t_sql_is(s, "SELECT DISTINCT tag GLOB '#*' FROM operator_view WHERE id > 0", "1");
    refused(s, EVENT_OPERATOR, with_job(json_pack("{ss,ss}", "operator", "Nobody", "change", "forget")), "", "nobody is known as 'Nobody'");
    /* what cannot be a record has done nothing: nobody is forgotten, nobody named without one */
    struct fl_why why = {0, ""};
    assert_int_equal(t_send(s, EVENT_OPERATOR, with_job(json_pack("{ss,ss,si}", "operator", "Ann Example", "change", "forget", "seq", 1)), NULL, &why), FL_FORMAT);
    assert_int_equal(t_send(s, EVENT_OPERATOR, with_job(json_pack("{ss,si}", "operator", "Ben Example", "seq", 1)), NULL, &why), FL_FORMAT);
    t_sql_is(s, "SELECT group_concat(name) FROM person", "Ann Example");
    (void)t_told(s, EVENT_OPERATOR, with_job(json_pack("{ss,ss}", "operator", "Ann Example", "change", "forget")));
    t_sql_is(s, "SELECT operator GLOB '#*' FROM attempt_view", "1");
    t_sql_is(s, "SELECT count(*) FROM person", "0");
    t_close(s);
    t_shell("! grep -a -q 'Ann Example' %s", t_path(s, "flashline.db"));
    t_verdict(s, AUDIT_GOOD);
}

static void line_stops(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    t_open(s, &o);
    (void)t_told(s, EVENT_LINE_STOP, with_job(json_pack("{si,ss,ss}", "slot", 3, "rule", "consecutive", "why", "5 in a row")));
    (void)t_told(s, EVENT_LINE_STOP, with_job(json_pack("{ss,ss}", "rule", "first_pass", "why", "61 % of 40")));
    refused(s, EVENT_LINE_REOPEN, with_job(json_pack("{si,ss,ss}", "slot", 4, "why", "x", "operator", "eva")), "", "slot is not stopped");
    refused(s, EVENT_LINE_REOPEN, with_job(json_pack("{ss}", "why", "x")), "", "says who and why");
    (void)t_told(s, EVENT_LINE_REOPEN, with_job(json_pack("{ss,ss}", "why", "pins cleaned", "operator", "eva")));
    t_sql_is(s, "SELECT slot, rule, reason FROM line_stop ORDER BY leaf", "3|consecutive|\n|first_pass|pins cleaned");
    t_close(s);
    t_verdict(s, AUDIT_GOOD);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(life_of_a_lot, t_setup, t_teardown),
        cmocka_unit_test_setup_teardown(reflash_and_tries, t_setup, t_teardown),
        cmocka_unit_test_setup_teardown(serial_numbers, t_setup, t_teardown),
        cmocka_unit_test_setup_teardown(sixty_four_at_once, t_setup, t_teardown),
        cmocka_unit_test_setup_teardown(names_stay_out_of_the_log, t_setup, t_teardown),
        cmocka_unit_test_setup_teardown(line_stops, t_setup, t_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
