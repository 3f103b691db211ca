/* SPDX-License-Identifier: Apache-2.0
 * No report, no trace and no recall goes through the attempts whole: every statement they run is caught, and SQLite's own
 * program for it is looked through for a walk from the first row to the last of the table or of one of its indexes. */
#include "unit/t.h"

#include "base/version.h"
#include "report/query.h"
#include "report/recall.h"
#include "unit/record/station.h"

enum { STATEMENTS_MAX = 800 };
static char *caught[STATEMENTS_MAX];
static size_t n_caught, n_looked;

static int on_statement(unsigned what, void *ctx, void *statement, void *text)
{
    (void)what;
    (void)ctx;
    (void)text;
    const char *sql = sqlite3_sql(statement);
    if (!sql || strncmp(sql, "EXPLAIN", 7) == 0 || strncmp(sql, "PRAGMA", 6) == 0 || strncmp(sql, "SELECT rootpage", 15) == 0)
        return 0;
    for (size_t i = 0; i < n_caught; i++)
        if (strcmp(caught[i], sql) == 0)
            return 0;
    assert_true(n_caught < STATEMENTS_MAX);
    caught[n_caught++] = strdup(sql);
    return 0;
}

/* Is there a cursor over a page of `attempt` that is rewound and then stepped, or counted? */
static bool walks(sqlite3 *db, const char *sql)
{
    char pages[400] = ",";
    bool of_attempt[256] = {false}, rewound[256] = {false}, found = false;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'attempt' AND rootpage > 0", -1, &s, NULL), SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW)
        (void)snprintf(pages + strlen(pages), sizeof pages - strlen(pages), "%d,", sqlite3_column_int(s, 0));
    (void)sqlite3_finalize(s);
    char *explain = sqlite3_mprintf("EXPLAIN %s", sql);
    if (sqlite3_prepare_v2(db, explain, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sqlite3_errmsg(db), explain);
    while (sqlite3_step(s) == SQLITE_ROW) {
        const char *op = (const char *)sqlite3_column_text(s, 1);
        int cursor = sqlite3_column_int(s, 2);
        char page[16];
        if (cursor < 0 || cursor > 255)
            continue;
        (void)snprintf(page, sizeof page, ",%d,", sqlite3_column_int(s, 3));
        if (strcmp(op, "OpenRead") == 0)
            of_attempt[cursor] = strstr(pages, page) != NULL;
        else if (strcmp(op, "Rewind") == 0)
            rewound[cursor] = of_attempt[cursor];
        else if ((strcmp(op, "Next") == 0 && rewound[cursor]) || (strcmp(op, "Count") == 0 && of_attempt[cursor]))
            found = true;
    }
    (void)sqlite3_finalize(s);
    sqlite3_free(explain);
    return found;
}

/* At those that were caught since, while the temporary tables are there that they name. */
static void look(struct report *r)
{
    for (; n_looked < n_caught; n_looked++)
        if (strncmp(caught[n_looked], "CREATE", 6) != 0 && strncmp(caught[n_looked], "DROP", 4) != 0 && walks(r->reader.db, caught[n_looked]))
            fail_msg("goes through all attempts: %s", caught[n_looked]);
}

static void ask_all(struct report *r)
{
    static const char *const groups[] = {"hour", "shift", "day", "lot", "slot", "bridge", "profile", "none"};
    const struct report_query narrow = {.lot = "L-1", .slot = "1", .bridge = "1a86:55d4", .since = "2026-11-22T08:30", .until = "2026-11-23", .limit = 9};
    const struct report_query questions[] = {{.limit = 10}, {.lot = "L-1", .limit = 10}, {.slot = "1", .limit = 10}, {.since = "2026-11-22"}, narrow,
                                             {.product = "lamp"}, {.bridge = "1a86:55d4"}, {.until = "2026-11-23"}, {.zone = "local"},
                                             {.product = "lamp", .bridge = "1a86:55d4", .until = "2026-11-22T09:09:09.009", .zone = "-00:01"},
                                             {.since = "2026-11-22T07:07:07", .until = "2026-11-25T09:30"}, {.zone = "+05:45", .shifts = "06:15,18:10"}};
    const struct recall_query reverse[] = {{.lot = "L-1"}, {.image = "cdcdcdcd"}, {.bridge = "5435001234"}, {.slot = "1"},
                                           {.slot = "1", .since = "2026-11-22", .until = "2026-11-23"}, {.program = FL_VERSION}, {.since = "2026-11-22"}};
    const char *name;
    struct sheet s;
    struct fl_why why = {0, ""};
    json_t *o;
    for (size_t i = 0; report_spec_line(i, &name); i++)
        for (size_t q = 0; q < T_COUNT(questions); q++)
            for (size_t g = 0; g <= T_COUNT(groups); g++) {
                struct report_query query = questions[q];
                query.group_by = g < T_COUNT(groups) ? groups[g] : NULL;
                enum fl_err err = report_run(r, name, &query, &s, &why);
                if (err && (err != FL_ARG || !query.group_by))
                    fail_msg("%s: %s", name, why.text);
                if (!err)
                    sheet_fini(&s);
                look(r);
            }
    assert_int_equal(report_trace(r, "24:6f:28:00:00:01", &o, &why), FL_OK);
    json_decref(o);
    for (size_t i = 0; i < T_COUNT(reverse); i++) {
        struct recall *c;
        struct table *t = NULL;
        if (recall_open(r, &reverse[i], &c, &why) || recall_next(c, 100, &t, &why))
            fail_msg("%s", why.text);
        assert_true(table_rows(t) == 3 || reverse[i].image || reverse[i].slot);
        assert_true(table_rows(t) > 0);
        table_free(t);
        recall_close(c);
    }
}

static void no_walk(void **state)
{
    struct t_station *s = *state;
    struct recorder_opened o;
    struct report *r;
    struct fl_why why = {0, ""};
    t_open(s, &o);
    (void)t_profile(s);
    (void)t_told(s, EVENT_LOT_OPEN, event_with_job(json_pack("{ss,ss,ss,s[{ss,s[]}]}", "lot", "L-2", "product", "lamp", "duplicates", "reflash", "profiles",
                                                             "hash", t_attempt(1, OUTCOME_PASS).profile, "images")));
    for (int i = 1; i < 4; i++) {
        struct attempt_facts f = t_attempt(i, i == 2 ? OUTCOME_FAIL : OUTCOME_PASS);
        (void)snprintf(f.lot, sizeof f.lot, "L-1");
        f.slot = i == 3 ? 2 : 1;
        (void)t_result(s, &f);
    }
    t_close(s);
    assert_int_equal(report_open(s->data, &r, &why), FL_OK);
    assert_int_equal(sqlite3_trace_v2(r->reader.db, SQLITE_TRACE_STMT, on_statement, NULL), SQLITE_OK);
    ask_all(r);
    assert_int_equal(sqlite3_trace_v2(r->reader.db, 0, NULL, NULL), SQLITE_OK);
    assert_true(n_caught > 60);
    /* the test itself: what does walk is seen */
    assert_true(walks(r->reader.db, "SELECT sum(ms) FROM attempt"));
    assert_true(walks(r->reader.db, "SELECT slot, count(*) FROM attempt GROUP BY slot"));
    assert_true(walks(r->reader.db, "SELECT count(*) FROM attempt"));
    look(r);
    for (size_t i = 0; i < n_caught; i++)
        free(caught[i]);
    report_close(r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(no_walk, t_setup, t_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
