/* SPDX-License-Identifier: Apache-2.0
 * The database is taken away or replaced while the station works: nothing is answered that lies in a file without a name. */
#include "unit/t.h"

#include "unit/record/station.h"

#include <string.h>

static json_t *shift(void)
{
    return json_pack("{ss,ss}", "operator", "eva", "change", "begin");
}

/* After `change` (a shell command in the data folder) the next event fails, and so does every one after it. */
static void stops_after(struct t_station *s, const char *change, const char *words)
{
    struct recorder_opened o;
    struct fl_why why = {0, ""};
    t_open(s, &o);
    (void)t_told(s, EVENT_OPERATOR, shift());
    t_shell("cd %s && %s", s->data, change);
    assert_int_equal(t_send(s, EVENT_OPERATOR, shift(), NULL, &why), FL_GONE);
    if (!strstr(why.text, words))
        fail_msg("'%s' is not in: %s", words, why.text);
    assert_int_equal(t_send(s, EVENT_OPERATOR, shift(), NULL, NULL), FL_GONE);
    assert_int_equal(recorder_health(s->r, NULL), FL_GONE);
    t_close(s);
}

static void refused(struct t_station *s)
{
    struct recorder_opened o;
    struct fl_why why;
    assert_int_equal(recorder_open(&s->config, &s->r, &o, &why), FL_MISMATCH);
}

static void taken_away(void **state)
{
    stops_after(*state, "rm flashline.db", "flashline.db was taken away");
    refused(*state); /* the file checkpoint tells of records */
}

static void replaced_by_a_copy(void **state)
{
    stops_after(*state, "cp flashline.db copy && mv copy flashline.db", "replaced");
}

static void put_back_nothing_is_lost(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    s->hooks.look_ms = 3600000; /* the second event must be what finds it gone */
    stops_after(s, "mv flashline.db away", "taken away");
    t_shell("cd %s && mv away flashline.db", s->data);
    t_open(s, &o);
    /* log_open, boot, the one that was answered, the one that was not, boot: and no log_close */
    t_sql_is(s, "SELECT group_concat(event, ' ') FROM record", "log_open boot operator operator boot");
}

static void its_wal_is_gone(void **state)
{
    stops_after(*state, "rm flashline.db-wal", "flashline.db-wal was taken away");
}

static void its_wal_is_another(void **state)
{
    stops_after(*state, "cp flashline.db-wal w && mv w flashline.db-wal", "replaced");
}

static void is_gone(struct t_station *s)
{
    struct fl_deadline d = fl_deadline_in_ms(20000);
    while (!recorder_health(s->r, NULL) && !fl_deadline_passed(d))
        (void)usleep(2000);
    assert_int_equal(recorder_health(s->r, NULL), FL_GONE);
    assert_int_equal(t_send(s, EVENT_OPERATOR, shift(), NULL, NULL), FL_GONE);
}

/* Nobody has anything to record: it is found out all the same, before somebody has a board in hand. */
static void taken_away_from_a_station_at_rest(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    s->hooks.look_ms = 5;
    t_open(s, &o);
    (void)t_told(s, EVENT_OPERATOR, shift());
    assert_int_equal(recorder_health(s->r, NULL), FL_OK);
    t_shell("cd %s && mv flashline.db away", s->data);
    is_gone(s);
    t_close(s);
    t_shell("cd %s && mv away flashline.db", s->data);
    t_open(s, &o);
    t_sql_is(s, "SELECT group_concat(event, ' ') FROM record", "log_open boot operator boot");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, t_setup, t_teardown)
    const struct CMUnitTest tests[] = {
        T(taken_away), T(replaced_by_a_copy), T(put_back_nothing_is_lost), T(its_wal_is_gone), T(its_wal_is_another),
        T(taken_away_from_a_station_at_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
