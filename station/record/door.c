/* SPDX-License-Identifier: Apache-2.0 */
#include "record/door.h"

#include "base/file.h"
#include "base/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LINE_MS = 2000,     /* for a line to come or go: the others wait meanwhile */
    REST_MS = 100,      /* where nobody can be let in */
    RECORD_MS = 120000, /* for an event to become durable */
};

struct door {
    struct door_config c;
    char *path;
    int listening;
    struct fl_wake stop;
    pthread_t thread;
};

static json_t *refusal(enum fl_err err, const char *fault, const struct fl_why *why)
{
    return json_pack("{ss,ss,ss}", "error", door_error_name(err), "fault", fault, "why", why->text[0] ? why->text : fl_err_text(err));
}

/* ---- events --------------------------------------------------------------------------------------------- */

static enum fl_err event_of(const json_t *request, struct event_ticket *t, enum event_kind *kind, struct event **out, struct fl_why *why)
{
    const char *name = fl_json_text(request, "event");
    const json_t *given = json_object_get(request, "body");
    if (!event_kind_parse(name, kind) || !event_kind_outside(*kind))
        return fl_fail(why, FL_ARG, "'%.40s' is no event that is taken at the door", name);
    if (!json_is_object(given))
        return fl_fail(why, FL_ARG, "the event %s has no body", name);
    *out = event_new(*kind, event_with_job(json_deep_copy(given)), t); /* the copy goes to the recorder's thread */
    return *out ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
}

static json_t *record_event(struct door *d, const json_t *request)
{
    struct event_ticket t;
    struct event *e;
    enum event_kind kind;
    struct fl_why why = {0, ""};
    int64_t leaf = -1;
    if (event_ticket_init(&t))
        return NULL;
    enum fl_err err = event_of(request, &t, &kind, &e, &why);
    if (!err)
        err = event_put(recorder_queue(d->c.recorder), e, fl_deadline_in_ms(RECORD_MS), &why);
    if (!err) /* the recorder answers always, and the ticket must not go before */
        err = event_ticket_wait(&t, fl_deadline_never(), &leaf, &why);
    if (!err && d->c.added)
        d->c.added(d->c.ctx, kind, json_object_get(request, "body"));
    json_t *answer = err ? refusal(err, event_ticket_fault(&t), &why) : json_pack("{sI}", "leaf", (json_int_t)leaf);
    event_ticket_fini(&t);
    return answer;
}

/* ---- questions ------------------------------------------------------------------------------------------ */

static json_t *ask_program(struct door *d, const json_t *request)
{
    struct fl_why why = {0, ""};
    json_t *answer = NULL;
    enum fl_err err = d->c.ask ? d->c.ask(d->c.ctx, fl_json_text(request, "ask"), request, &answer, &why)
                               : fl_fail(&why, FL_UNSUPPORTED, "nothing can be asked of the flashline that is at work here");
    if (err) {
        json_decref(answer);
        return refusal(err, "", &why);
    }
    return json_pack("{so}", "answer", answer ? answer : json_object());
}

static json_t *reply(struct door *d, const struct fl_buf *line)
{
    struct fl_why why = {0, ""};
    json_t *request = NULL, *answer;
    enum fl_err err = fl_json_parse(line->bytes ? (const char *)line->bytes : "", line->len, &request, &why);
    if (!err && !json_is_object(request))
        err = fl_fail(&why, FL_FORMAT, "not an object");
    answer = err                                 ? refusal(err, "", &why)
             : json_object_get(request, "event") ? record_event(d, request)
                                                 : ask_program(d, request);
    json_decref(request);
    return answer;
}

static void converse(struct door *d, int fd)
{
    struct fl_why why = {0, ""};
    struct fl_buf line = FL_BUF(DOOR_LINE_MAX);
    enum fl_err err = door_read(fd, &line, &d->stop, fl_deadline_in_ms(LINE_MS), &why);
    json_t *answer = err == FL_LIMIT ? refusal(err, "", &why) : err ? NULL : reply(d, &line);
    if (answer) /* whoever left before the answer can ask again: an event is known by its job */
        err = door_write(fd, answer, &d->stop, fl_deadline_in_ms(LINE_MS), &why);
    (void)err;
    json_decref(answer);
    fl_buf_fini(&line);
}

static void *attend(void *ctx)
{
    struct door *d = ctx;
    while (fl_wake_poll(&d->stop, d->listening, POLLIN, fl_deadline_never()) == FL_OK) {
        int fd = accept(d->listening, NULL, NULL);
        if (fd < 0) { /* gone again before it was let in; or no descriptor is free, and it stays there asking */
            if (errno != ECONNABORTED && errno != EINTR && errno != EAGAIN && fl_wake_sleep(&d->stop, fl_deadline_in_ms(REST_MS)))
                return NULL;
            continue;
        }
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
            converse(d, fd);
        (void)close(fd);
    }
    return NULL;
}

/* ---- opened and closed ---------------------------------------------------------------------------------- */

static void fini(struct door *d)
{
    if (d->listening >= 0) {
        (void)unlink(d->path); /* first the name, so that nobody knocks where nobody listens */
        (void)close(d->listening);
    }
    fl_wake_fini(&d->stop);
    free(d->path);
    free(d);
}

enum fl_err door_open(const struct door_config *c, struct door **out, struct fl_why *why)
{
    struct door *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d)
        return fl_fail(why, FL_NOMEM, "out of memory");
    *d = (struct door){.c = *c, .listening = -1, .stop = {-1, -1}, .path = fl_path_join(c->data, "door")};
    enum fl_err err = d->path ? fl_wake_init(&d->stop, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = door_listen(c->data, &d->listening, why);
    if (!err && pthread_create(&d->thread, NULL, attend, d) != 0)
        err = fl_fail(why, FL_NOMEM, "cannot start the door's thread");
    if (err)
        fini(d);
    else
        *out = d;
    return err;
}

void door_close(struct door *d)
{
    if (!d)
        return;
    fl_wake_raise(&d->stop);
    (void)pthread_join(d->thread, NULL);
    fini(d);
}
