/* SPDX-License-Identifier: Apache-2.0
 *
 * loader.c: frames (C0 body C0, escapes DB DC and DB DD; any C0 ends what stands there, so framing heals by
 * itself) and commands:
 *
 *     00 op length(2) checksum(4) data        data of 07: size(4) number(4) 0(8) payload
 *     01 op length(2) value(4)    data status(4)
 */
#include "outside/rv32/loader.h"

#include <string.h>

enum {
    MEM_BEGIN = 0x05, MEM_END = 0x06, MEM_DATA = 0x07, SYNC = 0x08, WRITE_REG = 0x09, READ_REG = 0x0A,
    SPI_ATTACH = 0x0D, CHANGE_BAUD = 0x0F, SECURITY_INFO = 0x14,
};
enum status { OK = 0, INVALID = 0x05, FAILED = 0x06, CHECKSUM = 0x07 };

static const uint8_t security[20] = {[12] = 5, [16] = 3}; /* chip id, ECO version; no fuse is set */

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void send(const struct loader *l, uint8_t byte)
{
    l->board->send(l->board->send_ctx, byte);
}

static void send_escaped(const struct loader *l, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == 0xC0 || p[i] == 0xDB) {
            send(l, 0xDB);
            send(l, p[i] == 0xC0 ? 0xDC : 0xDD);
        } else {
            send(l, p[i]);
        }
    }
}

static void answer(const struct loader *l, uint8_t op, uint32_t value, const uint8_t *data, uint8_t n, enum status s)
{
    uint8_t head[8] = {1, op, (uint8_t)(n + 4), 0, (uint8_t)value, (uint8_t)(value >> 8),
                       (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    uint8_t status[4] = {s != OK, (uint8_t)s, 0, 0};
    send(l, 0xC0);
    send_escaped(l, head, sizeof head);
    send_escaped(l, data, n);
    send_escaped(l, status, sizeof status);
    send(l, 0xC0);
}

static enum status mem_begin(struct loader *l, const uint8_t *d, uint32_t n)
{
    if (n != 16)
        return INVALID;
    l->loading = true;
    l->next = 0;
    l->at = word(d + 12);
    l->end = l->at + word(d);
    return OK;
}

static enum status mem_data(struct loader *l, const uint8_t *d, uint32_t n, uint32_t sum)
{
    if (!l->loading || n < 16 || word(d + 4) != l->next)
        return INVALID;
    l->next++;
    uint8_t x = 0xEF;
    for (uint32_t i = 16; i < n; i++)
        x ^= d[i];
    uint32_t size = n - 16;
    if (x != (sum & 0xFF) || word(d) != size)
        return CHECKSUM;
    uint8_t *to = rv32_memory(&l->board->cpu, l->at, size);
    if (to == NULL || size > l->end - l->at)
        return FAILED;
    memcpy(to, d + 16, size);
    l->at += size;
    return OK;
}

static enum status write_regs(struct loader *l, const uint8_t *d, uint32_t n)
{
    if (n == 0 || n % 16 != 0)
        return INVALID;
    for (; n > 0; n -= 16, d += 16) {
        uint32_t old = 0, mask = word(d + 8);
        if (!board_load(l->board, word(d), 4, &old) ||
            !board_store(l->board, word(d), 4, (old & ~mask) | (word(d + 4) & mask)))
            return FAILED;
    }
    return OK;
}

static enum status read_reg(struct loader *l, const uint8_t *d, uint32_t n, uint32_t *value)
{
    if (n != 4)
        return INVALID;
    const uint8_t *p = rv32_memory(&l->board->cpu, word(d), 4);
    if (p != NULL) {
        *value = word(p);
        return OK;
    }
    return board_load(l->board, word(d), 4, value) ? OK : FAILED;
}

static void command(struct loader *l)
{
    const uint8_t *f = l->frame, *d = f + 8;
    if (l->length < 8 || f[0] != 0)
        return;
    uint32_t n = (uint32_t)f[2] | (uint32_t)f[3] << 8, value = 0;
    uint8_t op = f[1], answers = 1, data = 0;
    enum status s = OK;
    if (n != l->length - 8)
        n = l->length - 8 < n ? l->length - 8 : n; /* the ROM works with what arrived */
    switch (op) {
    case SYNC: s = n == 36 ? OK : INVALID, answers = 8, value = 0x20120707; break;
    case MEM_BEGIN: s = mem_begin(l, d, n); break;
    case MEM_DATA: s = mem_data(l, d, n, word(f + 4)); break;
    case MEM_END:
        s = l->loading && n == 8 ? OK : INVALID;
        l->entry = s == OK && word(d) == 0 ? word(d + 4) : 0;
        break;
    case READ_REG: s = read_reg(l, d, n, &value); break;
    case WRITE_REG: s = write_regs(l, d, n); break;
    case SPI_ATTACH: s = n == 8 ? OK : INVALID; break;
    case CHANGE_BAUD: s = n == 8 ? OK : INVALID; break;
    case SECURITY_INFO: data = sizeof security; break;
    default: answer(l, l->last_op, 0, NULL, 0, INVALID); return;
    }
    for (l->last_op = op; answers > 0; answers--)
        answer(l, op, value, security, data, s);
}

void loader_reset(struct loader *l, struct board *b)
{
    memset(l, 0, sizeof *l);
    l->board = b;
}

void loader_receive(struct loader *l, uint8_t byte)
{
    if (byte == 0xC0) {
        if (!l->too_long && !l->escaped && l->length > 0)
            command(l);
        l->length = 0;
        l->escaped = l->too_long = false;
        return;
    }
    if (l->escaped && byte != 0xDC && byte != 0xDD)
        l->too_long = true; /* no such escape: the frame is lost */
    if (!l->escaped && byte == 0xDB) {
        l->escaped = true;
        return;
    }
    if (l->escaped)
        byte = byte == 0xDC ? 0xC0 : 0xDB;
    l->escaped = false;
    if (l->length < LOADER_FRAME_MAX)
        l->frame[l->length++] = byte;
    else
        l->too_long = true;
}
