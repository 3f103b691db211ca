/* SPDX-License-Identifier: Apache-2.0
 * What the recorder asks and writes for every record stays cheap however many there are: no statement that it keeps ready
 * reads through a table that grows with the attempts. Held against SQLite's own plan of each. */
#include "unit/t.h"

#include "unit/record/station.h"

/* grow with records, attempts or units; open_attempt, bridge_model and the like do not */
static const char *const growing[] = {"leaf", "node", "checkpoint", "attempt", "unit", "unit_lot", "serial", "note", "disposition",
                                      "label", "bridge", "lot", "line_stop", "tuning", "outbox", "tally", "tally_step", "tally_fault"};

struct seen {
    unsigned statements, scans;
    char first[600];
};

/* "SCAN attempt", "SCAN a USING ..." do not name an alias's table: aliases are looked up by the statement's own text. */
static bool scans_growing(const char *detail, const char *sql)
{
    char name[64], alias[80];
    if (strncmp(detail, "SCAN ", 5) != 0 || sscanf(detail + 5, "%63s", name) != 1)
        return false;
    for (size_t i = 0; i < T_COUNT(growing); i++) {
        (void)snprintf(alias, sizeof alias, " %s %s", growing[i], name);
        bool named = strcmp(name, growing[i]) == 0 || (strlen(name) <= 2 && strstr(sql, alias));
        /* the last row of an index is one step, not a scan */
        if (named && !strstr(sql, "max(") && !strstr(sql, "LIMIT 1"))
            return true;
    }
    return false;
}

static void look(void *ctx, sqlite3 *db)
{
    struct seen *seen = ctx;
    sqlite3 *other;
    seen->statements = 0; /* some are made ready with the first commit, all beside the first attempt: the last look sees all */
    /* on a connection without foreign keys: with them the plan lists scans for violations, which run only while there is one */
    assert_int_equal(sqlite3_open_v2(sqlite3_db_filename(db, "main"), &other, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    for (sqlite3_stmt *s = sqlite3_next_stmt(db, NULL); s; s = sqlite3_next_stmt(db, s)) {
        const char *sql = sqlite3_sql(s);
        sqlite3_stmt *plan;
        char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
        seen->statements++;
        assert_int_equal(sqlite3_prepare_v2(other, explain, -1, &plan, NULL), SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *detail = (const char *)sqlite3_column_text(plan, 3);
            if (detail && scans_growing(detail, sql) && !seen->scans++)
                (void)snprintf(seen->first, sizeof seen->first, "%.200s in: %.350s", detail, sql);
        }
        (void)sqlite3_finalize(plan);
        sqlite3_free(explain);
    }
    (void)sqlite3_close(other);
}

static void nothing_is_read_through(void **state)
{
    struct t_station *s = *state;
    struct seen seen = {0, 0, ""};
    struct recorder_opened o;
    s->hooks.ctx = &seen;
    s->hooks.written = look;
    t_open(s, &o);
    struct attempt_facts f = t_attempt(1, OUTCOME_PASS);
    (void)t_start(s, &f);
    (void)t_result(s, &f);
    t_close(s);
    assert_true(seen.statements > 40);
    if (seen.scans)
        fail_msg("%u statements read through a table; %s", seen.scans, seen.first);
}

/* The judge itself: what it must see and what not. */
static void the_judge(void **state)
{
    (void)state;
    assert_true(scans_growing("SCAN attempt", "SELECT count(*) FROM attempt"));
    assert_true(scans_growing("SCAN a USING INDEX x", "SELECT 1 FROM attempt a"));
    assert_false(scans_growing("SEARCH attempt USING INDEX x (unit=?)", "SELECT 1 FROM attempt WHERE unit = 1"));
    assert_false(scans_growing("SCAN o", "SELECT count(*) FROM open_attempt o"));
    assert_false(scans_growing("SCAN 2 CONSTANT ROWS", "SELECT column1 FROM (VALUES (1), (2))"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(the_judge),
                                              cmocka_unit_test_setup_teardown(nothing_is_read_through, t_setup, t_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
