/* SPDX-License-Identifier: Apache-2.0 */
#include "store/flush.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct flush {
    int fd;
    char path[4096];
    pthread_t thread;

    pthread_mutex_t lock; /* guards all below; a leaf, not held over an fdatasync */
    pthread_cond_t change;
    uint64_t wanted, done;
    int os; /* errno of the one that failed */
    bool closing;
};

static void *work(void *ctx)
{
    struct flush *f = ctx;
    (void)pthread_mutex_lock(&f->lock);
    for (;;) {
        while (f->wanted == f->done && !f->closing)
            (void)pthread_cond_wait(&f->change, &f->lock);
        if (f->wanted == f->done || f->os)
            break;
        uint64_t n = f->wanted;
        (void)pthread_mutex_unlock(&f->lock);
        int os = fdatasync(f->fd) == 0 ? 0 : errno;
        (void)pthread_mutex_lock(&f->lock);
        f->os = os;
        f->done = os ? f->done : n;
        (void)pthread_cond_broadcast(&f->change);
    }
    (void)pthread_mutex_unlock(&f->lock);
    return NULL;
}

enum fl_err flush_new(const char *path, struct flush **out, struct fl_why *why)
{
    struct flush *f = calloc(1, sizeof *f);
    *out = NULL;
    if (!f)
        return fl_fail(why, FL_NOMEM, "out of memory");
    (void)snprintf(f->path, sizeof f->path, "%s", path);
    f->fd = open(path, O_RDWR | O_CLOEXEC);
    enum fl_err err = FL_OK;
    if (f->fd < 0 || fdatasync(f->fd) != 0)
        err = fl_fail_os(why, "cannot make %s durable", path);
    bool lock = !err && pthread_mutex_init(&f->lock, NULL) == 0;
    bool change = lock && pthread_cond_init(&f->change, NULL) == 0;
    if (!err && !(change && pthread_create(&f->thread, NULL, work, f) == 0))
        err = fl_fail(why, FL_NOMEM, "cannot start the thread that makes the database durable");
    if (!err) {
        *out = f;
        return FL_OK;
    }
    if (change)
        (void)pthread_cond_destroy(&f->change);
    if (lock)
        (void)pthread_mutex_destroy(&f->lock);
    if (f->fd >= 0)
        (void)close(f->fd);
    free(f);
    return err;
}

void flush_free(struct flush *f)
{
    if (!f)
        return;
    (void)pthread_mutex_lock(&f->lock);
    f->closing = true;
    (void)pthread_cond_broadcast(&f->change);
    (void)pthread_mutex_unlock(&f->lock);
    (void)pthread_join(f->thread, NULL);
    (void)pthread_cond_destroy(&f->change);
    (void)pthread_mutex_destroy(&f->lock);
    (void)close(f->fd);
    free(f);
}

void flush_begin(struct flush *f, uint64_t n)
{
    (void)pthread_mutex_lock(&f->lock);
    f->wanted = n > f->wanted ? n : f->wanted;
    (void)pthread_cond_broadcast(&f->change);
    (void)pthread_mutex_unlock(&f->lock);
}

enum fl_err flush_wait(struct flush *f, uint64_t n, struct fl_why *why)
{
    (void)pthread_mutex_lock(&f->lock);
    while (f->done < n && !f->os)
        (void)pthread_cond_wait(&f->change, &f->lock);
    int os = f->os;
    (void)pthread_mutex_unlock(&f->lock);
    if (!os)
        return FL_OK;
    errno = os;
    return fl_fail_os(why, "cannot make %s durable; the disk failed: look at its health before going on", f->path);
}
