/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/copy.h"

#include "base/clock.h"
#include "base/file.h"
#include "ledger/start.h"
#include "rows/project.h"
#include "rows/rows.h"
#include "store/db.h"
#include "store/shapes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Sticks (FAT, exFAT) and many network shares know no second name for a file. */
static bool no_links(int error)
{
    return error == EPERM || error == EOPNOTSUPP || error == ENOSYS || error == EMLINK;
}

/* The name appears with the whole content or not at all, and never in the place of something else: link() replaces nothing.
 * Without links that is asked first; whoever makes a file of that name in the same moment is no other backup, for those wait. */
static enum fl_err name_it(const char *part, const char *to, struct fl_why *why)
{
    char *dir = fl_path_dir(to);
    enum fl_err err = dir ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && link(part, to) != 0) {
        int error = errno;
        if (error == EEXIST || (no_links(error) && fl_path_exists(to))) {
            err = fl_fail(why, FL_EXISTS, "%.300s is there already", to);
        } else if (!no_links(error) || rename(part, to) != 0) {
            errno = no_links(error) ? errno : error;
            err = fl_fail_os(why, "cannot name %.250s", to);
        }
    }
    if (!err)
        err = fl_path_sync(dir, why);
    free(dir);
    return err;
}

/* ---- backup --------------------------------------------------------------------------------------------- */

static enum fl_err check_copy(const char *path, struct copy_made *out, struct fl_why *why)
{
    struct db_reader r;
    enum fl_err err = db_open_reader(path, true, &r, why);
    if (err)
        return err;
    err = db_check_file(r.db, false, why);
    if (!err)
        err = db_int(r.db, "SELECT coalesce(max(idx) + 1, 0) FROM leaf", 0, &out->leaves, why);
    db_close_reader(&r);
    return err;
}

static enum fl_err backup_alone(const char *db, const char *part, const char *to, struct copy_made *out, struct fl_why *why)
{
    struct db_reader r = {NULL, NULL, NULL};
    int64_t id;
    enum fl_err err = db_open_reader(db, false, &r, why);
    if (!err)
        err = db_int(r.db, "PRAGMA application_id", 0, &id, why);
    if (!err && id != DB_APPLICATION_ID)
        err = fl_fail(why, FL_MISMATCH, "%.250s is not a station's database", db);
    if (!err)
        err = db_copy(r.db, part, why);
    db_close_reader(&r);
    if (!err)
        err = check_copy(part, out, why);
    if (!err)
        err = name_it(part, to, why);
    (void)unlink(part);
    return err;
}

/* Two at once to one name would write into one another's file: it could get its name half written. */
static enum fl_err backup_to(const char *db, const char *to, struct copy_made *out, struct fl_why *why)
{
    char part[4200], making[4200];
    struct fl_lock lock = {-1};
    if ((size_t)snprintf(part, sizeof part, "%s.part", to) >= sizeof part ||
        (size_t)snprintf(making, sizeof making, "%s.making", to) >= sizeof making)
        return fl_fail(why, FL_LIMIT, "the path is too long");
    enum fl_err err = fl_lock_claim(&lock, making, why);
    if (err == FL_BUSY)
        return fl_fail(why, err, "another backup to %.300s is being made", to);
    err = backup_alone(db, part, to, out, why); /* a file system without locks, or that takes no file at all, says so here */
    fl_lock_end(&lock, making);
    return err;
}

enum fl_err copy_backup(const char *data, const char *to, struct copy_made *out, struct fl_why *why)
{
    struct folder f;
    memset(out, 0, sizeof *out);
    if (fl_path_exists(to))
        return fl_fail(why, FL_EXISTS, "%.300s is there already", to);
    enum fl_err err = folder_paths(data, &f, why);
    if (err)
        return err;
    err = backup_to(f.db, to, out, why);
    folder_fini(&f);
    return err;
}

/* ---- rebuild -------------------------------------------------------------------------------------------- */

static bool projected(const char *table)
{
    for (const struct projected_table *t = projected_tables; t->name; t++)
        if (strcmp(t->name, table) == 0)
            return true;
    return false;
}

static enum fl_err count(sqlite3 *db, const char *schema, const char *table, int64_t *n, struct fl_why *why)
{
    char sql[200];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s.\"%s\"", schema, table);
    return db_int(db, sql, 0, n, why);
}

/* One table that is not made from leaves. The schema's own rows are there already; everything else must come over whole. */
static enum fl_err carry(sqlite3 *db, const char *table, struct fl_why *why)
{
    char sql[300];
    int64_t there, seeds, old, now;
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM old.sqlite_schema WHERE type = 'table' AND name = '%s'", table);
    enum fl_err err = db_int(db, sql, 0, &there, why);
    if (err || !there)
        return err; /* an older schema has no such table */
    err = count(db, "main", table, &seeds, why);
    (void)snprintf(sql, sizeof sql, "INSERT %sINTO main.\"%s\" SELECT * FROM old.\"%s\" ORDER BY 1", seeds ? "OR IGNORE " : "", table,
                   table);
    if (!err)
        err = db_exec(db, sql, why);
    if (!err)
        err = count(db, "old", table, &old, why);
    if (!err)
        err = count(db, "main", table, &now, why);
    if (!err && now < old)
        err = fl_fail(why, FL_MISMATCH, "only %lld of %lld rows of the table %s could be read", (long long)now, (long long)old, table);
    return err;
}

/* A record, stored as one that is made today is. */
static enum fl_err carry_record(sqlite3_stmt *from, sqlite3_stmt *to, struct shapes *shapes, struct fl_why *why)
{
    const struct beside b = {.job = sqlite3_column_blob(from, 4), .job_n = (size_t)sqlite3_column_bytes(from, 4)};
    const uint8_t *stored = sqlite3_column_blob(from, 1);
    size_t n = (size_t)sqlite3_column_bytes(from, 1);
    enum fl_err err = FL_OK;
    if (!shape_is(stored, n))
        err = shapes_store(shapes, sqlite3_column_int64(from, 0), stored, n, &b, &stored, &n, why);
    bool ok = !err && sqlite3_bind_blob(to, 2, stored, (int)n, SQLITE_STATIC) == SQLITE_OK;
    static const int rest[] = {0, 2, 3, 4};
    for (size_t i = 0; i < sizeof rest / sizeof *rest && ok; i++)
        ok = sqlite3_bind_value(to, rest[i] + 1, sqlite3_column_value(from, rest[i])) == SQLITE_OK;
    if (!err && !ok)
        err = db_fail(sqlite3_db_handle(to), why, "cannot bind a leaf");
    return err ? err : db_run(to, why);
}

static enum fl_err carry_leaves(sqlite3 *db, struct fl_why *why)
{
    sqlite3_stmt *from = NULL, *to = NULL;
    struct shapes *shapes = NULL;
    int rc = SQLITE_ROW;
    enum fl_err err = carry(db, "shape", why);
    if (!err)
        err = shapes_new(db, &shapes, why);
    if (!err)
        err = db_prepare(db, "SELECT idx, rec, hash, kind, job FROM old.leaf ORDER BY idx", &from, why);
    if (!err)
        err = db_prepare(db, "INSERT INTO main.leaf (idx, rec, hash, kind, job) VALUES (?, ?, ?, ?, ?)", &to, why);
    while (!err && (rc = sqlite3_step(from)) == SQLITE_ROW)
        err = carry_record(from, to, shapes, why);
    if (!err && rc != SQLITE_DONE)
        err = db_fail(db, why, "cannot read the leaves");
    (void)sqlite3_finalize(from);
    (void)sqlite3_finalize(to);
    shapes_free(shapes);
    return err;
}

static enum fl_err carry_all(sqlite3 *db, struct fl_why *why)
{
    sqlite3_stmt *s;
    int rc = SQLITE_ROW;
    enum fl_err err = db_prepare(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite^_%' ESCAPE '^' "
                                     "ORDER BY rowid", &s, why);
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        const char *table = db_text(s, 0);
        if (strcmp(table, "leaf") == 0)
            err = carry_leaves(db, why);
        else if (!projected(table) && strcmp(table, "shape") != 0)
            err = carry(db, table, why);
    }
    if (!err && rc != SQLITE_DONE)
        err = db_fail(db, why, "cannot read the schema");
    (void)sqlite3_finalize(s);
    return err;
}

static enum fl_err count_rows(sqlite3 *db, struct copy_made *out, struct fl_why *why)
{
    int64_t n;
    enum fl_err err = db_int(db, "SELECT count(*) FROM leaf", 0, &out->leaves, why);
    for (const struct projected_table *t = projected_tables; t->name && !err; t++) {
        err = count(db, "main", t->name, &n, why);
        out->rows += n;
    }
    return err;
}

static enum fl_err fill(const char *from, sqlite3 *to, struct copy_made *out, struct fl_why *why)
{
    int64_t stopped;
    char *sql = sqlite3_mprintf("ATTACH %Q AS old", from);
    enum fl_err err = sql ? db_exec(to, sql, why) : fl_fail(why, FL_NOMEM, "out of memory");
    sqlite3_free(sql);
    if (!err)
        err = db_exec(to, "BEGIN", why);
    if (!err)
        err = carry_all(to, why);
    if (!err) {
        err = rows_project(to, to, &stopped, why);
        if (err && stopped >= 0)
            err = fl_why_wrap(why, err, "record %lld: ", (long long)stopped);
    }
    if (!err)
        err = count_rows(to, out, why);
    return err ? err : db_exec(to, "COMMIT; DETACH old", why);
}

/* Open the old one, let its WAL flow into it, verify its log. FL_BUSY: somebody else has it open. */
static enum fl_err settle(const struct folder *f, struct fl_why *why)
{
    sqlite3 *db = NULL;
    struct vkey vkey;
    char station[FOLDER_STATION_MAX];
    struct start_found found;
    int64_t busy, version;
    enum fl_err err = folder_identity(f, station, &vkey, why);
    if (!err)
        err = db_is_file(f->db, why);
    if (!err && sqlite3_open_v2(f->db, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        err = db_fail(db, why, "cannot open");
    if (!err)
        err = db_int(db, "PRAGMA application_id", 0, &version, why);
    if (!err && version != DB_APPLICATION_ID)
        err = fl_fail(why, FL_MISMATCH, "%.250s is not a station's database", f->db);
    if (!err)
        err = db_int(db, "PRAGMA user_version", 0, &version, why);
    if (!err && version > db_newest())
        err = fl_fail(why, FL_UNSUPPORTED, "%.250s was made by a newer flashline: use that one", f->db);
    if (!err)
        err = start_verify(f, db, &vkey, &found, why);
    if (!err)
        err = db_int(db, "PRAGMA wal_checkpoint(TRUNCATE)", 0, &busy, why);
    if (!err && busy)
        err = fl_fail(why, FL_BUSY, "somebody has %.250s open: close it", f->db);
    if (!err)
        err = db_exec(db, "PRAGMA journal_mode = DELETE", why);
    (void)sqlite3_close(db);
    return err;
}

/* One more name for the old database. A name that is taken is of another rebuild in the same second: the next number, for
 * link() replaces nothing. */
static enum fl_err keep_old(const struct folder *f, struct copy_made *out, struct fl_why *why)
{
    enum { TRIES = 100 };
    char now[FL_TIME_TEXT], number[16] = "";
    int linked = -1;
    fl_time_format(fl_wall_ms(), now);
    for (int n = 2; linked != 0 && n < TRIES; n++) {
        (void)snprintf(out->kept, sizeof out->kept, "%.4000s.%.4s%.2s%.2s-%.2s%.2s%.2s%s.bak", f->db, now, now + 5, now + 8, now + 11,
                       now + 14, now + 17, number);
        linked = link(f->db, out->kept);
        if (linked != 0 && errno != EEXIST)
            break;
        (void)snprintf(number, sizeof number, "-%d", n);
    }
    return linked == 0 ? FL_OK : fl_fail_os(why, "cannot keep the old database as %.250s", out->kept);
}

static enum fl_err exchange(const struct folder *f, const char *made, struct copy_made *out, struct fl_why *why)
{
    enum fl_err err = fl_path_sync(made, why);
    if (!err)
        err = keep_old(f, out, why);
    if (!err && rename(made, f->db) != 0)
        err = fl_fail_os(why, "cannot put the new database into place");
    return err ? err : fl_path_sync(f->dir, why);
}

static enum fl_err rebuild(const struct folder *f, struct copy_made *out, struct fl_why *why)
{
    sqlite3 *db = NULL;
    char made[4200];
    (void)snprintf(made, sizeof made, "%.4100s.new", f->db);
    (void)unlink(made); /* of a rebuild that was cut off */
    enum fl_err err = settle(f, why);
    if (!err)
        err = db_open_empty(made, db_newest(), &db, why);
    if (!err)
        err = fill(f->db, db, out, why);
    (void)sqlite3_close(db);
    if (!err)
        err = exchange(f, made, out, why);
    (void)unlink(made);
    return err;
}

enum fl_err copy_rebuild(const char *data, struct copy_made *out, struct fl_why *why)
{
    struct folder f;
    struct fl_lock lock = {-1};
    memset(out, 0, sizeof *out);
    enum fl_err err = folder_paths(data, &f, why);
    if (err)
        return err;
    if (!folder_there(&f) || !fl_path_exists(f.db))
        err = fl_fail(why, FL_NOT_FOUND, "there is no station in %.300s", data);
    if (!err)
        err = fl_lock_take(&lock, f.lock, why);
    if (err == FL_BUSY)
        err = fl_fail(why, err, "a flashline works on %.250s: end it first", data);
    if (!err)
        err = rebuild(&f, out, why);
    fl_lock_drop(&lock);
    folder_fini(&f);
    return err;
}
