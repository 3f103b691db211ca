/* SPDX-License-Identifier: Apache-2.0 */
#include "esp/packet.h"

#include "esp/slip.h"

#include <string.h>

enum { REQUEST = 0x00, REPLY = 0x01, SEED = 0xef };

static const struct {
    uint8_t op;
    const char *name;
} ops[] = {
    {OP_FLASH_BEGIN, "FLASH_BEGIN"},   {OP_FLASH_DATA, "FLASH_DATA"},
    {OP_FLASH_END, "FLASH_END"},       {OP_MEM_BEGIN, "MEM_BEGIN"},
    {OP_MEM_END, "MEM_END"},           {OP_MEM_DATA, "MEM_DATA"},
    {OP_SYNC, "SYNC"},                 {OP_WRITE_REG, "WRITE_REG"},
    {OP_READ_REG, "READ_REG"},         {OP_SPI_SET_PARAMS, "SPI_SET_PARAMS"},
    {OP_SPI_ATTACH, "SPI_ATTACH"},     {OP_READ_FLASH_SLOW, "READ_FLASH_SLOW"},
    {OP_CHANGE_BAUD, "CHANGE_BAUD"},   {OP_DEFL_BEGIN, "DEFL_BEGIN"},
    {OP_DEFL_DATA, "DEFL_DATA"},       {OP_DEFL_END, "DEFL_END"},
    {OP_FLASH_MD5, "FLASH_MD5"},       {OP_SECURITY_INFO, "SECURITY_INFO"},
    {OP_ERASE_FLASH, "ERASE_FLASH"},   {OP_ERASE_REGION, "ERASE_REGION"},
};

const char *packet_op_name(uint8_t op)
{
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (ops[i].op == op)
            return ops[i].name;
    return "";
}

uint8_t packet_checksum(const uint8_t *payload, size_t n)
{
    uint64_t eight = 0, part;
    uint8_t sum = SEED;
    size_t i = 0;
    for (; n - i >= sizeof part; i += sizeof part) {
        memcpy(&part, payload + i, sizeof part);
        eight ^= part;
    }
    for (; i < n; i++)
        sum ^= payload[i];
    for (; eight; eight >>= 8)
        sum ^= (uint8_t)eight;
    return sum;
}

static void head(struct fl_buf *out, uint8_t op, size_t size, uint32_t checksum)
{
    uint8_t h[PACKET_HEAD] = {REQUEST, op};
    fl_put_u16le(h + 2, (uint16_t)size);
    fl_put_u32le(h + 4, checksum);
    slip_open(out);
    slip_add(out, h, sizeof h);
}

void packet_request(struct fl_buf *out, uint8_t op, const void *data, size_t n)
{
    head(out, op, n, 0);
    slip_add(out, data, n);
    slip_close(out);
}

void packet_block(struct fl_buf *out, uint8_t op, uint32_t seq, const uint8_t *payload, size_t n,
                  size_t pad)
{
    uint8_t sub[PACKET_SUB_HEAD] = {0};
    static const uint8_t ff[64] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    fl_put_u32le(sub, (uint32_t)(n + pad));
    fl_put_u32le(sub + 4, seq);
    /* an odd number of FF bytes turns every bit of the sum */
    uint8_t sum = packet_checksum(payload, n) ^ (pad % 2 ? 0xff : 0);
    head(out, op, sizeof sub + n + pad, sum);
    slip_add(out, sub, sizeof sub);
    slip_add(out, payload, n);
    for (size_t left = pad; left > 0;) {
        size_t part = left < sizeof ff ? left : sizeof ff;
        slip_add(out, ff, part);
        left -= part;
    }
    slip_close(out);
}

enum packet_kind packet_parse(const uint8_t *frame, size_t n, struct packet_reply *out)
{
    struct fl_cursor c = fl_cursor_of(frame, n);
    uint8_t direction = fl_take_u8(&c);
    *out = (struct packet_reply){.op = fl_take_u8(&c)};
    size_t size = fl_take_u16le(&c);
    out->value = fl_take_u32le(&c);
    out->data = c.p;
    out->n = c.left;
    if (direction > REPLY || n == 0)
        return PACKET_FOREIGN;
    if (c.bad || out->n != size)
        return direction == REPLY && n >= 2 ? PACKET_CUT : PACKET_FOREIGN;
    return direction == REPLY ? PACKET_REPLY : PACKET_ECHO;
}

struct packet_status packet_status(const struct packet_reply *r, size_t payload)
{
    size_t at = r->n >= payload + 2 ? payload : 0;
    if (r->n < 2)
        return (struct packet_status){false, 0, 0};
    /* data and no status: a reply of the expected payload alone says nothing about success */
    if (at == 0 && payload > 0 && r->n > 4)
        return (struct packet_status){false, 0, 0};
    return (struct packet_status){true, r->data[at], r->data[at + 1]};
}

static const struct {
    uint8_t code;
    const char *text;
} rom_errors[] = {
    {0x00, "undefined error"},
    {0x01, "invalid parameter"},
    {0x02, "out of memory"},
    {0x03, "sending failed"},
    {0x04, "receiving failed"},
    {0x05, "invalid format, unsupported command or wrong sequence number"},
    {0x06, "carried out, but with a wrong result"},
    {0x07, "wrong checksum"},
    {0x08, "flash write error"},
    {0x09, "flash read error"},
    {0x0a, "wrong flash read length"},
    {0x0b, "inflating failed"},
    {0x0c, "wrong checksum of the compressed data"},
    {0x0d, "wrong parameter for compressed data"},
    {0x0e, "invalid size of a RAM image"},
    {0x0f, "invalid address of a RAM image"},
    {0x64, "invalid parameter"},
    {0x65, "invalid format"},
    {0x66, "description too long"},
    {0x67, "bad encoding"},
    {0x69, "insufficient storage"},
}, stub_errors[] = {
    {0xc0, "wrong length"},
    {0xc1, "wrong checksum"},
    {0xc2, "block too big"},
    {0xc3, "invalid command"},
    {0xc4, "flash operation failed"},
    {0xc5, "flash cannot be unlocked"},
    {0xc6, "not in download mode"},
    {0xc7, "inflating failed"},
    {0xc8, "not enough data"},
    {0xc9, "too much data"},
    {0xca, "NAND program failed"},
    {0xcb, "NAND erase failed"},
    {0xff, "command not implemented"},
};

const char *packet_status_text(struct packet_status s)
{
    if (!s.known)
        return "a reply without status";
    if (s.code == 0)
        return "done";
    for (size_t i = 0; s.code >= 0xc0 && i < sizeof stub_errors / sizeof *stub_errors; i++)
        if (stub_errors[i].code == s.code)
            return stub_errors[i].text;
    for (size_t i = 0; s.code == 1 && i < sizeof rom_errors / sizeof *rom_errors; i++)
        if (rom_errors[i].code == s.error)
            return rom_errors[i].text;
    return "unknown status";
}

bool packet_status_damaged(struct packet_status s)
{
    if (!s.known)
        return false;
    if (s.code == 0x01)
        return s.error == 0x07;
    return s.code == 0xc0 || s.code == 0xc1 || s.code == 0xc3 || s.code == 0xc8 || s.code == 0xc9;
}
