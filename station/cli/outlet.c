/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/outlet.h"

#include "base/buf.h"
#include "base/queue.h"
#include "base/wake.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = _POSIX_PIPE_BUF }; /* a pipe that is ready takes so many at once */

struct outlet {
    int fd;
    struct fl_wake give_up;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the rest; a leaf, not held over a write */
    pthread_cond_t change;
    struct fl_buf waiting;
    bool held, closing, writing;
    bool gone, failed; /* nothing leaves any more; failed: for another reason than that nobody reads there */
    size_t left; /* bytes that left so far: is it moving? */
};

/* False: nobody reads there, or it was given up, or it cannot be written (o->failed). */
static bool write_all(struct outlet *o, const struct fl_buf *b)
{
    for (size_t at = 0; at < b->len;) {
        if (fl_wake_poll(&o->give_up, o->fd, POLLOUT, fl_deadline_never()))
            return false;
        ssize_t n = write(o->fd, b->bytes + at, b->len - at < PIECE ? b->len - at : PIECE);
        bool over = n < 0 && errno != EINTR && errno != EAGAIN, failed = over && errno != EPIPE;
        at += n > 0 ? (size_t)n : 0;
        (void)pthread_mutex_lock(&o->lock);
        o->failed |= failed;
        o->left += n > 0 ? (size_t)n : 0;
        (void)pthread_mutex_unlock(&o->lock);
        if (over)
            return false;
    }
    return true;
}

static void *work(void *ctx)
{
    struct outlet *o = ctx;
    struct fl_buf now = FL_BUF(OUTLET_MAX + OUTLET_LAST);
    (void)pthread_mutex_lock(&o->lock);
    for (;;) {
        while ((!o->waiting.len || o->held) && !o->closing)
            (void)pthread_cond_wait(&o->change, &o->lock);
        if (!o->waiting.len)
            break;
        struct fl_buf empty = now;
        now = o->waiting;
        o->waiting = empty;
        o->writing = true;
        (void)pthread_mutex_unlock(&o->lock);
        bool written = write_all(o, &now);
        fl_buf_clear(&now);
        (void)pthread_mutex_lock(&o->lock);
        o->gone |= !written;
        if (o->gone)
            fl_buf_clear(&o->waiting);
        o->writing = false;
        (void)pthread_cond_broadcast(&o->change);
    }
    (void)pthread_mutex_unlock(&o->lock);
    fl_buf_fini(&now);
    return NULL;
}

/* Signals belong to the thread that waits for them, which may not be there yet. */
static bool start(struct outlet *o)
{
    sigset_t all, was;
    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_BLOCK, &all, &was) != 0)
        return false;
    bool ok = pthread_create(&o->thread, NULL, work, o) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &was, NULL);
    return ok;
}

enum fl_err outlet_open(int fd, struct outlet **out, struct fl_why *why)
{
    struct outlet *o = calloc(1, sizeof *o);
    *out = NULL;
    if (!o)
        return fl_fail(why, FL_NOMEM, "out of memory");
    *o = (struct outlet){.fd = fd, .waiting = FL_BUF(OUTLET_MAX + OUTLET_LAST), .give_up = {-1, -1}};
    enum fl_err err = fl_wake_init(&o->give_up, why);
    bool lock = !err && pthread_mutex_init(&o->lock, NULL) == 0;
    bool change = lock && fl_cond_init(&o->change) == FL_OK;
    if (!err && !(change && start(o)))
        err = fl_fail(why, FL_NOMEM, "cannot start the thread of standard output");
    if (!err) {
        *out = o;
        return FL_OK;
    }
    if (change)
        (void)pthread_cond_destroy(&o->change);
    if (lock)
        (void)pthread_mutex_destroy(&o->lock);
    fl_wake_fini(&o->give_up);
    free(o);
    return err;
}

bool outlet_put(struct outlet *o, const char *text, size_t n, bool last)
{
    (void)pthread_mutex_lock(&o->lock);
    bool room = o->gone || o->waiting.len + n <= OUTLET_MAX + (last ? OUTLET_LAST : 0);
    if (room && !o->gone)
        fl_buf_add(&o->waiting, text, n);
    room = room && !o->waiting.err;
    o->waiting.err = FL_OK; /* no memory just now: the next one may find some */
    (void)pthread_cond_broadcast(&o->change);
    (void)pthread_mutex_unlock(&o->lock);
    return room;
}

void outlet_hold(struct outlet *o, bool held)
{
    (void)pthread_mutex_lock(&o->lock);
    o->held = held;
    (void)pthread_cond_broadcast(&o->change);
    (void)pthread_mutex_unlock(&o->lock);
}

/* True: all has left. */
static bool drained(struct outlet *o, uint64_t patience_ms)
{
    bool moved = true;
    (void)pthread_mutex_lock(&o->lock);
    while ((o->waiting.len || o->writing) && moved) {
        size_t left = o->left;
        struct fl_deadline d = patience_ms == UINT64_MAX ? fl_deadline_never() : fl_deadline_in_ms(patience_ms);
        while ((o->waiting.len || o->writing) && fl_cond_wait(&o->change, &o->lock, d))
            ;
        moved = o->left != left;
    }
    bool all = !o->waiting.len && !o->writing;
    (void)pthread_mutex_unlock(&o->lock);
    return all;
}

enum fl_err outlet_close(struct outlet *o, uint64_t patience_ms)
{
    if (!o)
        return FL_OK;
    outlet_hold(o, false);
    bool all = drained(o, patience_ms);
    if (!all)
        fl_wake_raise(&o->give_up);
    (void)pthread_mutex_lock(&o->lock);
    o->closing = true;
    (void)pthread_cond_broadcast(&o->change);
    (void)pthread_mutex_unlock(&o->lock);
    (void)pthread_join(o->thread, NULL);
    enum fl_err err = o->failed ? FL_IO : all ? FL_OK : FL_TIMEOUT;
    (void)pthread_cond_destroy(&o->change);
    (void)pthread_mutex_destroy(&o->lock);
    fl_wake_fini(&o->give_up);
    fl_buf_fini(&o->waiting);
    free(o);
    return err;
}
