/* SPDX-License-Identifier: Apache-2.0
 * Records of a log as rows, for a log that a stranger's program wrote and signed: the input is records, one a line, of a log
 * without any other. Each becomes rows or is refused, with the member that is wrong; never is the database at fault for what a
 * record says. What was taken tells the same rows a second time. */
#include "fuzz.h"

#include "rows/project.h"
#include "rows/rows.h"
#include "store/db.h"

enum { RECORDS = 12 };
static sqlite3 *db;
static struct projector *projector;

static void keep(int64_t index, const char *rec, size_t n)
{
    sqlite3_stmt *s;
    FUZZ_HOLDS(db_prepare(db, "INSERT INTO leaf (idx, rec, hash, kind) SELECT ?1, ?2, zeroblob(32), min(id) FROM event_kind", &s, NULL) == FL_OK);
    FUZZ_HOLDS(sqlite3_bind_int64(s, 1, index) == SQLITE_OK && sqlite3_bind_blob(s, 2, rec, (int)n, SQLITE_TRANSIENT) == SQLITE_OK);
    FUZZ_HOLDS(db_run(s, NULL) == FL_OK);
    (void)sqlite3_finalize(s);
}

/* How many rows there are in all the tables that records fill. */
static int64_t count(void)
{
    int64_t all = 0, one;
    char sql[120];
    for (const struct projected_table *t = projected_tables; t->name; t++) {
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", t->name);
        FUZZ_HOLDS(db_int(db, sql, 0, &one, NULL) == FL_OK);
        all += one;
    }
    return all;
}

static bool project(int64_t index, const char *rec, size_t n)
{
    struct fl_why why = {0, ""};
    json_t *leaf = NULL;
    if (n < 2 || n > 65535 || fl_json_parse(rec, n, &leaf, NULL))
        return false;
    keep(index, rec, n);
    enum fl_err err = projector_leaf(projector, index, leaf, &why);
    if (err && err != FL_FORMAT)
        (void)fprintf(stderr, "%d: %s\n", (int)err, why.text);
    FUZZ_HOLDS(err == FL_OK || (err == FL_FORMAT && why.text[0] && fuzz_for_eyes(why.text, strlen(why.text), false)));
    json_decref(leaf);
    return err == FL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct fl_why why = {0, ""};
    const char *p = (const char *)bytes, *end = p + n;
    int64_t index = 0, stopped;
    bool good = true;
    if (!db) {
        FUZZ_HOLDS(db_open_empty(":memory:", db_newest(), &db, &why) == FL_OK);
        FUZZ_HOLDS(projector_new(db, db, &projector, &why) == FL_OK);
    }
    if (n > 16384 || n == 0)
        return 0;
    FUZZ_HOLDS(db_exec(db, "BEGIN", &why) == FL_OK);
    while (p < end && index < RECORDS && good) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t len = nl ? (size_t)(nl - p) : (size_t)(end - p);
        good = project(index++, p, len);
        p += len + 1;
    }
    if (good && n % 3 == 0) { /* it costs as much as the rest */
        int64_t rows = count();
        FUZZ_HOLDS(rows_renew(db, &stopped, &why) == FL_OK && count() == rows);
    }
    FUZZ_HOLDS(db_exec(db, "ROLLBACK", &why) == FL_OK);
    projector_forget(projector);
    return 0;
}
