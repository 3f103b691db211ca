/* SPDX-License-Identifier: Apache-2.0
 * line.c: the slot threads, and what a slot does between attempts. */
#include "line/line.h"

#include "line/attempt.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    EMPTY_MS = 500,  /* how often an empty slot is looked at */
    LOOK_MS = 500,   /* how often a finished one is */
    PROBE_MS = 5000, /* how often a network slot's chip is asked: its port never vanishes by itself */
    BACK_MS = 7000,  /* a hub that reset brings its ports back within this, a board pulled out does not */
};

struct slot_worker {
    struct line *line;
    struct attempt attempt;
    struct fl_wake wake;
    pthread_t thread;
    bool wake_ok, attempt_ok, running;
};

struct line {
    struct line_config c;
    pthread_mutex_t lock; /* guards alive */
    pthread_cond_t ended; /* signalled when a worker ends */
    size_t alive;
    atomic_bool cancelled; /* set before the wakes are raised */
    size_t n;
    struct slot_worker worker[];
};

static bool cancelled(const struct slot_worker *w)
{
    return atomic_load(&w->line->cancelled);
}

/* The unit may be tried again by itself: the fault says it can help, and the profile allows it. */
static bool try_again(const struct slot_worker *w, unsigned tries)
{
    const struct attempt_facts *f = &w->attempt.facts;
    const struct fault *fault = fault_find(f->fault);
    return f->outcome != OUTCOME_PASS && fault && fault->retry && f->has_mac &&
           tries < w->attempt.profile->attempts && !cancelled(w);
}

/* After a port that vanished: is it there again, before another attempt is begun? */
static bool port_back(struct slot_worker *w)
{
    struct fl_deadline d = fl_deadline_in_ms(BACK_MS);
    while (!attempt_open(&w->attempt))
        if (fl_deadline_passed(d) || fl_wake_sleep(&w->wake, fl_deadline_in_ms(LOOK_MS)))
            return false;
    return true;
}

static enum attempt_end try_unit(struct slot_worker *w, bool quiet)
{
    enum attempt_end end = attempt_run(&w->attempt, quiet);
    for (unsigned tries = 1; end == ATTEMPT_RECORDED && try_again(w, tries) && port_back(w); tries++)
        end = attempt_run(&w->attempt, false);
    return end;
}

/* A finished board that stays in is left alone until it is gone. */
static void wait_until_gone(struct slot_worker *w)
{
    struct attempt *a = &w->attempt;
    enum link_kind kind = a->link ? link_info(a->link)->kind : LINK_SERIAL;
    bool may_probe = kind == LINK_RFC2217 || kind == LINK_SOCKET || kind == LINK_PTY;
    struct fl_deadline probe_at = fl_deadline_in_ms(PROBE_MS);
    while (!cancelled(w) && fl_wake_sleep(&w->wake, fl_deadline_in_ms(LOOK_MS)) == FL_OK) {
        bool probe = may_probe && fl_deadline_passed(probe_at);
        if (!attempt_still_there(a, probe))
            return;
        if (probe)
            probe_at = fl_deadline_in_ms(PROBE_MS);
    }
}

static void stay(struct slot_worker *w)
{
    while (!cancelled(w)) {
        attempt_show(&w->attempt, SLOT_EMPTY);
        enum attempt_end end = try_unit(w, true);
        if (end == ATTEMPT_STATION)
            return;
        if (end == ATTEMPT_RECORDED)
            wait_until_gone(w);
        else if (fl_wake_sleep(&w->wake, fl_deadline_in_ms(EMPTY_MS)))
            return;
    }
}

static void *worker_main(void *arg)
{
    struct slot_worker *w = arg;
    struct line *l = w->line;
    if (l->c.mode == LINE_ONCE)
        (void)try_unit(w, false); /* a failed station shows in the recorder's health */
    else
        stay(w);
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
    (void)pthread_cond_destroy(&l->ended);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}
