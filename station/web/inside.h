/* SPDX-License-Identifier: Apache-2.0
 *
 * inside.h: what the files of this room share; nobody else includes it.
 *
 * Life of a request (server.c):
 *   headers ─► route ─► who is it ─► may they ─► body ─► handler ─► reply
 *                                                     └─► work thread ─► handler ─► reply   (ROUTE_SLOW)
 * Locks: struct web_live.lock (connections and streams), web_work.lock (jobs), web_auth.lock (sessions).
 * Each is a leaf, but that MHD_suspend_connection and MHD_resume_connection are called under them.
 */
#ifndef FL_WEB_INSIDE_H
#define FL_WEB_INSIDE_H

#include "base/embedded.h"
#include "base/wake.h"
#include "event/tile.h"
#include "http/mhd.h"
#include "web/limits.h"
#include "web/users.h"
#include "web/web.h"

/* ---- replies and requests ---------------------------------------------------------------------- */

struct web_reply {
    unsigned status;
    const char *type;        /* static; NULL: application/json */
    const char *fixed;       /* static bytes instead of body */
    size_t fixed_n;
    struct fl_buf body;      /* owned */
    const char *etag;        /* lives as long as the server; NULL none */
    const char *allow;       /* for 405 */
    char location[160];      /* for 303 */
    char cookie[200];        /* Set-Cookie */
    char file[96];           /* saved under this name */
    unsigned retry_s;        /* Retry-After, 0 none */
    bool stream;             /* the live stream */
};

struct web_request {
    struct web *web;
    struct MHD_Connection *conn;
    const struct web_route *route;
    const char *tail;        /* of a path that matched a prefix; lives in the connection */
    char address[48];        /* numeric, of the other side */
    struct web_who who;
    struct fl_buf body;
    struct web_reply reply;
    bool refused, worked;
    struct web_request *next; /* in the work queue */
};

/* A reply in one line each. */
void reply_json(struct web_reply *r, unsigned status, json_t *body); /* takes body; NULL: out of memory */
void reply_error(struct web_reply *r, unsigned status, const char *code, const char *text);
const char *request_arg(const struct web_request *q, const char *name);    /* of the query, "" when missing */
const char *request_header(const struct web_request *q, const char *name); /* "" when missing */

/* ---- routes ------------------------------------------------------------------------------------- */

enum route_flags {
    ROUTE_PREFIX = 1, /* the path is the beginning of what it matches */
    ROUTE_SLOW = 2,   /* handled on a work thread */
    ROUTE_PAGE = 4,   /* who is not logged in is sent to /login */
};
struct web_route {
    const char *method, *path;
    enum web_role role;
    unsigned flags;
    void (*handle)(struct web_request *q);
};
const struct web_route *web_routes(size_t *n);
/* The route, or NULL with *allow set to the methods that the path has ("" when the path is unknown). */
const struct web_route *route_find(const char *method, const char *path, const char **tail, const char **allow);

/* ---- static files (assets.c) ---------------------------------------------------------------------- */

struct web_asset {
    const struct fl_embedded *file;
    const char *type;
    char etag[20];
};
struct web_assets {
    struct web_asset *list;
    size_t n;
};
FL_MUST enum fl_err assets_open(struct web_assets *a);
void assets_close(struct web_assets *a);
void assets_reply(struct web_request *q, const char *name);

/* ---- connections and streams (live.c, live_hub.c) --------------------------------------------------------------- */

struct live_conn;
struct live_text;
struct web_auth;
struct web_live {
    pthread_mutex_t lock;   /* guards the rest but for what the hub thread alone uses */
    pthread_cond_t wanted;  /* a stream wants the whole board, or stop */
    struct live_conn *conns;
    size_t streams;
    bool stop, hungry;      /* hungry: some stream waits for the whole board */
    struct live_text *ring[WEB_RING], *whole;
    uint64_t seq;           /* of the newest text; the ring's last */
    uint64_t sent_ms;
    uint64_t texts, cut;    /* counted for /metrics */
    unsigned hurry;         /* at least 1 */
    const struct mhd *mhd;
    /* the hub thread's own */
    struct board *board;
    struct slot_view *shown;
    struct tile_meter *meter;
    struct tally_head head;
    struct web_auth *auth;  /* asked whether the users changed */
    uint64_t looked_ms;
    pthread_t thread;
    bool running;
};
FL_MUST enum fl_err live_open(struct web_live *l, const struct mhd *mhd, struct board *board, struct web_auth *auth, unsigned hurry,
                              struct fl_why *why);
void live_stop(struct web_live *l);  /* joins the hub, lets every stream end; before MHD_stop_daemon */
void live_close(struct web_live *l); /* after MHD_stop_daemon */
/* MHD's callbacks for connections: cls is the struct web_live. */
void live_connection(void *cls, struct MHD_Connection *c, void **socket_context,
                     enum MHD_ConnectionNotificationCode code);
/* The connection's clock: so long for what comes next. */
void live_deadline(struct MHD_Connection *c, struct web_live *l, unsigned ms);
/* A stream's response, NULL when there are too many or no memory. Ends at `until_ms` (monotonic). */
struct MHD_Response *live_response(struct web_live *l, struct MHD_Connection *c, const struct web_who *who);
/* End the streams of a session that is over. */
void live_end_session(struct web_live *l, uint64_t session);
struct live_conn *live_conn_next(const struct live_conn *c); /* under the lock */

/* Pure: the texts of the stream (tiles.c). */
void tiles_head(struct fl_buf *b, const struct tally_head *h);
void tiles_tile(struct fl_buf *b, size_t i, const struct slot_view *v, const struct tile_meter *m);
bool tiles_same_but_progress(const struct slot_view *a, const struct slot_view *b);

/* ---- work threads (work.c) ---------------------------------------------------------------------------- */

struct web_work {
    pthread_mutex_t lock; /* guards the queue */
    pthread_cond_t job;
    struct web_request *head, **tail;
    size_t n;
    bool stop, open; /* open: the lock and the queue are there; the owner's thread only */
    pthread_t thread[WEB_WORK_THREADS];
    size_t threads;
};
FL_MUST enum fl_err work_open(struct web_work *k, struct fl_why *why);
void work_stop(struct web_work *k);  /* answers what waits with 503; before MHD_stop_daemon */
void work_close(struct web_work *k); /* after it */
bool work_put(struct web_work *k, struct web_request *q); /* suspends the connection; false: full */

/* ---- the slots from the records, where there is no line (watch.c) ----------------------------------------- */

struct web_watch {
    pthread_t thread;
    struct fl_wake wake; /* raised to stop */
    bool running;
    const char *data;    /* borrowed */
    struct board *board;
    int64_t leaves;      /* of the log when it was last read */
};
FL_MUST enum fl_err watch_open(struct web_watch *w, const char *data, struct board *board, struct fl_why *why);
void watch_close(struct web_watch *w);

/* ---- who ------------------------------------------------------------------------------------------------ */

FL_MUST enum fl_err auth_open(const char *data, bool required, struct web_auth **out, struct fl_why *why);
void auth_close(struct web_auth *a);
bool auth_required(const struct web_auth *a);
/* Which reading of the file of users holds (who.users), looking now whether it changed. 0 where nobody logs in. */
uint64_t auth_users(struct web_auth *a);
/* Fills q->who from cookie or bearer token. */
void auth_who(struct web_auth *a, struct web_request *q);
/* May this POST be what its user meant? Same origin, JSON, and the session's own token. */
bool auth_same_origin(const struct web_request *q);
bool auth_csrf(const struct web_request *q);
void auth_login(struct web_request *q);
void auth_logout(struct web_request *q);
void auth_session(struct web_request *q);

/* ---- the server ------------------------------------------------------------------------------------------- */

struct web {
    struct mhd mhd;
    struct MHD_Daemon *daemon;
    struct web_live live;
    struct web_work work;
    struct web_assets assets;
    struct web_auth *auth;
    struct board *own_board; /* when none was given */
    struct web_watch watch;
    char *data, *cert, *key;
    char url[80];
    int port;
    bool loopback, tls;
    uint64_t began_ms;
    void (*log)(void *ctx, const char *line);
    void *ctx;
};

#endif
