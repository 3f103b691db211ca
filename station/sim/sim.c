/* SPDX-License-Identifier: Apache-2.0
 * Boards and their ports: opened together, served by one loop that sleeps until a descriptor is ready or a
 * board has something to do. */
#include "sim/sim.h"

#include "base/file.h"
#include "sim/end.h"
#include "sim/journal.h"
#include "sim/operator.h"
#include "sim/scenario.h"
#include "sim/state.h"
#include "sim/wait.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROW_TRIES = 50 };

struct sim {
    unsigned n, turn;
    uint64_t seed;
    struct sim_stubs *stubs;
    struct sim_spec *spec;
    char **state;
    struct sim_board **board;
    struct sim_end *end;
    struct pollfd *fds;
    struct fl_lock lock;
    struct sim_journal *journal;
    struct operator *operator;
    bool shift;
    char where[SIM_URL_MAX + 40];
};

/* ---- opening ----------------------------------------------------------------------------------------------- */

static enum fl_err make_operator(struct sim *s, const struct sim_config *c, const struct sim_chip *chip, struct fl_why *why)
{
    const struct operator_config oc = {.script = c->shift, .truth = c->truth, .chip = chip, .pace_real = c->pace_real,
                                       .no_lines = c->pty, .seed = c->seed, .end = s->end, .slots = s->n, .stubs = s->stubs,
                                       .journal = s->journal};
    enum fl_err err = operator_new(&oc, &s->operator, why);
    if (!err)
        s->seed = operator_seed(s->operator);
    return err;
}

static enum fl_err make_boards(struct sim *s, const struct sim_config *c, struct fl_why *why)
{
    const struct sim_chip *chip = sim_chip_find(c->chip ? c->chip : "esp32");
    if (!chip)
        return fl_fail(why, FL_NOT_FOUND, "there is no chip '%s'", c->chip);
    s->seed = c->seed;
    if (c->shift) {
        enum fl_err none = sim_stubs_load(&s->stubs, why);
        return none ? none : make_operator(s, c, chip, why);
    }
    enum fl_err err = sim_scenario_load(c->scenario, chip, c->pace_real, &s->seed, s->spec, s->n, why);
    if (!err)
        err = sim_stubs_load(&s->stubs, why);
    if (!err && c->state)
        err = sim_state_open(c->state, &s->lock, why);
    for (unsigned i = 0; !err && i < s->n; i++) {
        if (s->spec[i].power_up == SIM_POWER_UP_USUAL && (c->pty || !s->spec[i].telnet))
            s->spec[i].power_up = SIM_POWER_UP_DOWNLOAD;
        if (c->state) {
            err = sim_state_board(c->state, &s->spec[i], &s->state[i], why);
            s->spec[i].state = s->state[i];
        }
        if (!err)
            err = sim_board_new(&s->spec[i], s->stubs, fl_mono_ns(), &s->board[i], why);
        if (!err)
            sim_board_journal(s->board[i], s->journal);
    }
    return err;
}

/* "127.0.0.1:6100", "[::1]:0" */
static enum fl_err split_listen(const char *listen, char *host, size_t cap, int *port,
                                struct fl_why *why)
{
    const char *colon = strrchr(listen, ':');
    size_t n = colon ? (size_t)(colon - listen) : 0;
    char *end;
    if (n > 2 && listen[0] == '[' && listen[n - 1] == ']') {
        listen++;
        n -= 2;
    }
    long v = colon && colon[1] ? strtol(colon + 1, &end, 10) : -1;
    if (n == 0 || n >= cap || v < 0 || v > 65535 || *end)
        return fl_fail(why, FL_FORMAT, "'%s': expected HOST:PORT, as 127.0.0.1:6100", listen);
    memcpy(host, listen, n);
    host[n] = 0;
    *port = (int)v;
    return FL_OK;
}

static void close_all(int *fd, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (fd[i] >= 0)
            (void)close(fd[i]);
}

/* n ports in a row from `port`; from 0: a row that is free, found by trying. `come_and_go`: not among those that the
 * system gives to clients: one that knocks at a port that is closed for the moment could be given that very number,
 * and meet itself. */
static enum fl_err take_row(const char *host, int *port, int *fd, unsigned n, bool come_and_go, struct fl_why *why)
{
    enum { LOW = 12000, HIGH = 32000, STEP = 611 };
    enum fl_err err = FL_BUSY;
    bool any = *port == 0;
    for (int try = 0; err && try < (any ? ROW_TRIES : 1); try++) {
        int p = !any ? *port : come_and_go ? LOW + (int)((unsigned)(getpid() + try * STEP) * 16 % (HIGH - LOW)) : 0;
        unsigned got = 0;
        for (err = FL_OK; !err && got < n; got++, p++) {
            fd[got] = -1;
            if (p > 65535)
                err = fl_fail(why, FL_ARG, "%u ports do not fit above %d", n, *port);
            else
                err = sim_tcp_listen(host, &p, &fd[got], why);
            if (got == 0 && !err)
                *port = p;
        }
        if (err)
            close_all(fd, got);
    }
    return err;
}

static enum fl_err make_ports(struct sim *s, const struct sim_config *c, struct fl_why *why)
{
    char host[64];
    int port = 0, *fd = malloc(s->n * sizeof *fd);
    enum fl_err err = fd ? split_listen(c->listen, host, sizeof host, &port, why)
                         : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = take_row(host, &port, fd, s->n, s->shift, why);
    for (unsigned i = 0; !err && i < s->n; i++)
        sim_end_tcp(&s->end[i], s->board[i], s->shift || s->spec[i].telnet, host, port + (int)i, fd[i]);
    if (!err && s->n == 1)
        snprintf(s->where, sizeof s->where, "1 board on %s:%d", host, port);
    else if (!err)
        snprintf(s->where, sizeof s->where, "%u boards on %s:%d..%d", s->n, host, port,
                 port + (int)s->n - 1);
    free(fd);
    return err;
}

static enum fl_err make_terminals(struct sim *s, const struct sim_config *c, struct fl_why *why)
{
    if (!c->station_file)
        return fl_fail(why, FL_ARG, "pseudo-terminals need a station file to be beside");
    char *dir = fl_path_dir(c->station_file), *full = dir ? realpath(dir, NULL) : NULL;
    enum fl_err err = full ? FL_OK : fl_fail_os(why, "%s", dir ? dir : c->station_file);
    for (unsigned i = 0; !err && i < s->n; i++)
        err = sim_end_pty(&s->end[i], s->board[i], full, i + 1, why);
    if (!err)
        snprintf(s->where, sizeof s->where, "%u board%s on %.280s/board1..%u", s->n, s->n == 1 ? "" : "s",
                 full, s->n);
    free(full);
    free(dir);
    return err;
}

/* A YAML string in double quotes: a folder's name may hold anything. */
static void add_quoted(struct fl_buf *b, const char *text)
{
    fl_buf_addc(b, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fl_buf_addc(b, '\\');
        fl_buf_addc(b, *text);
    }
    fl_buf_addc(b, '"');
}

static enum fl_err write_station(const struct sim *s, const char *path, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(1 << 20);
    fl_buf_addf(&b, "# simulated boards, seed %llu\nstation: simulated\nslots:\n",
                (unsigned long long)s->seed);
    for (unsigned i = 0; i < s->n; i++) {
        fl_buf_addf(&b, "  - {slot: %u, port: ", i + 1);
        add_quoted(&b, s->end[i].url);
        fl_buf_adds(&b, "}\n");
    }
    enum fl_err err = fl_buf_err(&b, why);
    if (!err)
        err = fl_file_replace(path, b.bytes, b.len, 0644, why);
    fl_buf_fini(&b);
    return err;
}

static struct sim *blank(unsigned n)
{
    struct sim *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->n = n;
    s->lock.fd = -1;
    s->spec = calloc(n, sizeof *s->spec);
    s->state = calloc(n, sizeof *s->state);
    s->board = calloc(n, sizeof *s->board);
    s->end = calloc(n, sizeof *s->end);
    s->fds = calloc(1 + (size_t)n * SIM_END_FDS, sizeof *s->fds);
    if (s->spec && s->state && s->board && s->end && s->fds)
        return s;
    sim_close(s);
    return NULL;
}

enum fl_err sim_open(const struct sim_config *c, struct sim **out, struct fl_why *why)
{
    *out = NULL;
    if (c->boards == 0 || c->boards > SIM_BOARDS_MAX)
        return fl_fail(why, FL_ARG, "%u boards: from 1 to %d are possible", c->boards, SIM_BOARDS_MAX);
    if (c->shift && (c->scenario || c->state))
        return fl_fail(why, FL_ARG, "a shift has its own boards: neither a scenario nor a state folder goes with it");
    struct sim *s = blank(c->boards);
    if (s)
        s->shift = c->shift != NULL;
    if (!s)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = c->journal ? sim_journal_open(c->journal, fl_mono_ns(), &s->journal, why) : FL_OK;
    if (!err)
        err = make_boards(s, c, why);
    if (!err)
        err = c->pty ? make_terminals(s, c, why) : make_ports(s, c, why);
    for (unsigned i = 0; !err && i < s->n && s->shift; i++) {
        s->end[i].ops->vanish(&s->end[i]);
        s->end[i].due = SIM_NEVER;
    }
    for (unsigned i = 0; !err && i < s->n && !s->shift; i++) {
        err = s->end[i].ops->appear(&s->end[i], why);
        s->end[i].there = !err;
    }
    if (!err && c->station_file)
        err = write_station(s, c->station_file, why);
    if (err)
        sim_close(s);
    else
        *out = s;
    return err;
}

void sim_close(struct sim *s)
{
    if (!s)
        return;
    operator_free(s->operator, fl_mono_ns());
    for (unsigned i = 0; s->end && i < s->n; i++) {
        if (s->end[i].ops)
            s->end[i].ops->vanish(&s->end[i]);
        fl_buf_fini(&s->end[i].out);
    }
    for (unsigned i = 0; s->board && i < s->n; i++)
        sim_board_free(s->board[i]);
    for (unsigned i = 0; s->state && i < s->n; i++)
        free(s->state[i]);
    sim_journal_close(s->journal);
    sim_stubs_free(s->stubs);
    fl_lock_drop(&s->lock);
    free(s->spec);
    free(s->state);
    free(s->board);
    free(s->end);
    free(s->fds);
    free(s);
}

/* ---- serving ------------------------------------------------------------------------------------------------- */

/* A port that vanished from the bus, or came back. Coming back can fail for a moment (an address still in
 * use); it is tried again at the board's next event, or the next time round. */
static void follow_port(struct sim_end *e)
{
    bool up = sim_board_port_up(e->board);
    if (up == e->there)
        return;
    if (up) {
        e->there = e->ops->appear(e, NULL) == FL_OK;
    } else {
        e->ops->vanish(e);
        e->there = false;
    }
}

static void serve_board(struct sim_end *e, uint64_t now)
{
    if (!e->board)
        return;
    sim_board_run(e->board, now);
    follow_port(e);
    if (e->there)
        e->ops->flush(e, now);
    e->due = sim_board_due(e->board);
}

/* Boards that are due; returns when the next one is. */
static uint64_t serve_due(struct sim *s)
{
    uint64_t now = fl_mono_ns(), next = SIM_NEVER;
    for (unsigned i = 0; i < s->n; i++) {
        struct sim_end *e = &s->end[i];
        if (e->due <= now)
            serve_board(e, now);
        if (e->due <= now && e->out.len > 0)
            e->due = now + 1000000; /* its client does not read: asked again when it does, or in 1 ms */
        if (e->due < next)
            next = e->due;
    }
    return next;
}

static size_t fill_fds(struct sim *s, struct fl_wake *wake)
{
    s->fds[0] = (struct pollfd){.fd = wake->rd, .events = POLLIN};
    for (unsigned i = 0; i < s->n; i++)
        for (unsigned k = 0; k < SIM_END_FDS; k++)
            s->fds[1 + i * SIM_END_FDS + k] =
                (struct pollfd){.fd = s->end[i].fd[k], .events = s->end[i].want[k]};
    return 1 + (size_t)s->n * SIM_END_FDS;
}

static void serve_ready(struct sim *s)
{
    uint64_t now = fl_mono_ns();
    for (unsigned i = 0; i < s->n; i++)
        for (int k = 0; k < SIM_END_FDS; k++) {
            struct pollfd *p = &s->fds[1 + i * SIM_END_FDS + (unsigned)k];
            struct sim_end *e = &s->end[i];
            if (p->revents == 0 || p->fd != e->fd[k])
                continue;
            e->ops->ready(e, now, k, p->revents);
            serve_board(e, now);
        }
}

/* A board that has put off work, or NULL; by turns. */
static struct sim_board *owing(struct sim *s)
{
    for (unsigned k = 0; k < s->n; k++) {
        s->turn = (s->turn + 1) % s->n;
        struct sim_board *b = s->end[s->turn].board;
        if (b && sim_board_owes(b))
            return b;
    }
    return NULL;
}

enum fl_err sim_run(struct sim *s, struct fl_wake *wake, struct fl_why *why)
{
    sim_wait_sharply();
    for (;;) {
        uint64_t next = serve_due(s), now = fl_mono_ns();
        if (s->operator) {
            uint64_t due = operator_tick(s->operator, now);
            if (operator_over(s->operator))
                return FL_OK;
            next = due < next ? due : next;
            for (unsigned i = 0; i < s->n; i++)
                next = s->end[i].due < next ? s->end[i].due : next; /* one that was just plugged in */
        }
        size_t n = fill_fds(s, wake);
        struct sim_board *idle = next > now ? owing(s) : NULL;
        int ready = sim_wait(s->fds, n, next == SIM_NEVER && !idle ? SIM_NEVER : next > now && !idle ? next - now : 0);
        if (ready < 0 && errno != EINTR)
            return fl_fail_os(why, "poll");
        if (ready > 0 && s->fds[0].revents)
            return FL_OK;
        if (ready > 0)
            serve_ready(s);
        else if (idle)
            sim_board_work(idle);
    }
}

/* ---- what there is ------------------------------------------------------------------------------------------- */

void sim_see(struct sim *s, unsigned slot, const struct sim_tile *tile)
{
    if (s->operator)
        operator_see(s->operator, slot, tile);
}

void sim_see_nothing(struct sim *s)
{
    if (s->operator)
        operator_blind(s->operator);
}

uint64_t sim_seed(const struct sim *s)
{
    return s->seed;
}

const char *sim_url(const struct sim *s, unsigned i)
{
    return s->end[i].url;
}

const char *sim_where(const struct sim *s)
{
    return s->where;
}

const char *sim_chip_name(const struct sim *s, unsigned i)
{
    return s->spec[i].chip->name;
}

void sim_mac(const struct sim *s, unsigned i, uint8_t mac[static 6])
{
    memcpy(mac, s->spec[i].mac, 6);
}
