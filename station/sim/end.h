/* SPDX-License-Identifier: Apache-2.0
 *
 * end.h: where a client meets a board: a TCP port (end_tcp.c) or a pseudo-terminal (end_pty.c).
 *
 * sim.c polls the descriptors of every end and calls these. All calls on sim.c's thread, none waits.
 */
#ifndef FL_SIM_END_H
#define FL_SIM_END_H

#include "sim/board.h"
#include "sim/telnet.h"

#include <poll.h>

enum { SIM_URL_MAX = 300, SIM_END_FDS = 3 };

struct sim_end;

struct sim_end_ops {
    /* The port exists from now on; also after it had vanished. */
    FL_MUST enum fl_err (*appear)(struct sim_end *e, struct fl_why *why);
    void (*vanish)(struct sim_end *e); /* also at the end */
    void (*ready)(struct sim_end *e, uint64_t now, int which, short revents);
    void (*flush)(struct sim_end *e, uint64_t now); /* the board may have bytes for the client */
};

struct sim_end {
    const struct sim_end_ops *ops;
    struct sim_board *board;       /* NULL: none is there, and no port either */
    bool telnet;
    bool there;                    /* appeared */
    int fd[SIM_END_FDS];           /* -1: none */
    short want[SIM_END_FDS];       /* poll events */
    char url[SIM_URL_MAX];
    uint64_t due;                  /* sim.c: when the board has something to do */

    /* TCP */
    int port;
    char host[64];
    struct sim_telnet talk;
    struct fl_buf out; /* for the client, not yet sent */
    size_t sent;
    uint64_t now;      /* of the bytes being handled, for the telnet callbacks */

    /* pty */
    int slave;
    char link[SIM_URL_MAX], lines[SIM_URL_MAX];
};

/* `fd` listens already (sim.c takes a row of ports together). */
void sim_end_tcp(struct sim_end *e, struct sim_board *board, bool telnet, const char *host, int port, int fd);
/* Listening socket on host:port, port 0: any; *port is what it became. */
FL_MUST enum fl_err sim_tcp_listen(const char *host, int *port, int *fd, struct fl_why *why);

/* Symlink DIR/boardN to the terminal, unix socket DIR/boardN.lines for DTR and RTS. */
FL_MUST enum fl_err sim_end_pty(struct sim_end *e, struct sim_board *board, const char *dir,
                                unsigned number, struct fl_why *why);

/* The speed that a terminal is set to, 0 when it cannot be told. */
uint32_t sim_tty_baud(int fd);

#endif
