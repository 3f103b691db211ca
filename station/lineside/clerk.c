/* SPDX-License-Identifier: Apache-2.0 */
#include "lineside/clerk.h"

#include "base/queue.h"

#include <stdio.h>
#include <stdlib.h>

enum { AT_ONCE = 16, WHO_MAX = 64, TEXT_MAX = 256 };

struct wish {
    enum { WISH_CODE, WISH_DAMAGED, WISH_REOPEN } what;
    int slot;
    char who[WHO_MAX], text[TEXT_MAX];
};

struct clerk {
    struct clerk_config c;
    struct fl_queue wishes;
    pthread_t thread;
    bool queue_ok, running;
};

static void *clerk_main(void *arg)
{
    struct clerk *k = arg;
    void *item;
    while (fl_queue_take(&k->wishes, &item, 1, fl_deadline_never())) {
        struct wish *w = item;
        if (w->what == WISH_CODE)
            k->c.code(k->c.ctx, w->text);
        else if (w->what == WISH_DAMAGED)
            k->c.damaged(k->c.ctx, w->text);
        else
            k->c.reopen(k->c.ctx, w->slot, w->who, w->text);
        free(w);
    }
    return NULL;
}

static void wish(struct clerk *k, struct wish w, const char *who, const char *text)
{
    struct wish *own = malloc(sizeof *own);
    if (!own)
        return;
    *own = w;
    (void)snprintf(own->who, sizeof own->who, "%s", who);
    (void)snprintf(own->text, sizeof own->text, "%s", text);
    if (fl_queue_put(&k->wishes, own, fl_deadline_in_ms(0)))
        free(own);
}

void clerk_code(void *clerk, const char *code)
{
    wish(clerk, (struct wish){.what = WISH_CODE}, "", code);
}

void clerk_damaged(void *clerk, const char *why)
{
    wish(clerk, (struct wish){.what = WISH_DAMAGED}, "", why);
}

void clerk_reopen(void *clerk, int slot, const char *who, const char *reason)
{
    wish(clerk, (struct wish){.what = WISH_REOPEN, .slot = slot}, who, reason);
}

enum fl_err clerk_open(const struct clerk_config *c, struct clerk **out, struct fl_why *why)
{
    struct clerk *k = calloc(1, sizeof *k);
    *out = NULL;
    if (!k)
        return fl_fail(why, FL_NOMEM, "out of memory");
    k->c = *c;
    enum fl_err err = fl_queue_init(&k->wishes, AT_ONCE);
    k->queue_ok = !err;
    if (!err && pthread_create(&k->thread, NULL, clerk_main, k) != 0)
        err = FL_NOMEM;
    k->running = !err;
    if (err) {
        clerk_close(k);
        return fl_fail(why, err, "cannot start the thread that does what the keyboard asks for");
    }
    *out = k;
    return FL_OK;
}

void clerk_close(struct clerk *k)
{
    if (!k)
        return;
    if (k->queue_ok)
        fl_queue_close(&k->wishes);
    if (k->running)
        (void)pthread_join(k->thread, NULL);
    if (k->queue_ok)
        fl_queue_fini(&k->wishes);
    free(k);
}
