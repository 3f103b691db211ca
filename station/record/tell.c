/* SPDX-License-Identifier: Apache-2.0 */
#include "record/tell.h"

#include "base/wake.h"
#include "record/door.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPEN_MS = 10000,    /* for a flashline that starts or stops just now */
    AGAIN_MS = 100,     /* between looks at lock and door: no notice comes from either */
    ANSWER_MS = 130000, /* a little longer than the door waits for the disk */
};

struct teller {
    char *data;
    struct recorder *own; /* NULL: through the door */
};

/* One try: the door, else the lock. FL_BUSY: the lock is held and nobody at the door. */
static enum fl_err try_open(struct teller *t, const struct tell_config *c, struct fl_why *why)
{
    struct recorder_opened opened;
    const struct recorder_config config = {.data = c->data, .passphrase = c->passphrase, .signer_apart = c->signer_apart};
    int fd;
    enum fl_err err = door_connect(c->data, &fd, why);
    if (!err) {
        (void)close(fd);
        return FL_OK;
    }
    return err == FL_NOT_FOUND ? recorder_open(&config, &t->own, &opened, why) : err;
}

enum fl_err tell_open(const struct tell_config *c, struct teller **out, struct fl_why *why)
{
    struct teller *t = calloc(1, sizeof *t);
    struct fl_deadline d = fl_deadline_in_ms(OPEN_MS);
    *out = NULL;
    if (t)
        t->data = strdup(c->data);
    if (!t || !t->data) {
        free(t);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    enum fl_err err = try_open(t, c, why);
    while (err == FL_BUSY && !fl_deadline_passed(d) && fl_wake_sleep(NULL, fl_deadline_in_ms(AGAIN_MS)) == FL_OK)
        err = try_open(t, c, why);
    if (err)
        tell_close(t);
    else
        *out = t;
    return err;
}

void tell_close(struct teller *t)
{
    if (!t)
        return;
    recorder_close(t->own);
    free(t->data);
    free(t);
}

bool tell_at_work(const struct teller *t)
{
    return !t->own;
}

struct recorder *tell_recorder(const struct teller *t)
{
    return t->own;
}

/* ---- one conversation ------------------------------------------------------------------------------------- */

static enum fl_err converse(const char *data, const json_t *request, json_t **answer, struct fl_why *why)
{
    struct fl_buf line = FL_BUF(DOOR_LINE_MAX);
    int fd;
    enum fl_err err = door_connect(data, &fd, why);
    *answer = NULL;
    if (err)
        return err;
    err = door_write(fd, request, NULL, fl_deadline_in_ms(ANSWER_MS), why);
    if (!err)
        err = door_read(fd, &line, NULL, fl_deadline_in_ms(ANSWER_MS), why);
    if (!err)
        err = fl_json_parse(line.bytes ? (const char *)line.bytes : "", line.len, answer, why);
    if (!err && json_object_get(*answer, "error")) {
        err = fl_fail(why, door_error_parse(fl_json_text(*answer, "error")), "%s", fl_json_text(*answer, "why"));
        json_decref(*answer);
        *answer = NULL;
    }
    (void)close(fd);
    fl_buf_fini(&line);
    return err;
}

static enum fl_err through_door(const char *data, enum event_kind kind, json_t *body, int64_t *leaf, struct fl_why *why)
{
    json_t *answer = NULL, *request = json_pack("{ss,sO}", "event", event_kind_name(kind), "body", body);
    if (!request)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = converse(data, request, &answer, why);
    if (err == FL_GONE) /* lost on the way, there or back: the job makes the second telling the same as the first */
        err = converse(data, request, &answer, why);
    if (err == FL_NOT_FOUND)
        err = fl_fail(why, FL_GONE, "the flashline at work here has stopped meanwhile: say it again");
    if (!err)
        *leaf = fl_json_int(answer, "leaf", -1);
    json_decref(answer);
    json_decref(request);
    return err;
}

static enum fl_err to_recorder(struct recorder *r, enum event_kind kind, const json_t *body, int64_t *leaf, struct fl_why *why)
{
    struct event *e = event_new(kind, json_deep_copy(body), NULL); /* the recorder's thread owns all of its own */
    return event_tell(recorder_queue(r), e, fl_deadline_in_ms(ANSWER_MS), leaf, why);
}

enum fl_err tell_event(struct teller *t, enum event_kind kind, json_t *body, int64_t *leaf, struct fl_why *why)
{
    *leaf = -1;
    body = event_with_job(body);
    enum fl_err err = !body    ? fl_fail(why, FL_NOMEM, "out of memory")
                      : t->own ? to_recorder(t->own, kind, body, leaf, why)
                               : through_door(t->data, kind, body, leaf, why);
    json_decref(body);
    return err;
}

enum fl_err tell_ask(const char *data, const char *what, json_t *request, json_t **answer, struct fl_why *why)
{
    json_t *all = NULL, *o = request ? request : json_object();
    enum fl_err err = FL_OK;
    *answer = NULL;
    if (!o || json_object_set_new(o, "ask", json_string(what)) != 0)
        err = fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = converse(data, o, &all, why);
    if (!err)
        *answer = json_incref(json_object_get(all, "answer"));
    json_decref(all);
    json_decref(o);
    return err;
}
