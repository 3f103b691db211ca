/* SPDX-License-Identifier: Apache-2.0
 * Starting and stopping: address, certificate, threads, in an order in which nothing is used before it is. */
#include "web/inside.h"
#include "web/serve.h"

#include "base/file.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PEM_MAX = 256 * 1024, BACKLOG = 128 };

/* ---- the address ------------------------------------------------------------------------------------------ */

static enum fl_err split_address(const char *listen, char host[static 64], char port[static 8], struct fl_why *why)
{
    const char *colon = strrchr(listen, ':');
    size_t n = colon ? (size_t)(colon - listen) : 0;
    const char *from = listen;
    if (n >= 2 && listen[0] == '[' && listen[n - 1] == ']') {
        from++;
        n -= 2;
    }
    if (!colon || n == 0 || n >= 64 || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strlen(colon + 1) < 1 || strlen(colon + 1) > 5 || atoi(colon + 1) > 65535)
        return fl_fail(why, FL_ARG, "'%s' is no address to listen on; like 127.0.0.1:8080, [::1]:8080, 0.0.0.0:8443",
                       listen);
    memcpy(host, from, n);
    host[n] = 0;
    (void)snprintf(port, 8, "%s", colon + 1);
    return FL_OK;
}

static bool is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, a, sizeof v4);
        return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
    }
    struct sockaddr_in6 v6;
    memcpy(&v6, a, sizeof v6);
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

static enum fl_err open_socket(const struct addrinfo *a, const char *listen_on, int *out, struct fl_why *why)
{
    int on = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fl_fail_os(why, "a socket for %s", listen_on);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        enum fl_err err = errno == EADDRINUSE ? FL_BUSY : FL_OK;
        enum fl_err os = fl_fail_os(why, "listening on %s", listen_on);
        (void)close(fd);
        return err ? err : os;
    }
    *out = fd;
    return FL_OK;
}

static void note_url(struct web *w, int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    char host[48], port[8];
    if (getsockname(fd, (struct sockaddr *)&a, &n) != 0 ||
        getnameinfo((struct sockaddr *)&a, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    w->port = atoi(port);
    (void)snprintf(w->url, sizeof w->url, a.ss_family == AF_INET6 ? "%s://[%s]:%s/" : "%s://%s:%s/",
                   w->tls ? "https" : "http", host, port);
}

static enum fl_err listen_on(struct web *w, const char *listen, int *fd, struct fl_why *why)
{
    char host[64], port[8];
    struct addrinfo *found = NULL, hints = {.ai_flags = AI_NUMERICSERV | AI_PASSIVE | AI_NUMERICHOST,
                                            .ai_socktype = SOCK_STREAM};
    enum fl_err err = split_address(listen, host, port, why);
    if (err)
        return err;
    if (getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port, &hints, &found) != 0)
        return fl_fail(why, FL_ARG, "'%s' is no numeric address to listen on", host);
    w->loopback = is_loopback(found->ai_addr);
    err = open_socket(found, listen, fd, why);
    freeaddrinfo(found);
    if (!err)
        note_url(w, *fd);
    return err;
}

/* ---- start ---------------------------------------------------------------------------------------------------- */

static enum fl_err read_pem(const char *path, char **out, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(PEM_MAX);
    enum fl_err err = fl_file_read(path, &b, why);
    if (!err && !strstr(fl_buf_text(&b), "-----BEGIN"))
        err = fl_fail(why, FL_ARG, "%s is no PEM file", path);
    if (!err)
        *out = (char *)b.bytes;
    else
        fl_buf_fini(&b);
    return err;
}

static enum fl_err read_tls(struct web *w, const struct web_config *c, struct fl_why *why)
{
    if (!c->tls_cert && !c->tls_key)
        return FL_OK;
    if (!c->tls_cert || !c->tls_key)
        return fl_fail(why, FL_ARG, "a certificate and its key are given together");
    enum fl_err err = read_pem(c->tls_cert, &w->cert, why);
    if (!err)
        err = read_pem(c->tls_key, &w->key, why);
    w->tls = !err;
    return err;
}

FL_PRINTF(2, 0)
static void mhd_log(void *cls, const char *fmt, va_list ap)
{
    struct web *w = cls;
    char line[400];
    if (!w->log)
        return;
    (void)vsnprintf(line, sizeof line, fmt, ap);
    line[strcspn(line, "\n")] = 0;
    w->log(w->ctx, line);
}

static enum fl_err start_daemon(struct web *w, int fd, struct fl_why *why)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, w->cert}, {MHD_OPTION_HTTPS_MEM_KEY, 0, w->key}, {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    w->daemon = w->mhd.start_daemon(
        flags | (w->tls ? (unsigned)MHD_USE_TLS : 0u), 0, NULL, NULL, serve_request, w,
        MHD_OPTION_EXTERNAL_LOGGER, mhd_log, w, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)WEB_CONNECTIONS_MAX,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, w->loopback ? 0u : (unsigned)WEB_CONNECTIONS_PER_ADDRESS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)WEB_HEADER_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)WEB_IDLE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_COMPLETED, serve_done, w, MHD_OPTION_NOTIFY_CONNECTION, live_connection, &w->live,
        MHD_OPTION_ARRAY, w->tls ? tls : plain, MHD_OPTION_END);
    if (!w->daemon)
        return fl_fail(why, w->tls ? FL_ARG : FL_IO, w->tls ? "the HTTP server does not start; are certificate and key right?"
                                                            : "the HTTP server does not start");
    return FL_OK;
}

static enum fl_err prepare(struct web *w, const struct web_config *c, struct fl_why *why)
{
    w->log = c->log;
    w->ctx = c->ctx;
    w->began_ms = fl_mono_ms();
    if (!c->board)
        w->own_board = board_new(c->data ? WEB_WATCHED_SLOTS : 0);
    if (c->data)
        w->data = strdup(c->data);
    if ((!c->board && !w->own_board) || (c->data && !w->data) || assets_open(&w->assets))
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = mhd_load(&w->mhd, why);
    if (!err)
        err = read_tls(w, c, why);
    if (!err)
        err = work_open(&w->work, why);
    return err;
}

enum fl_err web_start(const struct web_config *c, struct web **out, struct fl_why *why)
{
    int fd = -1;
    struct web *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = prepare(w, c, why);
    if (!err)
        err = listen_on(w, c->listen, &fd, why);
    if (!err)
        err = auth_open(w->data, c->login || !w->loopback, &w->auth, why);
    if (!err)
        err = live_open(&w->live, &w->mhd, c->board ? c->board : w->own_board, w->auth, c->hurry, why);
    if (!err && w->own_board && w->data)
        err = watch_open(&w->watch, w->data, w->own_board, why);
    if (!err)
        err = start_daemon(w, fd, why);
    if (err) {
        if (fd >= 0)
            (void)close(fd);
        web_stop(w);
        return err;
    }
    if (!w->loopback && !w->tls && w->log)
        w->log(w->ctx, "without a certificate passwords and pages cross the network readable: give one, or use a tunnel");
    *out = w;
    return FL_OK;
}

/* Streams and work end first: MHD may not be stopped while a connection is suspended. */
void web_stop(struct web *w)
{
    if (!w)
        return;
    work_stop(&w->work);
    live_stop(&w->live);
    if (w->daemon)
        w->mhd.stop_daemon(w->daemon);
    watch_close(&w->watch);
    live_close(&w->live);
    work_close(&w->work);
    auth_close(w->auth);
    assets_close(&w->assets);
    board_free(w->own_board);
    free(w->data);
    free(w->cert);
    free(w->key);
    free(w);
}

const char *web_url(const struct web *w)
{
    return w->url;
}

int web_port(const struct web *w)
{
    return w->port;
}
