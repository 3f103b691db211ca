/* SPDX-License-Identifier: Apache-2.0
 * Frames over a link: sending whole or paced, waiting for the one answer that matters among boot
 * text, echoes, damaged frames and answers to earlier questions, and putting the framing right again.
 *
 * Everything that arrives goes through one buffer and one reader; a wait ends with the answer, a
 * deadline, a restart of the chip seen in its text, or the link's end. No wait is longer than its
 * limit however much arrives. */
#include "esp/session.h"

#include <string.h>

enum {
    FRAMES_MAX = 256, /* frames looked at for one answer: 8 to each of a few SYNCs, and reserve */
    STATUS_MAX = 4, /* bytes of an answer that is nothing but a status: 2 of an ESP8266 or a stub, else 4 */
    RESYNC_TRIES = 3,
    STALE_READS = 16,  /* a board that never stops talking does not keep us from asking */
    QUIET_ROUNDS = 10, /* a board that never falls silent is not waited for longer than this */
};

static const uint8_t stub_greeting[4] = {'O', 'H', 'A', 'I'};
static const uint8_t break_frame[2] = {0xdb, 0x00};

/* ---- receiving ---------------------------------------------------------------------------------- */

/* At least one more byte into e->in, or the link's error. */
static enum fl_err fill(struct esp *e, struct fl_deadline d)
{
    if (e->in_at == e->in_n)
        e->in_at = e->in_n = 0;
    if (e->in_n == sizeof e->in) {
        /* only a paced write can leave this much unread: keep the newer half */
        e->in_at = e->in_at > sizeof e->in / 2 ? e->in_at : sizeof e->in / 2;
        memmove(e->in, e->in + e->in_at, e->in_n - e->in_at);
        e->in_n -= e->in_at;
        e->in_at = 0;
    }
    size_t got = 0;
    enum fl_err err = link_read(e->link, e->in + e->in_n, sizeof e->in - e->in_n, &got, d);
    if (!err)
        e->in_n += got;
    return err;
}

static void take_text(struct esp *e, const uint8_t *bytes, size_t n)
{
    text_add(&e->text, bytes, n);
    if (e->observer.text)
        e->observer.text(e->observer.ctx, bytes, n);
    if (e->stage < STAGE_SYNCED)
        return;
    size_t len;
    const uint8_t *p = text_since(&e->text, e->text_mark, &len);
    struct text_signs s = text_read(p, len);
    /* each reset of ours brings one boot text. One that was not heard before the loader answered comes later, held back on the
     * way, and ends with the loader's name; a chip that restarts by itself says something else */
    bool ours = e->boots_due > 0 && !s.brownout && (s.download || !s.boot_line);
    e->restarted = (s.boot || s.brownout) && !ours;
    if (ours && s.boot_line) {
        e->boots_due--;
        e->text_mark = e->text.total;
    }
}

enum got { GOT_NOTHING, GOT_REPLY, GOT_CUT, GOT_GREETING };

/* The next thing that means something in what was received. */
static enum got parse(struct esp *e, struct packet_reply *r)
{
    for (;;) {
        struct fl_cursor c = fl_cursor_of(e->in + e->in_at, e->in_n - e->in_at);
        const uint8_t *p;
        size_t n;
        enum slip_event ev = slip_next(&e->rx, &c, &p, &n);
        e->in_at = e->in_n - c.left;
        if (ev == SLIP_MORE)
            return GOT_NOTHING;
        if (ev != SLIP_FRAME) {
            take_text(e, p, n);
            continue;
        }
        e->frames++;
        if (n == sizeof stub_greeting && memcmp(p, stub_greeting, n) == 0) {
            e->greeted = true;
            return GOT_GREETING;
        }
        switch (packet_parse(p, n, r)) {
        case PACKET_REPLY:
            e->syncs += r->op == OP_SYNC;
            if (r->op == OP_FLASH_DATA)
                e->data_reply = packet_status(r, 0);
            return GOT_REPLY;
        case PACKET_CUT:
            e->count.cut++;
            return GOT_CUT;
        case PACKET_ECHO:
            e->echoes++;
            continue;
        case PACKET_FOREIGN:
            take_text(e, p, n);
            slip_reopen(&e->rx);
            continue;
        }
    }
}

void wire_forget(struct esp *e)
{
    if (e->rx.n > 0 && (e->rx.state == SLIP_INSIDE || e->rx.state == SLIP_ESCAPE))
        take_text(e, e->rx.frame, e->rx.n); /* a frame that never ended may be a boot log */
    slip_reset(&e->rx);
    e->in_at = e->in_n = 0;
}

/* What came and nobody awaits. */
static void drop(struct esp *e)
{
    struct packet_reply r;
    for (enum got got; (got = parse(e, &r)) != GOT_NOTHING;) {
        bool value = got == GOT_REPLY && r.op == OP_READ_REG;
        e->unasked += value;
        e->strays += value && r.value != e->reg_last;
    }
}

enum fl_err wire_hear(struct esp *e, uint32_t ms, bool (*enough)(const struct esp *))
{
    struct fl_deadline d = fl_deadline_in_ms(ms);
    for (;;) {
        drop(e);
        if (fl_deadline_passed(d) || (enough && enough(e)))
            return FL_OK;
        enum fl_err err = fill(e, d);
        if (err)
            return err == FL_TIMEOUT ? FL_OK : err;
    }
}

enum fl_err wire_listen(struct esp *e, uint32_t ms)
{
    return wire_hear(e, ms, NULL);
}

enum fl_err wire_await_app(struct esp *e, uint32_t ms)
{
    enum fl_err err = link_wait(e->link, fl_deadline_in_ms(ms));
    return err == FL_TIMEOUT ? FL_OK : err;
}

enum fl_err wire_quiet(struct esp *e)
{
    struct fl_deadline end = fl_deadline_in_ms((uint64_t)e->times.quiet * QUIET_ROUNDS);
    enum fl_err err = FL_OK;
    drop(e);
    while (!err && !fl_deadline_passed(end)) {
        err = fill(e, fl_deadline_in_ms(e->times.quiet));
        if (!err)
            drop(e);
    }
    wire_forget(e);
    return err == FL_TIMEOUT ? FL_OK : err;
}

/* ---- sending ------------------------------------------------------------------------------------ */

static uint64_t wire_us(const struct esp *e, size_t n)
{
    uint32_t baud = link_baud(e->link);
    return baud ? (uint64_t)n * 10 * 1000000 / baud : 0; /* 8N1: ten bits a byte */
}

static enum fl_err paced(struct esp *e, const uint8_t *p, size_t n, struct fl_deadline d)
{
    while (n > 0) {
        size_t part = n < e->tune.burst ? n : e->tune.burst;
        enum fl_err err = link_write(e->link, p, part, d);
        struct fl_deadline gap = fl_deadline_in_us(wire_us(e, part) + e->tune.burst_gap_us);
        while (!err)
            err = fill(e, gap); /* the pause; an early answer is kept for whoever awaits it */
        if (err != FL_TIMEOUT)
            return err;
        p += part;
        n -= part;
    }
    return FL_OK;
}

/* Whatever has arrived before a request leaves cannot be its answer: a second copy of the last one, or one that
 * came too late. */
static enum fl_err drop_stale(struct esp *e)
{
    for (int i = 0; i < STALE_READS; i++) {
        drop(e);
        enum fl_err err = fill(e, (struct fl_deadline){0});
        if (err)
            return err == FL_TIMEOUT ? FL_OK : err;
    }
    return FL_OK;
}

enum fl_err wire_send(struct esp *e, const void *bytes, size_t n)
{
    enum fl_err err = drop_stale(e);
    if (err)
        return err;
    uint64_t us = wire_us(e, n);
    if (e->tune.burst > 0)
        us += (us + e->tune.burst_gap_us) * (n / e->tune.burst + 1);
    struct fl_deadline d = fl_deadline_min(fl_deadline_in_ms(e->times.send + 2 * us / 1000), e->limit);
    /* short frames too: several of them in a row are a long burst */
    err = e->tune.burst > 0 ? paced(e, bytes, n, d) : link_write(e->link, bytes, n, d);
    e->unsent = err == FL_TIMEOUT;
    return err;
}

/* ---- the answer --------------------------------------------------------------------------------- */

static enum fl_err judge(const struct packet_reply *r, size_t payload, struct answer *a)
{
    a->status = packet_status(r, payload);
    a->value = r->value;
    a->data = r->data;
    a->n = r->n;
    if (!a->status.known)
        return FL_FORMAT;
    return a->status.code == 0 ? FL_OK : FL_REFUSED;
}

/* Does the reader hold a whole answer to `op` whose closing C0 is missing? */
static bool held(const struct esp *e, uint8_t op, struct packet_reply *r)
{
    return e->rx.state == SLIP_INSIDE && packet_parse(e->rx.frame, e->rx.n, r) == PACKET_REPLY &&
           r->op == op;
}

/* One frame: FL_BUSY when it is not what is waited for. */
static enum fl_err frame(enum got got, const struct packet_reply *r, uint8_t op, size_t payload, struct answer *a)
{
    if (got == GOT_GREETING)
        return op == OP_MEM_END ? FL_OK : FL_BUSY;
    if (got == GOT_CUT)
        return r->op == op ? FL_FORMAT : FL_BUSY;
    if (r->op == op)
        return judge(r, payload, a);
    struct answer other = {0};
    if (r->n <= STATUS_MAX && judge(r, 0, &other) == FL_REFUSED && (other.status.code == 1 || other.status.code >= 0xc0)) {
        *a = other;
        a->foreign = true;
    }
    return FL_BUSY; /* of an earlier question, late; or damaged */
}

/* Where the time is over, what has arrived meanwhile is looked at once: this thread may not have run, and the rest of an
 * answer lies in the kernel's buffer. Once: a board that talks on and on ends no wait. */
static enum fl_err last_look(struct esp *e, struct fl_deadline d, bool over, bool *looked)
{
    if (over && *looked)
        return FL_TIMEOUT;
    *looked = over;
    return fill(e, d);
}

enum fl_err wire_await(struct esp *e, uint8_t op, size_t payload, uint32_t ms, struct answer *a)
{
    struct fl_deadline end = fl_deadline_min(fl_deadline_in_ms(ms), e->limit), soft = end;
    bool looked = false;
    *a = (struct answer){0};
    for (unsigned frames = 0; frames < FRAMES_MAX;) {
        struct packet_reply r;
        enum got got = parse(e, &r);
        if (got != GOT_NOTHING) {
            enum fl_err err = frame(got, &r, op, payload, a);
            if (err != FL_BUSY)
                return err;
            if (a->foreign) /* a ROM may say it eight times; the last one ends the hope */
                soft = fl_deadline_min(end, fl_deadline_in_ms(e->times.grace));
            frames++;
            continue;
        }
        if (e->restarted)
            return FL_STATE;
        bool whole = held(e, op, &r);
        if (whole)
            soft = fl_deadline_min(end, fl_deadline_in_ms(e->times.quiet));
        enum fl_err err = last_look(e, soft, fl_deadline_passed(end), &looked);
        if (err != FL_TIMEOUT) {
            if (err)
                return err;
            continue;
        }
        if (whole) { /* its C0 is lost, nothing else of it is */
            slip_reset(&e->rx);
            return judge(&r, payload, a);
        }
        return a->foreign ? FL_REFUSED : FL_TIMEOUT;
    }
    return FL_FORMAT;
}

enum fl_err wire_greeting(struct esp *e, uint32_t ms)
{
    struct fl_deadline end = fl_deadline_min(fl_deadline_in_ms(ms), e->limit);
    struct packet_reply r;
    bool looked = false;
    for (;;) {
        while (!e->greeted && parse(e, &r) != GOT_NOTHING)
            ;
        if (e->greeted)
            return FL_OK;
        if (e->restarted)
            return FL_STATE;
        enum fl_err err = last_look(e, end, fl_deadline_passed(end), &looked);
        if (err)
            return err;
    }
}

enum fl_err wire_frame(struct esp *e, uint32_t ms, uint8_t *out, size_t cap, size_t *n)
{
    struct fl_deadline end = fl_deadline_min(fl_deadline_in_ms(ms), e->limit);
    bool looked = false;
    for (;;) {
        struct fl_cursor c = fl_cursor_of(e->in + e->in_at, e->in_n - e->in_at);
        const uint8_t *p;
        enum slip_event ev = slip_next(&e->rx, &c, &p, n);
        e->in_at = e->in_n - c.left;
        if (ev == SLIP_FRAME) {
            *n = *n < cap ? *n : cap;
            memcpy(out, p, *n);
            return FL_OK;
        }
        enum fl_err err = ev == SLIP_MORE ? last_look(e, end, fl_deadline_passed(end), &looked) : FL_OK;
        if (err)
            return err;
    }
}

/* ---- framing put right -------------------------------------------------------------------------- */

enum fl_err wire_break(struct esp *e)
{
    enum fl_err err = wire_send(e, break_frame, sizeof break_frame);
    if (!err)
        err = link_drain(e->link, fl_deadline_in_ms(e->times.send));
    if (!err || err == FL_UNSUPPORTED || err == FL_TIMEOUT)
        err = wire_listen(e, e->times.stub_gap);
    return err ? err : wire_quiet(e);
}

static enum fl_err resync_once(struct esp *e)
{
    if (!e->stub) {
        bool stub = false;
        enum fl_err err = esp_sync(e, e->times.probe, &stub);
        if (!err)
            err = wire_quiet(e);
        return err || e->unit.security.secure_download == ESP_ON ? err : esp_probe(e);
    }
    enum fl_err err = wire_break(e);
    /* the first question may be answered with the error of an earlier block: it is asked for that */
    if (!err)
        err = esp_probe(e);
    return err == FL_REFUSED ? esp_probe(e) : err;
}

enum fl_err wire_resync(struct esp *e)
{
    enum fl_err err = FL_TIMEOUT;
    for (int i = 0; i < RESYNC_TRIES && (i == 0 || e->trouble != TROUBLE_DEAD); i++) {
        e->trouble = TROUBLE_SILENT;
        err = resync_once(e);
        if (!err) {
            e->unsure = false;
            e->unasked = 0;
            return FL_OK;
        }
        if (err == FL_GONE || err == FL_CANCELLED)
            return esp_fail_link(e, err, "resynchronising");
        if (err == FL_STATE)
            break;
    }
    return err;
}
