/* SPDX-License-Identifier: Apache-2.0
 * A database of an older program is brought up to date, a newer or foreign one is not touched. */
#include "unit/t.h"

#include "ledger/copy.h"
#include "prove/check.h"
#include "rows/project_rows.h"
#include "store/db.h"
#include "unit/record/recount.h"
#include "unit/record/station.h"

#define V2 "tests/unit/record/v2"

/* The folder as version 2 of the schema left it. */
static void old_folder(struct t_station *s)
{
    t_shell("mkdir -p %s/key && cp " V2 "/station " V2 "/checkpoint %s/ && cp " V2 "/log.vkey %s/key/ && "
            "install -m 600 " V2 "/log.key %s/key/log.key", s->data, s->data, s->data, s->data);
    t_shell("{ cat " V2 "/flashline.sql; echo 'PRAGMA application_id = 1179407440; PRAGMA user_version = 2; PRAGMA journal_mode = WAL;'; } | "
            "sqlite3 %s/flashline.db >/dev/null", s->data);
}

static void check_good(struct t_station *s, bool rows)
{
    static struct check_result result;
    struct fl_why why = {0, ""};
    const struct check_config c = {.data = s->data};
    assert_int_equal(check_folder(&c, &result, &why), FL_OK);
    if (result.report.verdict != AUDIT_GOOD)
        fail_msg("%s", audit_worst(&result.report)->text);
    assert_int_equal(result.rows_checked, rows);
}

static void version_2(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    old_folder(s);
    check_good(s, false); /* an auditor reads it as it is */
    t_sql_is(s, "PRAGMA user_version", "2");
    t_open(s, &o);
    assert_int_equal(o.interrupted, 2);
    t_close(s);
    assert_int_equal(t_sql_int(s, "PRAGMA user_version"), db_newest());
    t_sql_is(s, "SELECT lower(hex(profile.hash)) = profile_hash, operator, outcome, count(*) FROM attempt_view JOIN profile "
                "GROUP BY 2, 3 ORDER BY 2, 3",
             "1||INTERRUPTED|2\n1|ann|FAIL|1\n1|ann|PASS|3\n1|bo|FAIL|1\n1|bo|PASS|3");
    t_sql_is(s, "SELECT mac, fault FROM attempt_view WHERE outcome = 'FAIL'",
             "24:6f:28:a1:0b:64|verify.md5\n24:6f:28:a1:0b:64|verify.md5");
    t_sql_is(s, "SELECT n, offset, size, state, md5_found FROM attempt_region WHERE leaf = 9 AND state = 'bad'",
             "3|262144|262144|bad|dab582c36688ef6ea3cc2ad9f65e00ba");
    t_sql_is(s, "SELECT group_concat(step, ' ') FROM attempt_step WHERE leaf = 7", "connect identify gate stub baud write verify boot-check");
    /* the statistics of attempts that were made before there were any */
    t_sql_is(s, "SELECT count(*) > 0, (SELECT count(*) FROM (SELECT * FROM tally EXCEPT " T_TALLY_AGAIN ")), "
                "(SELECT count(*) FROM (SELECT * FROM (" T_TALLY_AGAIN ") EXCEPT SELECT * FROM tally)), "
                "(SELECT count(*) FROM (SELECT * FROM tally_fault EXCEPT " T_FAULT_AGAIN ")) FROM tally", "1|0|0|0");
    t_sql_is(s, "SELECT sum(attempts), sum(pass), sum(fail), sum(interrupted), sum(units), sum(passed_1) FROM tally", "10|6|2|2|4|3");
    check_good(s, true);
    t_verdict(s, AUDIT_GOOD);
    t_shell("[ \"$(sqlite3 %s/flashline.db.v2.bak 'PRAGMA user_version; SELECT count(*) FROM leaf; PRAGMA integrity_check' | tr '\\n' ' ')\" = '2 25 ok ' ]",
            s->data);
}

static enum fl_err opening(struct t_station *s, struct fl_why *why)
{
    struct recorder_opened o;
    const struct recorder_config c = {.data = s->data};
    enum fl_err err = recorder_open(&c, &s->r, &o, why);
    if (!err)
        t_close(s);
    return err;
}

static void not_ours(void **state)
{
    struct t_station *s = *state;
    static const struct {
        const char *what, *change;
        enum fl_err err;
        const char *words;
    } row[] = {
        {"newer", "sqlite3 $D/flashline.db 'PRAGMA user_version = 999'", FL_UNSUPPORTED, "newer flashline (schema 999"},
        {"foreign", "sqlite3 $D/flashline.db 'PRAGMA application_id = 77'", FL_MISMATCH, "another program"},
        {"no database", "head -c 5000 /dev/zero | tr '\\0' 'x' > $D/flashline.db", FL_MISMATCH, "not a database"},
        {"cut", "truncate -s 50000 $D/flashline.db", FL_MISMATCH, "malformed"},
        {"gone", "rm $D/flashline.db", FL_MISMATCH, "is gone"},
        {"empty", "truncate -s 0 $D/flashline.db", FL_MISMATCH, "is empty"},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct fl_why why = {0, ""};
        t_shell("rm -rf %s", s->data);
        old_folder(s);
        t_shell("D=%s; %s; cat $D/flashline.db > %s/before 2>/dev/null || :", s->data, row[i].change, s->dir);
        enum fl_err err = opening(s, &why);
        if (err != row[i].err || !strstr(why.text, row[i].words))
            fail_msg("%s: %d %s", row[i].what, err, why.text);
        t_shell("if [ -s %s/before ]; then cmp %s/before %s/flashline.db; else [ ! -s %s/flashline.db ]; fi", s->dir, s->dir, s->data, s->data);
    }
}

/* A schema on which somebody worked: nothing is changed, and what is said helps. */
static void worked_on(void **state)
{
    struct t_station *s = *state;
    static const char *const change[] = {"DROP VIEW attempt_view", "ALTER TABLE leaf RENAME COLUMN job TO work", "CREATE TABLE tally_day (half INTEGER)"};
    for (size_t i = 0; i < T_COUNT(change); i++) {
        struct fl_why why = {0, ""};
        struct recorder_opened o;
        struct copy_made made;
        t_shell("rm -rf %s", s->data);
        old_folder(s);
        t_shell("sqlite3 %s/flashline.db '%s'", s->data, change[i]);
        assert_int_not_equal(opening(s, &why), FL_OK);
        bool said = strstr(why.text, "flashline db rebuild makes it anew") != NULL;
        if (said != (i != 1)) /* a log that is not readable at all comes first */
            fail_msg("%s: %s", change[i], why.text);
        t_sql_is(s, "PRAGMA user_version", "2");
        if (!said)
            continue;
        if (copy_rebuild(s->data, &made, &why))
            fail_msg("%s: %s", change[i], why.text);
        t_open(s, &o);
        t_close(s);
        check_good(s, true);
    }
}

/* What the rows of a query are, as one text; sqlite3_free. */
static char *all_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *q;
    char *text = sqlite3_mprintf("");
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW)
        for (int c = 0; c < sqlite3_column_count(q); c++)
            text = sqlite3_mprintf("%z|%s", text, sqlite3_column_type(q, c) == SQLITE_NULL ? "NULL" : (const char *)sqlite3_column_text(q, c));
    (void)sqlite3_finalize(q);
    return text;
}

static void same_in_both(sqlite3 *a, sqlite3 *b, const char *sql, size_t least)
{
    char *x = all_of(a, sql), *y = all_of(b, sql);
    assert_string_equal(x, y);
    assert_true(strlen(x) >= least);
    sqlite3_free(x);
    sqlite3_free(y);
}

/* A new database is made by one script; it is what the files come to one by one, in schema and rows. */
static void at_once(void **state)
{
    (void)state;
    sqlite3 *one, *steps;
    sqlite3_stmt *q;
    assert_int_equal(db_open_empty(":memory:", db_newest(), &one, NULL), FL_OK);
    assert_int_equal(db_open_empty(":memory:", 1, &steps, NULL), FL_OK);
    for (int v = 1; v < db_newest(); v++)
        assert_int_equal(db_apply_schema(steps, v, v + 1, NULL), FL_OK);
    same_in_both(one, steps, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name", 20000);
    same_in_both(one, steps, "SELECT * FROM pragma_user_version, pragma_application_id", 12);
    same_in_both(one, steps, "SELECT id, name FROM event_kind", 100);
    assert_int_equal(sqlite3_prepare_v2(steps, "SELECT 'SELECT * FROM ' || name FROM sqlite_schema WHERE type = 'table'", -1, &q, NULL), SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW)
        same_in_both(one, steps, (const char *)sqlite3_column_text(q, 0), 0);
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(one);
    (void)sqlite3_close(steps);
}

/* They are prepared when a leaf first needs them: a word that is wrong in one would wait for its day. */
static void statements_are_sound(void **state)
{
    static const struct statements *const groups[] = {&project_names, &project_station, &project_attempts, &project_lots, &project_people,
                                                      &project_line};
    sqlite3 *db;
    struct fl_why why = {0, ""};
    (void)state;
    assert_int_equal(db_open_empty(":memory:", db_newest(), &db, NULL), FL_OK);
    for (size_t g = 0; g < T_COUNT(groups); g++)
        for (size_t i = 0; i < groups[g]->n; i++) {
            sqlite3_stmt *s;
            if (db_prepare(db, groups[g]->list[i].sql, &s, &why))
                fail_msg("%s", why.text);
            for (int k = sqlite3_bind_parameter_count(s); k > 0; k--)
                if (!project_param(sqlite3_bind_parameter_name(s, k)))
                    fail_msg("%s in %s", sqlite3_bind_parameter_name(s, k), groups[g]->list[i].sql);
            assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
        }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(version_2, t_setup, t_teardown),
        cmocka_unit_test_setup_teardown(not_ours, t_setup, t_teardown),
        cmocka_unit_test_setup_teardown(worked_on, t_setup, t_teardown),
        cmocka_unit_test(at_once),
        cmocka_unit_test(statements_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
