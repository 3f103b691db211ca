/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections and live streams, on the HTTP thread. What the hub thread does to them: live_hub.c.
 *
 *   stream:  WHOLE ──► texts seq+1, seq+2, … from the ring ──► (fell out of the ring) WHOLE ──► …
 *
 * A stream that has read all is suspended and costs nothing until the hub has a new text. One that does not
 * read is cut off after WEB_STREAM_BEHIND_MS, as is any connection whose request or reply takes too long:
 * the hub shuts its socket down and MHD does the rest.
 */
#include "web/live_inside.h"

#include <stdlib.h>
#include <string.h>

/* ---- a stream's side, on the HTTP thread ------------------------------------------------------------------ */

void live_text_drop(struct live_text *t)
{
    if (t && --t->held == 0) {
        fl_buf_fini(&t->text);
        free(t);
    }
}

static struct live_text *next_text_locked(struct web_live *l, struct live_stream *s)
{
    struct live_text *t = NULL;
    if (s->seq && s->seq + WEB_RING > l->seq && s->seq < l->seq)
        t = l->ring[(s->seq + 1) % WEB_RING];
    else if (s->seq != l->seq || !s->seq)
        t = l->whole && l->whole->seq == l->seq && l->whole->seq > s->seq ? l->whole : NULL;
    if (t) {
        t->held++;
        s->seq = t->seq;
    } else if (!s->seq || s->seq + WEB_RING <= l->seq) {
        l->hungry = true;
        (void)pthread_cond_signal(&l->wanted);
    }
    return t;
}

static ssize_t stream_read(void *cls, uint64_t pos, char *out, size_t max)
{
    struct live_stream *s = cls;
    struct web_live *l = s->live;
    size_t n = 0;
    (void)pos;
    (void)pthread_mutex_lock(&l->lock);
    if (s->now && s->at == s->now->text.len) {
        live_text_drop(s->now);
        s->now = NULL;
    }
    if (!s->now) {
        s->now = next_text_locked(l, s);
        s->at = 0;
    }
    bool over = l->stop || s->ended || fl_mono_ms() >= s->until_ms;
    if (s->now && !over) {
        n = s->now->text.len - s->at < max ? s->now->text.len - s->at : max;
        memcpy(out, s->now->text.bytes + s->at, n);
        s->at += n;
        if (s->conn->deadline_ms == UINT64_MAX)
            s->conn->deadline_ms = fl_mono_ms() + WEB_STREAM_BEHIND_MS / l->hurry;
    } else if (!over) {
        s->conn->deadline_ms = UINT64_MAX;
        s->suspended = true;
        l->mhd->suspend_connection(s->peer);
    }
    (void)pthread_mutex_unlock(&l->lock);
    return over ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)n;
}

static void stream_free(void *cls)
{
    struct live_stream *s = cls;
    struct web_live *l = s->live;
    (void)pthread_mutex_lock(&l->lock);
    live_text_drop(s->now);
    s->conn->stream = NULL;
    if (s->conn->deadline_ms == UINT64_MAX)
        s->conn->deadline_ms = fl_mono_ms() + WEB_REQUEST_MS / l->hurry;
    l->streams--;
    (void)pthread_mutex_unlock(&l->lock);
    free(s);
}

static struct live_conn *conn_of(const struct web_live *l, struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *i = l->mhd->get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return i ? i->socket_context : NULL;
}

struct MHD_Response *live_response(struct web_live *l, struct MHD_Connection *c, const struct web_who *who)
{
    struct live_conn *conn = conn_of(l, c);
    struct live_stream *s = calloc(1, sizeof *s);
    bool room = false;
    if (!s || !conn) {
        free(s);
        return NULL;
    }
    *s = (struct live_stream){.live = l, .conn = conn, .peer = c, .session = who->session, .until_ms = who->until_ms, .users = who->users};
    (void)pthread_mutex_lock(&l->lock);
    if (!l->stop && l->streams < WEB_STREAMS_MAX) {
        room = true;
        l->streams++;
        conn->stream = s;
    }
    (void)pthread_mutex_unlock(&l->lock);
    struct MHD_Response *r =
        room ? l->mhd->create_response_from_callback(MHD_SIZE_UNKNOWN, 16 * 1024, stream_read, s, stream_free) : NULL;
    if (room && !r)
        stream_free(s);
    else if (!room)
        free(s);
    return r;
}

/* ---- connections --------------------------------------------------------------------------------------- */

void live_connection(void *cls, struct MHD_Connection *c, void **socket_context,
                     enum MHD_ConnectionNotificationCode code)
{
    struct web_live *l = cls;
    struct live_conn *conn = *socket_context;
    (void)pthread_mutex_lock(&l->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *i = l->mhd->get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
        conn = calloc(1, sizeof *conn);
        if (conn && i) {
            *conn = (struct live_conn){.fd = i->connect_fd, .deadline_ms = fl_mono_ms() + WEB_REQUEST_MS / l->hurry,
                                       .next = l->conns, .self = &l->conns};
            if (l->conns)
                l->conns->self = &conn->next;
            l->conns = conn;
        }
        *socket_context = conn;
    } else if (conn) {
        *conn->self = conn->next;
        if (conn->next)
            conn->next->self = conn->self;
        free(conn);
        *socket_context = NULL;
    }
    (void)pthread_mutex_unlock(&l->lock);
}

void live_deadline(struct MHD_Connection *c, struct web_live *l, unsigned ms)
{
    struct live_conn *conn = conn_of(l, c);
    (void)pthread_mutex_lock(&l->lock);
    if (conn)
        conn->deadline_ms = fl_mono_ms() + ms / l->hurry;
    (void)pthread_mutex_unlock(&l->lock);
}

void live_wake_locked(struct live_stream *s)
{
    if (s->suspended) {
        s->suspended = false;
        s->live->mhd->resume_connection(s->peer);
    }
}

void live_end_session(struct web_live *l, uint64_t session)
{
    (void)pthread_mutex_lock(&l->lock);
    for (struct live_conn *c = l->conns; c; c = c->next)
        if (c->stream && session && c->stream->session == session) {
            c->stream->ended = true;
            live_wake_locked(c->stream);
        }
    (void)pthread_mutex_unlock(&l->lock);
}

struct live_conn *live_conn_next(const struct live_conn *c)
{
    return c->next;
}
