/* SPDX-License-Identifier: Apache-2.0
 * http.h: a client of a few lines that says exactly what it is told to, and nothing more. */
#ifndef FL_TESTS_HTTP_H
#define FL_TESTS_HTTP_H

#include "unit/t.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

struct answer {
    int status;
    char text[70000]; /* status line, headers, as much of the body as fits */
    size_t n;
};

static inline int http_dial(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static inline void http_say(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t k = send(fd, text, n, MSG_NOSIGNAL);
        if (k <= 0)
            return; /* the other side closed: the answer says why */
        text += k;
        n -= (size_t)k;
    }
}

/* Reads until the other side closes, `until` is in the text, or nothing came for `ms`. */
static inline bool http_hear(int fd, struct answer *a, const char *until, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (a->n < sizeof a->text - 1 && poll(&p, 1, ms) > 0) {
        ssize_t k = recv(fd, a->text + a->n, sizeof a->text - 1 - a->n, 0);
        if (k <= 0)
            break;
        a->n += (size_t)k;
        a->text[a->n] = 0;
        if (until && strstr(a->text, until))
            return true;
    }
    a->text[a->n] = 0;
    if (strncmp(a->text, "HTTP/1.", 7) == 0)
        a->status = atoi(a->text + 9);
    return until == NULL && a->n;
}

/* One request on a connection of its own. `headers` are whole lines; "Host" is added when it has none. */
static inline int http(int port, const char *method, const char *path, const char *headers, const char *body,
                       struct answer *a)
{
    char head[4096];
    int fd = http_dial(port);
    int n = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\n%sConnection: close\r\n%s", method, path,
                     strstr(headers, "Host:") ? "" : "Host: localhost\r\n", headers);
    http_say(fd, head, (size_t)n);
    if (body) {
        n = snprintf(head, sizeof head, "Content-Length: %zu\r\n\r\n", strlen(body));
        http_say(fd, head, (size_t)n);
        http_say(fd, body, strlen(body));
    } else {
        http_say(fd, "\r\n", 2);
    }
    memset(a, 0, sizeof *a);
    (void)http_hear(fd, a, NULL, 5000);
    (void)close(fd);
    return a->status;
}

#endif
