/* SPDX-License-Identifier: Apache-2.0
 *
 * schema FILE.sql...: runs the files on an empty database and prints the schema that SQLite then keeps, a row of
 * SCHEMA_SQL (station/store/schema_sql.h) a line. The build embeds it: what a station's database is compared with. */
#include "store/schema_sql.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static int print_row(void *ctx, int n, char **column, char **name)
{
    (void)ctx, (void)name;
    return n != 1 || puts(column[0]) < 0;
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
    for (int i = 1; i < argc && rc == SQLITE_OK; i++)
        rc = run(db, argv[i]);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, SCHEMA_SQL, print_row, NULL, NULL);
    (void)sqlite3_close(db);
    return rc == SQLITE_OK && fflush(stdout) == 0 ? 0 : 1;
}
