/* SPDX-License-Identifier: Apache-2.0
 * What all kinds of link have in common: see link.h for the promise, link_internal.h for the table. */
#include "link/link_internal.h"
#include "link/ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A peer that never stops sending must not keep link_discard for ever. No UART fills this much while
 * it is read away; only a local flood does. */
enum { DISCARD_MAX = 1 << 20 };
enum { LOOK_MS = 100 }; /* for a port that is to go or to come back: it takes a second or two */

enum fl_err link_open(const char *url, struct fl_wake *wake, struct fl_deadline d, struct link **out,
                      struct fl_why *why)
{
    static enum fl_err (*const open_kind[])(const struct link_open_args *, struct link **,
                                            struct fl_why *) = {
        [LINK_SERIAL] = link_serial_open,
        [LINK_RFC2217] = link_rfc2217_open,
        [LINK_SOCKET] = link_socket_open,
        [LINK_PTY] = link_pty_open,
    };
    *out = NULL;
    struct link_url u;
    enum fl_err err = link_url_parse(url, &u, why);
    if (err)
        return err;
    err = open_kind[u.kind](&(struct link_open_args){&u, wake, d}, out, why);
    if (!err)
        (void)snprintf((*out)->info.url, sizeof (*out)->info.url, "%s", url);
    return err;
}

void link_close(struct link *l)
{
    if (l)
        l->ops->close(l);
}

/* ---- a port whose supply is switched ------------------------------------------------------------- */

static void husk_close(struct link *l)
{
    free(l);
}

enum fl_err link_let_go(struct link **l)
{
    static const struct link_ops husk_ops = {.close = husk_close};
    struct link *husk = malloc(sizeof *husk);
    if (!husk)
        return FL_NOMEM;
    *husk = **l;
    husk->ops = &husk_ops;
    husk->gone = true;
    husk->fd = -1;
    husk->in_at = husk->in_len = 0;
    link_close(*l);
    *l = husk;
    return FL_OK;
}

bool link_goes(const struct link *l, struct fl_deadline d)
{
    enum link_known there = link_port_there(l->info.url);
    while (there == LINK_YES && !fl_deadline_passed(d)) {
        if (fl_wake_sleep(l->wake, fl_deadline_min(d, fl_deadline_in_ms(LOOK_MS))))
            break;
        there = link_port_there(l->info.url);
    }
    return there == LINK_NO;
}

enum fl_err link_come_back(struct link **l, struct fl_deadline d, struct fl_why *why)
{
    struct fl_wake *wake = (*l)->wake;
    struct link *again;
    struct fl_why last = {0};
    enum fl_err err = link_open((*l)->info.url, wake, d, &again, &last);
    while (err && err != FL_CANCELLED && err != FL_NOMEM && !fl_deadline_passed(d)) {
        err = fl_wake_sleep(wake, fl_deadline_min(d, fl_deadline_in_ms(LOOK_MS)));
        if (!err)
            err = link_open((*l)->info.url, wake, d, &again, &last);
    }
    if (err && err != FL_CANCELLED && err != FL_NOMEM)
        return fl_fail(why, FL_GONE, "it did not come back: %s", last.text);
    if (err)
        return fl_fail(why, err, "%s", fl_err_text(err));
    link_close(*l);
    *l = again;
    return FL_OK;
}

const struct link_info *link_info(const struct link *l)
{
    return &l->info;
}

uint32_t link_baud(const struct link *l)
{
    return l->baud;
}

struct link_counters link_counters(const struct link *l)
{
    return l->count;
}

const struct fl_why *link_why(const struct link *l)
{
    return &l->why;
}

/* The one place for what a kind cannot do, and for a link whose far end is away. */
static enum fl_err may(struct link *l, bool can, const char *what)
{
    if (l->gone)
        return fl_fail(&l->why, FL_GONE, "%s is gone", l->info.device);
    if (!can)
        return fl_fail(&l->why, FL_UNSUPPORTED, "%s has no %s", l->info.device, what);
    return FL_OK;
}

static enum fl_err mark(struct link *l, enum fl_err err)
{
    if (err == FL_GONE)
        l->gone = true;
    return err;
}

static size_t take_buffered(struct link *l, void *buf, size_t cap)
{
    size_t n = l->in_len - l->in_at;
    if (n > cap)
        n = cap;
    memcpy(buf, l->in + l->in_at, n);
    l->in_at += n;
    return n;
}

enum fl_err link_read(struct link *l, void *buf, size_t cap, size_t *got, struct fl_deadline d)
{
    *got = 0;
    if (cap == 0)
        return fl_fail(&l->why, FL_ARG, "%s: read into nothing", l->info.device);
    if (l->in_at < l->in_len) {
        *got = take_buffered(l, buf, cap);
        return FL_OK;
    }
    enum fl_err err = may(l, true, "");
    if (err)
        return err;
    size_t n = 0;
    if (cap >= sizeof l->in) { /* as much as the buffer would take: read where it is wanted */
        err = mark(l, l->ops->read(l, buf, cap, &n, d));
        if (!err)
            *got = n;
    } else {
        l->in_at = l->in_len = 0;
        err = mark(l, l->ops->read(l, l->in, sizeof l->in, &n, d));
        if (!err) {
            l->in_len = n;
            *got = take_buffered(l, buf, cap);
        }
    }
    l->count.bytes_in += n;
    return err;
}

enum fl_err link_wait(struct link *l, struct fl_deadline d)
{
    if (l->in_at < l->in_len)
        return FL_OK;
    enum fl_err err = may(l, true, "");
    size_t n = 0;
    if (err)
        return err;
    l->in_at = l->in_len = 0;
    err = mark(l, l->ops->read(l, l->in, sizeof l->in, &n, d));
    l->in_len = n;
    l->count.bytes_in += n;
    return err;
}

enum fl_err link_write(struct link *l, const void *bytes, size_t n, struct fl_deadline d)
{
    enum fl_err err = may(l, true, "");
    if (err || n == 0)
        return err;
    err = mark(l, l->ops->write(l, bytes, n, d));
    if (!err)
        l->count.bytes_out += n;
    return err;
}

enum fl_err link_drain(struct link *l, struct fl_deadline d)
{
    enum fl_err err = may(l, true, "");
    if (err || !l->ops->drain)
        return err;
    return mark(l, l->ops->drain(l, d));
}

enum fl_err link_discard(struct link *l)
{
    enum fl_err err = may(l, true, "");
    l->in_at = l->in_len = 0;
    if (!err && l->ops->purge)
        err = mark(l, l->ops->purge(l));
    const struct fl_deadline now = {0};
    for (size_t total = 0, n = 0; !err && total < DISCARD_MAX; total += n) {
        err = mark(l, l->ops->read(l, l->in, sizeof l->in, &n, now));
        l->count.bytes_in += n;
    }
    return err == FL_TIMEOUT ? FL_OK : err;
}

enum fl_err link_set_baud(struct link *l, uint32_t baud, struct fl_deadline d)
{
    enum fl_err err = may(l, l->info.has_speed && l->ops->set_baud, "speed that could be set");
    if (err)
        return err;
    if (baud == 0 || baud > 100000000)
        return fl_fail(&l->why, FL_ARG, "%s: %u is no speed", l->info.device, (unsigned)baud);
    return mark(l, l->ops->set_baud(l, baud, d));
}

enum fl_err link_set_lines(struct link *l, enum link_wire dtr, enum link_wire rts,
                           struct fl_deadline d)
{
    enum fl_err err = may(l, l->info.has_lines && l->ops->set_lines, "modem lines");
    if (err || (dtr == LINK_KEEP && rts == LINK_KEEP))
        return err;
    return mark(l, l->ops->set_lines(l, dtr, rts, d));
}
