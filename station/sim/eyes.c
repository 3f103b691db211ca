/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/eyes.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    AGAIN_MS = 500,
    SILENT_MS = 30000, /* two beats of the stream */
    LINE_MAX_BYTES = 2 << 20,
};

struct eyes {
    struct sim *sim;
    char host[80], port[8];
    struct fl_wake stop;
    pthread_t thread;
    bool running;
};

/* ---- what a text of the stream says ------------------------------------------------------------------------ */

static void tell_tile(struct eyes *e, const json_t *tile)
{
    const char *state = json_string_value(json_object_get(tile, "state"));
    json_int_t slot = json_integer_value(json_object_get(tile, "slot"));
    const json_t *leaf = json_object_get(tile, "leaf");
    struct sim_tile t = {.leaf = json_is_integer(leaf) ? json_integer_value(leaf) : -1};
    if (!state || slot <= 0)
        return;
    (void)snprintf(t.state, sizeof t.state, "%s", state);
    sim_see(e->sim, (unsigned)slot, &t);
}

static void take_line(struct eyes *e, const char *line, size_t n)
{
    static const char data[] = "data: ";
    if (n < sizeof data || memcmp(line, data, sizeof data - 1) != 0)
        return;
    json_t *o = json_loadb(line + sizeof data - 1, n - (sizeof data - 1), 0, NULL);
    size_t i;
    json_t *tile;
    json_array_foreach(json_object_get(o, "slots"), i, tile) tell_tile(e, tile);
    json_decref(o);
}

/* ---- the connection ------------------------------------------------------------------------------------------ */

/* True when there is something to read, false when the time is over or the end has come. */
static bool readable(struct eyes *e, int fd, short events, int ms)
{
    struct pollfd p[2] = {{.fd = fd, .events = events}, {.fd = e->stop.rd, .events = POLLIN}};
    int n;
    do
        n = poll(p, 2, ms);
    while (n < 0 && errno == EINTR);
    return n > 0 && p[1].revents == 0 && p[0].revents != 0;
}

static int reach(struct eyes *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *a = NULL;
    int error = 0;
    socklen_t len = sizeof error;
    if (getaddrinfo(e->host, e->port, &hints, &a) != 0)
        return -1;
    int fd = socket(a->ai_family, SOCK_STREAM, 0);
    bool ok = fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
              (connect(fd, a->ai_addr, a->ai_addrlen) == 0 || errno == EINPROGRESS) && readable(e, fd, POLLOUT, SILENT_MS) &&
              getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0;
    freeaddrinfo(a);
    if (!ok && fd >= 0)
        (void)close(fd);
    return ok ? fd : -1;
}

/* HTTP/1.0: the stream comes as it is, until its end. */
static bool ask(struct eyes *e, int fd)
{
    char text[256];
    bool v6 = strchr(e->host, ':') != NULL;
    int n = snprintf(text, sizeof text, "GET /api/events HTTP/1.0\r\nHost: %s%s%s:%s\r\nAccept: text/event-stream\r\n\r\n", v6 ? "[" : "",
                     e->host, v6 ? "]" : "", e->port);
    return n > 0 && n < (int)sizeof text && send(fd, text, (size_t)n, MSG_NOSIGNAL) == n;
}

static void follow(struct eyes *e, int fd)
{
    struct fl_buf b = FL_BUF(LINE_MAX_BYTES);
    char piece[16384];
    size_t begun = 0;
    while (readable(e, fd, POLLIN, SILENT_MS)) {
        ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            break;
        fl_buf_add(&b, piece, (size_t)n);
        if (fl_buf_err(&b, NULL))
            break; /* no line of the stream is so long */
        const char *end;
        while ((end = memchr(b.bytes + begun, '\n', b.len - begun))) {
            const char *line = (const char *)b.bytes + begun;
            take_line(e, line, (size_t)(end - line));
            begun += (size_t)(end - line) + 1;
        }
        memmove(b.bytes, b.bytes + begun, b.len - begun);
        b.len -= begun;
        begun = 0;
    }
    fl_buf_fini(&b);
}

static void *see(void *ctx)
{
    struct eyes *e = ctx;
    do {
        int fd = reach(e);
        if (fd >= 0 && ask(e, fd))
            follow(e, fd);
        if (fd >= 0)
            (void)close(fd);
        sim_see_nothing(e->sim);
    } while (fl_wake_sleep(&e->stop, fl_deadline_in_ms(AGAIN_MS)) == FL_OK);
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

static enum fl_err split(struct eyes *e, const char *url, struct fl_why *why)
{
    static const char scheme[] = "http://";
    const char *at = url + sizeof scheme - 1;
    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return fl_fail(why, FL_ARG, "'%s': expected http://HOST:PORT", url);
    size_t n = strcspn(at, "/");
    const char *colon = NULL;
    for (size_t i = 0; i < n; i++)
        colon = at[i] == ':' ? at + i : colon;
    bool v6 = *at == '[';
    size_t host = colon ? (size_t)(colon - at) : 0, port = colon ? n - host - 1 : 0;
    if (host <= (v6 ? 2u : 0u) || host >= sizeof e->host || port == 0 || port >= sizeof e->port)
        return fl_fail(why, FL_ARG, "'%s': expected http://HOST:PORT", url);
    (void)snprintf(e->host, sizeof e->host, "%.*s", (int)(v6 ? host - 2 : host), v6 ? at + 1 : at);
    (void)snprintf(e->port, sizeof e->port, "%.*s", (int)port, colon + 1);
    return FL_OK;
}

enum fl_err eyes_open(const char *url, struct sim *sim, struct eyes **out, struct fl_why *why)
{
    struct eyes *e = calloc(1, sizeof *e);
    *out = NULL;
    if (!e)
        return fl_fail(why, FL_NOMEM, "out of memory");
    e->sim = sim;
    e->stop = (struct fl_wake){-1, -1};
    enum fl_err err = split(e, url, why);
    if (!err)
        err = fl_wake_init(&e->stop, why);
    if (!err && pthread_create(&e->thread, NULL, see, e) != 0)
        err = fl_fail(why, FL_NOMEM, "no thread");
    e->running = !err;
    if (err)
        eyes_close(e);
    else
        *out = e;
    return err;
}

void eyes_close(struct eyes *e)
{
    if (!e)
        return;
    if (e->running) {
        fl_wake_raise(&e->stop);
        (void)pthread_join(e->thread, NULL);
    }
    fl_wake_fini(&e->stop);
    free(e);
}
