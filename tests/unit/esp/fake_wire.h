/* SPDX-License-Identifier: Apache-2.0
 *
 * fake_wire.h: what the board of fake.h hears and says: rules, requests, framing. Only fake.h includes it.
 */
#ifndef FL_TESTS_FAKE_WIRE_H
#define FL_TESTS_FAKE_WIRE_H

#include "unit/esp/fake.h"

static inline const struct fake_rule *fake_rule_for(struct fake *f, uint8_t op)
{
    unsigned nth = ++f->seen[op];
    for (size_t i = 0; i < FAKE_RULES; i++) {
        const struct fake_rule *r = &f->rules[i];
        if (r->where && r->op == op && nth >= r->first && (r->last == 0 || nth <= r->last) &&
            (r->where & (f->stub ? IN_STUB : IN_ROM)))
            return r;
    }
    return NULL;
}

static inline void fake_request(struct fake *f, struct fl_buf *reply)
{
    if (f->n < 8) {
        if (f->stub && f->n > 0)
            fake_answer(f, reply, 0, 0, NULL, 0, 0xc0, 0);
        return;
    }
    uint8_t op = f->frame[1], raw[512];
    size_t n = f->n - 8;
    uint32_t sum = fl_get_u32le(f->frame + 4);
    if (f->frame[0] != 0 || fl_get_u16le(f->frame + 2) != n) {
        bool data = op == OP_MEM_DATA || op == OP_FLASH_DATA || op == OP_DEFL_DATA;
        if (f->stub) {
            fake_answer(f, reply, op, 0, NULL, 0, f->frame[0] ? 0xc3 : 0xc0, 0);
            return;
        }
        if (!data || f->frame[0] != 0) {
            fake_unsupported(f, op, reply);
            return;
        }
    }
    f->deaf = f->deaf && op != OP_SYNC;
    if (f->deaf)
        return;
    const struct fake_rule *r = fake_rule_for(f, op);
    if (r && r->what == DO_DEAF) {
        f->deaf = true;
        return;
    }
    if (f->chatter)
        fake_raw(f, reply, (const uint8_t *)f->chatter, strlen(f->chatter));
    if (r && r->what == DO_SILENT)
        return;
    if (r && r->what == DO_REFUSE) {
        size_t len = fake_unhex(r->hex, raw, sizeof raw);
        if (len >= 2 && raw[0] == 1 && raw[1] == 7) { /* the ROM uses the number up */
            f->mem_seq += op == OP_MEM_DATA;
            f->seq += op == OP_FLASH_DATA;
        }
        fake_answer(f, reply, op, 0, NULL, 0, raw[0], raw[1]);
        return;
    }
    if (r && (r->what == DO_RAW || r->what == DO_RAW_THEN)) {
        size_t len = fake_unhex(r->hex, raw, sizeof raw);
        fake_raw(f, reply, raw, len);
        if (r->what == DO_RAW)
            return;
    }
    if (r && r->what == DO_RESTART) {
        fake_boot(f, false, NULL);
        f->in_loader = false;
        fake_raw(f, reply, (const uint8_t *)r->hex, strlen(r->hex));
        return;
    }
    if (r && r->what == DO_HANG) {
        f->in_loader = false;
        return;
    }
    if (r && r->what == DO_GONE) {
        link_mem_hang_up(f->link);
        return;
    }
    if (r && r->what == DO_VALUE) {
        (void)fake_unhex(r->hex, raw, sizeof raw);
        fake_answer(f, reply, op, fl_get_u32le(raw), NULL, 0, 0, 0);
        return;
    }
    size_t before = reply->len;
    fake_execute(f, op, sum, f->frame + 8, n, reply);
    if (f->twice && reply->len > before) {
        size_t len = reply->len - before;
        uint8_t *copy = malloc(len);
        assert_non_null(copy);
        memcpy(copy, reply->bytes + before, len);
        fl_buf_add(reply, copy, len);
        free(copy);
    }
    f->last_op = op;
    if (r && r->what == DO_LOSE)
        reply->len = before;
    if (r && r->what == DO_INVERT)
        f->inside = true;
}

/* The stub takes C0 as a toggle; the ROM opens again on a C0 that closes nothing. */
static inline void fake_byte(struct fake *f, uint8_t b, struct fl_buf *reply)
{
    if (b == 0xc0) {
        if (f->inside && (f->n > 0 || f->stub)) {
            f->inside = false;
            fake_request(f, reply);
        } else {
            f->inside = true;
        }
        f->n = 0;
        f->escape = false;
        return;
    }
    if (!f->inside)
        return;
    if (f->escape) {
        f->escape = false;
        if (b != 0xdc && b != 0xdd) {
            f->inside = false;
            return;
        }
        b = b == 0xdc ? 0xc0 : 0xdb;
    } else if (b == 0xdb) {
        f->escape = true;
        return;
    }
    if (f->n < sizeof f->frame)
        f->frame[f->n++] = b;
}

static inline void fake_write(void *ctx, const uint8_t *p, size_t n, struct fl_buf *reply)
{
    struct fake *f = ctx;
    for (size_t i = 0; i < n; i++, f->host_bytes++) {
        uint8_t b = p[i];
        if (f->lose_after && i > 0 && i % f->lose_after == 0)
            continue;
        if (f->damage_on && f->host_bytes == f->damage_at) {
            if (f->damage_xor == 0)
                continue;
            b ^= f->damage_xor;
        }
        b ^= fake_noise(f, f->host_noise_one_in);
        if (f->chip_baud == 0)
            f->chip_baud = f->host_baud;
        bool deaf = f->dead || f->no_sync || !f->in_loader || f->host_baud != f->chip_baud ||
                    (f->max_baud && f->host_baud > f->max_baud);
        if (!deaf)
            fake_byte(f, b, reply);
    }
}

#endif
