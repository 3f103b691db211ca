/* SPDX-License-Identifier: Apache-2.0
 *
 * web.h: the browser board: pages, a live stream of tiles, reports, metrics. Reads, never writes the database.
 *
 *   one HTTP thread (libmicrohttpd, epoll)   answers from memory, never waits
 *   one hub thread                           board ─► one text, at most 5 a second, shared by all viewers
 *   two work threads                         what takes long: reports, password hashes
 *   one watch thread, without a line         records ─► board, once a second when the log has grown
 *
 * On a loopback address nobody logs in: who can reach it sits at the station (the Host header is held to
 * loopback names, so that a web page elsewhere cannot reach it through a name of its own). On any other
 * address users or tokens must exist (web/users.h), and every route asks for its role; web/README.md has
 * the table. Everything has a limit: web/limits.h.
 *
 * Thread rule: start and stop from one thread; the server runs its own.
 */
#ifndef FL_WEB_WEB_H
#define FL_WEB_WEB_H

#include "event/board.h"

struct web; /* opaque */

struct web_config {
    const char *listen;   /* "127.0.0.1:8080", "[::]:8443", "localhost:0"; numbers or localhost, no other names */
    const char *data;     /* the station's folder: users, database; NULL: none of it */
    struct board *board;  /* borrowed until web_stop; NULL: the slots are read from the database */
    const char *tls_cert, *tls_key; /* PEM files, both or neither */
    bool login;           /* ask who it is on a loopback address too (behind a proxy) */
    unsigned hurry;       /* for tests: the waits of limits.h that cut somebody off are so many times shorter; 0: as there */
    /* A line about the server's own troubles, without a newline; any thread. NULL: silence. */
    void (*log)(void *ctx, const char *line);
    void *ctx;
};

/* Listens when it returns. FL_ARG: the address or the TLS files are not understood. FL_BUSY: the port is taken.
 * FL_REFUSED: another address than loopback without any user. The strings are copied. */
FL_MUST enum fl_err web_start(const struct web_config *c, struct web **out, struct fl_why *why);
/* Ends every connection. NULL is fine. */
void web_stop(struct web *w);

/* "http://127.0.0.1:8080/": where it listens, with the port that the system chose for port 0. */
const char *web_url(const struct web *w);
int web_port(const struct web *w);

#endif
