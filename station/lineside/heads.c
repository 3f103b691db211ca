/* SPDX-License-Identifier: Apache-2.0 */
#include "lineside/heads.h"

#include "audit/policy.h"
#include "base/file.h"
#include "prove/stamping.h"
#include "prove/witnessing.h"
#include "record/outbox.h"
#include "store/db.h"
#include "store/folder.h"
#include "store/outbox_rows.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY_MS = 60000, RECORD_MS = 30000, GRACE_MS = 3000, LOOK_MS = 50, NOTE_MAX = 65536 };

struct heads {
    struct heads_config c; /* c.anchor NULL: none */
    struct policy *policy; /* NULL: none */
    bool said[POLICY_WITNESSES_MAX + 1]; /* that it is away; the last is the authority. Outbox threads, one each */
    struct folder folder;
    struct db_reader reader; /* the clock's */
    struct outbox_worker *witness[POLICY_WITNESSES_MAX], *authority; /* one each: who is slow delays nobody else */
    size_t n_workers; /* of witnesses */
    struct fl_wake stop;
    pthread_t clock;
    bool ticking;
    char last[100]; /* job of the newest parcels for witnesses */
};

/* ---- sending: on the outbox's threads ----------------------------------------------------------------------------------- */

/* Once when it goes away, once when it is back. */
static void say(const struct heads *h, bool *said, enum fl_err err, const char *who, const char *what, const struct fl_why *why)
{
    char text[FL_WHY_MAX + KEY_NAME_MAX + 60];
    if (err == FL_CANCELLED)
        return;
    if (err)
        (void)snprintf(text, sizeof text, "%s does not %s: %s", who, what, why->text);
    else
        (void)snprintf(text, sizeof text, "%s does %s again", who, what);
    if (*said != (err != FL_OK))
        h->c.say(h->c.ctx, text);
    *said = err != FL_OK;
}

/* What somebody refuses today it may take tomorrow, when its list of logs was changed: never given up. */
static enum fl_err later(enum fl_err err)
{
    return err == FL_REFUSED || err == FL_FORMAT ? FL_GONE : err;
}

static const char no_such_witness[] = "the policy names no such witness with an address any more";

/* n_witnesses: none of that name has an address. */
static size_t witness_of(const struct policy *p, const char *target)
{
    size_t i = 0;
    while (i < p->n_witnesses && (!p->witness[i].url || strcmp(p->witness[i].vkey.name, target) != 0))
        i++;
    return i;
}

static enum fl_err send_head(void *ctx, const struct outbox_item *item, struct fl_wake *stop, struct fl_why *why)
{
    struct heads *h = ctx;
    char who[KEY_NAME_MAX + 20];
    uint64_t size;
    const size_t i = witness_of(h->policy, item->target);
    if (i == h->policy->n_witnesses)
        return fl_fail(why, FL_REFUSED, "%s", no_such_witness);
    const struct policy_witness *w = &h->policy->witness[i];
    const struct witness_push p = {.data = h->c.data, .url = w->url, .witness = &w->vkey, .note = item->bytes, .n = item->n, .stop = stop};
    enum fl_err err = witness_push(&p, &size, why);
    if (err == FL_EXISTS) /* a newer head is kept already, by `witness push` beside us */
        err = FL_OK;
    (void)snprintf(who, sizeof who, "the witness %s", w->vkey.name);
    say(h, &h->said[i], err, who, "sign", why);
    return later(err);
}

static enum fl_err record_anchor(const struct heads *h, json_t *body, struct fl_why *why)
{
    return event_tell(recorder_queue(h->c.recorder), event_new(EVENT_ANCHOR, body, NULL), fl_deadline_in_ms(RECORD_MS), NULL, why);
}

static enum fl_err send_for_stamp(void *ctx, const struct outbox_item *item, struct fl_wake *stop, struct fl_why *why)
{
    struct heads *h = ctx;
    json_t *body;
    int64_t time_ms;
    const struct stamping s = {.url = item->target, .ca = h->c.anchor->ca, .note = item->bytes, .n = item->n, .stop = stop};
    enum fl_err err = stamping_ask(&s, &body, &time_ms, why);
    if (!err)
        err = record_anchor(h, body, why);
    say(h, &h->said[POLICY_WITNESSES_MAX], err, "the timestamp authority", "stamp", why);
    return later(err);
}

/* ---- the clock ---------------------------------------------------------------------------------------------------------- */

static enum fl_err add_for_witnesses(struct heads *h, const struct fl_buf *note, const char *job, struct event *e, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    for (size_t i = 0; h->policy && i < h->policy->n_witnesses && !err; i++) {
        const struct policy_witness *w = &h->policy->witness[i];
        int64_t n = 0;
        if (!w->url)
            continue;
        err = outbox_waiting(h->reader.db, "witness", w->vkey.name, true, &n, why);
        if (!err && !n)
            err = event_parcel(e, "witness", w->vkey.name, job, note->bytes, note->len);
    }
    return err;
}

static enum fl_err add_for_authority(struct heads *h, const struct fl_buf *note, const char *job, struct event *e, struct fl_why *why)
{
    int64_t n, newest = 0, now = fl_wall_ms(), every = h->c.anchor ? (int64_t)h->c.anchor->minutes * 60000 : 0;
    if (!h->c.anchor)
        return FL_OK;
    enum fl_err err = outbox_waiting(h->reader.db, "anchor", NULL, true, &n, why);
    if (!err && !n)
        err = outbox_newest(h->reader.db, "anchor", &newest, why);
    bool due = newest + every <= now || newest > now; /* made under a clock that was set back since */
    return err || n || !due ? err : event_parcel(e, "anchor", h->c.anchor->url, job, note->bytes, note->len);
}

static enum fl_err put(struct heads *h, const struct fl_buf *note, const char *job, struct fl_why *why)
{
    struct event *e = event_leafless(NULL);
    enum fl_err err = e ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && strcmp(job, h->last) != 0)
        err = add_for_witnesses(h, note, job, e, why);
    if (!err)
        err = add_for_authority(h, note, job, e, why);
    if (!err && e->parcels)
        return event_tell(recorder_queue(h->c.recorder), e, fl_deadline_in_ms(RECORD_MS), NULL, why);
    event_free(e);
    return err;
}

/* The newest head, to whom it is due. */
static enum fl_err round_of(struct heads *h, struct fl_why *why)
{
    struct fl_buf note = FL_BUF(NOTE_MAX);
    char job[sizeof h->last];
    enum fl_err err = stamping_head(h->c.data, &note, why);
    const char *size = err ? NULL : strchr(fl_buf_text(&note), '\n');
    (void)snprintf(job, sizeof job, "head:%.*s", size ? (int)strcspn(size + 1, "\n") : 0, size ? size + 1 : "");
    if (!err)
        err = put(h, &note, job, why);
    if (!err)
        (void)snprintf(h->last, sizeof h->last, "%s", job);
    fl_buf_fini(&note);
    return err;
}

static void tick(struct heads *h)
{
    struct fl_why why = {0, ""};
    char text[FL_WHY_MAX + 60];
    enum fl_err err = round_of(h, &why);
    (void)snprintf(text, sizeof text, "the newest head could not be put into the outbox: %s", why.text[0] ? why.text : fl_err_text(err));
    if (err && err != FL_STATE && err != FL_CANCELLED)
        h->c.say(h->c.ctx, text);
}

static void *clock_of(void *ctx)
{
    struct heads *h = ctx;
    do
        tick(h);
    while (fl_wake_sleep(&h->stop, fl_deadline_in_ms(EVERY_MS)) == FL_OK);
    return NULL;
}

/* ---- opening and closing ------------------------------------------------------------------------------------------------ */

static enum fl_err read_policy(struct heads *h, bool *asks, struct fl_why *why)
{
    char *path = fl_path_join(h->c.data, "policy");
    enum fl_err err = path ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && fl_path_exists(path))
        err = policy_read(path, &h->policy, why);
    *asks = false;
    for (size_t i = 0; h->policy && i < h->policy->n_witnesses; i++)
        *asks |= h->policy->witness[i].url != NULL;
    free(path);
    return err;
}

/* What waits for a witness that the policy no longer names waits for nobody; where there is no policy any more, it names none. */
static enum fl_err give_up_unknown(struct heads *h, struct fl_why *why)
{
    sqlite3_stmt *s;
    struct event *e = NULL;
    enum fl_err err = db_prepare(h->reader.db, "SELECT id, target FROM outbox WHERE kind = 'witness' AND state = 0", &s, why);
    if (err)
        return err;
    while (!err && sqlite3_step(s) == SQLITE_ROW) {
        const char *target = db_text(s, 1);
        if (h->policy && witness_of(h->policy, target) < h->policy->n_witnesses)
            continue;
        if (!e)
            e = event_leafless(NULL);
        err = e ? event_parcel_result(e, sqlite3_column_int64(s, 0), PARCEL_GIVEN_UP, 0, no_such_witness) : FL_NOMEM;
    }
    (void)sqlite3_finalize(s);
    if (err) {
        event_free(e);
        return fl_fail(why, err, "out of memory");
    }
    return e ? event_tell(recorder_queue(h->c.recorder), e, fl_deadline_in_ms(RECORD_MS), NULL, why) : FL_OK;
}

/* Two keys may have one name: then the first has it (send_head). */
static bool asked_before(const struct policy *p, size_t i)
{
    bool before = false;
    for (size_t k = 0; k < i; k++)
        before |= p->witness[k].url && strcmp(p->witness[k].vkey.name, p->witness[i].vkey.name) == 0;
    return before;
}

static enum fl_err start_witnesses(struct heads *h, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < h->policy->n_witnesses && !err; i++) {
        const struct outbox_sender s = {.kind = "witness", .ctx = h, .send = send_head, .target = h->policy->witness[i].vkey.name};
        if (!h->policy->witness[i].url || asked_before(h->policy, i))
            continue;
        err = outbox_start(h->folder.db, h->c.recorder, &s, &h->witness[h->n_workers], why);
        h->n_workers += !err;
    }
    return err;
}

static enum fl_err start(struct heads *h, bool asks, struct fl_why *why)
{
    const struct outbox_sender authority = {.kind = "anchor", .ctx = h, .send = send_for_stamp};
    enum fl_err err = asks ? start_witnesses(h, why) : FL_OK;
    if (!err && h->c.anchor)
        err = outbox_start(h->folder.db, h->c.recorder, &authority, &h->authority, why);
    if (!err)
        err = fl_wake_init(&h->stop, why);
    if (!err && pthread_create(&h->clock, NULL, clock_of, h) != 0)
        err = fl_fail(why, FL_NOMEM, "cannot start the thread that sends heads");
    h->ticking = !err;
    return err;
}

/* What heads of earlier runs wait for. */
static enum fl_err look_back(struct heads *h, struct fl_why *why)
{
    enum fl_err err = folder_paths(h->c.data, &h->folder, why);
    if (!err)
        err = db_open_reader(h->folder.db, false, &h->reader, why);
    return err ? err : give_up_unknown(h, why);
}

enum fl_err heads_open(const struct heads_config *c, struct heads **out, struct fl_why *why)
{
    struct heads *h = calloc(1, sizeof *h);
    bool asks;
    *out = NULL;
    if (!h)
        return fl_fail(why, FL_NOMEM, "out of memory");
    h->c = *c;
    if (!c->anchor->url)
        h->c.anchor = NULL;
    h->stop = (struct fl_wake){-1, -1};
    enum fl_err err = read_policy(h, &asks, why);
    if (!err)
        err = look_back(h, why);
    bool run = !err && (asks || h->c.anchor);
    if (run)
        err = start(h, asks, why);
    if (err || !run)
        heads_close(h);
    else
        *out = h;
    return err;
}

/* What the line made since the last minute: whoever is there signs it before the line ends. */
static void let_go(struct heads *h)
{
    struct fl_deadline d = fl_deadline_in_ms(GRACE_MS);
    int64_t heads = 0, stamps = 0;
    tick(h);
    do {
        if ((h->n_workers && outbox_waiting(h->reader.db, "witness", NULL, false, &heads, NULL)) ||
            (h->authority && outbox_waiting(h->reader.db, "anchor", NULL, false, &stamps, NULL)))
            return;
    } while (heads + stamps > 0 && !fl_deadline_passed(d) && fl_wake_sleep(NULL, fl_deadline_in_ms(LOOK_MS)) == FL_OK);
}

void heads_close(struct heads *h)
{
    if (!h)
        return;
    if (h->ticking) {
        fl_wake_raise(&h->stop);
        (void)pthread_join(h->clock, NULL);
        let_go(h);
    }
    for (size_t i = 0; i < h->n_workers; i++)
        outbox_stop(h->witness[i]);
    outbox_stop(h->authority);
    fl_wake_fini(&h->stop);
    db_close_reader(&h->reader);
    folder_fini(&h->folder);
    policy_free(h->policy);
    free(h);
}
