/* SPDX-License-Identifier: Apache-2.0
 * The scripted link of mem.h. */
#include "link/mem.h"

#include "link/link_internal.h"

#include <stdlib.h>
#include <string.h>

/* More than any conversation under test; a script that runs away hits it. */
enum { REPLY_MAX = 16 << 20 };

struct mem {
    struct link link; /* first: a struct link * is a struct mem * */
    struct link_mem_peer peer;
    struct fl_buf reply; /* reply.bytes[at .. len) waits to be read */
    size_t at;
    bool hung_up;
};

static struct mem *of(struct link *l)
{
    return (struct mem *)l;
}

static enum fl_err replied(struct mem *m)
{
    return fl_buf_err(&m->reply, &m->link.why);
}

static void mem_close(struct link *l)
{
    fl_buf_fini(&of(l)->reply);
    free(l);
}

static enum fl_err mem_read(struct link *l, uint8_t *buf, size_t cap, size_t *got,
                            struct fl_deadline d)
{
    struct mem *m = of(l);
    *got = 0;
    size_t n = m->reply.len - m->at;
    if (n == 0) {
        if (m->hung_up)
            return fl_fail(&l->why, FL_GONE, "the scripted peer hung up");
        enum fl_err err = fl_wake_sleep(l->wake, d);
        return fl_fail(&l->why, err ? err : FL_TIMEOUT, "the scripted peer says nothing");
    }
    if (n > cap)
        n = cap;
    memcpy(buf, m->reply.bytes + m->at, n);
    m->at += n;
    if (m->at == m->reply.len) {
        fl_buf_clear(&m->reply);
        m->at = 0;
    }
    l->count.reads++;
    *got = n;
    return FL_OK;
}

static enum fl_err mem_write(struct link *l, const uint8_t *bytes, size_t n, struct fl_deadline d)
{
    struct mem *m = of(l);
    (void)d; /* a function call does not wait */
    if (m->hung_up)
        return fl_fail(&l->why, FL_GONE, "the scripted peer hung up");
    l->count.writes++;
    if (m->peer.on_write)
        m->peer.on_write(m->peer.ctx, bytes, n, &m->reply);
    return replied(m);
}

static enum fl_err mem_set_baud(struct link *l, uint32_t baud, struct fl_deadline d)
{
    (void)d;
    l->baud = baud;
    of(l)->peer.on_baud(of(l)->peer.ctx, baud);
    return FL_OK;
}

static enum fl_err mem_set_lines(struct link *l, enum link_wire dtr, enum link_wire rts,
                                 struct fl_deadline d)
{
    struct mem *m = of(l);
    (void)d;
    m->peer.on_lines(m->peer.ctx, dtr, rts, &m->reply);
    return replied(m);
}

static const struct link_ops mem_ops = {
    .close = mem_close,
    .read = mem_read,
    .write = mem_write,
    .set_baud = mem_set_baud,
    .set_lines = mem_set_lines,
};

enum fl_err link_mem_open(const struct link_mem_peer *peer, struct fl_wake *wake, struct link **out)
{
    *out = NULL;
    struct mem *m = malloc(sizeof *m);
    if (!m)
        return FL_NOMEM;
    link_init(&m->link, LINK_MEMORY, &mem_ops, wake);
    m->peer = *peer;
    m->reply = FL_BUF(REPLY_MAX);
    m->at = 0;
    m->hung_up = false;
    m->link.info.has_lines = peer->on_lines != NULL;
    m->link.info.has_speed = peer->on_baud != NULL;
    memcpy(m->link.info.url, "memory", sizeof "memory");
    memcpy(m->link.info.device, "memory", sizeof "memory");
    *out = &m->link;
    return FL_OK;
}

enum fl_err link_mem_send(struct link *l, const void *bytes, size_t n)
{
    fl_buf_add(&of(l)->reply, bytes, n);
    return replied(of(l));
}

void link_mem_hang_up(struct link *l)
{
    of(l)->hung_up = true;
}
