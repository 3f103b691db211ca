/* SPDX-License-Identifier: Apache-2.0
 *
 * db.h: SQLite as this station uses it: how a database is opened, what its schema is, and how its errors become ours.
 *
 * The schema is db/NNN_*.sql, embedded at build; PRAGMA user_version says how many of them a file has had.
 * Writers: WAL, synchronous=FULL (a commit is one fsync of the WAL; ledger/ledger.h says when it may wait), foreign keys on. Readers open read-only
 * beside a running station.
 *
 * Thread rule: a connection has one owner at a time.
 */
#ifndef FL_STORE_DB_H
#define FL_STORE_DB_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { DB_APPLICATION_ID = 1179407440 };
/* Somebody else's write transaction (a person with the sqlite3 shell) is waited for this long. */
enum { DB_BUSY_MS = 10000 };

/* SQLite would count its memory, under one lock for the whole program: nobody here asks it, and it is a sixth of what opening a
 * database costs, which is mostly a schema of ten thousand small pieces. For a program's main(), before it opens any. */
void db_count_no_memory(void);

/* The error of the last call on `db`, as ours, with `what` in front and SQLite's words behind. */
FL_MUST enum fl_err db_fail(sqlite3 *db, struct fl_why *why, const char *what);

FL_MUST enum fl_err db_exec(sqlite3 *db, const char *sql, struct fl_why *why);
FL_MUST enum fl_err db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct fl_why *why);
/* The text of a column, "" where it is NULL. Until the next step. */
const char *db_text(sqlite3_stmt *s, int column);
/* Run a statement that gives no rows, and make it ready again. */
FL_MUST enum fl_err db_run(sqlite3_stmt *s, struct fl_why *why);
/* Pages that the open transaction has changed so far, into the WAL, where its COMMIT would put them: nobody sees them before
 * it, and it has fewer to write. Without a transaction nothing is done. */
FL_MUST enum fl_err db_write_ahead(sqlite3 *db, struct fl_why *why);
/* Savepoints are kept in memory from here on, a file each otherwise. For a database that needs no migration any more, whose
 * sorting may take more than memory has; and before anything uses SQLite's temporary database (a check of the file does),
 * or the whole schema is read again. */
FL_MUST enum fl_err db_temp_in_memory(sqlite3 *db, struct fl_why *why);
/* Is there a table of this name (a view is none)? A database of an older schema lacks some. */
FL_MUST enum fl_err db_has_table(sqlite3 *db, const char *name, bool *has, struct fl_why *why);
/* One integer; FL_NOT_FOUND when there is no row. NULL counts as `none`. */
FL_MUST enum fl_err db_int(sqlite3 *db, const char *sql, int64_t none, int64_t *out, struct fl_why *why);

/* The database, its WAL, its -shm: what is there must be a file. FL_FORMAT: a pipe, which would be waited for for ever, or a device,
 * which would be read for ever and copied until the disk is full. Whoever opens one has asked this. */
FL_MUST enum fl_err db_is_file(const char *path, struct fl_why *why);

/* Open for writing, make the file if `create`. Its schema is as it was found: rows/migrate.h brings it up to date.
 * FL_MISMATCH: not a database, damaged, or another program's. FL_UNSUPPORTED: made by a newer program. Nothing in it is
 * changed then. */
FL_MUST enum fl_err db_open_writer(const char *path, bool create, sqlite3 **out, struct fl_why *why);

/* A copy of the whole database as the file `to`, durable but for its name; one that lies there already, of a copy that was cut
 * off, is removed first. */
FL_MUST enum fl_err db_copy(sqlite3 *db, const char *to, struct fl_why *why);

/* The file that a writer has open, and its WAL: where a path leads may change under it, and what is written then is in no file
 * that anybody will find. FL_GONE: taken away or replaced. Two calls of stat. */
struct db_place {
    uint64_t dev, file, wal;
};
FL_MUST enum fl_err db_place_take(sqlite3 *db, struct db_place *out, struct fl_why *why); /* after the first commit */
FL_MUST enum fl_err db_place_check(sqlite3 *db, const struct db_place *was, struct fl_why *why);

/* Open for reading, beside a running station too. SQLite then leaves a -shm and an empty -wal behind. Where the folder
 * cannot be written, or its disk is full, SQLite cannot share the WAL: then the database and its WAL are copied to a temporary
 * folder, which is removed again by db_close_reader.
 * `untouched`: evidence, leave no file behind. When there is no WAL the file is read as something that does not change;
 * ask db_reader_disturbed at the end and read again if a station has started meanwhile. */
struct db_reader {
    sqlite3 *db;
    char *tmp; /* folder of the copy, NULL: none */
    char *wal; /* that must not appear, NULL: nothing to ask */
};
FL_MUST enum fl_err db_open_reader(const char *path, bool untouched, struct db_reader *out, struct fl_why *why);
bool db_reader_disturbed(const struct db_reader *r);
void db_close_reader(struct db_reader *r);

/* A database of its own with the schema of version `version` and nothing in it: for comparing and rebuilding.
 * `path` ":memory:", or "" for a temporary file. */
FL_MUST enum fl_err db_open_empty(const char *path, int version, sqlite3 **out, struct fl_why *why);
/* The schema version this program writes. */
int db_newest(void);
/* Apply the files with numbers above `from`, up to `to`, in the caller's transaction; from 0 to the newest, one script that comes to
 * the same. */
FL_MUST enum fl_err db_apply_schema(sqlite3 *db, int from, int to, struct fl_why *why);
/* Is this a station's database, of exactly that version? FL_MISMATCH: of another program. FL_UNSUPPORTED: older or newer. */
FL_MUST enum fl_err db_check_version(sqlite3 *db, struct fl_why *why);

/* Is the structure what the schema of its version gives? FL_MISMATCH names the first object that is not:
 * dropped triggers, a view in place of a table, anything added. */
FL_MUST enum fl_err db_check_schema(sqlite3 *db, struct fl_why *why);
/* PRAGMA quick_check or integrity_check. FL_MISMATCH: damaged. */
FL_MUST enum fl_err db_check_file(sqlite3 *db, bool whole, struct fl_why *why);

#endif
