/* SPDX-License-Identifier: Apache-2.0 */
#include "prove/witnessing.h"

#include "audit/checkpoint.h"
#include "audit/policy.h"
#include "audit/witness.h"
#include "base/file.h"
#include "prove/cosigned.h"
#include "prove/http.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY_MS = 60000, URL_MAX = 400 };

/* ---- once ----------------------------------------------------------------------------------------------------------- */

struct asking {
    const struct witness_push *p;
    char url[URL_MAX + 20];
    struct fl_buf request, note, answer, signed_note;
    long status;
};

static enum fl_err ask(struct asking *a, int64_t old, struct fl_why *why)
{
    fl_buf_clear(&a->request);
    fl_buf_clear(&a->note);
    fl_buf_clear(&a->answer);
    enum fl_err err = cosigned_offer(a->p->data, a->p->witness, old, &a->request, &a->note, why);
    const struct http_post post = {.url = a->url, .type = "text/plain", .bytes = a->request.bytes, .n = a->request.len, .stop = a->p->stop};
    return err ? err : http_post(&post, &a->status, &a->answer, why);
}

/* From where we think it stands; and once more from where it says it does. */
static enum fl_err push(struct asking *a, uint64_t *size, struct fl_why *why)
{
    uint64_t stands;
    enum fl_err err = ask(a, COSIGNED_ANY, why);
    const char *text = fl_buf_text(&a->answer);
    if (!err && a->status == 409 && checkpoint_number(text, strcspn(text, "\n"), &stands))
        err = ask(a, (int64_t)stands, why);
    text = fl_buf_text(&a->answer);
    if (!err && a->status != 200)
        err = fl_fail(why, FL_REFUSED, "the witness refused (%ld): %.*s", a->status, (int)strcspn(text, "\n"), text);
    if (err)
        return err;
    err = witness_take(a->note.bytes, a->note.len, a->answer.bytes, a->answer.len, a->p->witness, &a->signed_note, why);
    if (err)
        return FL_REFUSED;
    return cosigned_keep(a->p->data, a->signed_note.bytes, a->signed_note.len, a->p->witness, size, why);
}

enum fl_err witness_push(const struct witness_push *p, uint64_t *size, struct fl_why *why)
{
    struct asking a = {.p = p, .request = FL_BUF(1 << 20), .note = FL_BUF(65536), .answer = FL_BUF(65536), .signed_note = FL_BUF(1 << 17)};
    size_t n = strlen(p->url);
    if (n > URL_MAX)
        return fl_fail(why, FL_ARG, "the address is longer than %d", URL_MAX);
    (void)snprintf(a.url, sizeof a.url, "%.*s/add-checkpoint", (int)(n && p->url[n - 1] == '/' ? n - 1 : n), p->url);
    enum fl_err err = push(&a, size, why);
    fl_buf_fini(&a.request);
    fl_buf_fini(&a.note);
    fl_buf_fini(&a.answer);
    fl_buf_fini(&a.signed_note);
    return err;
}

/* ---- beside the work -------------------------------------------------------------------------------------------------- */

struct one {
    struct vkey vkey;
    char url[URL_MAX + 1];
    bool said; /* that it is away or refuses */
};

struct witnessing {
    char *data;
    void (*say)(const char *line);
    struct fl_wake stop;
    pthread_t thread;
    struct fl_buf last; /* the file `checkpoint` when all had signed */
    size_t n;
    struct one one[POLICY_WITNESSES_MAX];
};

static bool ask_one(struct witnessing *w, struct one *o)
{
    char line[FL_WHY_MAX + KEY_NAME_MAX + 40];
    uint64_t size = 0;
    struct fl_why why = {0, ""};
    const struct witness_push p = {.data = w->data, .url = o->url, .witness = &o->vkey, .stop = &w->stop};
    enum fl_err err = witness_push(&p, &size, &why);
    if (err && err != FL_CANCELLED && !o->said) {
        (void)snprintf(line, sizeof line, "the witness %.120s does not sign: %.300s", o->vkey.name, why.text);
        w->say(line);
    } else if (!err && o->said) {
        (void)snprintf(line, sizeof line, "the witness %.120s signs again, the head of %llu records", o->vkey.name, (unsigned long long)size);
        w->say(line);
    }
    o->said = err && err != FL_CANCELLED ? true : err ? o->said : false;
    return !err;
}

/* Has the log grown since all signed? The file `checkpoint` tells, without a look into the database. */
static bool grown(const struct witnessing *w, struct fl_buf *now)
{
    char *path = fl_path_join(w->data, "checkpoint");
    bool same = path && !fl_file_read(path, now, NULL) && now->len == w->last.len && memcmp(now->bytes, w->last.bytes, now->len) == 0;
    free(path);
    return !same;
}

static void *work(void *ctx)
{
    struct witnessing *w = ctx;
    do {
        struct fl_buf now = FL_BUF(65536);
        bool all = true;
        if (grown(w, &now)) {
            for (size_t i = 0; i < w->n; i++)
                all &= ask_one(w, &w->one[i]);
            fl_buf_clear(&w->last);
            if (all)
                fl_buf_add(&w->last, now.bytes, now.len);
        }
        fl_buf_fini(&now);
    } while (fl_wake_sleep(&w->stop, fl_deadline_in_ms(EVERY_MS)) == FL_OK);
    return NULL;
}

/* The witnesses that have an address. One without is asked on a stick. */
static enum fl_err take_policy(struct witnessing *w, const struct policy *p, struct fl_why *why)
{
    for (size_t i = 0; i < p->n_witnesses; i++) {
        const struct policy_witness *x = &p->witness[i];
        if (!x->url)
            continue;
        if (strlen(x->url) > URL_MAX)
            return fl_fail(why, FL_FORMAT, "policy: the address of the witness %.60s is too long", x->name);
        struct one *o = &w->one[w->n++];
        o->vkey = x->vkey;
        (void)snprintf(o->url, sizeof o->url, "%s", x->url);
    }
    return FL_OK;
}

enum fl_err witnessing_start(const char *data, void (*say)(const char *line), struct witnessing **out, struct fl_why *why)
{
    struct policy *policy = NULL;
    char *path = fl_path_join(data, "policy");
    *out = NULL;
    if (path && !fl_path_exists(path)) {
        free(path);
        return FL_OK;
    }
    struct witnessing *w = calloc(1, sizeof *w);
    enum fl_err err = path && w && (w->data = strdup(data)) ? policy_read(path, &policy, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = take_policy(w, policy, why);
    bool run = !err && w->n;
    if (run) {
        w->say = say;
        w->last = FL_BUF(65536);
        err = fl_wake_init(&w->stop, why);
        if (!err && pthread_create(&w->thread, NULL, work, w) != 0) {
            fl_wake_fini(&w->stop);
            err = fl_fail(why, FL_NOMEM, "cannot start the thread that asks witnesses");
        }
    }
    if ((err || !run) && w) {
        free(w->data);
        free(w);
    } else if (run) {
        *out = w;
    }
    policy_free(policy);
    free(path);
    return err;
}

void witnessing_stop(struct witnessing *w)
{
    if (!w)
        return;
    fl_wake_raise(&w->stop);
    (void)pthread_join(w->thread, NULL);
    fl_wake_fini(&w->stop);
    fl_buf_fini(&w->last);
    free(w->data);
    free(w);
}
