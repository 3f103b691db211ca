/* SPDX-License-Identifier: Apache-2.0 */
#include "base/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum fl_err fl_cond_init(pthread_cond_t *c)
{
    pthread_condattr_t a;
    if (pthread_condattr_init(&a) != 0)
        return FL_NOMEM;
    enum fl_err err = FL_OK;
    if (pthread_condattr_setclock(&a, CLOCK_MONOTONIC) != 0 || pthread_cond_init(c, &a) != 0)
        err = FL_NOMEM;
    (void)pthread_condattr_destroy(&a);
    return err;
}

bool fl_cond_wait(pthread_cond_t *c, pthread_mutex_t *m, struct fl_deadline d)
{
    if (d.at_ns == UINT64_MAX)
        return pthread_cond_wait(c, m) == 0;
    struct timespec ts = {(time_t)(d.at_ns / 1000000000u), (long)(d.at_ns % 1000000000u)};
    return pthread_cond_timedwait(c, m, &ts) != ETIMEDOUT;
}

enum fl_err fl_queue_init(struct fl_queue *q, size_t cap)
{
    *q = (struct fl_queue){.cap = cap};
    q->ring = calloc(cap, sizeof *q->ring);
    if (!q->ring || pthread_mutex_init(&q->lock, NULL) != 0 || fl_cond_init(&q->room) ||
        fl_cond_init(&q->item)) {
        free(q->ring);
        q->ring = NULL;
        return FL_NOMEM;
    }
    return FL_OK;
}

void fl_queue_fini(struct fl_queue *q)
{
    if (!q->ring)
        return;
    (void)pthread_cond_destroy(&q->item);
    (void)pthread_cond_destroy(&q->room);
    (void)pthread_mutex_destroy(&q->lock);
    free(q->ring);
    q->ring = NULL;
}

enum fl_err fl_queue_put(struct fl_queue *q, void *item, struct fl_deadline d)
{
    enum fl_err err = FL_OK;
    (void)pthread_mutex_lock(&q->lock);
    while (!q->closed && q->count == q->cap)
        if (!fl_cond_wait(&q->room, &q->lock, d))
            break;
    if (q->closed)
        err = FL_STATE;
    else if (q->count == q->cap)
        err = FL_TIMEOUT;
    else {
        q->ring[(q->head + q->count++) % q->cap] = item;
        (void)pthread_cond_signal(&q->item);
    }
    (void)pthread_mutex_unlock(&q->lock);
    return err;
}

size_t fl_queue_take(struct fl_queue *q, void **items, size_t max, struct fl_deadline d)
{
    size_t n = 0;
    (void)pthread_mutex_lock(&q->lock);
    while (!q->closed && q->count == 0)
        if (!fl_cond_wait(&q->item, &q->lock, d))
            break;
    for (; n < max && q->count; n++, q->count--) {
        items[n] = q->ring[q->head];
        q->head = (q->head + 1) % q->cap;
    }
    if (n)
        (void)pthread_cond_broadcast(&q->room);
    (void)pthread_mutex_unlock(&q->lock);
    return n;
}

void fl_queue_close(struct fl_queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    q->closed = true;
    (void)pthread_cond_broadcast(&q->room);
    (void)pthread_cond_broadcast(&q->item);
    (void)pthread_mutex_unlock(&q->lock);
}
