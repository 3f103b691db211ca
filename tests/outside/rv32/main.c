/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c: stub-board HOST:PORT [FLASHFILE]
 *
 * An ESP32-C3 with Espressif's own flasher stub, reached over raw TCP (socket://HOST:PORT). Each connection
 * finds the board freshly reset into its loader; flash lives on between connections. Prints one line when
 * ready ("listening on 127.0.0.1:40123"; port 0 takes any). SIGTERM ends it. FLASHFILE gets what the flash
 * holds each time a connection has ended. Standard error says what broke a board.
 */
#include "outside/rv32/loader.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BATCH = 32,              /* the stub asks for an interrupt every 32 bytes */
    PER_BYTE = 200,          /* instructions while one byte travels: 80 MHz, a byte every few microseconds */
    SLICE = 50000,           /* instructions between two looks at the line */
    SETTLE = 20,             /* slices without activity before the processor counts as waiting */
    IDLE_MS = 50,
};

struct server {
    struct board *board;
    struct loader loader;
    bool stub; /* the stub runs */
    int fd;
    uint8_t out[8192];
    size_t out_used;
    bool gone;
};

static void flush(struct server *s)
{
    for (size_t at = 0; at < s->out_used && !s->gone;) {
        ssize_t n = write(s->fd, s->out + at, s->out_used - at);
        if (n < 0 && errno != EINTR)
            s->gone = true;
        at += n > 0 ? (size_t)n : 0;
    }
    s->out_used = 0;
}

static void send_byte(void *ctx, uint8_t byte)
{
    struct server *s = ctx;
    if (s->out_used == sizeof s->out)
        flush(s);
    s->out[s->out_used++] = byte;
}

static void received(struct server *s, const uint8_t *p, size_t n)
{
    while (n > 0) {
        if (!s->stub) {
            loader_receive(&s->loader, *p++);
            n--;
            if (s->loader.entry != 0) {
                flush(s);
                board_start(s->board, s->loader.entry);
                s->stub = true;
                for (int i = 0; i < SETTLE; i++)
                    board_run(s->board, SLICE);
            }
            continue;
        }
        unsigned batch = n < BATCH ? (unsigned)n : BATCH;
        board_receive(s->board, p, batch);
        board_run(s->board, (uint64_t)batch * PER_BYTE);
        p += batch;
        n -= batch;
    }
}

/* Until the peer closes. Returns what broke the board, or NULL. */
static const char *serve(struct server *s)
{
    uint8_t in[4096];
    int quiet = 0;
    while (!s->gone && s->board->broken[0] == '\0') {
        uint64_t before = s->board->activity;
        if (s->stub)
            board_run(s->board, SLICE);
        quiet = s->board->activity == before ? quiet + 1 : 0;
        bool waits = !s->stub || quiet > SETTLE;
        flush(s);
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        if (poll(&p, 1, waits ? IDLE_MS : 0) < 0 && errno != EINTR)
            break;
        if ((p.revents & (POLLIN | POLLHUP | POLLERR)) == 0)
            continue;
        ssize_t n = read(s->fd, in, sizeof in);
        if (n <= 0)
            break;
        quiet = 0;
        received(s, in, (size_t)n);
    }
    flush(s);
    return s->board->broken[0] != '\0' ? s->board->broken : NULL;
}

static int listen_on(const char *text)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    if (colon == NULL || (size_t)(colon - text) >= sizeof host)
        return -1;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    a.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    if (fd < 0 || inet_pton(AF_INET, host, &a.sin_addr) != 1 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 1) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    printf("listening on %s:%u\n", host, ntohs(a.sin_port));
    fflush(stdout);
    return fd;
}

/* Appears whole or not at all: who waits for the file may read it at once. */
static void save(const struct board *b, const char *path)
{
    char part[4096];
    if (path == NULL || snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return;
    FILE *f = fopen(part, "wb");
    bool written = f != NULL && fwrite(b->flash, 1, sizeof b->flash, f) == sizeof b->flash;
    if ((f != NULL && fclose(f) != 0) || !written || rename(part, path) != 0)
        fprintf(stderr, "stub-board: %s could not be written\n", path);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: stub-board HOST:PORT [FLASHFILE]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    struct server *s = calloc(1, sizeof *s);
    int listener = listen_on(argv[1]);
    if (s == NULL || listener < 0 || (s->board = board_new(send_byte, s)) == NULL) {
        perror("stub-board");
        return 1;
    }
    while ((s->fd = accept(listener, NULL, NULL)) >= 0) {
        board_reset(s->board);
        loader_reset(&s->loader, s->board);
        s->stub = s->gone = false;
        const char *broken = serve(s);
        if (broken != NULL)
            fprintf(stderr, "stub-board: %s\n", broken);
        close(s->fd);
        save(s->board, argc > 2 ? argv[2] : NULL);
    }
    perror("stub-board");
    return 1;
}
