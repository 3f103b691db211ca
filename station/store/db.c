/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"

#include "base/embedded.h"
#include "base/file.h"
#include "store/schema_sql.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum fl_err from_sqlite(int code)
{
    static const struct {
        int sqlite;
        enum fl_err err;
    } map[] = {
        {SQLITE_OK, FL_OK},           {SQLITE_NOMEM, FL_NOMEM},      {SQLITE_FULL, FL_FULL},
        {SQLITE_IOERR, FL_IO},        {SQLITE_READONLY, FL_ACCESS},  {SQLITE_PERM, FL_ACCESS},
        {SQLITE_AUTH, FL_ACCESS},     {SQLITE_CANTOPEN, FL_ACCESS},  {SQLITE_BUSY, FL_BUSY},
        {SQLITE_LOCKED, FL_BUSY},     {SQLITE_CORRUPT, FL_MISMATCH}, {SQLITE_NOTADB, FL_MISMATCH},
        {SQLITE_CONSTRAINT, FL_FORMAT}, {SQLITE_TOOBIG, FL_LIMIT},
    };
    for (size_t i = 0; i < sizeof map / sizeof *map; i++)
        if (map[i].sqlite == (code & 0xff))
            return map[i].err;
    return FL_IO;
}

/* A byte of the header that says how the schema is written: SQLite has no code of its own for it, and the file is damaged. */
static bool is_format(sqlite3 *db, int code)
{
    return db && (code & 0xff) == SQLITE_ERROR && strcmp(sqlite3_errmsg(db), "unsupported file format") == 0;
}

/* A full disk has a code of its own only where SQLite writes the database. Where it makes the -shm beside it, which whoever reads
 * needs too, or a first page, it is an I/O error, and nobody should look for a broken disk then. */
static bool is_full(sqlite3 *db, int code)
{
    int os = db ? sqlite3_system_errno(db) : 0;
    return (code & 0xff) == SQLITE_IOERR && (code == SQLITE_IOERR_SHMSIZE || os == ENOSPC || os == EDQUOT);
}

/* What to do, where the code alone tells it. */
static const char *advice(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return "; the disk is full: make room and start again";
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return "; the folder and its files must be writable by this user";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "; another program holds the database locked: close it";
    case SQLITE_IOERR:
        return "; the disk failed: look at its health before going on";
    default:
        return "";
    }
}

enum fl_err db_fail(sqlite3 *db, struct fl_why *why, const char *what)
{
    int code = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
    if (is_full(db, code))
        code = SQLITE_FULL;
    const char *path = db ? sqlite3_db_filename(db, "main") : NULL;
    enum fl_err err = fl_fail(why, is_format(db, code) ? FL_MISMATCH : from_sqlite(code), "%.150s: %s: %.120s%s",
                              path && *path ? path : "database", what,
                              db ? sqlite3_errmsg(db) : "out of memory", advice(code));
    if (why && db)
        why->os = sqlite3_system_errno(db);
    return err ? err : FL_IO;
}

enum fl_err db_exec(sqlite3 *db, const char *sql, struct fl_why *why)
{
    char what[60];
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return FL_OK;
    (void)snprintf(what, sizeof what, "%.50s", sql);
    what[strcspn(what, "\n(")] = 0;
    return db_fail(db, why, what);
}

enum fl_err db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct fl_why *why)
{
    *out = NULL;
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) == SQLITE_OK)
        return FL_OK;
    char what[60];
    (void)snprintf(what, sizeof what, "cannot prepare '%.40s'", sql);
    return db_fail(db, why, sqlite3_errcode(db) == SQLITE_ERROR ? what : "cannot read"); /* only of a mistake in it the text says anything */
}

const char *db_text(sqlite3_stmt *s, int column)
{
    const char *t = (const char *)sqlite3_column_text(s, column);
    return t ? t : "";
}

enum fl_err db_run(sqlite3_stmt *s, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    if (sqlite3_step(s) != SQLITE_DONE)
        err = db_fail(sqlite3_db_handle(s), why, "cannot write");
    (void)sqlite3_reset(s); /* repeats the step's error, which is told already */
    return err;
}

enum fl_err db_write_ahead(sqlite3 *db, struct fl_why *why)
{
    int rc = sqlite3_db_cacheflush(db);
    if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY) /* busy: what it could not write is left to the COMMIT */
        return FL_OK;
    return fl_fail(why, from_sqlite(rc), "%.150s: cannot write: %s%s", sqlite3_db_filename(db, "main"), sqlite3_errstr(rc), advice(rc));
}

enum fl_err db_temp_in_memory(sqlite3 *db, struct fl_why *why)
{
    return db_exec(db, "PRAGMA temp_store = MEMORY", why);
}

enum fl_err db_has_table(sqlite3 *db, const char *name, bool *has, struct fl_why *why)
{
    int rc = sqlite3_table_column_metadata(db, "main", name, NULL, NULL, NULL, NULL, NULL, NULL); /* out of the schema as read */
    *has = rc == SQLITE_OK;
    return rc == SQLITE_OK || rc == SQLITE_ERROR ? FL_OK : db_fail(db, why, "cannot read the schema");
}

enum fl_err db_int(sqlite3 *db, const char *sql, int64_t none, int64_t *out, struct fl_why *why)
{
    sqlite3_stmt *s;
    *out = none;
    enum fl_err err = db_prepare(db, sql, &s, why);
    if (err)
        return err;
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL)
        *out = sqlite3_column_int64(s, 0);
    else if (rc == SQLITE_DONE)
        err = fl_fail(why, FL_NOT_FOUND, "no row");
    else if (rc != SQLITE_ROW)
        err = db_fail(db, why, "cannot read");
    (void)sqlite3_finalize(s);
    return err;
}

enum fl_err db_copy(sqlite3 *db, const char *to, struct fl_why *why)
{
    char *sql = sqlite3_mprintf("VACUUM INTO %Q", to);
    if (!sql)
        return fl_fail(why, FL_NOMEM, "out of memory");
    if (unlink(to) != 0 && errno != ENOENT) {
        sqlite3_free(sql);
        return fl_fail_os(why, "cannot remove %s", to);
    }
    enum fl_err err = FL_OK;
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        char what[200];
        (void)snprintf(what, sizeof what, "cannot be copied to %.150s", to);
        err = db_fail(db, why, what);
    }
    sqlite3_free(sql);
    return err ? err : fl_path_sync(to, why);
}

/* ---- opening ------------------------------------------------------------------------------------ */

void db_count_no_memory(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* refused once SQLite is in use: it counts on, and nothing else is lost */
}

static enum fl_err common(sqlite3 *db, struct fl_why *why)
{
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, DB_BUSY_MS);
    /* triggers and views of the file may call nothing that could do harm, and integers stay what they are */
    return db_exec(db, "PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON", why);
}

/* Before anything in it is changed, its journal mode included: a new file, or a station's database that this program knows. */
static enum fl_err check_ours(sqlite3 *db, const char *path, struct fl_why *why)
{
    int64_t objects, id, version;
    enum fl_err err = db_int(db, "SELECT EXISTS (SELECT 1 FROM sqlite_schema)", 0, &objects, why);
    if (!err)
        err = db_int(db, "PRAGMA application_id", 0, &id, why);
    if (!err)
        err = db_int(db, "PRAGMA user_version", 0, &version, why);
    if (!err && (objects || id || version) && id != DB_APPLICATION_ID)
        return fl_fail(why, FL_MISMATCH, "%.200s is a database of another program", path);
    if (!err && version > db_newest())
        return fl_fail(why, FL_UNSUPPORTED, "%.200s was made by a newer flashline (schema %lld, this one knows %d): install that one", path,
                       (long long)version, db_newest());
    return err;
}

enum fl_err db_is_file(const char *path, struct fl_why *why)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char name[4200];
        struct stat st;
        (void)snprintf(name, sizeof name, "%.4100s%s", path, parts[i]);
        if (stat(name, &st) == 0 && !S_ISREG(st.st_mode))
            return fl_fail(why, FL_FORMAT, "%.300s is no file", name);
    }
    return FL_OK;
}

enum fl_err db_open_writer(const char *path, bool create, sqlite3 **out, struct fl_why *why)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
    sqlite3 *db = NULL;
    enum fl_err err = FL_OK;
    *out = NULL;
    if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK)
        err = db_fail(db, why, "cannot open");
    if (!err)
        err = common(db, why);
    if (!err && sqlite3_db_readonly(db, "main") == 1)
        err = fl_fail(why, FL_ACCESS, "%.250s cannot be written: the folder and its files must be writable by this user", path);
    if (!err)
        err = check_ours(db, path, why);
    if (!err)
        err = db_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", why);
    if (err)
        (void)sqlite3_close(db);
    else
        *out = db;
    return err;
}

enum fl_err db_open_empty(const char *path, int version, sqlite3 **out, struct fl_why *why)
{
    sqlite3 *db = NULL;
    enum fl_err err = FL_OK;
    *out = NULL;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        err = db_fail(db, why, "cannot open");
    if (!err)
        err = common(db, why);
    if (!err)
        err = db_exec(db, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF", why);
    if (!err)
        err = db_apply_schema(db, 0, version, why);
    if (err)
        (void)sqlite3_close(db);
    else
        *out = db;
    return err;
}

/* ---- is it still there? ------------------------------------------------------------------------- */

static enum fl_err look(sqlite3 *db, struct db_place *out, struct fl_why *why)
{
    const char *path = sqlite3_db_filename(db, "main"), *wal = sqlite3_filename_wal(path);
    struct stat st, w;
    if (stat(path, &st) != 0 || stat(wal, &w) != 0)
        return fl_fail(why, FL_GONE, "%.200s was taken away while the station worked", errno == ENOENT && fl_path_exists(path) ? wal : path);
    *out = (struct db_place){(uint64_t)st.st_dev, (uint64_t)st.st_ino, (uint64_t)w.st_ino};
    return FL_OK;
}

enum fl_err db_place_take(sqlite3 *db, struct db_place *out, struct fl_why *why)
{
    int moved = 0;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved)
        return fl_fail(why, FL_GONE, "%.200s was taken away or replaced", sqlite3_db_filename(db, "main"));
    return look(db, out, why);
}

enum fl_err db_place_check(sqlite3 *db, const struct db_place *was, struct fl_why *why)
{
    struct db_place is;
    enum fl_err err = look(db, &is, why);
    if (!err && (is.dev != was->dev || is.file != was->file || is.wal != was->wal))
        err = fl_fail(why, FL_GONE, "%.200s was replaced while the station worked", sqlite3_db_filename(db, "main"));
    if (err) /* closing must not clear the WAL away: with the file put back in its place everything is there */
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return err;
}

/* ---- checks ------------------------------------------------------------------------------------- */

static const char schema_sql[] = "SELECT type, name, tbl_name, sql " SCHEMA_SQL_OTHERS;

static enum fl_err compare_schemas(sqlite3_stmt *have, sqlite3_stmt *want, struct fl_why *why)
{
    for (;;) {
        int h = sqlite3_step(have), w = sqlite3_step(want);
        if (h != SQLITE_ROW && h != SQLITE_DONE)
            return db_fail(sqlite3_db_handle(have), why, "cannot read the schema");
        if (h == SQLITE_DONE && w == SQLITE_DONE)
            return FL_OK;
        int order = w != SQLITE_ROW ? -1 : h != SQLITE_ROW ? 1 : strcmp(db_text(have, 0), db_text(want, 0));
        if (order == 0)
            order = strcmp(db_text(have, 1), db_text(want, 1));
        if (order != 0)
            return fl_fail(why, FL_MISMATCH, "schema: the %s %.60s %s", db_text(order < 0 ? have : want, 0),
                           db_text(order < 0 ? have : want, 1), order < 0 ? "was added by somebody" : "is gone");
        if (strcmp(db_text(have, 2), db_text(want, 2)) != 0 || strcmp(db_text(have, 3), db_text(want, 3)) != 0)
            return fl_fail(why, FL_MISMATCH, "schema: the %s %.60s is not as this program made it", db_text(want, 0),
                           db_text(want, 1));
    }
}

/* Line by line as the migrations gave it when this program was built. Running them again takes ten times as long: only to
 * say what is wrong. */
static enum fl_err as_built(sqlite3 *db, bool *same, struct fl_why *why)
{
    const char *p = (const char *)fl_embedded_schema->bytes, *end = p + fl_embedded_schema->size;
    sqlite3_stmt *s;
    int rc;
    *same = false;
    enum fl_err err = db_prepare(db, SCHEMA_SQL, &s, why);
    if (err)
        return err;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        size_t n = strlen(db_text(s, 0));
        if ((size_t)(end - p) <= n || memcmp(p, db_text(s, 0), n) != 0 || p[n] != '\n')
            break;
        p += n + 1;
    }
    *same = rc == SQLITE_DONE && p == end;
    (void)sqlite3_finalize(s);
    return FL_OK;
}

enum fl_err db_check_schema(sqlite3 *db, struct fl_why *why)
{
    bool same = false;
    sqlite3 *model = NULL;
    sqlite3_stmt *have = NULL, *want = NULL;
    int64_t version, id;
    enum fl_err err = db_int(db, "PRAGMA user_version", 0, &version, why);
    if (!err)
        err = db_int(db, "PRAGMA application_id", 0, &id, why);
    if (!err && (version < 1 || version > db_newest() || id != DB_APPLICATION_ID))
        err = fl_fail(why, FL_MISMATCH, "schema version %lld and application id %lld are not this program's",
                      (long long)version, (long long)id);
    if (!err && version == db_newest())
        err = as_built(db, &same, why);
    if (!err && !same)
        err = db_open_empty(":memory:", (int)version, &model, why);
    if (!err && !same)
        err = db_prepare(db, schema_sql, &have, why);
    if (!err && !same)
        err = db_prepare(model, schema_sql, &want, why);
    if (!err && !same)
        err = compare_schemas(have, want, why);
    (void)sqlite3_finalize(have);
    (void)sqlite3_finalize(want);
    (void)sqlite3_close(model);
    return err;
}

enum fl_err db_check_file(sqlite3 *db, bool whole, struct fl_why *why)
{
    sqlite3_stmt *s;
    enum fl_err err = db_prepare(db, whole ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)", &s, why);
    if (err)
        return err;
    int rc = sqlite3_step(s);
    if (rc != SQLITE_ROW)
        err = db_fail(db, why, "cannot check the file");
    else if (strcmp(db_text(s, 0), "ok") != 0)
        err = fl_fail(why, FL_MISMATCH, "%.150s is damaged: %.200s", sqlite3_db_filename(db, "main"), db_text(s, 0));
    (void)sqlite3_finalize(s);
    return err;
}
