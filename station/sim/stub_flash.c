/* SPDX-License-Identifier: Apache-2.0
 * The stub's flash writing: erase as it goes, skip what is blank, work after the answer; see stub.h. */
#include "base/cursor.h"
#include "sim/board_impl.h"

#include <stdlib.h>
#include <string.h>

enum { E_LENGTH = 0xC000, E_SPI = 0xC400, E_MODE = 0xC600, E_INFLATE = 0xC700 };
enum { SUB_HEADER = 16 };

/* The next piece of the range: left alone while all before it was blank and it is too; from the first
 * sector that holds something on, everything is erased, 64 KB at once where that fits. */
static int erase_next(struct sim_board *b, uint64_t *ns)
{
    struct sim_stub *s = &b->stub;
    uint32_t step = SIM_SECTOR;
    if (s->erase_left == 0)
        return 0;
    if (s->erase_at >= s->flash_size)
        return E_SPI;
    if (!s->dirty_seen && sim_flash_blank(&b->flash, s->erase_at)) {
        s->erase_at += step;
        s->erase_left -= step;
        return 0;
    }
    s->dirty_seen = true;
    if (s->erase_at % SIM_BLOCK == 0 && s->erase_left >= SIM_BLOCK)
        step = SIM_BLOCK;
    if (!sim_do_erase(b, s->erase_at, step, ns))
        return E_SPI;
    s->erase_at += step;
    s->erase_left -= step;
    return 0;
}

static int open_inflater(struct sim_stub *s)
{
    if (s->z_open)
        (void)inflateEnd(&s->z);
    memset(&s->z, 0, sizeof s->z);
    s->z_open = inflateInit(&s->z) == Z_OK;
    s->z_done = false;
    if (!s->ring)
        s->ring = malloc(SIM_STUB_RING);
    return s->z_open && s->ring ? 0 : E_SPI;
}

int sim_stub_begin(struct sim_board *b, const uint8_t *data, size_t n, bool compressed, uint64_t *ns)
{
    struct sim_stub *s = &b->stub;
    if (n != 16 && n != 20)
        return E_LENGTH;
    s->remaining = fl_get_u32le(data);
    s->at = fl_get_u32le(data + 12);
    s->writing = true;
    s->dirty_seen = false;
    uint64_t end = ((uint64_t)s->at + s->remaining + SIM_SECTOR - 1) / SIM_SECTOR * SIM_SECTOR;
    s->erase_at = s->at - s->at % SIM_SECTOR;
    s->erase_left = (uint32_t)(end - s->erase_at);
    int status = compressed ? open_inflater(s) : 0;
    return status ? status : erase_next(b, ns);
}

int sim_stub_end(struct sim_board *b, size_t n)
{
    struct sim_stub *s = &b->stub;
    if (n != 4)
        return E_LENGTH;
    if (!s->writing)
        return E_MODE;
    if (s->remaining != 0)
        return E_LENGTH;
    s->writing = false;
    return 0;
}

/* Program at the write position; what is there is erased first. The shipped stub loops for ever when a
 * stream brings more bytes than BEGIN announced and the announced range is used up. */
static int write_on(struct sim_board *b, const uint8_t *bytes, uint32_t n, uint64_t *ns)
{
    struct sim_stub *s = &b->stub;
    while ((uint64_t)s->erase_at < (uint64_t)s->at + n) {
        if (s->erase_left == 0) {
            b->mode = SIM_STOPPED;
            return 0;
        }
        int status = erase_next(b, ns);
        if (status)
            return status;
    }
    if ((uint64_t)s->at + n > s->flash_size || (n > 0 && !sim_do_program(b, s->at, bytes, n, ns)))
        return E_SPI;
    s->remaining -= n;
    s->at += n;
    return 0;
}

static int inflate_on(struct sim_board *b, const uint8_t *bytes, size_t n, uint64_t *ns)
{
    struct sim_stub *s = &b->stub;
    bool full = false;
    union {
        const uint8_t *in;
        Bytef *zlib_takes; /* zlib's next_in is not const unless ZLIB_CONST */
    } from = {.in = bytes};
    s->z.next_in = from.zlib_takes;
    s->z.avail_in = (uInt)n;
    *ns += sim_takes(b, b->spec.timing.inflate_us_per_kb * ((double)n / 1024));
    while (b->mode == SIM_STUB && !s->z_done && (s->z.avail_in > 0 || full)) {
        int status = erase_next(b, ns);
        if (status)
            return status;
        s->z.next_out = s->ring + s->ring_len;
        s->z.avail_out = (uInt)(SIM_STUB_RING - s->ring_len);
        int rc = inflate(&s->z, Z_NO_FLUSH);
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
            return E_INFLATE;
        s->z_done = rc == Z_STREAM_END;
        s->ring_len = SIM_STUB_RING - s->z.avail_out;
        full = s->ring_len == SIM_STUB_RING;
        if (full || s->z_done) {
            uint32_t out = (uint32_t)s->ring_len;
            s->ring_len = 0;
            status = write_on(b, s->ring, out, ns);
            if (status)
                return status;
        }
    }
    return 0;
}

int sim_stub_work(struct sim_board *b, const uint8_t *data, size_t n, bool compressed, uint64_t *ns)
{
    struct sim_stub *s = &b->stub;
    uint32_t len = (uint32_t)(n - SUB_HEADER);
    if (b->order.fail_work)
        return E_SPI;
    if (!compressed)
        return write_on(b, data + SUB_HEADER, len < s->remaining ? len : s->remaining, ns);
    if (fl_get_u32le(data + 4) == 0)
        s->ring_len = 0;
    return inflate_on(b, data + SUB_HEADER, fl_get_u32le(data), ns);
}
