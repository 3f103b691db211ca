/* SPDX-License-Identifier: Apache-2.0 */
#include "record/recorder_inside.h"

#include "ledger/redo.h"
#include "store/outbox_told.h"

#include <stdlib.h>

enum {
    BATCH_MAX = 256, /* events of one commit */
    HEARTBEAT_MS = AUDIT_HEARTBEAT_MS,
    MARK_MS = 1000, /* how far the file `checkpoint` may lag */
    LOOK_MS = 1000, /* how long a station at rest may be ready without being able to record */
};

/* ---- health --------------------------------------------------------------------------------------- */

/* The first failure stays. */
void recorder_sick(struct recorder *r, enum fl_err err, const struct fl_why *why)
{
    (void)pthread_mutex_lock(&r->health_lock);
    if (!r->health) {
        r->health = err;
        r->why = *why;
        if (!r->why.text[0])
            (void)fl_fail(&r->why, err, "%s: %s", r->folder.db, fl_err_text(err));
    }
    (void)pthread_mutex_unlock(&r->health_lock);
}

enum fl_err recorder_health(struct recorder *r, struct fl_why *why)
{
    (void)pthread_mutex_lock(&r->health_lock);
    enum fl_err err = r->health;
    if (err && why)
        *why = r->why;
    (void)pthread_mutex_unlock(&r->health_lock);
    return err;
}

enum fl_err recorder_watch_outbox(struct recorder *r, struct fl_wake *w, struct fl_why *why)
{
    size_t i = 0;
    (void)pthread_mutex_lock(&r->health_lock);
    while (i < WATCHERS_MAX && r->watcher[i])
        i++;
    if (i < WATCHERS_MAX)
        r->watcher[i] = w;
    (void)pthread_mutex_unlock(&r->health_lock);
    return i < WATCHERS_MAX ? FL_OK : fl_fail(why, FL_LIMIT, "more than %d workers of the outbox", WATCHERS_MAX);
}

void recorder_unwatch_outbox(struct recorder *r, struct fl_wake *w)
{
    (void)pthread_mutex_lock(&r->health_lock);
    for (size_t i = 0; i < WATCHERS_MAX; i++)
        if (r->watcher[i] == w)
            r->watcher[i] = NULL;
    (void)pthread_mutex_unlock(&r->health_lock);
}

static void wake_outbox(struct recorder *r)
{
    (void)pthread_mutex_lock(&r->health_lock);
    for (size_t i = 0; i < WATCHERS_MAX; i++)
        if (r->watcher[i])
            fl_wake_raise(r->watcher[i]);
    (void)pthread_mutex_unlock(&r->health_lock);
}

/* ---- the mark: newest head as a file ---------------------------------------------------------------- */

enum fl_err recorder_mark(struct recorder *r, struct fl_why *why)
{
    struct fl_buf note = FL_BUF(4096);
    enum fl_err err = FL_OK;
    if (r->marked != ledger_size(r->ledger)) {
        err = ledger_durable(r->ledger, why); /* or a start after a power cut sees a newer head here than there */
        if (!err)
            err = ledger_head(r->ledger, &note, why);
        if (!err)
            err = fl_file_replace(r->folder.checkpoint, note.bytes, note.len, 0644, why);
        if (!err) /* or a database put back from here, the mark taken away, would look as if a crash had taken its last commits */
            err = ledger_settle(r->ledger, why);
        if (!err)
            r->marked = ledger_size(r->ledger);
    }
    r->mark_ms = fl_mono_ms();
    fl_buf_fini(&note);
    return err;
}

/* ---- a batch ---------------------------------------------------------------------------------------- */

struct answer {
    enum fl_err err; /* FL_FORMAT, FL_REFUSED: this event alone is refused */
    int64_t index;
    const char *fault;
    struct fl_why why;
};

enum fl_err recorder_commit(struct recorder *r, struct fl_why *why)
{
    if (r->hooks.written)
        r->hooks.written(r->hooks.ctx, r->db);
    enum fl_err err = ledger_seal(r->ledger, why);
    if (!err)
        err = ledger_commit(r->ledger, why);
    /* durable, but in the file that the next start will open? Only then is it said */
    return err ? err : r->place.file ? db_place_check(r->db, &r->place, why) : db_place_take(r->db, &r->place, why);
}

/* The body with what it sends (store/outbox_told.h), which no maker tells himself. */
static enum fl_err with_sends(const struct event *e, json_t **out, struct fl_why *why)
{
    if (json_object_get(e->body, "sends"))
        return fl_fail(why, FL_FORMAT, "the event %s brings a member 'sends' of its own", event_kind_name(e->kind));
    if (!e->parcels) {
        *out = json_incref(e->body);
        return FL_OK;
    }
    json_t *sends = outbox_sends(e->parcels);
    *out = sends && json_array_size(sends) && json_is_object(e->body) ? json_copy(e->body) : json_incref(e->body);
    if (!sends || !*out || (*out != e->body && json_object_set(*out, "sends", sends) != 0)) {
        json_decref(*out);
        *out = NULL;
    }
    json_decref(sends);
    return *out ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
}

/* One event's leaf and parcels. FL_FORMAT, FL_REFUSED: this event alone is refused. What the next event may be is asked of the
 * rows of those before it: only the last one's may wait. */
static enum fl_err add_event(struct recorder *r, const struct event *e, bool last, struct answer *a)
{
    struct moment now = recorder_now(r);
    json_t *body = NULL;
    *a = (struct answer){.index = -1, .fault = ""};
    r->retired |= e->kind == EVENT_KEY_RETIRE;
    if (e->body)
        a->err = with_sends(e, &body, &a->why);
    if (!a->err && body)
        a->err = (last && e->typed ? recorder_append_sure : recorder_append)(r, e->kind, body, now, &a->index, &a->fault, &a->why);
    json_decref(body);
    if (a->err)
        a->index = -1;
    else if (e->parcels)
        a->err = outbox_write(&r->outbox, e->parcels, a->index, now.wall, &a->why);
    if (!a->err)
        redo_add_parcels(ledger_redo(r->ledger), e->parcels, a->index);
    return a->err;
}

static enum fl_err commit_batch(struct recorder *r, struct event *const *events, size_t n, struct answer *answers,
                                struct fl_why *why)
{
    bool parcels = false;
    uint64_t before = ledger_size(r->ledger);
    enum fl_err err = ledger_begin(r->ledger, why);
    if (err)
        return err;
    for (size_t i = 0; i < n && !err; i++) {
        err = add_event(r, events[i], i + 1 == n, &answers[i]);
        parcels |= events[i]->parcels != NULL;
        if (err == FL_FORMAT || err == FL_REFUSED)
            err = FL_OK;
        else if (err)
            *why = answers[i].why;
    }
    if (!err)
        err = recorder_commit(r, why);
    if (!err && r->retired) /* the keys go when this is answered, and then no signer can give it back */
        err = ledger_durable(r->ledger, why);
    if (err) {
        ledger_rollback(r->ledger);
        return err;
    }
    if (ledger_size(r->ledger) != before) /* what the outbox does is no sign of life in the log */
        r->beat_ms = fl_mono_ms();
    if (parcels)
        wake_outbox(r);
    return FL_OK;
}

static void answer_all(struct event **events, size_t n, enum fl_err err, const struct fl_why *why,
                       const struct answer *answers)
{
    for (size_t i = 0; i < n; i++) {
        if (events[i]->ticket && err)
            event_ticket_answer(events[i]->ticket, err, -1, why);
        else if (events[i]->ticket && answers[i].err == FL_REFUSED)
            event_ticket_refuse(events[i]->ticket, answers[i].fault, &answers[i].why);
        else if (events[i]->ticket)
            event_ticket_answer(events[i]->ticket, answers[i].err, answers[i].index, &answers[i].why);
        event_free(events[i]);
    }
}

/* Whatever goes wrong in a commit is final: after it nobody knows what memory and disk agree about. */
static void serve(struct recorder *r, struct event **events, size_t n, struct answer *answers)
{
    struct fl_why why = {0, ""};
    enum fl_err err = recorder_health(r, &why);
    if (!err) {
        err = commit_batch(r, events, n, answers, &why);
        if (err) {
            recorder_sick(r, err, &why);
            err = recorder_health(r, &why);
        }
    }
    answer_all(events, n, err, &why, answers);
}

void recorder_own_leaf(struct recorder *r, enum event_kind kind)
{
    struct answer answer;
    struct event *e = event_new(kind, json_object(), NULL);
    if (e)
        serve(r, &e, 1, &answer);
}

/* ---- the thread ------------------------------------------------------------------------------------- */

/* What an answer need not wait for. */
static void tidy(struct recorder *r)
{
    struct fl_why why = {0, ""};
    enum fl_err err = recorder_health(r, NULL) ? FL_OK : ledger_tidy(r->ledger, &why);
    if (err)
        recorder_sick(r, err, &why);
}

static uint64_t look_every(const struct recorder *r)
{
    return r->hooks.look_ms ? r->hooks.look_ms : LOOK_MS;
}

/* A slot says that it is ready: could what comes next be recorded? Else it would be found out with a board in hand. */
static void look(struct recorder *r)
{
    struct fl_why why = {0, ""};
    r->look_ms = fl_mono_ms();
    enum fl_err err = ledger_there(r->ledger, &why);
    if (!err && r->place.file)
        err = db_place_check(r->db, &r->place, &why);
    if (err)
        recorder_sick(r, err, &why);
}

static void idle(struct recorder *r)
{
    struct fl_why why = {0, ""};
    uint64_t now = fl_mono_ms();
    if (!recorder_health(r, NULL) && now - r->look_ms >= look_every(r))
        look(r);
    if (recorder_health(r, NULL))
        return;
    if (now - r->beat_ms >= (r->hooks.heartbeat_ms ? r->hooks.heartbeat_ms : HEARTBEAT_MS))
        recorder_own_leaf(r, EVENT_HEARTBEAT);
    if (now - r->mark_ms >= (r->hooks.mark_ms ? r->hooks.mark_ms : MARK_MS)) {
        enum fl_err err = recorder_mark(r, &why);
        if (err)
            recorder_sick(r, err, &why);
    }
}

/* Until there is something to do besides events: the next mark if one is due, the next heartbeat, the next look. */
static struct fl_deadline until_idle(const struct recorder *r)
{
    uint64_t beat = r->hooks.heartbeat_ms ? r->hooks.heartbeat_ms : HEARTBEAT_MS;
    uint64_t mark = r->hooks.mark_ms ? r->hooks.mark_ms : MARK_MS;
    uint64_t at = r->beat_ms + beat, now = fl_mono_ms();
    if (r->marked != ledger_size(r->ledger) && r->mark_ms + mark < at)
        at = r->mark_ms + mark;
    if (r->look_ms + look_every(r) < at)
        at = r->look_ms + look_every(r);
    return fl_deadline_in_ms(at > now ? at - now : 0);
}

void *recorder_main(void *ctx)
{
    struct recorder *r = ctx;
    void *items[BATCH_MAX];
    struct answer *answers = calloc(BATCH_MAX, sizeof *answers);
    if (!answers) {
        struct fl_why why;
        recorder_sick(r, fl_fail(&why, FL_NOMEM, "out of memory"), &why);
    }
    ledger_warm(r->ledger); /* boards are reset meanwhile */
    for (;;) {
        bool sick = recorder_health(r, NULL) != FL_OK;
        size_t n = fl_queue_take(&r->queue, items, answers ? BATCH_MAX : 1,
                                 sick ? fl_deadline_never() : until_idle(r));
        if (n)
            serve(r, (struct event **)items, n, answers);
        else if (atomic_load(&r->closing))
            break;
        tidy(r);
        idle(r);
    }
    free(answers);
    return NULL;
}

struct fl_queue *recorder_queue(struct recorder *r)
{
    return &r->queue;
}
