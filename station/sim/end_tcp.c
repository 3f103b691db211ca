/* SPDX-License-Identifier: Apache-2.0
 * A board on a TCP port: RFC 2217, one client at a time; or plain bytes. */
#include "sim/end.h"
#include "sim/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LISTENER = 0, CLIENT = 1, READ_MAX = 65536, OUT_MAX = 1 << 20, BACKLOG_MAX = 128 * 1024 };

static bool set_up(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

enum fl_err sim_tcp_listen(const char *host, int *port, int *out, struct fl_why *why)
{
    char service[8];
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM}, *a = NULL;
    struct sockaddr_storage is;
    socklen_t len = sizeof is;
    int one = 1, fd = -1;
    enum fl_err err = FL_OK;
    *out = -1;
    snprintf(service, sizeof service, "%d", *port);
    if (getaddrinfo(host, service, &hints, &a) != 0)
        return fl_fail(why, FL_FORMAT, "'%s' is not a numeric address", host);
    fd = socket(a->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, 4) != 0 || !set_up(fd) ||
        getsockname(fd, (struct sockaddr *)&is, &len) != 0)
        err = fl_fail_os(why, "cannot listen on %s:%d", host, *port);
    freeaddrinfo(a);
    if (err) {
        if (fd >= 0)
            (void)close(fd);
        return err;
    }
    *port = ntohs(is.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&is)->sin6_port
                                           : ((struct sockaddr_in *)(void *)&is)->sin_port);
    *out = fd;
    return FL_OK;
}

/* ---- telnet's events ------------------------------------------------------------------------------------- */

static void on_data(void *ctx, const uint8_t *bytes, size_t n)
{
    struct sim_end *e = ctx;
    sim_board_write(e->board, e->now, bytes, n);
}

static void on_baud(void *ctx, uint32_t baud)
{
    struct sim_end *e = ctx;
    sim_board_baud(e->board, e->now, baud);
}

static void on_lines(void *ctx, int dtr, int rts)
{
    struct sim_end *e = ctx;
    sim_board_lines(e->board, e->now, dtr, rts);
}

static void on_purge(void *ctx, bool to_chip, bool to_host)
{
    struct sim_end *e = ctx;
    sim_board_purge(e->board, e->now, to_chip, to_host);
}

/* ---- the client --------------------------------------------------------------------------------------------- */

static void drop_client(struct sim_end *e)
{
    if (e->fd[CLIENT] >= 0)
        (void)close(e->fd[CLIENT]);
    e->fd[CLIENT] = -1;
    fl_buf_clear(&e->out);
    e->sent = 0;
}

/* A closed serial port drops its lines, as the driver does (HUPCL); the board goes on without a client. */
static void client_left(struct sim_end *e, uint64_t now)
{
    drop_client(e);
    sim_board_lines(e->board, now, 0, 0);
    sim_journal_client(e->board, now, false);
}

static void client_came(struct sim_end *e)
{
    int fd = accept(e->fd[LISTENER], NULL, NULL), one = 1;
    if (fd < 0)
        return;
    if (e->fd[CLIENT] >= 0 || !set_up(fd)) { /* a serial port has one user */
        (void)close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* only slower without */
    const struct sim_telnet_peer peer = {e, on_data, on_baud, on_lines, on_purge};
    e->fd[CLIENT] = fd;
    e->want[CLIENT] = POLLIN;
    sim_journal_client(e->board, e->now, true);
    sim_telnet_init(&e->talk, &peer, 115200);
    sim_board_baud(e->board, e->now, 115200);
    sim_board_purge(e->board, e->now, false, true); /* what nobody read is not kept for the next */
}

static void send_out(struct sim_end *e, uint64_t now)
{
    while (e->sent < e->out.len) {
        ssize_t n = send(e->fd[CLIENT], e->out.bytes + e->sent, e->out.len - e->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            client_left(e, now);
            return;
        }
        if (n < 0)
            break;
        e->sent += (size_t)n;
    }
    if (e->sent == e->out.len) {
        fl_buf_clear(&e->out);
        e->sent = 0;
    }
    e->want[CLIENT] = (short)((sim_board_backlog(e->board) < BACKLOG_MAX ? POLLIN : 0) |
                              (e->out.len > 0 ? POLLOUT : 0));
}

static void flush(struct sim_end *e, uint64_t now)
{
    uint8_t buf[16384];
    size_t n;
    while (e->out.len < OUT_MAX / 2 && (n = sim_board_read(e->board, now, buf, sizeof buf)) > 0) {
        if (e->fd[CLIENT] < 0)
            continue; /* a closed port discards */
        if (e->telnet)
            sim_telnet_send(buf, n, &e->out);
        else
            fl_buf_add(&e->out, buf, n);
    }
    if (e->fd[CLIENT] >= 0)
        send_out(e, now);
}

static void read_client(struct sim_end *e, uint64_t now)
{
    uint8_t buf[READ_MAX];
    ssize_t n = recv(e->fd[CLIENT], buf, sizeof buf, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n <= 0) {
        client_left(e, now);
        return;
    }
    if (e->telnet)
        sim_telnet_feed(&e->talk, buf, (size_t)n, &e->out);
    else
        on_data(e, buf, (size_t)n);
}

static void ready(struct sim_end *e, uint64_t now, int which, short revents)
{
    e->now = now;
    if (which == LISTENER)
        client_came(e);
    else if (e->fd[CLIENT] >= 0 && (revents & (POLLIN | POLLERR | POLLHUP)))
        read_client(e, now);
    flush(e, now);
}

static enum fl_err appear(struct sim_end *e, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    if (e->fd[LISTENER] < 0)
        err = sim_tcp_listen(e->host, &e->port, &e->fd[LISTENER], why);
    e->want[LISTENER] = POLLIN;
    return err;
}

static void vanish(struct sim_end *e)
{
    if (e->fd[LISTENER] >= 0)
        (void)close(e->fd[LISTENER]);
    e->fd[LISTENER] = -1;
    drop_client(e); /* after the listener: who sees the end of one finds no other */
}

void sim_end_tcp(struct sim_end *e, struct sim_board *board, bool telnet, const char *host, int port, int fd)
{
    static const struct sim_end_ops ops = {appear, vanish, ready, flush};
    bool v6 = strchr(host, ':') != NULL;
    *e = (struct sim_end){.ops = &ops, .board = board, .fd = {fd, -1, -1}, .telnet = telnet, .port = port, .slave = -1,
                          .out = FL_BUF(OUT_MAX)};
    snprintf(e->host, sizeof e->host, "%s", host);
    snprintf(e->url, sizeof e->url, "%s://%s%s%s:%d",
             telnet ? "rfc2217" : "socket", v6 ? "[" : "", host, v6 ? "]" : "",
             port);
}
