/* SPDX-License-Identifier: Apache-2.0
 *
 * live_inside.h: inside live*.c only: what the HTTP thread and the hub thread share of a stream, all under web_live.lock.
 */
#ifndef FL_WEB_LIVE_INSIDE_H
#define FL_WEB_LIVE_INSIDE_H

#include "web/inside.h"

struct live_text { /* counted by whoever holds it; the count is guarded by web_live.lock */
    unsigned held;
    uint64_t seq;
    struct fl_buf text;
};

struct live_stream {
    struct web_live *live;
    struct live_conn *conn;
    struct MHD_Connection *peer;
    struct live_text *now;  /* being sent; NULL: caught up */
    size_t at;              /* bytes of it that are sent */
    uint64_t seq;           /* of the last text begun; 0: none yet, the whole is due */
    uint64_t session, until_ms, users;
    bool suspended, ended;
};

struct live_conn {
    struct live_conn *next, **self;
    int fd;
    uint64_t deadline_ms;   /* UINT64_MAX: none, a stream that has caught up */
    bool cut;
    struct live_stream *stream;
};

/* Under the lock, or before anybody else has it; NULL is fine. */
void live_text_drop(struct live_text *t);
/* A stream that was suspended goes on, or ends. */
void live_wake_locked(struct live_stream *s);

#endif
