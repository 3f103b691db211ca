/* SPDX-License-Identifier: Apache-2.0
 *
 * packet.h: requests and replies of the boot loader as bytes.
 *
 *   request   0: 00   1: opcode   2: u16 size of data   4: u32 checksum   8: data
 *   reply     0: 01   1: opcode   2: u16 size of data   4: u32 value      8: data, status at its end
 *
 * All little-endian. The checksum is EF exclusive-or every payload byte; only the four commands that
 * carry a block (RAM, flash, compressed) use it, over the payload behind their 16-byte sub-header
 * (u32 length, u32 sequence number, u32 0, u32 0).
 *
 * Status: the mask ROM sends 4 bytes (01 EE: refused, EE says why; the last two mean nothing), the
 * ESP8266's ROM and every stub 2 (stub: CX 00 or FF 00). Its place is behind the payload that the
 * command is expected to answer; in a shorter reply it is all there is.
 *
 * Sources: esp-protocol facts 1.2 to 1.4; that only the first status byte decides and that bytes 3
 * and 4 hold leftovers was seen on real ROM code.
 *
 * Pure. Thread rule: no shared state.
 */
#ifndef FL_ESP_PACKET_H
#define FL_ESP_PACKET_H

#include "base/buf.h"

#include <stdbool.h>

enum packet_op {
    OP_FLASH_BEGIN = 0x02,
    OP_FLASH_DATA = 0x03,
    OP_FLASH_END = 0x04,
    OP_MEM_BEGIN = 0x05,
    OP_MEM_END = 0x06,
    OP_MEM_DATA = 0x07,
    OP_SYNC = 0x08,
    OP_WRITE_REG = 0x09,
    OP_READ_REG = 0x0a,
    OP_SPI_SET_PARAMS = 0x0b,
    OP_SPI_ATTACH = 0x0d,
    OP_READ_FLASH_SLOW = 0x0e,
    OP_CHANGE_BAUD = 0x0f,
    OP_DEFL_BEGIN = 0x10,
    OP_DEFL_DATA = 0x11,
    OP_DEFL_END = 0x12,
    OP_FLASH_MD5 = 0x13,
    OP_SECURITY_INFO = 0x14,
    OP_ERASE_FLASH = 0xd0,
    OP_ERASE_REGION = 0xd1,
};
const char *packet_op_name(uint8_t op); /* "MEM_DATA"; "command 0x77" is the caller's to say: "" */

enum { PACKET_HEAD = 8, PACKET_SUB_HEAD = 16 };

/* Append one framed request. */
void packet_request(struct fl_buf *out, uint8_t op, const void *data, size_t n);
/* The same for a block: sub-header and checksum are made here; `pad` more bytes FF follow the
 * payload and count as part of it. */
void packet_block(struct fl_buf *out, uint8_t op, uint32_t seq, const uint8_t *payload, size_t n,
                  size_t pad);
uint8_t packet_checksum(const uint8_t *payload, size_t n);

struct packet_reply {
    uint8_t op;
    uint32_t value;
    const uint8_t *data; /* borrowed from the frame */
    size_t n;            /* bytes of data, status included */
};

enum packet_kind {
    PACKET_REPLY,   /* whole */
    PACKET_ECHO,    /* a request: our own, come back */
    PACKET_CUT,     /* a reply that lacks bytes or has some too many */
    PACKET_FOREIGN, /* nothing of this protocol */
};
enum packet_kind packet_parse(const uint8_t *frame, size_t n, struct packet_reply *out);

struct packet_status {
    bool known;          /* false: the reply had no room for one */
    uint8_t code, error; /* code 0: done */
};
/* `payload`: bytes of data that this command answers with when it succeeds. */
struct packet_status packet_status(const struct packet_reply *r, size_t payload);

/* What a refusal means, in words: ROM's by the second byte, the stub's by the first. Static text. */
const char *packet_status_text(struct packet_status s);
/* Refused because bytes changed or were lost on the way, and nothing was done: the ROM's 01 07, the
 * stub's C0, C1, C3, C8, C9 as an answer to a block. */
bool packet_status_damaged(struct packet_status s);

#endif
