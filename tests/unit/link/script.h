/* SPDX-License-Identifier: Apache-2.0
 *
 * script.h: a TCP server on a thread that plays a written conversation, byte for byte.
 *
 * Steps are one text, words separated by spaces:
 *   <FFFB00   what must come from the client: exactly these bytes, within 5 s
 *   >FFFD00   what the server sends, in one write
 *   .50       a pause of 50 ms, so that the client sees what was sent so far by itself
 *   !         close at once (what was not read makes it a reset)
 *   ~         read and forget until the client closes
 *   =         neither read nor write nor close until server_join
 *   #         read until the client closes: pairs of FF, then "AB"
 * The end of the text closes the connection. server_join gives NULL, or what went wrong.
 */
#ifndef FL_TESTS_LINK_SCRIPT_H
#define FL_TESTS_LINK_SCRIPT_H

#include "unit/t.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
    const char *script;
    int listener, joined[2]; /* a pipe, closed by server_join */
    char url[64]; /* rfc2217://127.0.0.1:PORT */
    pthread_t thread;
    bool failed;
    char what[256];
};

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The bytes of a word up to the next space; returns how many. */
static size_t hex_word(const char *p, uint8_t *out, size_t cap)
{
    size_t n = 0;
    for (; hex_digit(p[0]) >= 0 && hex_digit(p[1]) >= 0 && n < cap; p += 2)
        out[n++] = (uint8_t)(hex_digit(p[0]) << 4 | hex_digit(p[1]));
    return n;
}

static bool expect_bytes(struct server *s, int fd, const char *word, const uint8_t *want, size_t n)
{
    uint8_t got[512];
    for (size_t at = 0; at < n;) {
        struct pollfd p = {fd, POLLIN, 0};
        ssize_t k = poll(&p, 1, 5000) > 0 ? read(fd, got + at, n - at) : -1;
        if (k <= 0) {
            (void)snprintf(s->what, sizeof s->what, "%zu of %zu bytes came, at %.60s", at, n, word);
            return false;
        }
        at += (size_t)k;
    }
    if (memcmp(got, want, n) == 0)
        return true;
    int m = snprintf(s->what, sizeof s->what, "at %.60s came ", word);
    for (size_t i = 0; i < n && m < (int)sizeof s->what - 3; i++)
        m += snprintf(s->what + m, sizeof s->what - (size_t)m, "%02X", got[i]);
    return false;
}

static bool only_pairs(struct server *s, int fd)
{
    static const char want[] = "AB";
    uint8_t b[4096];
    size_t ff = 0, tail = 0;
    for (ssize_t n; (n = read(fd, b, sizeof b)) > 0;)
        for (ssize_t i = 0; i < n; i++) {
            bool more = b[i] == 0xFF && tail == 0;
            ff += more;
            if (!more && (tail > 1 || b[i] != (uint8_t)want[tail++])) {
                (void)snprintf(s->what, sizeof s->what, "%02X after %zu FF", b[i], ff);
                return false;
            }
        }
    (void)snprintf(s->what, sizeof s->what, "%zu FF, %zu of AB", ff, tail);
    return ff > 0 && ff % 2 == 0 && tail == 2;
}

static void play(struct server *s, int fd)
{
    uint8_t bytes[512];
    for (const char *p = s->script; *p; p += strcspn(p, " ")) {
        p += strspn(p, " ");
        if (!*p)
            return;
        size_t n = hex_word(p + 1, bytes, sizeof bytes);
        if (*p == '<' && !expect_bytes(s, fd, p, bytes, n)) {
            s->failed = true;
            return;
        }
        if (*p == '>' && send(fd, bytes, n, MSG_NOSIGNAL) != (ssize_t)n) {
            (void)snprintf(s->what, sizeof s->what, "could not send %.60s", p);
            s->failed = true;
            return;
        }
        if (*p == '.')
            (void)usleep((useconds_t)atoi(p + 1) * 1000);
        if (*p == '!')
            return;
        if (*p == '=')
            while (read(s->joined[0], bytes, 1) > 0) {
            }
        if (*p == '#' && !only_pairs(s, fd))
            s->failed = true;
        if (*p == '~')
            while (read(fd, bytes, sizeof bytes) > 0) {
            }
    }
}

static void *serve(void *arg)
{
    struct server *s = arg;
    int one = 1, fd = accept(s->listener, NULL, NULL);
    if (fd >= 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        play(s, fd);
        (void)close(fd);
    }
    return NULL;
}

static void server_start(struct server *s, const char *scheme, const char *script)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof a;
    memset(s, 0, sizeof *s);
    s->script = script;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(s->listener >= 0);
    assert_int_equal(pipe(s->joined), 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s->listener, 1), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&a, &n), 0);
    (void)snprintf(s->url, sizeof s->url, "%s://127.0.0.1:%u", scheme, ntohs(a.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_join(struct server *s)
{
    (void)close(s->joined[1]);
    (void)pthread_join(s->thread, NULL);
    (void)close(s->joined[0]);
    (void)close(s->listener);
    if (s->failed)
        fail_msg("the server: %s", s->what);
}

/* What our client says first, and what a willing server answers: RFC 856, 858, 2217. */
#define ASK "<FFFB00FFFD00FFFB03FFFD03FFFB2C "
#define AGREE ">FFFD00FFFB00FFFD03FFFB03FFFD2C "
/* Lines off, 115200 (0001C200), 8, none, 1, no flow control: RFC 2217's numbers. */
#define SETUP                                                                                      \
    "<FFFA2C0509FFF0FFFA2C050CFFF0FFFA2C010001C200FFF0FFFA2C0208FFF0FFFA2C0301FFF0FFFA2C0401FFF0"   \
    "FFFA2C0501FFF0 "
#define SETUP_ACKS                                                                                 \
    ">FFFA2C6909FFF0FFFA2C690CFFF0FFFA2C650001C200FFF0FFFA2C6608FFF0FFFA2C6701FFF0FFFA2C6801FFF0"   \
    "FFFA2C6901FFF0 "
#define PURGE "<FFFA2C0C01FFF0 "
#define PURGE_ACK ">FFFA2C7001FFF0 "
#define OPEN ASK AGREE SETUP SETUP_ACKS PURGE PURGE_ACK

#endif
