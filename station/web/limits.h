/* SPDX-License-Identifier: Apache-2.0
 *
 * limits.h: every limit of the server and what happens at it.
 */
#ifndef FL_WEB_LIMITS_H
#define FL_WEB_LIMITS_H

enum {
    /* More connections than this wait, not accepted, until one ends: one that asks nothing does by WEB_REQUEST_MS. 20 viewers at 6
     * connections each fit twice. */
    WEB_CONNECTIONS_MAX = 320,
    /* Of these from one address, when not on loopback. */
    WEB_CONNECTIONS_PER_ADDRESS = 96,
    /* More live streams than this are answered 503 with Retry-After. */
    WEB_STREAMS_MAX = 96,
    /* Request line and headers together, and MHD's own bookkeeping: 414 or 431. */
    WEB_HEADER_BYTES = 16 * 1024,
    /* A request's body: 413. Only logging in and out have one. */
    WEB_BODY_MAX = 4096,
    /* From the first byte of a connection, or the end of the reply before, to the end of the request. */
    WEB_REQUEST_MS = 20000,
    /* From the end of the request to the last byte of the reply: a reader slower than this is cut off. */
    WEB_REPLY_MS = 60000,
    /* A live stream whose reader has not caught up for this long is cut off. */
    WEB_STREAM_BEHIND_MS = 20000,
    /* No byte moved either way. */
    WEB_IDLE_S = 25,
    /* Work that waits for the work threads: 503 beyond. */
    WEB_WORK_MAX = 32,
    WEB_WORK_THREADS = 2,
    /* One reply of a report. */
    WEB_REPLY_BYTES = 8 * 1024 * 1024,
    /* Tiles: at most one text in this time, a comment when nothing happened for that time. */
    WEB_TICK_MS = 200,
    WEB_HEARTBEAT_MS = 10000,
    /* Texts that a slow stream may lag behind before it gets the whole board afresh. */
    WEB_RING = 16,
    WEB_SESSIONS_MAX = 256,       /* the oldest goes */
    WEB_SESSION_MS = 12 * 3600 * 1000, /* a long shift */
    WEB_USERS_MAX = 256,
    /* Without a line of its own the server reads the slots from the records, so often, and shows so many. */
    WEB_WATCH_MS = 1000,
    WEB_WATCHED_SLOTS = 256,
    /* Failed logins from one address: so many in so long, then 429. */
    WEB_TRIES = 8,
    WEB_TRIES_MS = 60000,
};

#endif
