/* SPDX-License-Identifier: Apache-2.0
 * The ROM's transfers: into RAM, into flash, into flash through its inflater. The work is done before the
 * answer: unlike the stub, the ROM's OK means that the bytes are where they belong. */
#include "base/cursor.h"
#include "sim/board_impl.h"

#include <stdlib.h>
#include <string.h>

enum {
    E_FORMAT = 0x05, E_RESULT = 0x06, E_CHECKSUM = 0x07, E_WRITE = 0x08, E_DEFLATE = 0x0B, E_ADLER = 0x0C,
};

static void close_inflater(struct sim_rom *r)
{
    if (r->window)
        (void)inflateEnd(&r->z);
    free(r->window);
    r->window = NULL;
    r->windowed = 0;
    r->broken = 0;
    r->z_done = false;
}

static bool open_inflater(struct sim_rom *r)
{
    memset(&r->z, 0, sizeof r->z);
    r->window = malloc(SIM_ROM_WINDOW);
    if (r->window && inflateInit(&r->z) != Z_OK) {
        free(r->window);
        r->window = NULL;
    }
    return r->window != NULL;
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
    uint32_t size = fl_get_u32le(data), blocks = fl_get_u32le(data + 4), at = fl_get_u32le(data + 12);
    close_inflater(r);
    r->block = fl_get_u32le(data + 8);
    r->transfer = r->block > SIM_ROM_BLOCK ? SIM_XFER_NONE : kind;
    r->at = at;
    r->next = 0;
    r->blocks = blocks;
    r->refused = r->nowhere = false;
    if (r->transfer == SIM_XFER_NONE)
        return E_FORMAT;
    if (kind == SIM_XFER_MEM) {
        sim_ram_begin(&b->ram, at, size);
        return 0;
    }
    if (kind == SIM_XFER_DEFL && !open_inflater(r))
        return E_RESULT;
    if ((uint64_t)at + size > r->flash_size) {
        r->nowhere = true;
        return E_RESULT;
    }
    if (at % SIM_SECTOR != 0)
        return E_RESULT; /* nothing is erased; what is sent all the same is written */
    return sim_do_erase(b, at, erase_size(b, at, size), ns) ? 0 : E_RESULT;
}

/* Program and read back: the ROM compares an 8-bit sum (reference 1.4, code 08). */
static uint8_t write_flash(struct sim_board *b, const uint8_t *bytes, size_t n, uint64_t *ns)
{
    uint32_t at = b->rom.at;
    uint8_t back[1024], sum = 0;
    if (b->rom.nowhere || n == 0)
        return 0;
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

/* What is in the window goes to flash, unless it is the end of a stream that is no good. */
static uint8_t write_window(struct sim_board *b, uint64_t *ns)
{
    struct sim_rom *r = &b->rom;
    uint8_t error = write_flash(b, r->window, r->windowed, ns);
    r->windowed = 0;
    return error;
}

static uint8_t inflate_error(int rc, const z_stream *z)
{
    if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR)
        return 0;
    return z->msg && strcmp(z->msg, "incorrect data check") == 0 ? E_ADLER : E_DEFLATE;
}

/* A damaged stream shows where it cannot be read on, or by its adler at the end: a changed byte among plain
 * ones is written like any other until then. */
static uint8_t inflate_block(struct sim_board *b, const uint8_t *bytes, size_t n, uint64_t *ns)
{
    struct sim_rom *r = &b->rom;
    uint8_t error = 0;
    union {
        const uint8_t *in;
        Bytef *zlib_takes; /* zlib's next_in is not const unless ZLIB_CONST */
    } from = {.in = bytes};
    r->z.next_in = from.zlib_takes;
    r->z.avail_in = (uInt)n;
    *ns += sim_takes(b, b->spec.timing.inflate_us_per_kb * ((double)n / 1024));
    for (int rc = Z_OK; rc == Z_OK && !error;) {
        r->z.next_out = r->window + r->windowed;
        r->z.avail_out = (uInt)(SIM_ROM_WINDOW - r->windowed);
        rc = inflate(&r->z, Z_NO_FLUSH);
        r->windowed = SIM_ROM_WINDOW - r->z.avail_out;
        r->broken = inflate_error(rc, &r->z);
        r->z_done = rc == Z_STREAM_END;
        if (r->broken)
            return r->broken;
        if (r->z_done || r->z.avail_out == 0)
            error = write_window(b, ns);
        else if (r->z.avail_in == 0)
            break;
    }
    return error;
}

/* The block with number `seq`: BEGIN announced how many come, and a refused one has been one of them. */
static uint8_t take_deflated(struct sim_board *b, uint32_t seq, const uint8_t *payload, size_t n, uint64_t *ns)
{
    struct sim_rom *r = &b->rom;
    if (r->z_done) {
        b->mode = SIM_STOPPED; /* goes round for ever: no answer to this nor to anything */
        return 0;
    }
    if (r->broken || !r->window || seq >= r->blocks)
        return r->broken;
    uint8_t error = inflate_block(b, payload, n, ns);
    if (!error && seq + 1 == r->blocks && !r->z_done && r->refused)
        error = r->broken = E_ADLER;
    return error;
}

static uint8_t take_ram(struct sim_board *b, const uint8_t *payload, size_t n)
{
    struct sim_rom *r = &b->rom;
    uint32_t at = r->at;
    if (!sim_mapped(at) || !sim_mapped(at + (uint32_t)n)) {
        b->mode = SIM_STOPPED; /* an exception in the ROM */
        return 0;
    }
    r->at += (uint32_t)n;
    return sim_do_ram(b, at, payload, n) ? 0 : E_RESULT;
}

uint8_t sim_rom_data(struct sim_board *b, enum sim_transfer kind, const uint8_t *data, uint32_t checksum,
                     uint64_t *ns)
{
    struct sim_rom *r = &b->rom;
    uint32_t n = fl_get_u32le(data), seq = fl_get_u32le(data + 4);
    const uint8_t *payload = data + 16;
    if (kind != r->transfer || seq != r->next || n > r->block)
        return E_FORMAT;
    r->next++;
    bool right = sim_checksum(payload, n) == (uint8_t)checksum;
    if (b->order.fail_work && right && kind != SIM_XFER_MEM)
        return E_WRITE;
    r->refused = r->refused || !right;
    if (!right)
        return E_CHECKSUM;
    return kind == SIM_XFER_MEM    ? take_ram(b, payload, n)
           : kind == SIM_XFER_DEFL ? take_deflated(b, seq, payload, n, ns)
                                   : write_flash(b, payload, n, ns);
}

uint8_t sim_rom_end(struct sim_board *b, enum sim_transfer kind)
{
    struct sim_rom *r = &b->rom;
    uint8_t error = 0;
    if (kind == SIM_XFER_FLASH)
        error = r->transfer == SIM_XFER_NONE ? E_RESULT : 0;
    else if (r->transfer == SIM_XFER_FLASH || r->broken == E_DEFLATE)
        error = E_RESULT;
    r->transfer = SIM_XFER_NONE;
    close_inflater(r);
    return error;
}
