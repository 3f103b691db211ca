/* SPDX-License-Identifier: Apache-2.0 */
#include "prove/check_rows.h"

#include "rows/project.h"
#include "rows/rows.h"
#include "store/db.h"
#include "store/person.h"

#include <stdio.h>
#include <string.h>

enum { TABLE_FINDINGS_MAX = 4 }; /* of one table: one wrong leaf may shift all that follow it */

/* ---- two tables side by side -------------------------------------------------------------------------- */

static bool same_value(sqlite3_stmt *a, sqlite3_stmt *b, int c)
{
    int type = sqlite3_column_type(a, c);
    if (type != sqlite3_column_type(b, c))
        return false;
    if (type == SQLITE_NULL)
        return true;
    if (type == SQLITE_INTEGER)
        return sqlite3_column_int64(a, c) == sqlite3_column_int64(b, c);
    const void *x = sqlite3_column_blob(a, c), *y = sqlite3_column_blob(b, c);
    int n = sqlite3_column_bytes(a, c);
    return n == sqlite3_column_bytes(b, c) && (n == 0 || memcmp(x, y, (size_t)n) == 0);
}

static void value_text(sqlite3_stmt *s, int c, char out[static 80])
{
    if (sqlite3_column_type(s, c) == SQLITE_NULL)
        (void)snprintf(out, 80, "nothing");
    else if (sqlite3_column_type(s, c) == SQLITE_BLOB) {
        char hex[65];
        size_t n = (size_t)sqlite3_column_bytes(s, c);
        fl_hex(sqlite3_column_blob(s, c), n > 32 ? 32 : n, hex);
        (void)snprintf(out, 80, "x'%s'", hex);
    } else
        (void)snprintf(out, 80, "'%.60s'", db_text(s, c));
}

/* The leaf that proves the row: its column `leaf`. */
static uint64_t leaf_of(sqlite3_stmt *s)
{
    for (int c = 0; c < sqlite3_column_count(s); c++)
        if (strcmp(sqlite3_column_name(s, c), "leaf") == 0)
            return (uint64_t)sqlite3_column_int64(s, c);
    return 0;
}

static bool has_leaf(sqlite3_stmt *s)
{
    for (int c = 0; c < sqlite3_column_count(s); c++)
        if (strcmp(sqlite3_column_name(s, c), "leaf") == 0)
            return true;
    return false;
}

struct pair {
    const char *table, *by; /* by: who says what must stand there */
    sqlite3_stmt *have, *want;
    int have_rc, want_rc;
    unsigned found;
};

/* Which of the two rows comes first by key? Keys are the leading columns, integers or blobs. */
static int by_key(const struct pair *p)
{
    for (int c = 0; c < 2 && c < sqlite3_column_count(p->have); c++) {
        if (same_value(p->have, p->want, c))
            continue;
        if (sqlite3_column_type(p->have, c) == SQLITE_INTEGER && sqlite3_column_type(p->want, c) == SQLITE_INTEGER)
            return sqlite3_column_int64(p->have, c) < sqlite3_column_int64(p->want, c) ? -1 : 1;
        return 0;
    }
    return 0;
}

static void compare_rows(struct pair *p, struct audit_report *r)
{
    char have[80], want[80];
    for (int c = 0; c < sqlite3_column_count(p->have); c++) {
        if (same_value(p->have, p->want, c))
            continue;
        value_text(p->have, c, have);
        value_text(p->want, c, want);
        uint64_t leaf = leaf_of(p->want);
        if (!has_leaf(p->want)) {
            audit_add(r, AUDIT_ROWS, 0, 0, "table %s: the column %s of one of its rows holds %s; %s %s", p->table,
                      sqlite3_column_name(p->have, c), have, p->by, want);
            p->found++;
            return;
        }
        audit_add(r, AUDIT_ROWS, leaf, leaf, "table %s: the column %s of the row that record %llu proves holds %s; the records say %s",
                  p->table, sqlite3_column_name(p->have, c), (unsigned long long)leaf, have, want);
        p->found++;
        return;
    }
}

static void tell_lone(const struct pair *p, sqlite3_stmt *lone, bool more, struct audit_report *r)
{
    uint64_t leaf = leaf_of(lone);
    if (!has_leaf(lone))
        audit_add(r, AUDIT_ROWS, 0, 0, more ? "table %s holds a row that is not to be there" : "table %s lacks a row", p->table);
    else
        audit_add(r, AUDIT_ROWS, leaf, leaf, more ? "table %s holds a row for record %llu that no record gives"
                                                  : "table %s lacks the row that record %llu gives", p->table, (unsigned long long)leaf);
}

static void step_both(struct pair *p, bool have, bool want)
{
    if (have)
        p->have_rc = sqlite3_step(p->have);
    if (want)
        p->want_rc = sqlite3_step(p->want);
}

static void compare_table(struct pair *p, struct check_result *out)
{
    step_both(p, true, true);
    while ((p->have_rc == SQLITE_ROW || p->want_rc == SQLITE_ROW) && p->found < TABLE_FINDINGS_MAX) {
        int order = p->want_rc != SQLITE_ROW ? -1 : p->have_rc != SQLITE_ROW ? 1 : by_key(p);
        sqlite3_stmt *lone = order < 0 ? p->have : p->want;
        if (order == 0) {
            compare_rows(p, &out->report);
            out->rows++;
        } else {
            tell_lone(p, lone, order < 0, &out->report);
            p->found++;
        }
        step_both(p, order <= 0, order >= 0);
    }
}

static enum fl_err check_table(sqlite3 *db, sqlite3 *model, const char *table, const char *by, struct check_result *out, struct fl_why *why)
{
    struct pair p = {.table = table, .by = by};
    char sql[80];
    (void)snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY 1, 2", table);
    enum fl_err err = db_prepare(db, sql, &p.have, why);
    if (!err)
        err = db_prepare(model, sql, &p.want, why);
    if (!err)
        compare_table(&p, out);
    if (!err && p.have_rc != SQLITE_DONE && p.have_rc != SQLITE_ROW)
        err = db_fail(db, why, "cannot read a table");
    if (!err && p.want_rc != SQLITE_DONE && p.want_rc != SQLITE_ROW)
        err = db_fail(model, why, "cannot read the temporary database");
    (void)sqlite3_finalize(p.have);
    (void)sqlite3_finalize(p.want);
    return err;
}

/* Or one who exchanges the names PASS and FAIL there has changed every attempt, and no row of any. */
static enum fl_err check_seeded(sqlite3 *db, sqlite3 *model, struct check_result *out, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    for (size_t i = 0; seeded_tables[i] && !err; i++)
        if (strcmp(seeded_tables[i], "event_kind") != 0 || out->report.verdict == AUDIT_GOOD) /* told beside its records already */
            err = check_table(db, model, seeded_tables[i], "it was made with", out, why);
    return err;
}

enum fl_err check_rows(sqlite3 *db, struct check_result *out, struct fl_why *why)
{
    sqlite3 *model = NULL;
    int64_t version, stopped;
    enum fl_err err = db_int(db, "PRAGMA user_version", 0, &version, why);
    if (!err && version < db_newest())
        return FL_OK; /* its rows were made by an older program; they are made anew when a station opens it */
    if (!err)
        err = db_open_empty("", (int)version, &model, why);
    if (!err)
        err = db_exec(model, "PRAGMA foreign_keys = OFF; BEGIN", why); /* there are no leaves to refer to */
    if (!err) {
        err = rows_project(db, model, &stopped, why);
        if (err == FL_FORMAT) {
            audit_add(&out->report, AUDIT_ROWS, (uint64_t)stopped, (uint64_t)stopped,
                      "the tables could not be compared: record %lld gives no rows (%.200s)", (long long)stopped, why->text);
            (void)sqlite3_close(model);
            return FL_OK;
        }
    }
    for (size_t i = 0; projected_tables[i].name && !err; i++)
        err = check_table(db, model, projected_tables[i].name, "the records say", out, why);
    if (!err)
        err = check_seeded(db, model, out, why);
    out->rows_checked = !err;
    (void)sqlite3_close(model);
    return err;
}

enum fl_err check_names(sqlite3 *db, struct check_result *out, struct fl_why *why)
{
    sqlite3_stmt *s;
    bool there;
    int rc = SQLITE_DONE;
    /* early versions have no such table; where it was taken away the schema's finding says so */
    enum fl_err err = db_has_table(db, "person", &there, why);
    if (err || !there)
        return err;
    err = db_prepare(db, "SELECT tag, name, salt FROM person ORDER BY tag", &s, why);
    if (err)
        return err;
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        char tag[PERSON_TAG];
        const char *have = db_text(s, 0), *name = db_text(s, 1);
        bool sized = sqlite3_column_bytes(s, 2) == PERSON_SALT;
        err = sized ? person_tag_of(name, sqlite3_column_blob(s, 2), tag, why) : FL_FORMAT;
        if (err == FL_FORMAT || (!err && strcmp(tag, have) != 0))
            audit_add(&out->report, AUDIT_ROWS, 0, 0, "table person: the tag %.40s was not made from the name '%.60s' that stands beside it",
                      have, name);
        err = err == FL_FORMAT ? FL_OK : err;
        out->rows++;
    }
    if (!err && rc != SQLITE_DONE)
        err = db_fail(db, why, "cannot read the names");
    (void)sqlite3_finalize(s);
    return err;
}
