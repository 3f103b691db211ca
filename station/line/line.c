/* SPDX-License-Identifier: Apache-2.0
 * line.c: the slot threads, started and ended. */
#include "line/line.h"

#include "line/slot.h"

#include <stdlib.h>

struct line {
    struct line_config c;
    pthread_mutex_t lock; /* guards alive */
    pthread_cond_t ended; /* signalled when a worker ends */
    size_t alive;
    atomic_bool cancelled; /* set before the wakes are raised */
    struct plug plug;      /* LINE_STAY only */
    size_t n;
    struct slot_worker worker[];
};

static void *worker_main(void *arg)
{
    struct slot_worker *w = arg;
    struct line *l = w->line;
    if (l->c.mode == LINE_ONCE)
        (void)slot_try(w, ATTEMPT_LOUD); /* a failed station shows in the recorder's health */
    else
        slot_stay(w);
    (void)pthread_mutex_lock(&l->lock);
    l->alive--;
    (void)pthread_cond_broadcast(&l->ended);
    (void)pthread_mutex_unlock(&l->lock);
    return NULL;
}

static enum fl_err start_worker(struct line *l, size_t i, struct fl_why *why)
{
    struct slot_worker *w = &l->worker[i];
    w->line = l;
    w->plug = &l->plug;
    w->cancelled = &l->cancelled;
    enum fl_err err = fl_wake_init(&w->wake, why);
    if (err)
        return err;
    w->wake_ok = true;
    err = attempt_init(&w->attempt, &l->c, i, &w->wake);
    if (err)
        return fl_fail(why, err, "%s", fl_err_text(err));
    w->attempt_ok = true;
    (void)pthread_mutex_lock(&l->lock);
    l->alive++;
    (void)pthread_mutex_unlock(&l->lock);
    if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
        (void)pthread_mutex_lock(&l->lock);
        l->alive--;
        (void)pthread_mutex_unlock(&l->lock);
        return fl_fail(why, FL_NOMEM, "cannot start a thread for slot %d", l->c.slots[i].slot);
    }
    w->running = true;
    return FL_OK;
}

enum fl_err line_start(const struct line_config *c, struct line **out, struct fl_why *why)
{
    *out = NULL;
    struct line *l = calloc(1, sizeof *l + c->n_slots * sizeof l->worker[0]);
    if (!l)
        return fl_fail(why, FL_NOMEM, "out of memory");
    l->c = *c;
    l->n = c->n_slots;
    l->plug.stop = (struct fl_wake){-1, -1};
    atomic_init(&l->cancelled, false);
    if (pthread_mutex_init(&l->lock, NULL) != 0) {
        free(l);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    enum fl_err err = fl_cond_init(&l->ended);
    if (err) {
        (void)pthread_mutex_destroy(&l->lock);
        free(l);
        return fl_fail(why, err, "out of memory");
    }
    if (l->c.mode == LINE_STAY)
        err = plug_start(&l->plug, c->slots, c->n_slots, why);
    for (size_t i = 0; i < l->n && !err; i++)
        err = start_worker(l, i, why);
    if (err) {
        line_free(l);
        return err;
    }
    *out = l;
    return FL_OK;
}

enum fl_err line_wait(struct line *l, struct fl_deadline d)
{
    (void)pthread_mutex_lock(&l->lock);
    while (l->alive && !fl_deadline_passed(d))
        (void)fl_cond_wait(&l->ended, &l->lock, d);
    enum fl_err err = l->alive ? FL_TIMEOUT : FL_OK;
    (void)pthread_mutex_unlock(&l->lock);
    return err;
}

void line_cancel(struct line *l)
{
    atomic_store(&l->cancelled, true);
    plug_cancel(&l->plug);
    for (size_t i = 0; i < l->n; i++)
        if (l->worker[i].wake_ok)
            fl_wake_raise(&l->worker[i].wake);
}

void line_free(struct line *l)
{
    if (!l)
        return;
    line_cancel(l);
    for (size_t i = 0; i < l->n; i++) {
        struct slot_worker *w = &l->worker[i];
        if (w->running)
            (void)pthread_join(w->thread, NULL);
        if (w->attempt_ok)
            attempt_fini(&w->attempt);
        if (w->wake_ok)
            fl_wake_fini(&w->wake);
    }
    plug_stop(&l->plug);
    (void)pthread_cond_destroy(&l->ended);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}
