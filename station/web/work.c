/* SPDX-License-Identifier: Apache-2.0
 * What takes long runs here, while its connection is suspended: the HTTP thread never waits. */
#include "web/inside.h"

static void finish(struct web_request *q)
{
    q->worked = true;
    q->web->mhd.resume_connection(q->conn);
}

static void *work_main(void *arg)
{
    struct web_work *k = arg;
    (void)pthread_mutex_lock(&k->lock);
    for (;;) {
        while (!k->head && !k->stop)
            (void)pthread_cond_wait(&k->job, &k->lock);
        struct web_request *q = k->head;
        if (!q)
            break;
        k->head = q->next;
        if (!k->head)
            k->tail = &k->head;
        k->n--;
        bool stop = k->stop;
        (void)pthread_mutex_unlock(&k->lock);
        if (stop)
            reply_error(&q->reply, 503, "stopping", "the station is stopping");
        else
            q->route->handle(q);
        finish(q);
        (void)pthread_mutex_lock(&k->lock);
    }
    (void)pthread_mutex_unlock(&k->lock);
    return NULL;
}

enum fl_err work_open(struct web_work *k, struct fl_why *why)
{
    k->tail = &k->head;
    if (pthread_mutex_init(&k->lock, NULL) != 0)
        return fl_fail(why, FL_NOMEM, "out of memory");
    if (fl_cond_init(&k->job)) {
        (void)pthread_mutex_destroy(&k->lock);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    k->open = true;
    while (k->threads < WEB_WORK_THREADS) {
        if (pthread_create(&k->thread[k->threads], NULL, work_main, k) != 0) {
            work_close(k);
            return fl_fail(why, FL_NOMEM, "cannot start a work thread");
        }
        k->threads++;
    }
    return FL_OK;
}

void work_stop(struct web_work *k)
{
    if (!k->open)
        return;
    (void)pthread_mutex_lock(&k->lock);
    k->stop = true;
    (void)pthread_cond_broadcast(&k->job);
    (void)pthread_mutex_unlock(&k->lock);
    for (size_t i = 0; i < k->threads; i++)
        (void)pthread_join(k->thread[i], NULL);
    k->threads = 0;
}

void work_close(struct web_work *k)
{
    if (!k->open)
        return;
    work_stop(k);
    (void)pthread_cond_destroy(&k->job);
    (void)pthread_mutex_destroy(&k->lock);
    k->open = false;
}

bool work_put(struct web_work *k, struct web_request *q)
{
    bool room;
    (void)pthread_mutex_lock(&k->lock);
    room = k->n < WEB_WORK_MAX && !k->stop;
    if (room) {
        q->web->mhd.suspend_connection(q->conn); /* before a work thread can resume it */
        q->next = NULL;
        *k->tail = q;
        k->tail = &q->next;
        k->n++;
        (void)pthread_cond_signal(&k->job);
    }
    (void)pthread_mutex_unlock(&k->lock);
    return room;
}
