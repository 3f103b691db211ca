/* SPDX-License-Identifier: Apache-2.0
 *
 * schema rows FILE.sql...: runs the files on an empty database and prints the schema that SQLite then keeps, a row of
 * SCHEMA_SQL (station/store/schema_sql.h) a line: what a station's database is compared with.
 * schema script FILE.sql...: prints statements that make the same database at once, rows and all: SQLite reads the whole schema
 * again for every column that a file adds, so that a new database made by all files in turn takes five times as long.
 * The build embeds both. */
#include "store/schema_sql.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print_row(void *ctx, int n, char **column, char **name)
{
    (void)ctx, (void)name;
    return n != 1 || puts(column[0]) < 0;
}

/* The first column of each row, with what is behind it, a line. */
static int print_all(sqlite3 *db, const char *sql, const char *behind)
{
    sqlite3_stmt *s;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW)
        rc = printf("%s%s\n", (const char *)sqlite3_column_text(s, 0), behind) < 0 ? SQLITE_IOERR : SQLITE_OK;
    (void)sqlite3_finalize(s);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

#define TABLES "FROM sqlite_schema t WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite^_%' ESCAPE '^' ORDER BY t.rowid"

/* For each table a query that gives its rows as INSERTs; then they are asked. */
static int print_rows(sqlite3 *db)
{
    static const char queries[] =
        "SELECT 'SELECT ''INSERT INTO ' || t.name || ' VALUES ('' || ' || "
        "(SELECT group_concat('quote(' || c.name || ')', ' || '','' || ') FROM pragma_table_info(t.name) c) || ' || '')'' FROM ' || t.name " TABLES;
    sqlite3_stmt *s;
    int rc = sqlite3_prepare_v2(db, queries, -1, &s, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW)
        rc = print_all(db, (const char *)sqlite3_column_text(s, 0), ";");
    (void)sqlite3_finalize(s);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int print_script(sqlite3 *db)
{
    int rc = print_all(db, "SELECT 'PRAGMA application_id = ' || application_id FROM pragma_application_id", ";");
    if (rc == SQLITE_OK)
        rc = print_all(db, "SELECT sql " TABLES, ";");
    if (rc == SQLITE_OK)
        rc = print_rows(db);
    return rc != SQLITE_OK ? rc
                           : print_all(db, "SELECT sql FROM sqlite_schema WHERE type <> 'table' AND sql NOT NULL ORDER BY type = 'trigger', rowid", ";");
}

static char *load(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    long n = -1;
    if (f && fseek(f, 0, SEEK_END) == 0)
        n = ftell(f);
    if (n >= 0 && fseek(f, 0, SEEK_SET) == 0)
        text = calloc(1, (size_t)n + 1);
    if (text && fread(text, 1, (size_t)n, f) != (size_t)n) {
        free(text);
        text = NULL;
    }
    if (f)
        (void)fclose(f);
    return text;
}

static int run(sqlite3 *db, const char *path)
{
    char *sql = load(path);
    int rc = sql ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_CANTOPEN;
    if (rc != SQLITE_OK)
        fprintf(stderr, "schema: %s: %s\n", path, sql ? sqlite3_errmsg(db) : "cannot be read");
    free(sql);
    return rc;
}

int main(int argc, char **argv)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open(":memory:", &db);
    bool script = argc > 1 && strcmp(argv[1], "script") == 0;
    for (int i = 2; i < argc && rc == SQLITE_OK; i++)
        rc = run(db, argv[i]);
    if (rc == SQLITE_OK)
        rc = script ? print_script(db) : sqlite3_exec(db, SCHEMA_SQL, print_row, NULL, NULL);
    if (rc != SQLITE_OK)
        fprintf(stderr, "schema: %s\n", sqlite3_errmsg(db));
    (void)sqlite3_close(db);
    return rc == SQLITE_OK && fflush(stdout) == 0 ? 0 : 1;
}
