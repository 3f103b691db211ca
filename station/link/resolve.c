/* SPDX-License-Identifier: Apache-2.0
 * See resolve.h. One lookup is shared by two: the asker and the thread; the last one out frees it. */
#include "link/resolve.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct lookup {
    pthread_mutex_t lock; /* guards owners, code, list */
    int owners;
    int done[2]; /* the thread writes a byte into done[1] when it has an answer. Its closing would not do: a program that is started
                    in this moment may have the writing end too */
    char *host, *port;
    int code; /* getaddrinfo's; valid once done */
    struct addrinfo *list;
};

static void drop(struct lookup *k)
{
    (void)pthread_mutex_lock(&k->lock);
    int left = --k->owners;
    (void)pthread_mutex_unlock(&k->lock);
    if (left)
        return;
    (void)pthread_mutex_destroy(&k->lock);
    if (k->list)
        freeaddrinfo(k->list);
    for (int i = 0; i < 2; i++)
        if (k->done[i] >= 0)
            (void)close(k->done[i]);
    free(k->host);
    free(k->port);
    free(k);
}

static int ask(const char *host, const char *port, int flags, struct addrinfo **list)
{
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICSERV | flags, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    *list = NULL;
    return getaddrinfo(host, port, &hints, list);
}

static void *look_up(void *arg)
{
    struct lookup *k = arg;
    struct addrinfo *list;
    int code = ask(k->host, k->port, 0, &list);
    (void)pthread_mutex_lock(&k->lock);
    k->code = code;
    k->list = list;
    (void)pthread_mutex_unlock(&k->lock);
    ssize_t told = write(k->done[1], "", 1); /* a pipe has room for a byte; if not, the asker's deadline ends its wait */
    (void)told;
    drop(k);
    return NULL;
}

static struct lookup *lookup_new(const char *host, const char *port)
{
    struct lookup *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->owners = 1;
    k->done[0] = k->done[1] = -1;
    (void)pthread_mutex_init(&k->lock, NULL); /* default attributes: cannot fail on the systems served */
    k->host = strdup(host);
    k->port = strdup(port);
    if (!k->host || !k->port || pipe(k->done) != 0) {
        drop(k);
        return NULL;
    }
    for (int i = 0; i < 2; i++)
        (void)fcntl(k->done[i], F_SETFD, FD_CLOEXEC);
    return k;
}

static bool start(struct lookup *k)
{
    pthread_attr_t attr;
    pthread_t thread;
    if (pthread_attr_init(&attr) != 0)
        return false;
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    k->owners = 2; /* before it runs */
    bool ok = pthread_create(&thread, &attr, look_up, k) == 0;
    if (!ok)
        k->owners = 1;
    (void)pthread_attr_destroy(&attr);
    return ok;
}

enum fl_err link_resolve(const char *host, const char *port, struct fl_wake *wake,
                         struct fl_deadline d, struct addrinfo **out, struct fl_why *why)
{
    if (ask(host, port, AI_NUMERICHOST, out) == 0)
        return FL_OK;
    *out = NULL;
    struct lookup *k = lookup_new(host, port);
    if (!k || !start(k)) {
        enum fl_err err = fl_fail_os(why, "cannot look up %s", host);
        if (k)
            drop(k);
        return err;
    }
    enum fl_err err = fl_wake_poll(wake, k->done[0], POLLIN, d);
    if (err) {
        err = fl_fail(why, err, "looking up the host %s: %s", host, fl_err_text(err));
    } else {
        (void)pthread_mutex_lock(&k->lock);
        int code = k->code;
        *out = k->list;
        k->list = NULL;
        (void)pthread_mutex_unlock(&k->lock);
        if (code)
            err = fl_fail(why, FL_NOT_FOUND, "there is no host %s: %s", host, gai_strerror(code));
    }
    drop(k);
    return err;
}
