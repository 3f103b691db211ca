/* SPDX-License-Identifier: Apache-2.0
 *
 * The hub: a thread that looks at the board, writes what changed once for all who look, and cuts off who takes too long.
 *
 * A stream (text/event-stream) is a row of texts, each shared by all who read:
 *
 *   event: board          the whole: {"seq","now","head":{…},"slots":[tile, …]}
 *   event: delta          since the text before: {"seq","now"[,"head"],"slots":[tile, …],"p":[[i,done,total,rate,left], …]}
 *   event: beat           nothing happened for WEB_HEARTBEAT_MS
 */
#include "web/live_inside.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { TEXT_MAX = 1 << 20, REAP_MS = 500 };
#ifdef POLLRDHUP
enum { GONE = POLLRDHUP };
#else
enum { GONE = POLLHUP };
#endif

/* ---- texts --------------------------------------------------------------------------------------------- */

static struct live_text *text_new(void)
{
    struct live_text *t = calloc(1, sizeof *t);
    if (t) {
        t->held = 1;
        t->text = FL_BUF(TEXT_MAX);
    }
    return t;
}

static void begin_text(struct live_text *t, const char *event, uint64_t seq, uint64_t now_ms)
{
    t->seq = seq;
    fl_buf_addf(&t->text, "event: %s\ndata: {\"seq\":%llu,\"now\":%llu,", event, (unsigned long long)seq,
                (unsigned long long)now_ms);
}

static struct live_text *whole_text(struct web_live *l, uint64_t seq, uint64_t now_ms)
{
    struct live_text *t = text_new();
    if (!t)
        return NULL;
    begin_text(t, "board", seq, now_ms);
    fl_buf_adds(&t->text, "\"head\":");
    tiles_head(&t->text, &l->head);
    fl_buf_adds(&t->text, ",\"slots\":[");
    bool first = true;
    for (size_t i = 0; i < board_slots(l->board); i++) {
        if (!l->shown[i].slot)
            continue; /* a place that no slot has taken yet */
        if (!first)
            fl_buf_addc(&t->text, ',');
        first = false;
        tiles_tile(&t->text, i, &l->shown[i], &l->meter[i]);
    }
    fl_buf_adds(&t->text, "]}\n\n");
    return t;
}

/* Compares the board with what was shown; NULL when nothing changed (or no memory: the next tick tries again). */
static struct live_text *delta_text(struct web_live *l, uint64_t seq, uint64_t now_ms)
{
    struct tally_head head;
    struct live_text *t = text_new();
    struct fl_buf progress = FL_BUF(TEXT_MAX);
    bool any = false, first = true;
    if (!t)
        return NULL;
    begin_text(t, "delta", seq, now_ms);
    tally_get(board_tally(l->board), now_ms, &head);
    if (memcmp(&head, &l->head, sizeof head) != 0) {
        l->head = head;
        fl_buf_adds(&t->text, "\"head\":");
        tiles_head(&t->text, &head);
        fl_buf_addc(&t->text, ',');
        any = true;
    }
    fl_buf_adds(&t->text, "\"slots\":[");
    for (size_t i = 0; i < board_slots(l->board); i++) {
        struct slot_view v;
        board_get(l->board, i, &v);
        if (v.changes == l->shown[i].changes)
            continue;
        tile_meter_add(&l->meter[i], &v, now_ms);
        if (tiles_same_but_progress(&v, &l->shown[i])) {
            fl_buf_addf(&progress, "%s[%zu,%llu,%llu,%llu,%lld]", progress.len ? "," : "", i,
                        (unsigned long long)v.done, (unsigned long long)v.total,
                        (unsigned long long)l->meter[i].rate, (long long)tile_left_ms(&l->meter[i], &v));
        } else {
            if (!first)
                fl_buf_addc(&t->text, ',');
            first = false;
            tiles_tile(&t->text, i, &v, &l->meter[i]);
        }
        l->shown[i] = v;
        any = true;
    }
    fl_buf_addf(&t->text, "],\"p\":[%s]}\n\n", fl_buf_text(&progress));
    if (progress.err) /* what was left out is nowhere else: the whole is sent instead */
        t->text.err = progress.err;
    fl_buf_fini(&progress);
    if (!any) {
        live_text_drop(t);
        t = NULL;
    }
    return t;
}

/* ---- the thread ---------------------------------------------------------------------------------------- */

static void reap_locked(struct web_live *l, uint64_t now_ms)
{
    for (struct live_conn *c = l->conns; c; c = c->next)
        if (!c->cut && now_ms >= c->deadline_ms) {
            c->cut = true;
            l->cut++;
            (void)shutdown(c->fd, SHUT_RDWR); /* MHD sees the end and closes; the descriptor stays its own */
        }
}

/* A suspended connection is not watched by MHD: a viewer that went away is found here, so that its place is free. */
static void find_gone_locked(struct web_live *l)
{
    for (struct live_conn *c = l->conns; c; c = c->next) {
        struct pollfd p = {.fd = c->fd, .events = GONE};
        if (c->stream && c->stream->suspended && poll(&p, 1, 0) > 0) {
            c->stream->ended = true;
            live_wake_locked(c->stream);
        }
    }
}

/* Somebody was taken out or given another role: streams from before end, and who may still look is back in a moment. */
static void end_older_locked(struct web_live *l, uint64_t users)
{
    for (struct live_conn *c = l->conns; c; c = c->next)
        if (c->stream && c->stream->users < users) {
            c->stream->ended = true;
            live_wake_locked(c->stream);
        }
}

static void publish_locked(struct web_live *l, struct live_text *t, uint64_t now_ms)
{
    if (t && t->text.err) {
        live_text_drop(t); /* too long or no memory: the viewers get the whole instead */
        t = NULL;
        l->seq += WEB_RING;
        for (size_t i = 0; i < WEB_RING; i++) {
            live_text_drop(l->ring[i]);
            l->ring[i] = NULL;
        }
        l->hungry = true;
    }
    if (t) {
        l->seq = t->seq;
        live_text_drop(l->ring[t->seq % WEB_RING]);
        l->ring[t->seq % WEB_RING] = t;
        l->sent_ms = now_ms;
        l->texts++;
    }
}

static void feed_locked(struct web_live *l, uint64_t now_ms)
{
    if (l->hungry) {
        struct live_text *t = whole_text(l, l->seq, now_ms);
        if (t && !t->text.err) {
            live_text_drop(l->whole);
            l->whole = t;
            l->hungry = false;
        } else {
            live_text_drop(t);
        }
    }
    for (struct live_conn *c = l->conns; c; c = c->next)
        if (c->stream && (c->stream->seq != l->seq || now_ms >= c->stream->until_ms))
            live_wake_locked(c->stream);
}

/* A heartbeat is a text like any other, so that every stream gets it in its place. */
static struct live_text *beat_text(uint64_t seq)
{
    struct live_text *t = text_new();
    if (t) {
        t->seq = seq;
        fl_buf_adds(&t->text, "event: beat\ndata: {}\n\n");
    }
    return t;
}

/* Asked for now and then; 0 otherwise. */
static uint64_t users_now(struct web_live *l, uint64_t now_ms)
{
    if (now_ms - l->looked_ms < REAP_MS)
        return 0;
    l->looked_ms = now_ms;
    return auth_users(l->auth);
}

static void *hub_main(void *arg)
{
    struct web_live *l = arg;
    (void)pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        uint64_t now = fl_mono_ms();
        reap_locked(l, now);
        find_gone_locked(l);
        l->hungry = l->hungry && l->streams;
        if (l->streams) {
            uint64_t seq = l->seq + 1;
            (void)pthread_mutex_unlock(&l->lock); /* the board and the users are read, and texts written, without it */
            uint64_t users = users_now(l, now);
            struct live_text *t = delta_text(l, seq, now);
            if (!t && now - l->sent_ms >= WEB_HEARTBEAT_MS)
                t = beat_text(seq);
            (void)pthread_mutex_lock(&l->lock);
            end_older_locked(l, users);
            publish_locked(l, t, now);
            feed_locked(l, now);
        }
        bool idle = l->streams == 0;
        struct fl_deadline tick = fl_deadline_in_ms(idle ? REAP_MS : WEB_TICK_MS);
        while (!l->stop && !(idle && l->hungry) && fl_cond_wait(&l->wanted, &l->lock, tick))
            if (l->hungry && !idle)
                feed_locked(l, fl_mono_ms()); /* a new viewer need not wait for the tick */
    }
    (void)pthread_mutex_unlock(&l->lock);
    return NULL;
}

enum fl_err live_open(struct web_live *l, const struct mhd *mhd, struct board *board, struct web_auth *auth, unsigned hurry,
                      struct fl_why *why)
{
    size_t n = board_slots(board);
    *l = (struct web_live){.mhd = mhd, .board = board, .auth = auth, .seq = 1, .hurry = hurry ? hurry : 1};
    if (pthread_mutex_init(&l->lock, NULL) != 0 || fl_cond_init(&l->wanted))
        return fl_fail(why, FL_NOMEM, "out of memory");
    l->running = true;
    l->shown = calloc(n + 1, sizeof *l->shown);
    l->meter = calloc(n + 1, sizeof *l->meter);
    for (size_t i = 0; l->shown && i < n; i++)
        board_get(board, i, &l->shown[i]);
    tally_get(board_tally(board), fl_mono_ms(), &l->head);
    if (!l->shown || !l->meter || pthread_create(&l->thread, NULL, hub_main, l) != 0) {
        l->running = false;
        free(l->shown);
        free(l->meter);
        (void)pthread_cond_destroy(&l->wanted);
        (void)pthread_mutex_destroy(&l->lock);
        return fl_fail(why, FL_NOMEM, "cannot start the hub's thread");
    }
    return FL_OK;
}

void live_stop(struct web_live *l)
{
    if (!l->running)
        return;
    (void)pthread_mutex_lock(&l->lock);
    l->stop = true;
    (void)pthread_cond_broadcast(&l->wanted);
    (void)pthread_mutex_unlock(&l->lock);
    (void)pthread_join(l->thread, NULL);
    (void)pthread_mutex_lock(&l->lock);
    for (struct live_conn *c = l->conns; c; c = c->next)
        if (c->stream)
            live_wake_locked(c->stream);
    (void)pthread_mutex_unlock(&l->lock);
}

void live_close(struct web_live *l)
{
    if (!l->running)
        return;
    for (size_t i = 0; i < WEB_RING; i++)
        live_text_drop(l->ring[i]);
    live_text_drop(l->whole);
    free(l->shown);
    free(l->meter);
    (void)pthread_cond_destroy(&l->wanted);
    (void)pthread_mutex_destroy(&l->lock);
    l->running = false;
}
