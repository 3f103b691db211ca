/* SPDX-License-Identifier: Apache-2.0
 * Opening a station's database for reading: in place, or from a copy where the folder cannot be written or its disk is full. */
#include "store/db.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum fl_err copy_file(const char *from, const char *to, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    char chunk[65536];
    struct stat st;
    int out = -1, in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe in a file's place must not hold us */
    if (in < 0)
        return errno == ENOENT ? FL_NOT_FOUND : fl_fail_os(why, "cannot open %s", from);
    if (fstat(in, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(in);
        return fl_fail(why, FL_FORMAT, "%.300s is no file", from); /* a device: copied without end, otherwise */
    }
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out < 0)
        err = fl_fail_os(why, "cannot write %s", to);
    while (!err) {
        ssize_t n = read(in, chunk, sizeof chunk);
        if (n < 0)
            err = fl_fail_os(why, "cannot read %s", from);
        if (n <= 0)
            break;
        for (ssize_t done = 0; !err && done < n;) {
            ssize_t k = write(out, chunk + done, (size_t)(n - done));
            if (k < 0)
                err = fl_fail_os(why, "cannot write %s", to);
            else
                done += k;
        }
    }
    if (out >= 0)
        (void)close(out);
    (void)close(in);
    return err;
}

/* The copy's files: the database and its WAL; the -shm is SQLite's to make again. */
static const char *const parts[] = {"", "-wal", "-shm"};

static enum fl_err copy_database(const char *path, struct db_reader *out, char **copy, struct fl_why *why)
{
    const char *base = getenv("TMPDIR");
    enum fl_err err = FL_OK;
    *copy = NULL;
    out->tmp = fl_path_join(base && *base ? base : "/tmp", "flashline-read-XXXXXX");
    if (!out->tmp)
        return fl_fail(why, FL_NOMEM, "out of memory");
    if (!mkdtemp(out->tmp)) {
        err = fl_fail_os(why, "cannot make the folder %s to read a copy from", out->tmp);
        free(out->tmp);
        out->tmp = NULL;
        return err;
    }
    *copy = fl_path_join(out->tmp, "flashline.db");
    for (size_t i = 0; *copy && i < 2 && !err; i++) {
        char from[4096], to[4096];
        (void)snprintf(from, sizeof from, "%s%s", path, parts[i]);
        (void)snprintf(to, sizeof to, "%s%s", *copy, parts[i]);
        err = copy_file(from, to, why);
        if (err == FL_NOT_FOUND && i > 0)
            err = FL_OK; /* no WAL: closed in order */
    }
    return *copy ? err : fl_fail(why, FL_NOMEM, "out of memory");
}

/* "file:" and the path with what a URI would read otherwise (%, ?, #) escaped. */
static char *uri_of(const char *path, bool immutable)
{
    char *uri = malloc(3 * strlen(path) + 40), *p = uri;
    if (!uri)
        return NULL;
    p += sprintf(p, "file:");
    for (; *path; path++) {
        if (strchr("%?#", *path))
            p += sprintf(p, "%%%02X", (unsigned char)*path);
        else
            *p++ = *path;
    }
    (void)strcpy(p, immutable ? "?immutable=1" : "");
    return uri;
}

static enum fl_err try_open(const char *path, bool immutable, sqlite3 **out, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    int64_t n;
    char *uri = uri_of(path, immutable);
    *out = NULL;
    if (!uri)
        return fl_fail(why, FL_NOMEM, "out of memory");
    if (sqlite3_open_v2(uri, out, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        err = db_fail(*out, why, "cannot open");
    free(uri);
    if (!err) {
        (void)sqlite3_extended_result_codes(*out, 1);
        (void)sqlite3_busy_timeout(*out, 10000);
        err = db_exec(*out, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON", why);
    }
    if (!err) /* the first read finds out whether the WAL can be shared */
        err = db_int(*out, "SELECT EXISTS (SELECT 1 FROM sqlite_schema)", 0, &n, why);
    if (err) {
        (void)sqlite3_close(*out);
        *out = NULL;
    }
    return err;
}

bool db_reader_disturbed(const struct db_reader *r)
{
    return r->wal && fl_path_exists(r->wal);
}

enum fl_err db_open_reader(const char *path, bool untouched, struct db_reader *out, struct fl_why *why)
{
    char *copy = NULL, *wal = malloc(strlen(path) + 5);
    struct fl_why no_copy = {0, ""};
    *out = (struct db_reader){NULL, NULL, NULL};
    if (!wal)
        return fl_fail(why, FL_NOMEM, "out of memory");
    (void)sprintf(wal, "%s-wal", path);
    if (!fl_path_exists(path)) {
        free(wal);
        return fl_fail(why, FL_NOT_FOUND, "there is no %.300s", path);
    }
    if (untouched && !fl_path_exists(wal))
        out->wal = wal;
    else
        free(wal);
    enum fl_err err = db_is_file(path, why);
    if (!err)
        err = try_open(path, out->wal != NULL, &out->db, why);
    if (err == FL_ACCESS || err == FL_FULL) {
        /* on a full disk the copy may find no room either: then the disk that is full is the station's, not the copy's */
        bool full = err == FL_FULL;
        enum fl_err second = copy_database(path, out, &copy, full ? &no_copy : why);
        if (!second)
            second = try_open(copy, false, &out->db, full ? &no_copy : why);
        err = full && second ? err : second;
    }
    free(copy);
    if (err)
        db_close_reader(out);
    return err;
}

void db_close_reader(struct db_reader *r)
{
    (void)sqlite3_close(r->db);
    r->db = NULL;
    for (size_t i = 0; r->tmp && i < sizeof parts / sizeof *parts; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/flashline.db%s", r->tmp, parts[i]);
        (void)unlink(path);
    }
    if (r->tmp)
        (void)rmdir(r->tmp);
    free(r->tmp);
    free(r->wal);
    r->tmp = r->wal = NULL;
}
