/* SPDX-License-Identifier: Apache-2.0
 * Notices of ports by inotify on their folders. */
#ifdef __linux__
#include "link/notice.h"

#include "link/link_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* A line has a handful of different ones. */
enum { FOLDERS_MAX = 64, EVENTS_BYTES = 8192 };

struct link_notice {
    int fd;
    size_t n;
    char folder[FOLDERS_MAX][LINK_URL_MAX];
};

static void add_folder(struct link_notice *w, const char *folder)
{
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->folder[i], folder) == 0)
            return;
    if (w->n < FOLDERS_MAX) /* more of them are still found by looking */
        (void)snprintf(w->folder[w->n++], LINK_URL_MAX, "%s", folder);
}

/* Adding a watch that is there already changes nothing; a folder that is not there yet cannot be watched. */
static bool watch_all(struct link_notice *w)
{
    bool any = false;
    for (size_t i = 0; i < w->n; i++)
        any = inotify_add_watch(w->fd, w->folder[i], IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                IN_ATTRIB | IN_DELETE_SELF | IN_ONLYDIR) >= 0 || any;
    return any;
}

static void add_url(struct link_notice *w, const char *url)
{
    struct link_url u;
    if (link_url_parse(url, &u, NULL) || (u.kind != LINK_SERIAL && u.kind != LINK_PTY))
        return;
    char folder[LINK_URL_MAX];
    (void)snprintf(folder, sizeof folder, "%s", u.path[0] ? u.path : "/dev/tty"); /* usb: appears in /dev */
    do { /* in /dev the folders above it too: /dev/serial/by-id goes with its last link */
        char *slash = strrchr(folder, '/');
        if (!slash || slash == folder)
            return; /* the root is not watched: nothing of ours comes and goes there */
        *slash = 0;
        add_folder(w, folder);
    } while (strncmp(folder, "/dev/", 5) == 0);
}

enum fl_err link_notice_open(const char *const *urls, size_t n, struct link_notice **out, struct fl_why *why)
{
    *out = NULL;
    struct link_notice *w = calloc(1, sizeof *w);
    if (!w)
        return fl_fail(why, FL_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        add_url(w, urls[i]);
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->fd < 0 || (w->n && !watch_all(w))) {
        (void)fl_fail_os(why, "no notice of ports");
        link_notice_close(w);
        return FL_UNSUPPORTED;
    }
    *out = w;
    return FL_OK;
}

void link_notice_close(struct link_notice *w)
{
    if (w && w->fd >= 0)
        (void)close(w->fd);
    free(w);
}

enum fl_err link_notice_wait(struct link_notice *w, struct fl_wake *wake, struct fl_deadline d)
{
    _Alignas(struct inotify_event) char events[EVENTS_BYTES];
    enum fl_err err = fl_wake_poll(wake, w->fd, POLLIN, d);
    if (err)
        return err;
    /* what it was does not matter: read away, all of it */
    ssize_t got;
    do
        got = read(w->fd, events, sizeof events);
    while (got > 0 || (got < 0 && errno == EINTR));
    (void)watch_all(w);
    return FL_OK;
}
#else
typedef int fl_notice_linux_is_not_built_here;
#endif
