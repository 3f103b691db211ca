/* SPDX-License-Identifier: Apache-2.0
 * The ROM's transfers: into RAM, into flash, into flash through its inflater. The work is done before the
 * answer: unlike the stub, the ROM's OK means that the bytes are where they belong. */
#include "base/cursor.h"
#include "sim/board_impl.h"

#include <string.h>

enum { E_FORMAT = 0x05, E_RESULT = 0x06, E_CHECKSUM = 0x07, E_WRITE = 0x08, E_ADLER = 0x0C };

static void close_inflater(struct sim_rom *r)
{
    if (r->z_open)
        (void)inflateEnd(&r->z);
    r->z_open = r->z_done = r->z_broken = false;
}

void sim_rom_fini(struct sim_board *b)
{
    close_inflater(&b->rom);
}

/* The ESP8266's ROM erases more than it is asked to (reference 5.5): from a start inside a 64 KB block it
 * counts the sectors up to the block's end twice. Clients ask for less to get what they want. */
static uint32_t erase_size(const struct sim_board *b, uint32_t at, uint32_t size)
{
    uint32_t n = (size + SIM_SECTOR - 1) / SIM_SECTOR, head = 16 - at / SIM_SECTOR % 16;
    if (b->spec.chip->mac_layout != SIM_MAC_8266)
        return size;
    return (n + (head < n ? head : n)) * SIM_SECTOR;
}

uint8_t sim_rom_begin(struct sim_board *b, enum sim_transfer kind, const uint8_t *data, uint64_t *ns)
{
    struct sim_rom *r = &b->rom;
    uint32_t size = fl_get_u32le(data), at = fl_get_u32le(data + 12);
    close_inflater(r);
    r->transfer = kind;
    r->at = at;
    r->next = r->taken = 0;
    r->blocks = fl_get_u32le(data + 4);
    r->end = at + size;
    if (kind == SIM_XFER_MEM) {
        sim_ram_begin(&b->ram, at, size);
        return 0;
    }
    if ((uint64_t)at + size > r->flash_size) {
        r->transfer = SIM_XFER_NONE;
        return E_RESULT;
    }
    if (kind == SIM_XFER_DEFL) {
        memset(&r->z, 0, sizeof r->z);
        if (inflateInit(&r->z) != Z_OK)
            return E_RESULT;
        r->z_open = true;
    }
    return sim_do_erase(b, at, erase_size(b, at, size), ns) ? 0 : E_RESULT;
}

/* Program and read back: the ROM compares an 8-bit sum (reference 1.4, code 08). */
static uint8_t write_flash(struct sim_board *b, const uint8_t *bytes, size_t n, uint64_t *ns)
{
    uint32_t at = b->rom.at;
    uint8_t back[1024], sum = 0;
    bool done = sim_do_program(b, at, bytes, n, ns);
    b->rom.at += (uint32_t)n;
    if (!done)
        return E_WRITE;
    for (size_t i = 0; i < n && !b->order.lie; i += sizeof back) {
        size_t now = n - i < sizeof back ? n - i : sizeof back;
        sim_flash_read(&b->flash, at + (uint32_t)i, back, now);
        for (size_t k = 0; k < now; k++)
            sum = (uint8_t)(sum + back[k] - bytes[i + k]);
    }
    return sum ? E_WRITE : 0;
}

/* Feed the inflater. It never says that the stream is damaged: only the adler at the end does. */
static uint8_t inflate_block(struct sim_board *b, const uint8_t *bytes, size_t n, uint64_t *ns)
{
    struct sim_rom *r = &b->rom;
    uint8_t out[4096], error = 0;
    union {
        const uint8_t *in;
        Bytef *zlib_takes; /* zlib's next_in is not const unless ZLIB_CONST */
    } from = {.in = bytes};
    r->z.next_in = from.zlib_takes;
    r->z.avail_in = (uInt)n;
    *ns += sim_takes(b, b->spec.timing.inflate_us_per_kb * ((double)n / 1024));
    while (r->z_open && !r->z_done && !r->z_broken) {
        r->z.next_out = out;
        r->z.avail_out = sizeof out;
        int rc = inflate(&r->z, Z_NO_FLUSH);
        size_t got = sizeof out - r->z.avail_out, left = r->at < r->end ? r->end - r->at : 0;
        uint8_t e = write_flash(b, out, got < left ? got : left, ns);
        error = e ? e : error;
        r->z_done = rc == Z_STREAM_END;
        r->z_broken = rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR;
        if (rc == Z_BUF_ERROR || (rc == Z_OK && r->z.avail_in == 0 && r->z.avail_out != 0))
            break;
    }
    return error;
}

static uint8_t take_block(struct sim_board *b, const uint8_t *payload, size_t n, uint64_t *ns)
{
    struct sim_rom *r = &b->rom;
    if (b->order.fail_work && r->transfer != SIM_XFER_MEM)
        return E_WRITE;
    switch (r->transfer) {
    case SIM_XFER_MEM: {
        bool ok = sim_do_ram(b, r->at, payload, n);
        r->at += (uint32_t)n;
        return ok ? 0 : E_RESULT;
    }
    case SIM_XFER_FLASH: return write_flash(b, payload, n, ns);
    case SIM_XFER_DEFL: {
        uint8_t error = inflate_block(b, payload, n, ns);
        if (!error && r->taken >= r->blocks && !r->z_done)
            error = E_ADLER;
        return error;
    }
    case SIM_XFER_NONE: break;
    }
    return E_FORMAT;
}

uint8_t sim_rom_data(struct sim_board *b, enum sim_transfer kind, const uint8_t *data, size_t n,
                     bool whole, uint32_t checksum, uint64_t *ns)
{
    struct sim_rom *r = &b->rom;
    uint32_t len = fl_get_u32le(data), seq = fl_get_u32le(data + 4);
    const uint8_t *payload = data + 16;
    size_t came = n - 16;
    if (kind != r->transfer || seq != r->next || len > SIM_ROM_BLOCK)
        return E_FORMAT;
    r->next++;
    if (!whole || came != len || sim_checksum(payload, came) != (uint8_t)checksum) {
        if (kind == SIM_XFER_DEFL) /* the inflater has eaten it all the same */
            (void)inflate_block(b, payload, came, ns);
        return E_CHECKSUM;
    }
    r->taken++;
    return take_block(b, payload, came, ns);
}
