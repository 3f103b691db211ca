/* SPDX-License-Identifier: Apache-2.0
 * pty:PATH: a pseudo-terminal, or any tty taken without its modem lines.
 *
 * A speed set here reaches no wire; it is set all the same, because whoever holds the other end of a
 * pseudo-terminal can read it there (a simulated board answers rubbish at the wrong speed). */
#include "link/link_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

static void pty_close(struct link *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    free(l);
}

static enum fl_err pty_write(struct link *l, const uint8_t *bytes, size_t n, struct fl_deadline d)
{
    return link_fd_write(l, bytes, n, NULL, d);
}

static const struct link_ops pty_ops = {
    .close = pty_close,
    .read = link_fd_read,
    .write = pty_write,
    .drain = link_fd_drain,
    .set_baud = link_tty_set_baud,
};

enum fl_err link_pty_open(const struct link_open_args *a, struct link **out, struct fl_why *why)
{
    const char *path = a->url->path;
    struct link *l = malloc(sizeof *l);
    if (!l)
        return fl_fail(why, FL_NOMEM, "no memory for a link");
    link_init(l, LINK_PTY, &pty_ops, a->wake);
    (void)snprintf(l->info.device, sizeof l->info.device, "%s", path);
    l->info.has_speed = true;
    enum fl_err err = FL_OK;
    l->fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (l->fd < 0)
        err = fl_fail_os(&l->why, "cannot open %s", path);
    else if (!isatty(l->fd))
        err = fl_fail(&l->why, FL_FORMAT, "%s is not a terminal", path);
    else if (flock(l->fd, LOCK_EX | LOCK_NB) != 0)
        err = fl_fail_os(&l->why, "%s is held by another process", path);
    else if (!link_tty_raw(l->fd))
        err = fl_fail_os(&l->why, "cannot make %s raw", path);
    else
        err = link_set_baud(l, LINK_BAUD_AT_OPEN, a->d);
    if (!err)
        err = link_discard(l);
    if (!err) {
        *out = l;
        return FL_OK;
    }
    if (why)
        *why = l->why;
    pty_close(l);
    return err;
}
