/* SPDX-License-Identifier: Apache-2.0 */
#include "record/outbox.h"

#include "base/buf.h"
#include "store/db.h"
#include "store/outbox_told.h"
#include "store/shapes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    WAIT_MS = 1000, WAIT_MOST_MS = 600000,
    LOOK_MS = 1000,    /* without a wake-up: for retries whose time came */
    ANSWER_MS = 60000,
};

int64_t outbox_wait_ms(unsigned tries)
{
    int64_t ms = WAIT_MS;
    while (tries-- > 0 && ms < WAIT_MOST_MS)
        ms *= 2;
    return ms < WAIT_MOST_MS ? ms : WAIT_MOST_MS;
}

/* ---- the worker --------------------------------------------------------------------------------------- */

struct outbox_worker {
    struct recorder *recorder;
    struct outbox_sender sender;
    struct db_reader reader;
    sqlite3_stmt *next;
    struct fl_wake stop, more; /* raised by outbox_stop; by the recorder when it wrote parcels */
    pthread_t thread;
    bool thread_on;
};

/* Through the recorder, for nobody else writes. False: it takes nothing any more. */
static bool tell(struct outbox_worker *w, const struct outbox_item *item, enum fl_err sent, const struct fl_why *why)
{
    bool never = sent == FL_REFUSED || sent == FL_FORMAT;
    enum parcel_state state = sent == FL_OK ? PARCEL_SENT : never ? PARCEL_GIVEN_UP : PARCEL_WAITING;
    struct event *e = event_leafless(NULL);
    if (!e || event_parcel_result(e, item->id, state, fl_wall_ms() + outbox_wait_ms(item->tries),
                                  sent ? (why->text[0] ? why->text : fl_err_text(sent)) : NULL)) {
        event_free(e);
        return false;
    }
    return event_tell(recorder_queue(w->recorder), e, fl_deadline_in_ms(ANSWER_MS), NULL, NULL) == FL_OK;
}

struct due {
    int64_t id, leaf;
    char target[PARCEL_TARGET_MAX], job[PARCEL_JOB_MAX];
    struct fl_buf bytes;
    unsigned tries;
};

/* The oldest that is due, copied out: a statement left open while something is sent would keep the WAL from being
 * emptied. False: none. */
static bool take_due(struct outbox_worker *w, struct due *d)
{
    int64_t now = fl_wall_ms();
    /* one further ahead than its own wait was written under a clock that was set back since */
    bool there = sqlite3_bind_text(w->next, 1, w->sender.kind, -1, SQLITE_STATIC) == SQLITE_OK &&
                 sqlite3_bind_int64(w->next, 2, now) == SQLITE_OK &&
                 sqlite3_bind_text(w->next, 3, w->sender.target, -1, SQLITE_STATIC) == SQLITE_OK && sqlite3_step(w->next) == SQLITE_ROW;
    if (there) {
        d->id = sqlite3_column_int64(w->next, 0);
        d->leaf = sqlite3_column_type(w->next, 1) == SQLITE_NULL ? -1 : sqlite3_column_int64(w->next, 1);
        (void)snprintf(d->target, sizeof d->target, "%s", db_text(w->next, 2));
        (void)snprintf(d->job, sizeof d->job, "%s", db_text(w->next, 3));
        const void *bytes = sqlite3_column_blob(w->next, 4);
        fl_buf_add(&d->bytes, bytes ? bytes : "", (size_t)sqlite3_column_bytes(w->next, 4));
        d->tries = (unsigned)sqlite3_column_int(w->next, 5);
    }
    (void)sqlite3_reset(w->next);
    (void)sqlite3_clear_bindings(w->next);
    return there;
}

/* FL_REFUSED: longer than any that is recorded, and it would stand before all others for ever. */
static enum fl_err copied(const struct due *d, struct fl_why *why)
{
    enum fl_err err = fl_buf_err(&d->bytes, why);
    return err == FL_LIMIT ? fl_fail(why, FL_REFUSED, "it is longer than any parcel: somebody changed it") : err;
}

/* FL_REFUSED: nobody who records put it there so. */
static enum fl_err as_told(struct outbox_worker *w, const struct outbox_item *item, struct fl_why *why)
{
    if (item->leaf < 0)
        return w->sender.from_record ? fl_fail(why, FL_REFUSED, "it follows from no record: somebody put it there") : FL_OK;
    struct shapes *shapes;
    enum fl_err err = shapes_new(w->reader.db, &shapes, why);
    if (err)
        return err;
    err = outbox_told(shapes, item->leaf, w->sender.kind, item->target, item->job, item->bytes, item->n, why);
    shapes_free(shapes);
    return err == FL_MISMATCH ? FL_REFUSED : err;
}

/* True: one was sent or tried, look for more at once. */
static bool send_one(struct outbox_worker *w)
{
    struct fl_why why = {0, ""};
    struct due d = {.bytes = FL_BUF(PARCEL_BYTES_MAX)};
    bool more = false;
    if (take_due(w, &d)) {
        const struct outbox_item item = {.id = d.id, .leaf = d.leaf, .target = d.target, .job = d.job,
                                         .bytes = d.bytes.bytes ? d.bytes.bytes : (const uint8_t *)"", .n = d.bytes.len,
                                         .tries = d.tries};
        enum fl_err sent = copied(&d, &why);
        if (!sent)
            sent = as_told(w, &item, &why);
        if (!sent)
            sent = w->sender.send(w->sender.ctx, &item, &w->stop, &why);
        more = sent != FL_CANCELLED && tell(w, &item, sent, &why);
    }
    fl_buf_fini(&d.bytes);
    return more;
}

static void *work(void *ctx)
{
    struct outbox_worker *w = ctx;
    while (fl_wake_sleep(&w->stop, fl_deadline_in_ms(0)) == FL_OK) {
        fl_wake_clear(&w->more);
        if (!send_one(w) && fl_wake_sleep(&w->more, fl_deadline_in_ms(LOOK_MS)) == FL_CANCELLED)
            continue; /* raised by the recorder, or by outbox_stop together with `stop` */
    }
    return NULL;
}

enum fl_err outbox_start(const char *db, struct recorder *r, const struct outbox_sender *sender, struct outbox_worker **out,
                         struct fl_why *why)
{
    struct outbox_worker *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w)
        return fl_fail(why, FL_NOMEM, "out of memory");
    w->recorder = r;
    w->sender = *sender;
    w->stop.rd = w->more.rd = -1;
    enum fl_err err = fl_wake_init(&w->stop, why);
    if (!err)
        err = fl_wake_init(&w->more, why);
    if (!err)
        err = db_open_reader(db, false, &w->reader, why);
    if (!err)
        err = db_prepare(w->reader.db, "SELECT id, leaf, target, job, payload, tries FROM outbox WHERE kind = ?1 AND state = 0 "
                                       "AND (?3 IS NULL OR target = ?3) AND (next_ms <= ?2 OR next_ms > ?2 + min(600000, 1000 << min(tries, 10))) "
                                       "ORDER BY next_ms, id LIMIT 1",
                         &w->next, why);
    if (!err)
        err = recorder_watch_outbox(r, &w->more, why);
    if (!err && pthread_create(&w->thread, NULL, work, w) != 0)
        err = fl_fail(why, FL_NOMEM, "cannot start the outbox's thread");
    w->thread_on = !err;
    if (err)
        outbox_stop(w);
    else
        *out = w;
    return err;
}

void outbox_stop(struct outbox_worker *w)
{
    if (!w)
        return;
    if (w->thread_on) {
        fl_wake_raise(&w->stop);
        fl_wake_raise(&w->more);
        (void)pthread_join(w->thread, NULL);
    }
    recorder_unwatch_outbox(w->recorder, &w->more);
    (void)sqlite3_finalize(w->next);
    db_close_reader(&w->reader);
    fl_wake_fini(&w->stop);
    fl_wake_fini(&w->more);
    free(w);
}
