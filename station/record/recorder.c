/* SPDX-License-Identifier: Apache-2.0 */
#include "record/recorder.h"

#include "base/file.h"
#include "record/abridge.h"
#include "record/allow.h"
#include "record/db.h"
#include "record/folder.h"
#include "record/leaf_make.h"
#include "record/ledger.h"
#include "record/outbox.h"
#include "record/person.h"
#include "record/recorder_hooks.h"
#include "record/start.h"
#include "record/unit_final.h"
#include "sign/remote.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    QUEUE_MAX = 1024,      /* events waiting: 256 slots with a start, a result and some more each */
    BATCH_MAX = 256,       /* events of one commit */
    HEARTBEAT_MS = AUDIT_HEARTBEAT_MS,
    MARK_MS = 1000,        /* how far the file `checkpoint` may lag */
    WATCHERS_MAX = 8,
    STEP_MS = 2000,        /* wall and monotonic clock further apart than this: somebody set the clock */
};

struct recorder {
    struct folder folder;
    struct fl_lock lock;
    struct recorder_hooks hooks;
    struct vkey vkey;
    char station[FOLDER_STATION_MAX];
    struct key *key;
    sqlite3 *db;
    struct ledger *ledger;
    struct outbox_writer outbox;
    struct allow *allow;
    struct abridge *abridge;
    struct fl_buf bytes; /* of the leaf in hand */

    struct fl_queue queue;
    bool queue_on, thread_on;
    pthread_t thread;
    atomic_bool closing;

    bool retired;                /* the log was closed for good just now */
    int64_t boot;                /* index of this run's boot leaf */
    int64_t last_wall, last_mono; /* of the last leaf; last_mono -1: of an earlier run */
    uint64_t beat_ms, mark_ms;   /* monotonic: last leaf, last mark */
    uint64_t marked;             /* size in the file `checkpoint` */

    pthread_mutex_t health_lock; /* guards all below; a leaf */
    enum fl_err health;
    struct fl_why why;
    struct fl_wake *watcher[WATCHERS_MAX]; /* of the outbox; NULL: free */
};

/* ---- health --------------------------------------------------------------------------------------- */

/* The first failure stays. */
static void set_health(struct recorder *r, enum fl_err err, const struct fl_why *why)
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

/* ---- one leaf ------------------------------------------------------------------------------------- */

struct moment {
    int64_t wall, mono;
};

static struct moment present(const struct recorder *r)
{
    return (struct moment){r->hooks.wall_ms ? r->hooks.wall_ms(r->hooks.ctx) : fl_wall_ms(), (int64_t)fl_mono_ms()};
}

static enum fl_err put_leaf(struct recorder *r, enum event_kind kind, const json_t *body, struct moment now,
                            int64_t *index, struct fl_why *why)
{
    const char *job = json_string_value(json_object_get(body, "job"));
    struct leaf_common c = {.log = r->vkey.name, .station = r->station, .seq = (int64_t)ledger_size(r->ledger),
                            .boot = r->boot, .wall_ms = now.wall, .mono_ms = now.mono};
    json_t *leaf = NULL;
    enum fl_err err = leaf_make(&c, kind, body, &leaf, &r->bytes, why);
    if (!err)
        err = ledger_append(r->ledger, kind, job, leaf, &r->bytes, why);
    json_decref(leaf);
    if (err)
        return err;
    r->last_wall = now.wall;
    r->last_mono = now.mono;
    *index = c.seq;
    return FL_OK;
}

/* Behind a PASS, the record that certificates are made of; in the next place, so that it is found without looking. */
static enum fl_err put_final(struct recorder *r, const json_t *attempt, struct moment now, struct fl_why *why)
{
    json_t *body;
    int64_t index;
    enum fl_err err = unit_final_body(attempt, &r->bytes, &body, why);
    if (err == FL_NOT_FOUND)
        return FL_OK;
    if (!err)
        err = put_leaf(r, EVENT_UNIT_FINAL, body, now, &index, why);
    json_decref(body);
    /* the attempt is in the transaction already: it must not be answered as one that was refused */
    return err == FL_FORMAT ? fl_why_wrap(why, FL_STATE, "the record behind a PASS: ") : err;
}

/* Leaves never go back in time in silence: when the wall clock was set, a clock_step leaf says so first. */
static enum fl_err keep_time(struct recorder *r, struct moment now, struct fl_why *why)
{
    int64_t index, expected = r->last_mono < 0 ? r->last_wall : r->last_wall + (now.mono - r->last_mono);
    bool jumped = r->last_mono >= 0 && (now.wall - expected > STEP_MS || expected - now.wall > STEP_MS);
    if (ledger_size(r->ledger) == 0 || (now.wall >= r->last_wall && !jumped))
        return FL_OK;
    json_t *body = json_pack("{sI,sI}", "from_ms", (json_int_t)expected, "to_ms", (json_int_t)now.wall);
    enum fl_err err = body ? put_leaf(r, EVENT_CLOCK_STEP, body, now, &index, why)
                           : fl_fail(why, FL_NOMEM, "out of memory");
    json_decref(body);
    return err;
}

/* The body with the operator's tag in place of the name. */
static enum fl_err with_tag(struct recorder *r, enum event_kind kind, const json_t *body, json_t **out, struct fl_why *why)
{
    char tag[PERSON_TAG];
    const char *name = fl_json_text(body, "operator");
    bool forget = kind == EVENT_OPERATOR && strcmp(fl_json_text(body, "change"), "forget") == 0;
    enum fl_err err = FL_OK;
    *out = NULL;
    if (*name)
        err = person_tag(r->db, name, !forget, tag, why);
    if (err)
        return err == FL_NOT_FOUND ? FL_REFUSED : err;
    *out = *name ? json_copy((json_t *)(uintptr_t)body) : json_incref((json_t *)(uintptr_t)body);
    if (!*out || (*name && json_object_set_new(*out, "operator", json_string(tag)) != 0)) {
        json_decref(*out);
        *out = NULL;
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    return forget ? person_forget(r->db, tag, why) : FL_OK;
}

static enum fl_err append(struct recorder *r, enum event_kind kind, const json_t *body, struct moment now,
                          int64_t *index, const char **fault, struct fl_why *why)
{
    const char *job = json_string_value(json_object_get(body, "job"));
    json_t *told = NULL, *less = NULL;
    *fault = "";
    enum fl_err err = ledger_find(r->ledger, job, kind, index, why);
    if (err || *index >= 0)
        return err;
    err = allow_event(r->allow, kind, body, fault, why);
    if (!err)
        err = with_tag(r, kind, body, &told, why);
    if (!err)
        err = keep_time(r, now, why);
    if (!err)
        err = abridge_body(r->abridge, kind, told, &less, why);
    if (!err)
        err = put_leaf(r, kind, less, now, index, why);
    if (!err)
        abridge_told(r->abridge, kind, less, *index);
    if (!err && kind == EVENT_ATTEMPT_RESULT)
        err = put_final(r, body, now, why);
    json_decref(less);
    json_decref(told);
    return err;
}

/* ---- the mark: newest head as a file ---------------------------------------------------------------- */

static enum fl_err write_mark(struct recorder *r, struct fl_why *why)
{
    struct fl_buf note = FL_BUF(4096);
    enum fl_err err = FL_OK;
    if (r->marked != ledger_size(r->ledger)) {
        err = ledger_head(r->ledger, &note, why);
        if (!err)
            err = fl_file_replace(r->folder.checkpoint, note.bytes, note.len, 0644, why);
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

static enum fl_err seal_and_commit(struct recorder *r, struct fl_why *why)
{
    if (r->hooks.written)
        r->hooks.written(r->hooks.ctx, r->db);
    enum fl_err err = ledger_seal(r->ledger, why);
    return err ? err : ledger_commit(r->ledger, why);
}

/* One event's leaf and parcels. FL_FORMAT, FL_REFUSED: this event alone is refused. */
static enum fl_err add_event(struct recorder *r, const struct event *e, struct answer *a)
{
    struct moment now = present(r);
    *a = (struct answer){.index = -1, .fault = ""};
    r->retired |= e->kind == EVENT_KEY_RETIRE;
    if (e->body)
        a->err = append(r, e->kind, e->body, now, &a->index, &a->fault, &a->why);
    if (a->err)
        a->index = -1;
    else if (e->parcels)
        a->err = outbox_write(&r->outbox, e->parcels, a->index, now.wall, &a->why);
    if (!a->err)
        ledger_parcels(r->ledger, e->parcels, a->index);
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
        err = add_event(r, events[i], &answers[i]);
        parcels |= events[i]->parcels != NULL;
        if (err == FL_FORMAT || err == FL_REFUSED)
            err = FL_OK;
        else if (err)
            *why = answers[i].why;
    }
    if (!err)
        err = seal_and_commit(r, why);
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
            set_health(r, err, &why);
            err = recorder_health(r, &why);
        }
    }
    answer_all(events, n, err, &why, answers);
}

static void own_leaf(struct recorder *r, enum event_kind kind)
{
    struct answer answer;
    struct event *e = event_new(kind, json_object(), NULL);
    if (e)
        serve(r, &e, 1, &answer);
}

/* ---- the thread ------------------------------------------------------------------------------------- */

static void idle(struct recorder *r)
{
    struct fl_why why = {0, ""};
    uint64_t now = fl_mono_ms();
    if (recorder_health(r, NULL))
        return;
    if (now - r->beat_ms >= (r->hooks.heartbeat_ms ? r->hooks.heartbeat_ms : HEARTBEAT_MS))
        own_leaf(r, EVENT_HEARTBEAT);
    if (now - r->mark_ms >= (r->hooks.mark_ms ? r->hooks.mark_ms : MARK_MS)) {
        enum fl_err err = write_mark(r, &why);
        if (err)
            set_health(r, err, &why);
    }
}

/* Until there is something to do besides events: the next mark if one is due, else the next heartbeat. */
static struct fl_deadline until_idle(const struct recorder *r)
{
    uint64_t beat = r->hooks.heartbeat_ms ? r->hooks.heartbeat_ms : HEARTBEAT_MS;
    uint64_t mark = r->hooks.mark_ms ? r->hooks.mark_ms : MARK_MS;
    uint64_t at = r->beat_ms + beat, now = fl_mono_ms();
    if (r->marked != ledger_size(r->ledger) && r->mark_ms + mark < at)
        at = r->mark_ms + mark;
    return fl_deadline_in_ms(at > now ? at - now : 0);
}

static void *record(void *ctx)
{
    struct recorder *r = ctx;
    void *items[BATCH_MAX];
    struct answer *answers = calloc(BATCH_MAX, sizeof *answers);
    if (!answers) {
        struct fl_why why;
        set_health(r, fl_fail(&why, FL_NOMEM, "out of memory"), &why);
    }
    for (;;) {
        bool sick = recorder_health(r, NULL) != FL_OK;
        size_t n = fl_queue_take(&r->queue, items, answers ? BATCH_MAX : 1,
                                 sick ? fl_deadline_never() : until_idle(r));
        if (n)
            serve(r, (struct event **)items, n, answers);
        else if (atomic_load(&r->closing))
            break;
        idle(r);
    }
    free(answers);
    return NULL;
}

/* ---- opening ---------------------------------------------------------------------------------------- */

static enum fl_err open_folder(struct recorder *r, const struct recorder_config *c, struct recorder_opened *opened,
                               struct fl_why *why)
{
    enum fl_err err = folder_paths(c->data, &r->folder, why);
    if (err)
        return err;
    if (!folder_there(&r->folder) && !c->create)
        return fl_fail(why, FL_NOT_FOUND, "there is no station in %.300s: flashline init makes one", c->data);
    err = fl_dir_make(c->data, why);
    if (!err)
        err = fl_lock_take(&r->lock, r->folder.lock, why);
    if (err == FL_BUSY)
        return fl_fail(why, err, "another flashline works on %.250s: one station, one process", c->data);
    if (!err && !fl_path_exists(r->folder.vkey)) {
        const struct folder_new n = {.station = c->station, .passphrase = c->passphrase};
        err = folder_create(&r->folder, &n, why);
        opened->created = !err;
    }
    if (!err)
        err = folder_identity(&r->folder, r->station, &r->vkey, why);
    opened->encrypted = folder_key_encrypted(&r->folder);
    return err;
}

static enum fl_err open_log(struct recorder *r, const struct recorder_config *c, struct recorder_opened *opened,
                            struct fl_why *why)
{
    const struct signer_place place = {.socket_file = r->folder.signer, .key = r->folder.key, .next = r->folder.next,
                                       .memory = r->folder.memory, .passphrase = c->passphrase, .adopt = c->adopt,
                                       .handover = c->handover};
    struct start_found found;
    enum fl_err err = start_database(&r->folder, &r->db, why);
    if (!err)
        err = start_verify(&r->folder, r->db, &r->vkey, &found, why);
    if (!err)
        err = folder_settle(&r->folder, &found.now, why);
    if (!err && !c->signer_apart)
        err = folder_key(&r->folder, c->passphrase, &found.now, &r->key, why);
    if (err)
        return err;
    r->last_wall = found.last_wall;
    memcpy(opened->promise, found.promise, sizeof opened->promise);
    vkey_format(&found.now, opened->now);
    struct ledger_config l = {.db = r->db, .vkey = &found.now, .signer = &signer_in_process, .signer_config = r->key};
    if (c->signer_apart) {
        l.signer = &signer_at_place;
        l.signer_config = &place;
    }
    if (r->hooks.signer)
        l.signer = r->hooks.signer;
    if (r->hooks.signer_config)
        l.signer_config = r->hooks.signer_config;
    err = allow_new(r->db, &r->allow, why);
    if (!err)
        err = abridge_new(&r->abridge, why);
    if (!err)
        err = ledger_open(&l, &r->ledger, why);
    if (err == FL_MISMATCH)
        start_keep_refusal(&r->folder, &r->vkey, why->text);
    if (err)
        return err;
    opened->recovered = (unsigned)ledger_recovered(r->ledger, &r->last_wall);
    return outbox_writer_open(r->db, &r->outbox, why);
}

static json_t *log_open_body(const struct recorder *r)
{
    char vkey[KEY_VKEY_MAX], promise[65];
    struct vkey next;
    vkey_format(&r->vkey, vkey);
    /* no key after it is known where the key is not this folder's: then it is never handed over, a new log follows it */
    bool promised = folder_next(&r->folder, &next, NULL) == FL_OK && folder_promise(next.key, promise, NULL) == FL_OK;
    return json_pack("{ss,ss,ss*}", "origin", r->vkey.name, "vkey", vkey, "next", promised ? promise : NULL);
}

static json_t *boot_body(void)
{
    char host[256];
    json_t *o = json_object();
    if (gethostname(host, sizeof host) != 0)
        host[0] = 0;
    host[sizeof host - 1] = 0;
    if (o && (fl_json_set_dirty(o, "host", host, strlen(host)) || json_object_set_new(o, "reason", json_string("start")))) {
        json_decref(o);
        o = NULL;
    }
    return o;
}

static enum fl_err first_append(struct recorder *r, enum event_kind kind, json_t *body, struct moment now,
                                struct fl_why *why)
{
    int64_t index;
    const char *fault;
    enum fl_err err = body ? append(r, kind, body, now, &index, &fault, why) : fl_fail(why, FL_NOMEM, "out of memory");
    json_decref(body);
    return err;
}

/* One commit: log_open when the log is new, boot, and an end for every attempt that has none. */
static enum fl_err begin_run(struct recorder *r, struct recorder_opened *opened, struct fl_why *why)
{
    json_t *open = NULL;
    struct moment now = present(r);
    enum fl_err err = start_interrupted(r->db, &open, why);
    if (!err)
        err = ledger_begin(r->ledger, why);
    if (err) {
        json_decref(open);
        return err;
    }
    bool new_log = ledger_size(r->ledger) == 0;
    r->last_mono = -1;
    r->boot = (int64_t)ledger_size(r->ledger) + (new_log || now.wall < r->last_wall ? 1 : 0);
    if (new_log)
        err = first_append(r, EVENT_LOG_OPEN, log_open_body(r), now, why);
    if (!err)
        err = first_append(r, EVENT_BOOT, boot_body(), now, why);
    for (size_t i = 0; !err && i < json_array_size(open); i++)
        err = first_append(r, EVENT_INTERRUPTED, json_incref(json_array_get(open, i)), now, why);
    if (!err)
        err = seal_and_commit(r, why);
    if (err)
        ledger_rollback(r->ledger);
    opened->interrupted = (unsigned)json_array_size(open);
    json_decref(open);
    r->beat_ms = fl_mono_ms();
    return err;
}

static void fini(struct recorder *r)
{
    ledger_close(r->ledger);
    outbox_writer_close(&r->outbox);
    allow_free(r->allow);
    abridge_free(r->abridge);
    (void)sqlite3_close(r->db);
    key_free(r->key);
    fl_buf_fini(&r->bytes);
    if (r->queue_on)
        fl_queue_fini(&r->queue);
    (void)pthread_mutex_destroy(&r->health_lock);
    folder_fini(&r->folder);
    fl_lock_drop(&r->lock); /* last: the folder is free when all is shut */
    free(r);
}

static enum fl_err start_thread(struct recorder *r, struct fl_why *why)
{
    enum fl_err err = fl_queue_init(&r->queue, QUEUE_MAX);
    if (err)
        return fl_fail(why, err, "out of memory");
    r->queue_on = true;
    if (pthread_create(&r->thread, NULL, record, r) != 0)
        return fl_fail(why, FL_NOMEM, "cannot start the recorder's thread");
    r->thread_on = true;
    return FL_OK;
}

enum fl_err recorder_open_hooked(const struct recorder_config *c, const struct recorder_hooks *hooks,
                                 struct recorder **out, struct recorder_opened *opened, struct fl_why *why)
{
    struct recorder *r = calloc(1, sizeof *r);
    *out = NULL;
    memset(opened, 0, sizeof *opened);
    if (!r)
        return fl_fail(why, FL_NOMEM, "out of memory");
    r->lock.fd = -1;
    r->hooks = *hooks;
    r->bytes = FL_BUF(LEAF_BYTES_MAX);
    if (pthread_mutex_init(&r->health_lock, NULL) != 0) {
        free(r);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    enum fl_err err = open_folder(r, c, opened, why);
    if (!err)
        err = open_log(r, c, opened, why);
    if (!err)
        err = begin_run(r, opened, why);
    if (!err)
        err = write_mark(r, why);
    if (!err)
        err = start_thread(r, why);
    if (err) {
        fini(r);
        return err;
    }
    vkey_format(&r->vkey, opened->vkey);
    memcpy(opened->origin, r->vkey.name, sizeof r->vkey.name);
    memcpy(opened->station, r->station, sizeof r->station);
    opened->leaves = (int64_t)ledger_size(r->ledger);
    *out = r;
    return FL_OK;
}

enum fl_err recorder_open(const struct recorder_config *c, struct recorder **out, struct recorder_opened *opened,
                          struct fl_why *why)
{
    static const struct recorder_hooks none;
    return recorder_open_hooked(c, &none, out, opened, why);
}

void recorder_close(struct recorder *r)
{
    struct fl_why why = {0, ""};
    if (!r)
        return;
    atomic_store(&r->closing, true);
    fl_queue_close(&r->queue);
    if (r->thread_on)
        (void)pthread_join(r->thread, NULL);
    if (!r->retired) /* behind a retirement nothing may stand */
        own_leaf(r, EVENT_LOG_CLOSE);
    if (recorder_health(r, NULL) == FL_OK) {
        enum fl_err err = write_mark(r, &why);
        if (err)
            set_health(r, err, &why); /* nobody is left to ask; the next opening reads the log itself */
    }
    fini(r);
}

struct fl_queue *recorder_queue(struct recorder *r)
{
    return &r->queue;
}
