/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include "base/grow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum fl_err await_pipe(int fd, const char *path, struct fl_why *why)
{
    enum { WRITER_MS = 10000 };
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, WRITER_MS) > 0 ? FL_OK
                                      : fl_fail(why, FL_IO, "cannot read %s: a pipe, and nothing came out of it in %d seconds", path,
                                                WRITER_MS / 1000);
}

/* A pipe that nobody writes into would hold its reader for ever; one that somebody does (a shell's <(...)) is read. */
static enum fl_err open_to_read(const char *path, int *fd, struct fl_why *why)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (*fd < 0 || fstat(*fd, &st) != 0)
        return fl_fail_os(why, "cannot open %s", path);
    if (S_ISFIFO(st.st_mode)) /* stays one that is not waited for; to begin with, its end is no end: nobody may have come yet */
        return await_pipe(*fd, path, why);
    return fcntl(*fd, F_SETFL, 0) == 0 ? FL_OK : fl_fail_os(why, "cannot open %s", path);
}

/* *n 0: the end. */
static enum fl_err read_piece(int fd, const char *path, uint8_t *to, size_t cap, size_t *n, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    ssize_t k = -1;
    while (!err && k < 0) {
        k = read(fd, to, cap);
        if (k < 0 && errno == EAGAIN)
            err = await_pipe(fd, path, why);
        else if (k < 0 && errno != EINTR)
            err = fl_fail_os(why, "cannot read %s", path);
    }
    *n = k < 0 ? 0 : (size_t)k;
    return err;
}

enum fl_err fl_file_read(const char *path, struct fl_buf *out, struct fl_why *why)
{
    int fd;
    uint8_t piece[65536];
    size_t n = 1;
    enum fl_err err = open_to_read(path, &fd, why);
    while (!err && n) {
        err = read_piece(fd, path, piece, sizeof piece, &n, why);
        if (!err && n) {
            fl_buf_add(out, piece, n);
            err = fl_buf_err(out, why);
            if (err)
                err = fl_why_wrap(why, err, "%s: ", path);
        }
    }
    if (fd >= 0)
        (void)close(fd);
    return err;
}

static enum fl_err write_all(int fd, const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return FL_IO;
        p += k;
        n -= (size_t)k;
    }
    return FL_OK;
}

FILE *fl_file_create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0666);
    FILE *f = fd >= 0 && fcntl(fd, F_SETFL, 0) == 0 ? fdopen(fd, "w") : NULL;
    if (!f && fd >= 0)
        (void)close(fd);
    return f;
}

enum fl_err fl_path_sync(const char *path, struct fl_why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum fl_err err = fd >= 0 && fsync(fd) == 0 ? FL_OK : fl_fail_os(why, "cannot make %s durable", path);
    if (fd >= 0)
        (void)close(fd);
    return err;
}

static bool renew(int fd)
{
    uint8_t chunk[65536];
    off_t at = 0;
    ssize_t n;
    while ((n = pread(fd, chunk, sizeof chunk, at)) > 0) {
        if (pwrite(fd, chunk, (size_t)n, at) != n)
            return false;
        at += n;
    }
    return n == 0 && fsync(fd) == 0;
}

enum fl_err fl_file_renew(const char *path, struct fl_why *why)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    enum fl_err err = fd >= 0 && renew(fd) ? FL_OK : fl_fail_os(why, "cannot write %s once more", path);
    if (fd >= 0)
        (void)close(fd);
    return err;
}

static enum fl_err sync_dir_of(const char *path, struct fl_why *why)
{
    char *dir = fl_path_dir(path);
    enum fl_err err = dir ? fl_path_sync(dir, why) : fl_fail(why, FL_NOMEM, "out of memory");
    free(dir);
    return err;
}

/* What is there and is no file (/dev/stdout, a pipe, a printer) is written to: to put a file in its place would take it
 * away from everybody. */
static enum fl_err write_into(const char *path, const void *bytes, size_t n, struct fl_why *why)
{
    int fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC); /* a pipe that nobody reads: an error, no wait */
    enum fl_err err = fd >= 0 && fcntl(fd, F_SETFL, 0) == 0 && !write_all(fd, bytes, n) ? FL_OK : fl_fail_os(why, "cannot write %s", path);
    if (fd >= 0 && close(fd) != 0 && !err)
        err = fl_fail_os(why, "cannot write %s", path);
    return err;
}

/* No file, or the one that standard output or error is, by another name (/dev/stdout). */
static bool in_use(const char *path)
{
    struct stat st, out;
    if (stat(path, &st) != 0 || S_ISDIR(st.st_mode))
        return false;
    for (int fd = STDOUT_FILENO; S_ISREG(st.st_mode) && fd <= STDERR_FILENO; fd++)
        if (fstat(fd, &out) == 0 && out.st_dev == st.st_dev && out.st_ino == st.st_ino)
            return true;
    return !S_ISREG(st.st_mode);
}

static enum fl_err replace(const char *path, const void *bytes, size_t n, unsigned mode, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    int fd = -1;
    size_t len = strlen(path);
    char *tmp = malloc(len + 8);
    if (!tmp)
        return fl_fail(why, FL_NOMEM, "out of memory");
    memcpy(tmp, path, len);
    memcpy(tmp + len, ".XXXXXX", 8);
    fd = mkostemp(tmp, O_CLOEXEC); /* 0600 until it is complete */
    if (fd < 0) {
        err = fl_fail_os(why, "cannot write %s", path);
        goto out;
    }
    if (write_all(fd, bytes, n) || fchmod(fd, (mode_t)mode) != 0 || fsync(fd) != 0) {
        err = fl_fail_os(why, "cannot write %s", path);
        goto out;
    }
    if (rename(tmp, path) != 0) {
        err = fl_fail_os(why, "cannot put %s in place", path);
        goto out;
    }
    err = sync_dir_of(path, why);
out:
    if (fd >= 0)
        (void)close(fd);
    if (err && fd >= 0)
        (void)unlink(tmp);
    free(tmp);
    return err;
}

enum fl_err fl_file_replace(const char *path, const void *bytes, size_t n, unsigned mode, struct fl_why *why)
{
    return in_use(path) ? write_into(path, bytes, n, why) : replace(path, bytes, n, mode, why);
}

enum fl_err fl_file_move(const char *from, const char *to, struct fl_why *why)
{
    if (rename(from, to) != 0)
        return fl_fail_os(why, "cannot put %s in its place", from);
    return sync_dir_of(to, why);
}

enum fl_err fl_dir_make(const char *path, struct fl_why *why)
{
    char *p = strdup(path);
    if (!p)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = *p ? FL_OK : fl_fail(why, FL_ARG, "a folder must have a name");
    for (char *s = p + 1; !err; s++) {
        if (*s != '/' && *s != 0)
            continue;
        char was = *s;
        *s = 0;
        struct stat st;
        if (mkdir(p, 0755) == 0)
            err = sync_dir_of(p, why);
        else if (errno != EEXIST || stat(p, &st) != 0 || !S_ISDIR(st.st_mode))
            err = fl_fail_os(why, "cannot make the folder %s", p);
        *s = was;
        if (!was)
            break;
    }
    free(p);
    return err;
}

bool fl_path_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

enum fl_err fl_lock_take(struct fl_lock *l, const char *path, struct fl_why *why)
{
    l->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (l->fd < 0)
        return fl_fail_os(why, "cannot open the lock file %s", path);
    if (flock(l->fd, LOCK_EX | LOCK_NB) != 0) {
        enum fl_err err = errno == EWOULDBLOCK
                              ? fl_fail(why, FL_BUSY, "%s is held by another process", path)
                              : fl_fail_os(why, "cannot lock %s", path);
        fl_lock_drop(l);
        return err;
    }
    return FL_OK;
}

void fl_lock_drop(struct fl_lock *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    l->fd = -1;
}

enum fl_err fl_lock_claim(struct fl_lock *l, const char *path, struct fl_why *why)
{
    struct stat held, named;
    for (;;) {
        enum fl_err err = fl_lock_take(l, path, why);
        if (err)
            return err;
        if (fstat(l->fd, &held) == 0 && stat(path, &named) == 0 && held.st_dev == named.st_dev && held.st_ino == named.st_ino)
            return FL_OK;
        fl_lock_drop(l); /* whoever held it removed it between our open and our lock: it excludes nobody */
    }
}

void fl_lock_end(struct fl_lock *l, const char *path)
{
    if (l->fd >= 0)
        (void)unlink(path); /* while it is held, so that what is removed is ours */
    fl_lock_drop(l);
}

static bool ends_in(const char *name, const char *ending)
{
    size_t n = strlen(name), tail = strlen(ending);
    bool dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    return !dots && n > tail && strcmp(name + n - tail, ending) == 0;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum fl_err read_names(DIR *d, const char *dir, const char *ending, struct fl_names *out, struct fl_why *why)
{
    for (;;) {
        errno = 0;
        const struct dirent *e = readdir(d);
        if (!e)
            return errno ? fl_fail_os(why, "cannot read the folder %.250s", dir) : FL_OK;
        if (!ends_in(e->d_name, ending))
            continue;
        char *copy = strdup(e->d_name), **more = fl_grow(out->name, out->n, 1, &out->cap, sizeof *more);
        if (more)
            out->name = more;
        if (!copy || !more) {
            free(copy);
            return fl_fail(why, FL_NOMEM, "out of memory");
        }
        out->name[out->n++] = copy;
    }
}

enum fl_err fl_dir_names(const char *dir, const char *ending, struct fl_names *out, struct fl_why *why)
{
    *out = (struct fl_names){NULL, 0, 0};
    DIR *d = opendir(dir);
    if (!d)
        return errno == ENOENT ? FL_OK : fl_fail_os(why, "cannot read the folder %.250s", dir);
    enum fl_err err = read_names(d, dir, ending, out, why);
    (void)closedir(d);
    if (err)
        fl_names_free(out);
    else if (out->n)
        qsort(out->name, out->n, sizeof *out->name, by_bytes);
    return err;
}

void fl_names_free(struct fl_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->name[i]);
    free(names->name);
    *names = (struct fl_names){NULL, 0, 0};
}

char *fl_path_join(const char *dir, const char *name)
{
    if (name[0] == '/')
        return strdup(name);
    size_t n = strlen(dir) + strlen(name) + 2;
    char *p = malloc(n);
    if (p)
        (void)snprintf(p, n, "%s/%s", dir, name);
    return p;
}

char *fl_path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}
