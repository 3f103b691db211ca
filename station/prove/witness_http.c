/* SPDX-License-Identifier: Apache-2.0 */
#include "prove/witness_http.h"

#include "base/clock.h"
#include "http/mhd.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IDLE_S = 10, CONNECTIONS = 64, HEADER_BYTES = 16384 };

struct witness_http {
    struct mhd mhd;
    struct MHD_Daemon *daemon;
    struct witness_store *store;
    void (*log)(const char *line);
    char url[128];
};

static enum MHD_Result reply(const struct witness_http *w, struct MHD_Connection *c, unsigned status, const char *type, const void *bytes,
                             size_t n)
{
    struct MHD_Response *r = w->mhd.create_response_from_buffer(n, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY);
    if (!r)
        return MHD_NO;
    enum MHD_Result ok = w->mhd.add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (ok == MHD_YES)
        ok = w->mhd.queue_response(c, status, r);
    w->mhd.destroy_response(r);
    return ok;
}

static enum MHD_Result reply_text(const struct witness_http *w, struct MHD_Connection *c, unsigned status, const char *text)
{
    return reply(w, c, status, "text/plain; charset=utf-8", text, strlen(text));
}

static enum MHD_Result get(struct witness_http *w, struct MHD_Connection *c, const char *path)
{
    char hex[65] = "", line[KEY_VKEY_MAX + 2];
    struct fl_buf b = FL_BUF(65536);
    if (strcmp(path, "/vkey") == 0) {
        vkey_format(witness_store_vkey(w->store), line);
        (void)strcat(line, "\n");
        return reply_text(w, c, 200, line);
    }
    if (strlen(path) == 1 + 64 + 11 && strcmp(path + 65, "/checkpoint") == 0)
        memcpy(hex, path + 1, 64);
    enum MHD_Result ok = witness_store_head(w->store, hex, &b, NULL) ? reply_text(w, c, 404, "nothing here\n")
                                                                    : reply(w, c, 200, "text/plain; charset=utf-8", b.bytes, b.len);
    fl_buf_fini(&b);
    return ok;
}

static enum MHD_Result post(struct witness_http *w, struct MHD_Connection *c, const struct fl_buf *body)
{
    struct witness_reply out;
    struct fl_why why = {0, ""};
    char line[FL_WHY_MAX + 40];
    enum fl_err err = witness_store_answer(w->store, body->bytes ? (const void *)body->bytes : "", body->len, fl_wall_ms() / 1000, &out, &why);
    enum MHD_Result ok = err ? reply_text(w, c, 500, "not signed\n") : reply(w, c, (unsigned)out.status, out.type, out.body.bytes, out.body.len);
    (void)snprintf(line, sizeof line, "%d %.300s", err ? 500 : out.status,
                   err ? why.text : out.status == 200 ? "signed" : fl_buf_text(&out.body));
    line[strcspn(line, "\n")] = 0;
    w->log(line);
    witness_reply_fini(&out);
    return ok;
}

static enum MHD_Result serve(void *ctx, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                             const char *data, size_t *n, void **state)
{
    struct witness_http *w = ctx;
    struct fl_buf *body = *state;
    (void)version;
    if (!body) {
        body = calloc(1, sizeof *body);
        if (!body)
            return MHD_NO;
        *body = FL_BUF(WITNESS_REQUEST_MAX);
        *state = body;
        return MHD_YES;
    }
    if (*n) {
        fl_buf_add(body, data, *n); /* beyond its maximum it only remembers that */
        *n = 0;
        return MHD_YES;
    }
    if (strcmp(method, "GET") == 0)
        return get(w, c, url);
    if (strcmp(method, "POST") != 0 || strcmp(url, "/add-checkpoint") != 0)
        return reply_text(w, c, 404, "nothing here\n");
    if (body->err)
        return reply_text(w, c, 413, "too large\n");
    return post(w, c, body);
}

static void done(void *ctx, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
    struct fl_buf *body = *state;
    (void)ctx;
    (void)c;
    (void)why;
    if (body)
        fl_buf_fini(body);
    free(body);
    *state = NULL;
}

/* A listening socket, so that any address family works and port 0 can be told. */
static enum fl_err listen_on(const char *listen_text, int *out, char url[static 128], struct fl_why *why)
{
    char host[80] = "", port[12] = "";
    const char *colon = strrchr(listen_text, ':');
    bool bracket = *listen_text == '[' && colon && colon > listen_text && colon[-1] == ']';
    if (!colon || !colon[1] || strlen(colon + 1) >= sizeof port || (size_t)(colon - listen_text) >= sizeof host)
        return fl_fail(why, FL_ARG, "--listen is ADDRESS:PORT, not '%.100s'", listen_text);
    memcpy(host, listen_text + bracket, (size_t)(colon - listen_text) - (bracket ? 2 : 0));
    (void)strcpy(port, colon + 1);
    struct addrinfo *a = NULL, hint = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    if (getaddrinfo(*host ? host : NULL, port, &hint, &a) != 0)
        return fl_fail(why, FL_ARG, "--listen is ADDRESS:PORT in numbers, not '%.100s'", listen_text);
    int on = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_storage got;
    socklen_t len = sizeof got;
    enum fl_err err = FL_OK;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 || bind(fd, a->ai_addr, a->ai_addrlen) != 0 ||
        listen(fd, CONNECTIONS) != 0 || getsockname(fd, (struct sockaddr *)&got, &len) != 0 ||
        getnameinfo((struct sockaddr *)&got, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        err = fl_fail_os(why, "cannot listen on %.100s", listen_text);
    freeaddrinfo(a);
    if (err && fd >= 0)
        (void)close(fd);
    (void)snprintf(url, 128, strchr(host, ':') ? "http://[%s]:%s" : "http://%s:%s", host, port);
    *out = err ? -1 : fd;
    return err;
}

enum fl_err witness_http_start(const char *listen_text, struct witness_store *store, void (*log)(const char *line),
                               struct witness_http **out, struct fl_why *why)
{
    int fd = -1;
    struct witness_http *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w)
        return fl_fail(why, FL_NOMEM, "out of memory");
    w->store = store;
    w->log = log;
    enum fl_err err = mhd_load(&w->mhd, why);
    if (!err)
        err = listen_on(listen_text, &fd, w->url, why);
    if (!err) {
        w->daemon = w->mhd.start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, serve, w,
                                        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
                                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
                                        (unsigned)IDLE_S, MHD_OPTION_NOTIFY_COMPLETED, done, NULL, MHD_OPTION_END);
        if (!w->daemon) {
            (void)close(fd);
            err = fl_fail(why, FL_IO, "the HTTP server does not start");
        }
    }
    if (err)
        free(w);
    else
        *out = w;
    return err;
}

const char *witness_http_url(const struct witness_http *w)
{
    return w->url;
}

void witness_http_stop(struct witness_http *w)
{
    if (!w)
        return;
    w->mhd.stop_daemon(w->daemon); /* closes the socket */
    free(w);
}
