/* SPDX-License-Identifier: Apache-2.0
 * A board on a pseudo-terminal, with a unix socket beside it for the two lines that a pty has not:
 *
 *   DIR/boardN         symlink to the terminal: a client opens it as it would a serial port
 *   DIR/boardN.lines   SOCK_SEQPACKET (SOCK_STREAM where the system has no such), one connection at a time,
 *                      a new one takes the place of the old. Each message: one or more pairs of a letter,
 *                      D (DTR) or R (RTS), and '1' asserted or '0' released; the pairs of one message act
 *                      in one step ("D1R0"). Nothing is answered, and closing changes nothing.
 *
 * The speed that the client sets on its side is read from the terminal (it is one object with two ends) each
 * time bytes pass. */
#include "sim/end.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

enum { MASTER = 0, LISTENER = 1, LINES = 2, READ_MAX = 16384, OUT_MAX = 1 << 20, BACKLOG_MAX = 128 * 1024 };

static bool set_up(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static enum fl_err open_lines(struct sim_end *e, struct fl_why *why)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(e->lines) >= sizeof a.sun_path)
        return fl_fail(why, FL_LIMIT, "%s is too long a name for a socket", e->lines);
    strcpy(a.sun_path, e->lines);
    (void)unlink(e->lines); /* left by a simulator that was killed */
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (fd < 0)
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
    e->fd[LISTENER] = fd;
    if (fd < 0 || !set_up(fd) || bind(fd, (struct sockaddr *)(void *)&a, sizeof a) != 0 ||
        listen(fd, 4) != 0)
        return fl_fail_os(why, "%s", e->lines);
    e->want[LISTENER] = POLLIN;
    return FL_OK;
}

/* The other end is held open so that the terminal survives between two clients. */
static enum fl_err open_terminal(struct sim_end *e, struct fl_why *why)
{
    struct termios t;
    char name[100] = "";
    int fd = posix_openpt(O_RDWR | O_NOCTTY);
    e->fd[MASTER] = fd;
    const char *slave = fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0 && set_up(fd) ? ptsname(fd) : NULL;
    if (!slave)
        return fl_fail_os(why, "cannot make a pseudo-terminal");
    snprintf(name, sizeof name, "%s", slave);
    e->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (e->slave < 0 || tcgetattr(e->slave, &t) != 0)
        return fl_fail_os(why, "%s", name);
    cfmakeraw(&t);
    t.c_cflag |= CLOCAL | CREAD;
    if (cfsetspeed(&t, B115200) != 0 || tcsetattr(e->slave, TCSANOW, &t) != 0)
        return fl_fail_os(why, "%s", name);
    (void)unlink(e->link);
    if (symlink(name, e->link) != 0)
        return fl_fail_os(why, "%s", e->link);
    e->want[MASTER] = POLLIN;
    return FL_OK;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void vanish(struct sim_end *e)
{
    (void)unlink(e->link);
    (void)unlink(e->lines);
    close_fd(&e->slave);
    close_fd(&e->fd[MASTER]);
    close_fd(&e->fd[LISTENER]);
    close_fd(&e->fd[LINES]);
    fl_buf_clear(&e->out);
    e->sent = 0;
}

static enum fl_err appear(struct sim_end *e, struct fl_why *why)
{
    enum fl_err err = open_lines(e, why);
    if (!err)
        err = open_terminal(e, why);
    if (err)
        vanish(e);
    return err;
}

static void speed(struct sim_end *e, uint64_t now)
{
    uint32_t baud = sim_tty_baud(e->fd[MASTER]);
    if (baud != 0)
        sim_board_baud(e->board, now, baud);
}

static void lines_client(struct sim_end *e)
{
    int fd = accept(e->fd[LISTENER], NULL, NULL);
    if (fd < 0)
        return;
    close_fd(&e->fd[LINES]);
    if (!set_up(fd)) {
        (void)close(fd);
        return;
    }
    e->fd[LINES] = fd;
    e->want[LINES] = POLLIN;
}

static void read_lines(struct sim_end *e, uint64_t now)
{
    char m[64];
    ssize_t n;
    while ((n = recv(e->fd[LINES], m, sizeof m, 0)) > 0) {
        int dtr = -1, rts = -1;
        for (ssize_t i = 0; i + 1 < n; i += 2) {
            if (m[i] == 'D')
                dtr = m[i + 1] == '1';
            else if (m[i] == 'R')
                rts = m[i + 1] == '1';
        }
        sim_board_lines(e->board, now, dtr, rts);
    }
    if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        close_fd(&e->fd[LINES]);
}

static void flush(struct sim_end *e, uint64_t now)
{
    uint8_t buf[READ_MAX];
    size_t n;
    if (e->fd[MASTER] < 0)
        return;
    if (sim_board_due(e->board) <= now)
        speed(e, now);
    while (e->out.len < OUT_MAX / 2 && (n = sim_board_read(e->board, now, buf, sizeof buf)) > 0)
        fl_buf_add(&e->out, buf, n);
    while (e->sent < e->out.len) {
        ssize_t k = write(e->fd[MASTER], e->out.bytes + e->sent, e->out.len - e->sent);
        if (k <= 0)
            break; /* nobody reads: the terminal's buffer is full */
        e->sent += (size_t)k;
    }
    bool all = e->sent == e->out.len;
    if (all || e->out.len > OUT_MAX / 2) {
        fl_buf_clear(&e->out);
        e->sent = 0;
    }
    e->want[MASTER] =
        (short)((sim_board_backlog(e->board) < BACKLOG_MAX ? POLLIN : 0) | (all ? 0 : POLLOUT));
}

static void ready(struct sim_end *e, uint64_t now, int which, short revents)
{
    uint8_t buf[READ_MAX];
    if (which == LISTENER) {
        lines_client(e);
    } else if (which == LINES) {
        read_lines(e, now);
    } else if (revents & POLLIN) {
        ssize_t n = read(e->fd[MASTER], buf, sizeof buf);
        if (n > 0) {
            speed(e, now);
            sim_board_write(e->board, now, buf, (size_t)n);
        }
    }
    flush(e, now);
}

enum fl_err sim_end_pty(struct sim_end *e, struct sim_board *board, const char *dir, unsigned number,
                        struct fl_why *why)
{
    static const struct sim_end_ops ops = {appear, vanish, ready, flush};
    *e = (struct sim_end){.ops = &ops, .board = board, .fd = {-1, -1, -1}, .slave = -1,
                          .out = FL_BUF(OUT_MAX)};
    int n = snprintf(e->link, sizeof e->link, "%s/board%u", dir, number);
    if (n < 0 || (size_t)n >= sizeof e->link - 10)
        return fl_fail(why, FL_LIMIT, "%s is too long a path", dir);
    snprintf(e->lines, sizeof e->lines, "%.280s.lines", e->link);
    snprintf(e->url, sizeof e->url, "pty:%.280s", e->link);
    return FL_OK;
}
