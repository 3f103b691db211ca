/* SPDX-License-Identifier: Apache-2.0
 *
 * rfc2217://HOST:PORT: a serial port at the far end of a telnet connection (RFC 2217).
 *
 * What travels inside the telnet stream (telnet.h), client's commands and the server's answers:
 *
 *   FF FA 2C  1  baud, 4 bytes, high first   FF F0     answered by 101 and the speed made
 *             2  data bits (8)                                    102
 *             3  parity (1 none)                                  103
 *             4  stop bits (1)                                    104
 *             5  control: 1 no flow control, 8/9 DTR on/off,      105 and the state it has now
 *                11/12 RTS on/off
 *            12  purge: 1 what was received, 2 what is to be sent 112
 *   and unasked: 106 line state, 107 modem state (not used here), 108 stop sending, 109 go on.
 *
 * TCP keeps order, so answers come in the order of commands: each is matched with the oldest command
 * of its sort that still waits. A command given up on (its answer took longer than ACK_MS) stays in
 * the list, so that its late answer is not taken for the answer to the next one.
 *
 * Board bytes that arrive while an answer is waited for are kept and read later.
 */
#include "link/link_internal.h"
#include "link/telnet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    C_BAUD = 1,
    C_DATASIZE = 2,
    C_PARITY = 3,
    C_STOPSIZE = 4,
    C_CONTROL = 5,
    C_SUSPEND = 8,
    C_RESUME = 9,
    C_PURGE = 12,
    FROM_SERVER = 100, /* the server's number is the client's plus this */
};
enum { CTL_NO_FLOW = 1, CTL_DTR_ON = 8, CTL_DTR_OFF = 9, CTL_RTS_ON = 11, CTL_RTS_OFF = 12 };
enum { PURGE_RECEIVED = 1 };

/* How long a server may take over one answer. A server on the same floor needs a millisecond; one that
 * polls its port, or sits behind a slow radio, some hundred. */
enum { ACK_MS = 3000 };
/* Answers that may be owed at once: nine at open, and those given up on. */
enum { WAITS_MAX = 16 };
/* Board bytes kept while waiting: three seconds at 3 Mbit/s. */
enum { KEPT_MAX = 1 << 20 };

struct wait {
    uint8_t command, group; /* group: which of CONTROL's many things */
    uint32_t value;
    bool done, given_up;
    uint32_t answer;
};

struct rfc2217 {
    struct link link; /* first: a struct link * is a struct rfc2217 * */
    struct telnet tn;
    struct fl_buf kept; /* kept.bytes[kept_at .. len) came while waiting */
    size_t kept_at;
    struct fl_buf wire; /* what is written, with each FF doubled: as long as the longest write until now */
    struct wait waits[WAITS_MAX]; /* oldest first */
    size_t n_waits;
    bool suspended; /* the server asked to stop sending */
    bool no_purge;  /* it does not answer a purge: not asked again */
    bool half;      /* a write ended inside a doubled FF */
};

static struct rfc2217 *of(struct link *l)
{
    return (struct rfc2217 *)l;
}

/* ---- answers ---------------------------------------------------------------------------------- */

/* CONTROL's values in the groups of RFC 2217: a server answers about the group with its state now. */
static uint8_t control_group(uint32_t value)
{
    static const uint8_t last_of[] = {3, 6, 9, 12, 16, 19};
    for (uint8_t g = 0; g < sizeof last_of; g++)
        if (value <= last_of[g])
            return value == 17 || value == 19 ? 0 : g; /* 17, 19: outbound flow control again */
    return 0xff;
}

static void on_answer(struct rfc2217 *r, uint8_t command, uint32_t value)
{
    uint8_t group = command == C_CONTROL ? control_group(value) : 0;
    for (size_t i = 0; i < r->n_waits; i++) {
        struct wait *w = &r->waits[i];
        if (w->done || w->command != command || w->group != group)
            continue;
        w->done = true;
        w->answer = value;
        return;
    }
    /* nobody waits: the server tells of its own accord, which is allowed */
}

static void on_sub(void *ctx, const uint8_t *bytes, size_t n)
{
    struct rfc2217 *r = ctx;
    if (bytes[0] != TN_COM_PORT || n < 2)
        return;
    uint8_t command = bytes[1];
    size_t values = n - 2;
    if (command == FROM_SERVER + C_SUSPEND)
        r->suspended = true;
    else if (command == FROM_SERVER + C_RESUME)
        r->suspended = false;
    else if (command == FROM_SERVER + C_BAUD && values == 4)
        on_answer(r, C_BAUD, (uint32_t)bytes[2] << 24 | (uint32_t)bytes[3] << 16 |
                                 (uint32_t)bytes[4] << 8 | bytes[5]);
    else if (command > FROM_SERVER && command != FROM_SERVER + C_BAUD && values == 1)
        on_answer(r, (uint8_t)(command - FROM_SERVER), bytes[2]);
}

/* ---- bytes in and out -------------------------------------------------------------------------- */

/* What must leave before anything else: the rest of a doubled FF, then telnet's own answers. */
static enum fl_err send_answers(struct rfc2217 *r, struct fl_deadline d)
{
    static const uint8_t iac = TN_IAC;
    struct fl_buf *a = &r->tn.answers;
    size_t sent = 0;
    enum fl_err err = fl_buf_err(a, &r->link.why);
    if (!err && r->half) {
        err = link_fd_write(&r->link, &iac, 1, NULL, d);
        r->half = err != FL_OK;
    }
    if (err || a->len == 0)
        return err;
    err = link_fd_write(&r->link, a->bytes, a->len, &sent, d);
    memmove(a->bytes, a->bytes + sent, a->len - sent); /* what could not go now goes first next time */
    a->len -= sent;
    return err;
}

/* One read from the wire; *got board bytes in `buf`, perhaps none. */
static enum fl_err pump(struct rfc2217 *r, uint8_t *buf, size_t cap, size_t *got, struct fl_deadline d)
{
    size_t n = 0;
    *got = 0;
    enum fl_err err = link_fd_read(&r->link, buf, cap, &n, d);
    if (err)
        return err;
    *got = telnet_take(&r->tn, buf, n, buf);
    if (r->tn.changes > TELNET_CHANGES_MAX)
        return fl_fail(&r->link.why, FL_FORMAT, "%s changes its telnet options without end",
                       r->link.info.device);
    err = send_answers(r, d);
    /* bytes that were read must not be lost because an answer could not leave: the next call says so */
    return *got ? FL_OK : err;
}

static enum fl_err pump_and_keep(struct rfc2217 *r, struct fl_deadline d)
{
    size_t got = 0;
    if (r->kept_at) { /* room at the front first */
        memmove(r->kept.bytes, r->kept.bytes + r->kept_at, r->kept.len - r->kept_at);
        r->kept.len -= r->kept_at;
        r->kept_at = 0;
    }
    uint8_t *room = fl_buf_room(&r->kept, LINK_IN_SIZE);
    if (!room)
        return fl_why_wrap(&r->link.why, fl_buf_err(&r->kept, &r->link.why),
                           "%s sends and does not answer: ", r->link.info.device);
    enum fl_err err = pump(r, room, LINK_IN_SIZE, &got, d);
    r->kept.len += got;
    return err;
}

static enum fl_err rfc2217_read(struct link *l, uint8_t *buf, size_t cap, size_t *got,
                                struct fl_deadline d)
{
    struct rfc2217 *r = of(l);
    size_t have = r->kept.len - r->kept_at;
    if (have) {
        *got = have < cap ? have : cap;
        memcpy(buf, r->kept.bytes + r->kept_at, *got);
        r->kept_at += *got;
        return FL_OK;
    }
    fl_buf_clear(&r->kept);
    r->kept_at = 0;
    enum fl_err err = FL_OK;
    do
        err = pump(r, buf, cap, got, d);
    while (!err && *got == 0);
    return err;
}

/* Does this prefix of an escaped stream end between the two bytes of a doubled FF? */
static bool ends_inside(const uint8_t *bytes, size_t n)
{
    size_t run = 0;
    while (run < n && bytes[n - 1 - run] == TN_IAC)
        run++;
    return run % 2 == 1;
}

static enum fl_err write_escaped(struct rfc2217 *r, const uint8_t *bytes, size_t n,
                                 struct fl_deadline d)
{
    struct fl_buf *wire = &r->wire;
    size_t sent = 0;
    fl_buf_clear(wire);
    wire->max = 2 * n;
    telnet_escape(wire, bytes, n);
    enum fl_err err = fl_buf_err(wire, &r->link.why);
    if (!err)
        err = link_fd_write(&r->link, wire->bytes, wire->len, &sent, d);
    r->half = ends_inside(wire->bytes, sent);
    return err;
}

static enum fl_err rfc2217_write(struct link *l, const uint8_t *bytes, size_t n, struct fl_deadline d)
{
    struct rfc2217 *r = of(l);
    enum fl_err err = send_answers(r, d);
    while (!err && r->suspended)
        err = pump_and_keep(r, d);
    if (err)
        return err;
    if (!memchr(bytes, TN_IAC, n))
        return link_fd_write(l, bytes, n, NULL, d);
    return write_escaped(r, bytes, n, d);
}

/* ---- commands ---------------------------------------------------------------------------------- */

struct command {
    uint8_t number;
    uint32_t value;
};

static void add_command(struct fl_buf *out, struct command c)
{
    const uint8_t head[] = {TN_IAC, TN_SB, TN_COM_PORT, c.number}, tail[] = {TN_IAC, TN_SE};
    const uint8_t four[] = {(uint8_t)(c.value >> 24), (uint8_t)(c.value >> 16), (uint8_t)(c.value >> 8), (uint8_t)c.value};
    fl_buf_add(out, head, sizeof head);
    if (c.number == C_BAUD)
        telnet_escape(out, four, sizeof four); /* 0xFF in a speed is doubled like any other */
    else
        telnet_escape(out, four + 3, 1);
    fl_buf_add(out, tail, sizeof tail);
}

/* On the list of answers to wait for: only what has left, or the answer to the next one would be taken for its. */
static void await_answer(struct rfc2217 *r, struct command c)
{
    uint8_t group = c.number == C_CONTROL ? control_group(c.value) : 0;
    r->waits[r->n_waits++] = (struct wait){.command = c.number, .group = group, .value = c.value};
}

static const char *name_of(const struct wait *w)
{
    static const char *const names[] = {[C_BAUD] = "the speed", [C_DATASIZE] = "8 data bits",
                                        [C_PARITY] = "no parity", [C_STOPSIZE] = "one stop bit"};
    if (w->command == C_PURGE)
        return "a purge";
    if (w->command != C_CONTROL)
        return names[w->command];
    return w->value == CTL_NO_FLOW                                 ? "no flow control"
           : w->value == CTL_DTR_ON || w->value == CTL_DTR_OFF ? "DTR"
                                                                   : "RTS";
}

static const struct wait *first_owed(const struct rfc2217 *r)
{
    for (size_t i = 0; i < r->n_waits; i++)
        if (!r->waits[i].done && !r->waits[i].given_up)
            return &r->waits[i];
    return NULL;
}

static enum fl_err does_not_acknowledge(struct link *l, const struct wait *w)
{
    bool line = w->command == C_CONTROL && w->value != CTL_NO_FLOW;
    return fl_fail(&l->why, FL_TIMEOUT, "%s does not acknowledge %s%s", l->info.device, name_of(w),
                   line ? " (has the port behind it modem lines?)" : "");
}

/* Look at the answers, forget those that came, mark the others as given up. */
static enum fl_err settle(struct rfc2217 *r)
{
    struct link *l = &r->link;
    enum fl_err err = FL_OK;
    size_t left = 0;
    for (size_t i = 0; i < r->n_waits; i++) {
        struct wait *w = &r->waits[i];
        if (!w->done) {
            w->given_up = true;
            r->waits[left++] = *w;
        } else if (!w->given_up && !err && w->command == C_BAUD) {
            l->baud = w->answer ? w->answer : l->baud;
            err = link_baud_near(l, "server", w->value, w->answer);
        } else if (!w->given_up && !err && w->command != C_PURGE && w->answer != w->value) {
            err = fl_fail(&l->why, FL_REFUSED, "%s refuses %s (asked %u, has %u)", l->info.device,
                          name_of(w), (unsigned)w->value, (unsigned)w->answer);
        }
    }
    r->n_waits = left;
    return err;
}

/* Answers that nobody waited for any more came meanwhile. */
static void forget_late(struct rfc2217 *r)
{
    size_t left = 0;
    for (size_t i = 0; i < r->n_waits; i++)
        if (!r->waits[i].done)
            r->waits[left++] = r->waits[i];
    r->n_waits = left;
}

static enum fl_err send_commands(struct rfc2217 *r, const struct command *list, size_t n, struct fl_deadline d)
{
    struct fl_buf out = FL_BUF(256);
    size_t sent = 0;
    for (size_t i = 0; i < n; i++)
        add_command(&out, list[i]);
    enum fl_err err = fl_buf_err(&out, &r->link.why);
    if (!err)
        err = send_answers(r, d);
    if (!err)
        err = link_fd_write(&r->link, out.bytes, out.len, &sent, d);
    if (err && sent > 0)
        r->link.gone = true; /* cut off inside a command: all that followed would be read as part of it */
    for (size_t i = 0; i < n && !err; i++)
        await_answer(r, list[i]);
    fl_buf_fini(&out);
    return err;
}

/* Send the commands, in one write, and wait for all their answers. */
static enum fl_err converse(struct rfc2217 *r, const struct command *list, size_t n, struct fl_deadline d)
{
    struct link *l = &r->link;
    struct fl_deadline both = fl_deadline_min(fl_deadline_in_ms(ACK_MS), d);
    forget_late(r);
    if (r->n_waits + n > WAITS_MAX)
        return fl_fail(&l->why, FL_TIMEOUT, "%s no longer answers", l->info.device);
    enum fl_err err = send_commands(r, list, n, both);
    while (!err && first_owed(r))
        err = pump_and_keep(r, both);
    if (err == FL_TIMEOUT && first_owed(r))
        err = does_not_acknowledge(l, first_owed(r));
    enum fl_err settled = settle(r);
    return err ? err : settled;
}

static enum fl_err rfc2217_set_baud(struct link *l, uint32_t baud, struct fl_deadline d)
{
    return converse(of(l), &(struct command){C_BAUD, baud}, 1, d);
}

static enum fl_err rfc2217_set_lines(struct link *l, enum link_wire dtr, enum link_wire rts,
                                     struct fl_deadline d)
{
    struct command list[2];
    size_t n = 0;
    if (dtr != LINK_KEEP)
        list[n++] = (struct command){C_CONTROL, dtr == LINK_ASSERT ? CTL_DTR_ON : CTL_DTR_OFF};
    if (rts != LINK_KEEP)
        list[n++] = (struct command){C_CONTROL, rts == LINK_ASSERT ? CTL_RTS_ON : CTL_RTS_OFF};
    return converse(of(l), list, n, d);
}

/* What came before the server's answer was received before the purge, so it is thrown away too. */
static enum fl_err rfc2217_purge(struct link *l)
{
    struct rfc2217 *r = of(l);
    enum fl_err err = FL_OK;
    if (!r->no_purge)
        err = converse(r, &(struct command){C_PURGE, PURGE_RECEIVED}, 1, fl_deadline_in_ms(ACK_MS));
    if (err == FL_TIMEOUT) { /* some servers do not know it; reading does most of the work */
        r->no_purge = true;
        err = FL_OK;
    }
    fl_buf_clear(&r->kept);
    r->kept_at = 0;
    return err;
}

/* ---- open -------------------------------------------------------------------------------------- */

static enum fl_err negotiate(struct rfc2217 *r, struct fl_deadline d)
{
    struct telnet *t = &r->tn;
    struct link *l = &r->link;
    struct fl_deadline both = fl_deadline_min(d, fl_deadline_in_ms(ACK_MS));
    telnet_ask_us(t, TN_BINARY);
    telnet_ask_him(t, TN_BINARY);
    telnet_ask_us(t, TN_SGA);
    telnet_ask_him(t, TN_SGA);
    telnet_ask_us(t, TN_COM_PORT);
    enum fl_err err = send_answers(r, both);
    while (!err && ((t->us[TN_COM_PORT] == TELNET_ASKED && t->him[TN_COM_PORT] != TELNET_YES) ||
                    t->us[TN_BINARY] == TELNET_ASKED || t->him[TN_BINARY] == TELNET_ASKED))
        err = pump_and_keep(r, both);
    /* RFC 2217 lets the client offer and the server accept; some servers offer it themselves */
    bool port = t->us[TN_COM_PORT] == TELNET_YES || t->him[TN_COM_PORT] == TELNET_YES;
    if (err == FL_GONE && t->commands == 0) /* how a server says that its port is taken */
        return fl_fail(&l->why, FL_BUSY, "%s closed the connection at once: another client holds the port",
                       l->info.device);
    if (err && err != FL_TIMEOUT)
        return err;
    if (!port && (!err || fl_deadline_left_ns(d) > 0))
        return fl_fail(&l->why, FL_REFUSED, "%s is not an RFC 2217 server (%s); use socket://%s",
                       l->info.device, t->commands ? "it refuses COM-PORT-OPTION" : "it speaks no telnet",
                       l->info.device);
    if (!err && (t->us[TN_BINARY] != TELNET_YES || t->him[TN_BINARY] != TELNET_YES))
        return fl_fail(&l->why, FL_REFUSED, "%s refuses binary transmission", l->info.device);
    if (err)
        return fl_fail(&l->why, err, "%s does not finish the telnet negotiation", l->info.device);
    return FL_OK;
}

/* Lines first: a board held in reset by what the server did at its own open is freed soonest. */
static enum fl_err set_up(struct rfc2217 *r, struct fl_deadline d)
{
    static const struct command setup[] = {
        {C_CONTROL, CTL_DTR_OFF}, {C_CONTROL, CTL_RTS_OFF}, {C_BAUD, LINK_BAUD_AT_OPEN},
        {C_DATASIZE, 8},          {C_PARITY, 1},            {C_STOPSIZE, 1},
        {C_CONTROL, CTL_NO_FLOW},
    };
    return converse(r, setup, sizeof setup / sizeof *setup, d);
}

static void rfc2217_close(struct link *l)
{
    struct rfc2217 *r = of(l);
    if (l->fd >= 0)
        (void)close(l->fd);
    telnet_fini(&r->tn);
    fl_buf_fini(&r->kept);
    fl_buf_fini(&r->wire);
    free(r);
}

static const struct link_ops rfc2217_ops = {
    .close = rfc2217_close,
    .read = rfc2217_read,
    .write = rfc2217_write,
    .drain = link_fd_drain,
    .purge = rfc2217_purge,
    .set_baud = rfc2217_set_baud,
    .set_lines = rfc2217_set_lines,
};

enum fl_err link_rfc2217_open(const struct link_open_args *a, struct link **out, struct fl_why *why)
{
    struct rfc2217 *r = calloc(1, sizeof *r);
    if (!r)
        return fl_fail(why, FL_NOMEM, "no memory for a link");
    struct link *l = &r->link;
    link_init(l, LINK_RFC2217, &rfc2217_ops, a->wake);
    telnet_init(&r->tn, on_sub, r);
    r->kept = FL_BUF(KEPT_MAX);
    l->info.has_lines = l->info.has_speed = true;
    (void)snprintf(l->info.device, sizeof l->info.device, "%.180s:%s", a->url->host, a->url->port);
    enum fl_err err = link_tcp_connect(a, &l->fd, &l->why);
    if (!err)
        err = negotiate(r, a->d);
    if (!err)
        err = set_up(r, a->d);
    if (!err)
        err = link_discard(l);
    if (!err) {
        *out = l;
        return FL_OK;
    }
    if (why)
        *why = l->why;
    rfc2217_close(l);
    return err;
}
