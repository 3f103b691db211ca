/* SPDX-License-Identifier: Apache-2.0 */
#include "line/plug.h"

#include "link/notice.h"

#include <stdlib.h>

/* A plug makes a burst of notices (the node, its owner, its mode, links to it): the slots look once for all. */
enum { GATHER_MS = 10 };

static void tell(struct plug *p, bool over)
{
    (void)pthread_mutex_lock(&p->lock);
    p->changes++;
    p->over = p->over || over;
    (void)pthread_cond_broadcast(&p->changed);
    (void)pthread_mutex_unlock(&p->lock);
}

static void *listen_main(void *arg)
{
    struct plug *p = arg;
    enum fl_err err = FL_OK;
    while (!err) {
        err = p->notice ? link_notice_wait(p->notice, &p->stop, fl_deadline_never())
                        : fl_wake_sleep(&p->stop, fl_deadline_never());
        if (!err) {
            tell(p, false);
            err = fl_wake_sleep(&p->stop, fl_deadline_in_ms(GATHER_MS));
        }
    }
    /* a failed poll: better no notice than a line that spins; the slots still look by themselves */
    while (err && err != FL_CANCELLED)
        err = fl_wake_sleep(&p->stop, fl_deadline_never());
    tell(p, true);
    return NULL;
}

enum fl_err plug_start(struct plug *p, const struct station_slot *slots, size_t n, struct fl_why *why)
{
    *p = (struct plug){.stop = {-1, -1}};
    const char **urls = calloc(n + 1, sizeof *urls);
    if (!urls)
        return fl_fail(why, FL_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        urls[i] = slots[i].port;
    if (link_notice_open(urls, n, &p->notice, NULL))
        p->notice = NULL; /* looking does as well, only later */
    free(urls);
    enum fl_err err = fl_wake_init(&p->stop, why);
    if (err)
        return err;
    p->lock_ok = pthread_mutex_init(&p->lock, NULL) == 0;
    p->cond_ok = fl_cond_init(&p->changed) == FL_OK;
    p->running = p->lock_ok && p->cond_ok && pthread_create(&p->thread, NULL, listen_main, p) == 0;
    return p->running ? FL_OK : fl_fail(why, FL_NOMEM, "cannot start the thread that hears of ports");
}

void plug_cancel(struct plug *p)
{
    if (p->running)
        fl_wake_raise(&p->stop);
}

void plug_stop(struct plug *p)
{
    plug_cancel(p);
    if (p->running)
        (void)pthread_join(p->thread, NULL);
    p->running = false;
    if (p->cond_ok)
        (void)pthread_cond_destroy(&p->changed);
    if (p->lock_ok)
        (void)pthread_mutex_destroy(&p->lock);
    p->cond_ok = p->lock_ok = false;
    fl_wake_fini(&p->stop);
    link_notice_close(p->notice);
    p->notice = NULL;
}

void plug_tell(struct plug *p)
{
    tell(p, false);
}

bool plug_hears(const struct plug *p)
{
    return p->notice != NULL;
}

bool plug_wait(struct plug *p, uint64_t *seen, struct fl_deadline d)
{
    (void)pthread_mutex_lock(&p->lock);
    while (p->changes == *seen && !p->over && !fl_deadline_passed(d))
        (void)fl_cond_wait(&p->changed, &p->lock, d);
    *seen = p->changes;
    bool goes_on = !p->over;
    (void)pthread_mutex_unlock(&p->lock);
    return goes_on;
}
