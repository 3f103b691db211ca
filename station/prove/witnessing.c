/* SPDX-License-Identifier: Apache-2.0 */
#include "prove/witnessing.h"

#include "audit/checkpoint.h"
#include "audit/witness.h"
#include "http/post.h"
#include "prove/cosigned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_MAX = 400 };

struct asking {
    const struct witness_push *p;
    char url[URL_MAX + 20];
    struct fl_buf request, note, answer, signed_note;
    long status;
};

static enum fl_err ask(struct asking *a, int64_t old, bool newest, struct fl_why *why)
{
    fl_buf_clear(&a->request);
    fl_buf_clear(&a->note);
    fl_buf_clear(&a->answer);
    if (a->p->note && !newest)
        fl_buf_add(&a->note, a->p->note, a->p->n);
    enum fl_err err = cosigned_offer(a->p->data, a->p->witness, old, &a->request, &a->note, why);
    const struct http_post post = {.url = a->url, .type = "text/plain", .bytes = a->request.bytes, .n = a->request.len, .stop = a->p->stop};
    return err ? err : http_post(&post, &a->status, &a->answer, why);
}

/* From where we think it stands; and once more from where it says it does. */
static enum fl_err push(struct asking *a, uint64_t *size, struct fl_why *why)
{
    uint64_t stands = 0;
    enum fl_err err = ask(a, COSIGNED_ANY, false, why);
    if (err == FL_EXISTS)
        err = ask(a, COSIGNED_ANY, true, why);
    const char *text = fl_buf_text(&a->answer);
    if (!err && a->status == 409 && checkpoint_number(text, strcspn(text, "\n"), &stands))
        err = stands > INT64_MAX ? FL_FORMAT : ask(a, (int64_t)stands, false, why);
    if (err == FL_EXISTS)
        err = ask(a, (int64_t)stands, true, why);
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
