/* SPDX-License-Identifier: Apache-2.0
 * Both ends of a conversation at the door: the socket, a line in, a line out. */
#include "record/door.h"

#include "base/file.h"
#include "base/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const names[] = {
#define X(code, text) #code,
    FL_ERR_LIST(X)
#undef X
};

const char *door_error_name(enum fl_err err)
{
    return (size_t)err < sizeof names / sizeof *names ? names[err] : "IO";
}

enum fl_err door_error_parse(const char *name)
{
    for (size_t i = 1; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return (enum fl_err)i;
    return FL_IO;
}

/* ---- the socket ----------------------------------------------------------------------------------------- */

/* An address holds 107 bytes; a longer path goes by way of the folder's descriptor, which *dir then is. */
static enum fl_err address(const char *data, struct sockaddr_un *a, int *dir, struct fl_why *why)
{
    memset(a, 0, sizeof *a);
    a->sun_family = AF_UNIX;
    *dir = -1;
    if ((size_t)snprintf(a->sun_path, sizeof a->sun_path, "%s/door", data) < sizeof a->sun_path)
        return FL_OK;
    *dir = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*dir < 0)
        return fl_fail_os(why, "cannot open the folder %.250s", data);
    (void)snprintf(a->sun_path, sizeof a->sun_path, "/proc/self/fd/%d/door", *dir);
    return FL_OK;
}

static enum fl_err new_socket(int *fd, struct fl_why *why)
{
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return *fd < 0 ? fl_fail_os(why, "no local socket") : FL_OK;
}

enum fl_err door_connect(const char *data, int *fd, struct fl_why *why)
{
    struct sockaddr_un a;
    int dir;
    enum fl_err err = address(data, &a, &dir, why);
    *fd = -1;
    if (!err)
        err = new_socket(fd, why);
    if (!err && connect(*fd, (const struct sockaddr *)&a, sizeof a) != 0)
        err = errno == ENOENT || errno == ECONNREFUSED ? fl_fail(why, FL_NOT_FOUND, "no flashline is at work in %.250s", data)
              : errno == EAGAIN                        ? fl_fail(why, FL_BUSY, "too many wait at the door of %.250s", data)
                                                       : fl_fail_os(why, "cannot speak to the flashline in %.200s", data);
    if (dir >= 0)
        (void)close(dir);
    if (err && *fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
    return err;
}

enum fl_err door_listen(const char *data, int *fd, struct fl_why *why)
{
    struct sockaddr_un a;
    int dir;
    enum fl_err err = address(data, &a, &dir, why);
    *fd = -1;
    if (!err)
        err = new_socket(fd, why);
    if (!err) {
        (void)unlink(a.sun_path); /* of one that died: the lock says that nobody else is here */
        (void)fchmod(*fd, 0600);  /* before the name exists, where the system takes it over; after it everywhere */
        if (bind(*fd, (const struct sockaddr *)&a, sizeof a) != 0 || chmod(a.sun_path, 0600) != 0 || listen(*fd, 16) != 0)
            err = fl_fail_os(why, "cannot open the door in %.250s", data);
    }
    if (dir >= 0)
        (void)close(dir);
    if (err && *fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
    return err;
}

/* ---- lines ---------------------------------------------------------------------------------------------- */

enum fl_err door_read(int fd, struct fl_buf *line, struct fl_wake *stop, struct fl_deadline d, struct fl_why *why)
{
    char piece[4096];
    for (;;) {
        enum fl_err err = fl_wake_poll(stop, fd, POLLIN, d);
        if (err)
            return fl_fail(why, err, "no whole line came");
        ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n <= 0)
            return fl_fail(why, FL_GONE, "the other side left");
        const char *end = memchr(piece, '\n', (size_t)n);
        fl_buf_add(line, piece, end ? (size_t)(end - piece) : (size_t)n);
        if (fl_buf_err(line, NULL))
            return fl_fail(why, FL_LIMIT, "a line of more than %zu bytes", line->max);
        if (end)
            return FL_OK;
    }
}

enum fl_err door_write(int fd, const json_t *object, struct fl_wake *stop, struct fl_deadline d, struct fl_why *why)
{
    char *text = json_dumps(object, JSON_COMPACT);
    enum fl_err err = FL_OK;
    if (!text)
        return fl_fail(why, FL_NOMEM, "out of memory");
    size_t n = strlen(text), at = 0;
    text[n++] = '\n'; /* in the place of the closing zero */
    while (at < n && !err) {
        err = fl_wake_poll(stop, fd, POLLOUT, d);
        ssize_t k = err ? 0 : send(fd, text + at, n - at, MSG_NOSIGNAL);
        if (k > 0)
            at += (size_t)k;
        else if (!err && errno != EAGAIN && errno != EINTR)
            err = fl_fail(why, FL_GONE, "the other side left");
    }
    free(text);
    return err;
}
