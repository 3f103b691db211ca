/* SPDX-License-Identifier: Apache-2.0
 * Typed commands, and what a failed one means. */
#include "esp/session.h"

#include <string.h>

static const uint8_t sync_payload[36] = {
    0x07, 0x07, 0x12, 0x20, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
    0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
    0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55};
enum { SYNC_REPLIES = 8, WORDS_MAX = 8, SURE_TRIES = 5, SURE_TRIES_HURT = 12, REGS_AT_ONCE = 8, RESENDS = 3, RESENDS_LINE = 10 };
enum { ALIKE = 2, ALIKE_HURT = 3 }; /* answers in a row that are believed; where something was damaged before */

uint32_t esp_scaled(const struct esp *e, uint64_t bytes, uint32_t per_mb)
{
    uint64_t ms = bytes * per_mb / 1000000;
    if (ms > UINT32_MAX / 2)
        ms = UINT32_MAX / 2;
    return ms > e->times.command ? (uint32_t)ms : e->times.command;
}

/* ---- what went wrong ----------------------------------------------------------------------------- */

enum fl_err esp_fail_restart(struct esp *e, const char *name, const char *what)
{
    size_t n;
    const uint8_t *p = text_since(&e->text, e->text_mark, &n);
    struct text_signs s = text_read(p, n);
    char quote[TEXT_QUOTE];
    text_quote(p, n, quote);
    e->restarted = false;
    e->text_mark = e->text.total;
    return esp_fail(e, TROUBLE_RESTART, s.brownout ? ESP_FAULT_BOARD_BROWNOUT : ESP_FAULT_BOARD_RESET,
                    FL_STATE, "%s%s: the chip restarted instead of answering; it said \"%s\"", name,
                    what, quote);
}

static enum fl_err fail_refused(struct esp *e, const char *name, const struct answer *a,
                                const char *what)
{
    struct packet_status s = a->status;
    enum esp_trouble t = TROUBLE_REFUSED;
    enum esp_fault f = ESP_FAULT_CHIP_REFUSED;
    if (packet_status_damaged(s)) {
        t = s.code == 0xc1 ? TROUBLE_FLIPPED : TROUBLE_DAMAGED;
        f = ESP_FAULT_LINK_DAMAGED;
        e->count.damaged++;
        e->count.lost += s.code == 0xc0;
        e->count.changed += s.code == 0xc1;
    } else if (s.code == 0xc4 || s.code == 0xc5 || (s.code == 1 && (s.error == 8 || s.error == 9))) {
        t = TROUBLE_WORK;
        f = ESP_FAULT_FLASH_WRITE;
    } else if (s.code == 0xc7) { /* what was sent can be inflated: bytes were changed on the way, and their checksum was right */
        t = TROUBLE_WORK;
        f = ESP_FAULT_LINK_DAMAGED;
        e->count.damaged++;
    } else if (s.code >= 0xc0) {
        t = TROUBLE_WORK; /* the stub's other errors belong to work it had accepted before */
        f = ESP_FAULT_CHIP_REFUSED;
    }
    return esp_fail(e, t, f, FL_REFUSED, "%s%s: refused with %02x %02x (%s)%s", name, what, s.code,
                    s.error, packet_status_text(s), a->foreign ? " under another opcode" : "");
}

enum fl_err esp_fail_command(struct esp *e, uint8_t op, enum fl_err err, const struct answer *a,
                             uint32_t ms, const char *what)
{
    const char *name = packet_op_name(op);
    switch (err) {
    case FL_TIMEOUT:
        if (e->unsent)
            return esp_fail_link(e, err, name);
        e->count.timeouts++;
        e->silent_usual = op < 32 && (e->answered & UINT32_C(1) << op);
        return esp_fail(e, TROUBLE_SILENT, ESP_FAULT_CHIP_SILENT, err, "%s%s: no answer in %u ms",
                        name, what, ms);
    case FL_FORMAT:
        return esp_fail(e, TROUBLE_SILENT, ESP_FAULT_LINK_DAMAGED, err,
                        "%s%s: the answer arrived damaged", name, what);
    case FL_REFUSED:
        return fail_refused(e, name, a, what);
    case FL_STATE:
        return esp_fail_restart(e, name, what);
    default:
        return esp_fail_link(e, err, name);
    }
}

/* ---- asking ------------------------------------------------------------------------------------- */

/* Sends and awaits; no problem filled. */
static enum fl_err exchange(struct esp *e, uint8_t op, const void *data, size_t n, size_t payload,
                            uint32_t ms, struct answer *a)
{
    *a = (struct answer){0};
    fl_buf_clear(&e->tx);
    packet_request(&e->tx, op, data, n);
    enum fl_err err = fl_buf_err(&e->tx, NULL);
    if (!err)
        err = wire_send(e, e->tx.bytes, e->tx.len);
    if (err)
        return err;
    uint64_t start = fl_mono_ns(), heard = link_counters(e->link).bytes_in;
    err = wire_await(e, op, payload, ms, a);
    /* silence to SYNC says nothing of the line: it is asked where nobody may be there, of a chip that starts or was brought down */
    bool vain = err == FL_TIMEOUT || err == FL_FORMAT || err == FL_REFUSED;
    bool nobody = op == OP_SYNC && err == FL_TIMEOUT && link_counters(e->link).bytes_in == heard;
    e->asked += !nobody;
    e->asked_in_vain += vain && !nobody;
    if (!err) {
        e->count.answers++;
        e->answered |= op < 32 ? UINT32_C(1) << op : 0;
        e->count.wait_ns += fl_mono_ns() - start;
    }
    return err;
}

/* Commands that may be given twice: the second one finds nothing changed, or begins afresh what the first one began.
 * No command of these carries a checksum, and no answer does. SECURITY_INFO is not among them for its refusals: chips
 * that do not know it are told by those. */
static bool repeatable(uint8_t op, enum fl_err err)
{
    switch (op) {
    case OP_SECURITY_INFO:
        return err == FL_FORMAT;
    case OP_READ_REG:
    case OP_WRITE_REG:
    case OP_FLASH_MD5:
    case OP_SPI_ATTACH:
    case OP_SPI_SET_PARAMS:
    case OP_MEM_BEGIN:
        return err == FL_FORMAT || err == FL_REFUSED;
    default:
        return false;
    }
}

/* Silence to what was answered before in this session, and may be given twice. A loader that proves to be there has lost the
 * question, or its answer was lost: on a line that does that often the ladder's few rungs would not reach through a session. */
static bool lost_on_the_way(struct esp *e, uint8_t op, enum fl_err err)
{
    if (err != FL_TIMEOUT || e->unsent || !e->silent_usual || !repeatable(op, FL_REFUSED) || esp_line_hopeless(e))
        return false;
    struct esp_problem was = e->problem;
    enum esp_trouble trouble = e->trouble;
    bool there = wire_resync(e) == FL_OK;
    if (!there && e->trouble == TROUBLE_DEAD)
        return false;
    e->problem = was;
    e->trouble = trouble;
    e->unsure = e->unsure || !there;
    e->revived += there;
    if (there)
        esp_rung(e, ESP_RUNG_RESYNC, 0, "%s; the loader is there, asked again", was.text);
    return there;
}

/* Where that has happened, no use in waiting long. */
static uint32_t hope_ms(const struct esp *e, uint8_t op, uint32_t ms)
{
    enum { TWICE = 2 };
    return e->revived >= TWICE && ms == e->times.command && repeatable(op, FL_REFUSED) ? e->times.probe : ms;
}

enum fl_err esp_ask(struct esp *e, uint8_t op, const void *data, size_t n, size_t payload,
                    uint32_t ms, struct answer *a)
{
    for (int i = 0;; i++) {
        ms = hope_ms(e, op, ms);
        enum fl_err err = exchange(e, op, data, n, payload, ms, a);
        if (!err)
            return FL_OK;
        /* the stub says itself when it found a request damaged and did nothing; its other refusals belong to work
         * that it had accepted before. A ROM refuses what it does not understand, whoever garbled it */
        bool again = err == FL_REFUSED && e->stub ? packet_status_damaged(a->status) : repeatable(op, err);
        /* a ROM's BEGIN starts afresh whenever it comes; its refusal is worth nothing where it may have arrived garbled */
        again = again || (op == OP_FLASH_BEGIN && !e->stub && (err == FL_REFUSED || err == FL_FORMAT) && esp_line_bad(e));
        bool short_info = op == OP_SECURITY_INFO && a->n >= 14; /* an ESP32-S2's: its caller reads it */
        err = esp_fail_command(e, op, err, a, ms, "");
        int most = !esp_line_bad(e) || esp_line_hopeless(e) ? RESENDS : RESENDS_LINE;
        if (i < most && lost_on_the_way(e, op, err))
            continue;
        if (!again || short_info || i >= most)
            return err;
        esp_rung(e, ESP_RUNG_RESEND, 0, "%s; asked again", e->problem.text);
        enum fl_err quiet = e->stub ? wire_break(e) : wire_quiet(e);
        if (quiet)
            return esp_fail_link(e, quiet, packet_op_name(op));
    }
}

enum fl_err esp_words(struct esp *e, uint8_t op, const uint32_t *words, size_t n, uint32_t ms)
{
    uint8_t data[4 * WORDS_MAX];
    struct answer a;
    if (n > WORDS_MAX)
        return esp_fail_link(e, FL_ARG, packet_op_name(op));
    for (size_t i = 0; i < n; i++)
        fl_put_u32le(data + 4 * i, words[i]);
    return esp_ask(e, op, data, 4 * n, 0, ms, &a);
}

enum fl_err esp_read_reg(struct esp *e, uint32_t addr, uint32_t *value)
{
    uint8_t data[4];
    struct answer a;
    fl_put_u32le(data, addr);
    enum fl_err err = esp_ask(e, OP_READ_REG, data, sizeof data, 0, e->times.command, &a);
    *value = err ? 0 : a.value;
    if (!err)
        e->reg_last = a.value;
    return err;
}

/* Where answers come late, or once more, that to an earlier question may be taken for this one's. Then its own comes when
 * nothing is asked, and two answers that agree prove nothing. Nor do they where bytes are changed: an address that is changed on
 * its way reads as nothing, and so does another one. */
enum fl_err esp_read_reg_sure(void *session, uint32_t addr, uint32_t *value)
{
    struct esp *e = session;
    uint32_t last;
    unsigned before = e->strays, alike = 1;
    enum fl_err err = esp_read_reg(e, addr, &last);
    for (int i = 0; i < (esp_line_hurt(e) ? SURE_TRIES_HURT : SURE_TRIES) && !err; i++) {
        unsigned strays = e->strays;
        err = esp_read_reg(e, addr, value);
        /* where there was one, the own answer may still be on its way */
        enum fl_err quiet = !err && e->strays != before ? wire_quiet(e) : FL_OK;
        if (quiet)
            return esp_fail_link(e, quiet, packet_op_name(OP_READ_REG));
        bool same = !err && *value == last && e->strays == strays;
        alike = same ? alike + 1 : 1;
        if (alike >= (esp_line_hurt(e) ? ALIKE_HURT : ALIKE))
            return FL_OK;
        e->count.cut += !err && !same; /* one of the two was not what the chip sent, or not to this question */
        last = *value;
    }
    if (err)
        return err;
    return esp_fail(e, TROUBLE_DAMAGED, ESP_FAULT_LINK_DAMAGED, FL_MISMATCH,
                    e->strays == before ? "register %08x reads differently each time"
                                        : "register %08x: answers come late or once more, and are those of other questions", addr);
}

enum fl_err esp_write_regs(struct esp *e, const struct reg_write *w, size_t n)
{
    /* the stub takes many at once; what a ROM does with more than one is not known */
    size_t at_once = e->stub ? REGS_AT_ONCE : 1;
    enum fl_err err = FL_OK;
    while (n > 0 && !err) {
        uint8_t data[16 * REGS_AT_ONCE];
        struct answer a;
        size_t part = n < at_once ? n : at_once;
        for (size_t i = 0; i < part; i++) {
            fl_put_u32le(data + 16 * i, w[i].addr);
            fl_put_u32le(data + 16 * i + 4, w[i].value);
            fl_put_u32le(data + 16 * i + 8, w[i].mask);
            fl_put_u32le(data + 16 * i + 12, 0);
        }
        err = esp_ask(e, OP_WRITE_REG, data, 16 * part, 0, e->times.command, &a);
        w += part;
        n -= part;
    }
    return err;
}

enum fl_err esp_write_reg(struct esp *e, uint32_t addr, uint32_t value)
{
    return esp_write_regs(e, &(struct reg_write){addr, value, UINT32_MAX}, 1);
}

/* ---- is anybody there ---------------------------------------------------------------------------- */

enum fl_err esp_sync(struct esp *e, uint32_t ms, bool *stub)
{
    struct answer a;
    enum fl_err err = exchange(e, OP_SYNC, sync_payload, sizeof sync_payload, 0, ms, &a);
    if (err == FL_REFUSED)
        e->refusal = a.status;
    if (err)
        return err == FL_REFUSED || err == FL_FORMAT ? FL_TIMEOUT : err;
    /* the value field tells a ROM (never zero) from a stub; so does the length of its status */
    bool zero = a.value == 0 && a.n == 2;
    for (int i = 1; i < SYNC_REPLIES && !err; i++) {
        err = wire_await(e, OP_SYNC, 0, e->times.sync_rest, &a);
        if (!err)
            zero = zero && a.value == 0;
    }
    *stub = zero;
    return err == FL_GONE || err == FL_CANCELLED ? err : FL_OK;
}

enum fl_err esp_probe(struct esp *e)
{
    uint8_t data[4];
    struct answer a;
    fl_put_u32le(data, CHIP_MAGIC_REG);
    enum fl_err err = exchange(e, OP_READ_REG, data, sizeof data, 0, e->times.probe, &a);
    if (err)
        return esp_fail_command(e, OP_READ_REG, err, &a, e->times.probe, " (probe)");
    if (!e->magic_known || a.value == e->magic)
        return FL_OK;
    e->count.cut++;
    return esp_fail(e, TROUBLE_SILENT, ESP_FAULT_LINK_DAMAGED, FL_MISMATCH, "READ_REG (probe): %08x where %08x stands", a.value,
                    e->magic);
}

enum fl_err esp_answers(struct esp *e, uint32_t ms, bool *yes)
{
    uint8_t data[4];
    struct answer a;
    fl_put_u32le(data, CHIP_MAGIC_REG);
    enum fl_err err = exchange(e, OP_READ_REG, data, sizeof data, 0, ms, &a);
    *yes = !err && (!e->magic_known || a.value == e->magic);
    return err == FL_GONE || err == FL_CANCELLED || err == FL_STATE ? err : FL_OK;
}
