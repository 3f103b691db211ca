/* SPDX-License-Identifier: Apache-2.0
 * One region into flash, or several side by side under one BEGIN..END (stream.h).
 *
 *   stub   BEGIN(size, blocks, block size, offset, 0) · DATA 0, 1, 2, ... · END(1)
 *   ROM    BEGIN erases the whole range · DATA ... · no END: it would leave the loader
 *
 * The ROM is given plain bytes only. It could inflate, but feeds a refused block to its inflater all the same (the
 * stream is lost, the same block under the next number does not mend it), and falls silent at a block behind the
 * stream's end; plain blocks can be refused and sent again.
 *
 * The stub answers a block when it has arrived, and inflates, erases and programs it afterwards: the
 * work's time belongs to the next command, and so does its error. One block is in flight; the next one
 * is made ready while the answer is awaited, and leaves in the moment that answer is complete.
 *
 * Which block may be sent again: one that was refused because bytes changed on the way (nothing of it
 * was used). The stub takes it as it is, the ROM under the next sequence number. One that was not
 * answered may be in flash already; the stub would write it twice, everything behind it would shift
 * and END would still say OK. Then only the whole region can be begun again.
 *
 * Not quite the whole, through the ROM: its answer means that the block is in flash, and nothing is compressed. So it goes
 * on with a BEGIN at the last sector of which all bytes were acknowledged; the region's MD5 says whether that was right.
 *
 * Block sizes: the stub takes at most 0x4000. The ROM takes 0x1800, and 0x100 and less (seen on ESP32 and ESP32-C3);
 * where it refuses the large ones, 0x400. The last block may be shorter: it is filled up to 0x400, which never reaches past
 * the last sector. */
#include "esp/session.h"
#include "esp/stream.h"

#include <stdio.h>
#include <string.h>

enum {
    STUB_BLOCK = 0x4000,
    ROM_BLOCK = 0x1800,
    ROM_BLOCK_OLD = 0x400,
    ROM_BLOCK_LEAST = 0x100,
    OTG_BLOCK = 0x800,
    SECTOR = 0x1000,
    SAME = 2,       /* times a block goes out as it is, ... */
    SAME_STUBBORN = 10, /* ... and when no rung is left */
    RING = 32768,   /* the stub programs when so much is inflated ... */
    ERASE = 0x10000, /* ... and may erase as much as this each time */
    LUMP_SLACK = 16,     /* bytes around a lump's last one: another decoder may need a few more */
    LUMP_BLOCK = 0x1000, /* no shorter block for its sake: each costs a round trip */
    FAST_BAUD = 1600000, /* 0x4000 bytes in 102 ms, the time two lumps take at 0.4 ms a page */
};

struct writer {
    struct stream s; /* what goes over the wire */
    bool rom;
    uint8_t op;      /* DATA */
    size_t at;       /* of the block in flight */
    struct {
        size_t at, n;
    } cut[2];        /* where blocks end that were cut already: this one and the next */
    bool lumps_known, fast; /* when the stub programs; the wire may be quicker than that */
    uint32_t block, seq;
};

static uint32_t block_size(const struct esp *e, const struct esp_region *r)
{
    uint32_t most = e->usb == USB_OTG ? OTG_BLOCK : e->stub ? STUB_BLOCK : ROM_BLOCK;
    if (e->tune.flash_block && e->tune.flash_block < most)
        most = e->tune.flash_block;
    if (e->stub)
        return most;
    if (most < ROM_BLOCK_LEAST)
        most = ROM_BLOCK_LEAST;
    if (most > ROM_BLOCK_OLD && e->unit.security.secure_download == ESP_ON)
        most = ROM_BLOCK_OLD; /* in secure download mode no larger size is known to work */
    /* the ROM's last block is padded: it must not reach past the end of the flash */
    uint64_t end = (uint64_t)r->offset + (r->size + most - 1) / most * most;
    return e->flash.size && end > e->flash.size && most > ROM_BLOCK_OLD ? ROM_BLOCK_OLD : most;
}

/* Where, in the `most` bytes from `at`, the k-th lump is inflated: 0: not in them. */
static size_t lump_at(const struct writer *w, uint32_t k, size_t at, size_t most)
{
    if (k > w->s.plain / RING)
        return 0;
    size_t sent = stream_sent(&w->s, k * RING);
    return sent > at && sent - at <= most ? sent - at : 0;
}

/* The stub programs a lump whenever RING bytes are inflated. That takes longer than a short block takes to arrive,
 * and only one block can wait meanwhile. So a block ends
 *   - behind the last lump: what follows arrives while it is programmed,
 *   - before a second lump in it, at speeds at which two take longer than the next block. */
static size_t cut(const struct writer *w, size_t at)
{
    size_t left = w->s.size - at, most = left < w->block ? left : w->block;
    uint32_t k = 1, lumps = w->s.plain / RING;
    if (w->block != STUB_BLOCK || !w->lumps_known)
        return most;
    while (k < lumps && stream_sent(&w->s, k * RING) <= at)
        k++;
    size_t first = lump_at(w, k, at, most), second = lump_at(w, k + 1, at, most);
    if (k == lumps && first && left > first + LUMP_SLACK && left - first <= w->block)
        return first + LUMP_SLACK;
    return w->fast && first && second > LUMP_BLOCK + LUMP_SLACK ? second - LUMP_SLACK : most;
}

static size_t part(struct writer *w, size_t at)
{
    for (size_t i = 0; i < 2; i++)
        if (w->cut[i].n > 0 && w->cut[i].at == at)
            return w->cut[i].n;
    w->cut[0] = w->cut[1];
    w->cut[1].at = at;
    w->cut[1].n = cut(w, at);
    return w->cut[1].n;
}

static void encode(struct fl_buf *out, struct writer *w, size_t at, uint32_t seq)
{
    uint8_t scratch[STUB_BLOCK];
    size_t n = part(w, at), full = w->block;
    if (w->rom && n < full) /* FF over what BEGIN has not erased reads back as what stands there, and is a write error */
        full = (n + ROM_BLOCK_OLD - 1) / ROM_BLOCK_OLD * ROM_BLOCK_OLD;
    full = full < w->block ? full : w->block;
    fl_buf_clear(out);
    packet_block(out, w->op, seq, stream_bytes(&w->s, at, n, scratch), n, w->op == OP_FLASH_DATA ? full - n : 0);
}

/* ---- how long the work behind a block may take ------------------------------------------------------- */

static uint32_t work_ms(const struct esp *e, const struct writer *w, size_t from, size_t to)
{
    uint64_t plain = stream_plain(&w->s, from, to);
    return esp_scaled(e, plain + (plain / RING + 2) * ERASE, e->times.work_mb);
}

/* How long to hope for a block's answer. On a line that damages frames a silence mostly means that a delimiter was
 * lost, and the flash was seen to be quick: no use in waiting out the slowest flash there is. Once a region;
 * if that was wrong, the region is begun again and gets all the time it wants. */
static uint32_t hope_ms(const struct esp *e)
{
    enum { KNOWN = 8, DAMAGED = 2, TIMES = 8, LEAST_DIVISOR = 12 };
    uint64_t ms = e->slowest_ns / 1000000 * TIMES;
    uint32_t least = e->times.command / LEAST_DIVISOR;
    if (e->patient || e->count.blocks < KNOWN || e->count.damaged < DAMAGED || ms > e->times.command)
        return e->times.command;
    return ms < least ? least : (uint32_t)ms;
}

/* The answer to `op` while the work behind the bytes before w->at may still be going on. How long that may take is
 * computed only when the usual limit has passed: inflating costs time that a good board need not pay for. */
static enum fl_err await_work(struct esp *e, const struct writer *w, uint8_t op, struct answer *a,
                              uint32_t *limit)
{
    *limit = hope_ms(e);
    enum fl_err err = wire_await(e, op, 0, *limit, a);
    size_t from = w->at >= w->block ? w->at - w->block : 0;
    if (err != FL_TIMEOUT || w->rom)
        return err;
    if (*limit < e->times.command) {
        e->patient = true;
        return err;
    }
    uint32_t whole = work_ms(e, w, from, w->at);
    if (whole <= *limit)
        return err;
    err = wire_await(e, op, 0, whole - *limit, a);
    *limit = whole;
    return err;
}

/* ---- one block ------------------------------------------------------------------------------------- */

static void progress(struct esp *e, const struct writer *w)
{
    if (e->observer.progress)
        e->observer.progress(e->observer.ctx, e->plain_done + (uint64_t)w->s.plain * w->at / w->s.size,
                             e->plain_total);
}

static enum fl_err send(struct esp *e, struct writer *w, struct answer *a, uint32_t *limit,
                        bool prepare)
{
    *a = (struct answer){0};
    enum fl_err err = fl_buf_err(&e->tx, NULL);
    if (!err)
        err = wire_send(e, e->tx.bytes, e->tx.len);
    if (!err && prepare && w->at + part(w, w->at) < w->s.size)
        encode(&e->next, w, w->at + part(w, w->at), w->seq + 1);
    progress(e, w); /* whoever looks on may hold us up now, and not between an answer and the next block */
    uint64_t start = fl_mono_ns();
    if (!err)
        err = await_work(e, w, w->op, a, limit);
    if (!err) {
        uint64_t wait = fl_mono_ns() - start;
        e->count.answers++;
        e->count.wait_ns += wait;
        e->slowest_ns = wait > e->slowest_ns ? wait : e->slowest_ns;
    }
    esp_sent(e, part(w, w->at));
    return err;
}

/* The stub's refusal under another opcode: the head of the block was what got damaged. */
static bool refused_damaged(const struct writer *w, const struct answer *a)
{
    if (packet_status_damaged(a->status))
        return !a->foreign || !w->rom;
    return a->foreign && a->status.code >= 0xc0 && a->status.code != 0xc4 && a->status.code != 0xc7;
}

/* The ROM takes a block that it has not counted under the number that it waits for: one whose frame was lost, or whose
 * head was damaged. One that it did count, and whose answer was lost, gets 01 05 again and again, and changes nothing. */
static bool uncounted(const struct writer *w, enum fl_err err, const struct answer *a)
{
    bool refused = err == FL_REFUSED && a->status.code == 1 && a->status.error == 5;
    bool size_known = w->seq + w->at > 0 || w->block <= ROM_BLOCK_OLD; /* else its size may be what it refuses */
    return w->rom && size_known && (err == FL_TIMEOUT || err == FL_FORMAT || refused);
}

/* 01 05 behind a silence: the first copy was counted, and either written or refused, which would shift all that follows. The
 * first time the region is begun again. Where answers get lost again and again, and blocks are hardly ever refused, it is
 * taken for written: the MD5 says if it was not. Nobody guesses where no MD5 will be asked. */
static bool taken_already(const struct esp *e, const struct writer *w, enum fl_err err, const struct answer *a, bool unheard)
{
    enum { RARELY = 16 };
    return w->rom && unheard && e->taken[ESP_RUNG_REGION] > 0 && err == FL_REFUSED && !a->foreign && a->status.code == 1 && a->status.error == 5 &&
           e->recent.refused * RARELY <= e->recent.sent && !e->encrypts && e->unit.security.secure_download != ESP_ON;
}

/* Once more as it is: behind a silence the ROM is spoken to first, which changes nothing of what it waits for. But a block
 * whose closing C0 was lost is ended by that of SYNC, and judged then: what it says of it counts, for it has used the number up. */
static enum fl_err same_again(struct esp *e, struct writer *w, enum fl_err err)
{
    e->data_reply = (struct packet_status){0};
    esp_rung(e, ESP_RUNG_RESEND, (uint32_t)part(w, w->at), "%s; sent again as it is", e->problem.text);
    enum fl_err broken = err == FL_REFUSED ? wire_quiet(e) : wire_resync(e);
    if (broken && err == FL_REFUSED)
        return esp_fail_link(e, broken, packet_op_name(w->op));
    if (e->data_reply.known && packet_status_damaged(e->data_reply))
        w->seq++;
    encode(&e->tx, w, w->at, w->seq);
    if (w->at + part(w, w->at) < w->s.size)
        encode(&e->next, w, w->at + part(w, w->at), w->seq + 1);
    return broken;
}

/* Refused because bytes changed on the way, and nothing of it used. */
static enum fl_err another_time(struct esp *e, struct writer *w)
{
    w->seq += w->rom; /* the ROM has used the number up */
    esp_rung(e, ESP_RUNG_RESEND, (uint32_t)part(w, w->at), "%s; sent again", e->problem.text);
    enum fl_err broken = w->rom ? FL_OK : wire_break(e);
    if (broken)
        return esp_fail_link(e, broken, packet_op_name(w->op));
    if (w->rom) {
        encode(&e->tx, w, w->at, w->seq);
        if (w->at + part(w, w->at) < w->s.size)
            encode(&e->next, w, w->at + part(w, w->at), w->seq + 1);
    }
    return FL_OK;
}

static enum fl_err block(struct esp *e, struct writer *w)
{
    char what[80];
    unsigned same = 0;
    bool unheard = false;
    for (unsigned i = 0;; i++) {
        struct answer a;
        uint32_t limit = e->times.command;
        enum fl_err err = send(e, w, &a, &limit, i == 0), next = err;
        if (!err)
            return FL_OK;
        bool again = err == FL_REFUSED && refused_damaged(w, &a);
        /* where blocks are damaged, a silence is damage that has hit a delimiter */
        bool silent = (err == FL_TIMEOUT || err == FL_FORMAT) && e->recent.refused >= 2;
        (void)snprintf(what, sizeof what, " (region %06x, byte %zu of %zu)", w->s.regions->offset, w->at, w->s.size);
        err = esp_fail_command(e, w->op, err, &a, limit, what);
        if (taken_already(e, w, err, &a, unheard)) {
            esp_rung(e, ESP_RUNG_RESEND, (uint32_t)part(w, w->at), "%s; it was counted before, and its MD5 will tell", e->problem.text);
            return FL_OK;
        }
        unheard = unheard || err == FL_TIMEOUT || err == FL_FORMAT;
        if (uncounted(w, err, &a) && same++ < (e->stubborn ? SAME_STUBBORN : SAME)) {
            next = same_again(e, w, err);
        } else if (silent) {
            e->trouble = TROUBLE_DAMAGED;
        } else if (again) {
            e->trouble = e->trouble == TROUBLE_FLIPPED ? TROUBLE_FLIPPED : TROUBLE_DAMAGED;
            e->problem.fault = ESP_FAULT_LINK_DAMAGED;
            if (!esp_again(e, i + 1))
                return err;
            next = another_time(e, w);
            same = 0;
        }
        if (next)
            return next;
    }
}

/* ---- the region ------------------------------------------------------------------------------------ */

static enum fl_err begin(struct esp *e, const struct writer *w)
{
    uint32_t from = (uint32_t)w->at; /* not 0: plain bytes, on from a sector */
    uint32_t words[] = {esp_begin_size(e, w->s.plain) - from, (uint32_t)((w->s.size - from + w->block - 1) / w->block),
                        w->block, w->s.regions->offset + from, e->encrypts};
    uint8_t op = w->op == OP_DEFL_DATA ? OP_DEFL_BEGIN : OP_FLASH_BEGIN;
    uint64_t erased = w->rom ? (uint64_t)w->s.plain + SECTOR : ERASE;
    enum fl_err err = esp_words(e, op, words, w->rom && e->chip->begin_16 ? 4 : 5,
                                esp_scaled(e, erased, e->times.erase_mb));
    if (err == FL_TIMEOUT && w->rom)
        e->problem.fault = ESP_FAULT_FLASH_TIMEOUT;
    return err;
}

static enum fl_err end(struct esp *e, struct writer *w)
{
    uint8_t op = w->op == OP_DEFL_DATA ? OP_DEFL_END : OP_FLASH_END, stay[4] = {1, 0, 0, 0};
    struct answer a;
    uint32_t limit = e->times.command;
    fl_buf_clear(&e->tx);
    packet_request(&e->tx, op, stay, sizeof stay);
    w->at = w->s.size; /* the whole last block may still be worked on */
    enum fl_err err = fl_buf_err(&e->tx, NULL);
    if (!err)
        err = wire_send(e, e->tx.bytes, e->tx.len);
    if (!err)
        err = await_work(e, w, op, &a, &limit);
    if (!err)
        return FL_OK;
    err = esp_fail_command(e, op, err, &a, limit, "");
    if (err == FL_REFUSED) /* C0 may mean a damaged END, or bytes that are missing: no matter which */
        e->trouble = TROUBLE_WORK;
    return err;
}

static enum fl_err data(struct esp *e, struct writer *w)
{
    enum fl_err err = FL_OK;
    encode(&e->tx, w, w->at, 0);
    while (w->at < w->s.size && !err) {
        err = block(e, w);
        if (err)
            break;
        e->carried += part(w, w->at) <= ESP_SHORT_BLOCK;
        w->at += part(w, w->at);
        w->seq++;
        e->count.blocks++;
        e->resume_at = w->rom ? (uint32_t)w->at : e->resume_at;
        struct fl_buf spare = e->tx;
        e->tx = e->next;
        e->next = spare;
    }
    if (!err)
        progress(e, w);
    return err;
}

static enum fl_err once(struct esp *e, struct writer *w)
{
    w->at = w->rom ? e->resume_at / SECTOR * SECTOR : 0;
    w->at = w->at < w->s.size ? w->at : 0;
    w->seq = 0;
    memset(w->cut, 0, sizeof w->cut); /* the size of a block may be another now */
    enum fl_err err = e->unsure ? wire_resync(e) : FL_OK;
    if (!err)
        err = begin(e, w);
    if (!err)
        err = data(e, w);
    if (!err && !w->rom)
        err = end(e, w);
    e->unsure = err != FL_OK;
    return err;
}

enum fl_err esp_write_run(struct esp *e, const struct esp_region *r, size_t n)
{
    struct writer w = {.rom = !e->stub, .block = block_size(e, r)};
    if (e->stub && e->stubborn && n == 1 && !e->encrypts && r->size > SECTOR)
        return esp_write_pieces(e, r);
    stream_init(&w.s, r, n, w.rom || e->encrypts);
    w.lumps_known = stream_sent(&w.s, RING) > 0;
    w.fast = link_baud(e->link) > FAST_BAUD;
    w.op = w.s.deflated ? OP_DEFL_DATA : OP_FLASH_DATA;
    e->work = WORK_WRITE;
    if (w.rom && r->offset % SECTOR != 0)
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_CHIP_REFUSED, FL_UNSUPPORTED,
                        "without the stub a region must start on a sector; this one starts at %06x",
                        r->offset);
    enum fl_err err = once(e, &w);
    if (err == FL_REFUSED && w.rom && e->resume_at == 0 && w.block > ROM_BLOCK_OLD &&
        e->trouble == TROUBLE_REFUSED) {
        esp_rung(e, ESP_RUNG_SMALL_BLOCKS, ROM_BLOCK_OLD, "%s; the ROM is given blocks of %u bytes",
                 e->problem.text, ROM_BLOCK_OLD);
        e->tune.flash_block = w.block = ROM_BLOCK_OLD;
        err = once(e, &w);
    }
    return err;
}
