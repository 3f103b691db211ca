/* SPDX-License-Identifier: Apache-2.0
 * The stub's receiver and main loop; see stub.h. */
#include "base/hash.h"
#include "sim/board_impl.h"

#include <stdlib.h>
#include <string.h>

enum { SETTLE_US = 10000 }; /* the stub waits for the ROM's last answer to leave: reference 4.4 */

void sim_stub_fini(struct sim_board *b)
{
    struct sim_stub *s = &b->stub;
    if (s->z_open)
        (void)inflateEnd(&s->z);
    free(s->ring);
    fl_hash_free(s->md5);
    memset(s, 0, sizeof *s);
}

void sim_stub_start(struct sim_board *b, uint64_t at)
{
    static const uint8_t hello[] = {'O', 'H', 'A', 'I'};
    uint64_t wait = (at > b->now ? at - b->now : 0) + sim_takes(b, SETTLE_US);
    sim_stub_fini(b);
    b->mode = SIM_STUB;
    b->autobaud = false;
    b->stub.armed = true;
    b->stub.flash_size = b->spec.flash.size;
    b->stub.busy = b->now + wait;
    (void)sim_send_frame(b, wait, hello, sizeof hello);
}

/* ---- receiver -------------------------------------------------------------------------------------- */

static void frame_dropped(struct sim_stub *s)
{
    s->buffer[s->rx].error = true;
    s->armed = s->in_frame = s->escape = false;
}

static void collect(struct sim_stub *s, uint8_t c)
{
    if (s->rx_len < SIM_STUB_FRAME)
        s->buffer[s->rx].bytes[s->rx_len++] = c;
    else
        frame_dropped(s);
}

static void delimiter(struct sim_stub *s)
{
    if (!s->in_frame) {
        s->in_frame = s->armed;
    } else {
        if (s->rx_len > 0) {
            s->buffer[s->rx].len = s->rx_len;
            s->buffer[s->rx].complete = true;
            s->armed = false;
        }
        s->in_frame = false;
    }
    s->rx_len = 0;
}

/* One byte from the interrupt. True when the host may have paused behind it, which pace fast cannot see: after
 * a frame dropped for a bad escape (DB 00 and a pause), and after an acknowledgement of READ_FLASH, whose
 * last one a client does not wait for before its next request. */
static bool receive(struct sim_stub *s, uint8_t c)
{
    if (s->in_frame && s->escape) {
        s->escape = false;
        if (c == 0xDC || c == 0xDD)
            collect(s, c == 0xDC ? 0xC0 : 0xDB);
        else
            frame_dropped(s);
        return !s->in_frame;
    }
    if (c == 0xC0)
        delimiter(s);
    else if (s->in_frame && c == 0xDB)
        s->escape = true;
    else if (s->in_frame)
        collect(s, c);
    return s->reading && s->buffer[s->rx].complete;
}

/* ---- main loop ------------------------------------------------------------------------------------- */

/* The buffer to handle, or -1: a dropped frame before a complete one, the spare before the one that is
 * being filled. */
static int next_buffer(const struct sim_stub *s)
{
    unsigned other = 1 - s->rx;
    if (s->buffer[other].error)
        return (int)other;
    if (s->buffer[s->rx].error)
        return (int)s->rx;
    if (s->buffer[other].complete)
        return (int)other;
    return s->buffer[s->rx].complete ? (int)s->rx : -1;
}

static bool in_use(const struct sim_stub_buffer *b)
{
    return b->complete || b->error;
}

static void arm(struct sim_stub *s)
{
    if (in_use(&s->buffer[s->rx])) {
        if (in_use(&s->buffer[1 - s->rx])) {
            s->armed = false;
            return;
        }
        s->rx = 1 - s->rx;
    }
    s->armed = true;
}

/* A frame while READ_FLASH is under way acknowledges: total bytes received, 4 bytes; any other length
 * ends the reading. */
static uint64_t acknowledged(struct sim_board *b, const struct sim_stub_buffer *f)
{
    struct sim_stub *s = &b->stub;
    s->ack_due = false;
    if (f->len != 4) {
        s->read_left = 0;
        s->acked = s->read_total;
    } else {
        s->acked = (uint32_t)f->bytes[0] | (uint32_t)f->bytes[1] << 8 | (uint32_t)f->bytes[2] << 16 |
                   (uint32_t)f->bytes[3] << 24;
    }
    return sim_stub_read_next(b);
}

void sim_stub_finish(struct sim_board *b)
{
    struct sim_stub *s = &b->stub;
    uint64_t ns = 0;
    if (!s->owed.data)
        return;
    s->deferred = sim_stub_work(b, s->owed.data, s->owed.n, s->owed.compressed, &ns);
    s->owed.data = NULL;
    s->busy += ns;
}

void sim_stub_tick(struct sim_board *b)
{
    struct sim_stub *s = &b->stub;
    int i;
    sim_stub_finish(b);
    while (b->mode == SIM_STUB && s->busy <= b->now && (i = next_buffer(s)) >= 0) {
        struct sim_stub_buffer *f = &s->buffer[i];
        uint64_t ns = 0;
        arm(s);
        if (!f->error)
            ns = s->reading ? acknowledged(b, f) : sim_stub_handle(b, f->bytes, f->len);
        f->complete = f->error = false;
        s->busy = b->now + ns;
        if (!b->spec.pace_real || next_buffer(s) >= 0)
            sim_stub_finish(b);
    }
    s->waiting = next_buffer(s) >= 0;
}

uint64_t sim_stub_due(const struct sim_board *b)
{
    const struct sim_stub *s = &b->stub;
    return b->mode == SIM_STUB && s->waiting ? s->busy : SIM_NEVER;
}

/* How many of these bytes belong to the frame and mean themselves. Where the main loop has something to do, no more than
 * the batch has room for; else it does nothing between batches. */
static size_t plain(const struct sim_stub *s, const uint8_t *bytes, size_t n)
{
    size_t room = SIM_STUB_FRAME - s->rx_len;
    if (!s->in_frame || s->escape)
        return 0;
    if (next_buffer(s) >= 0 && room > SIM_STUB_BATCH - s->batch)
        room = SIM_STUB_BATCH - s->batch;
    n = n < room ? n : room;
    const uint8_t *esc = memchr(bytes, 0xDB, n);
    n = esc ? (size_t)(esc - bytes) : n;
    const uint8_t *end = memchr(bytes, 0xC0, n);
    return end ? (size_t)(end - bytes) : n;
}

void sim_stub_receive(struct sim_board *b, const uint8_t *bytes, size_t n, bool more)
{
    struct sim_stub *s = &b->stub;
    for (size_t i = 0; i < n && b->mode == SIM_STUB;) {
        bool perhaps = false;
        size_t run = plain(s, bytes + i, n - i);
        if (run > 0) {
            memcpy(s->buffer[s->rx].bytes + s->rx_len, bytes + i, run);
            s->rx_len += run;
        } else {
            perhaps = receive(s, bytes[i]);
            run = 1;
        }
        i += run;
        s->batch += (unsigned)run;
        bool pause = i == n && !more;
        if (s->batch >= SIM_STUB_BATCH || pause || (perhaps && !b->spec.pace_real)) {
            s->batch = pause || perhaps ? 0 : s->batch % SIM_STUB_BATCH;
            sim_stub_tick(b);
        }
    }
}
