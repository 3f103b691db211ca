/* SPDX-License-Identifier: Apache-2.0
 *
 * stub.h: the flasher stub: receiver, two frame buffers, commands, work done after the answer.
 *
 * Receiver (one C0 opens, the next closes, whatever is between: a lost or doubled C0 inverts it):
 *
 *   NO_FRAME ── C0, a buffer armed ─► IN_FRAME ── C0, something collected ─► frame complete, disarmed
 *      ▲                               │  │  └── C0, nothing collected ─► NO_FRAME (still armed)
 *      │                               │  └── DB, then neither DC nor DD ─► frame dropped, disarmed
 *      └───────────────────────────────┴── longer than a buffer ─► frame dropped, disarmed
 *
 *   Bytes come in batches: the interrupt takes SIM_STUB_BATCH of them, or what there is when the line
 *   pauses. Only between batches does the main loop run; it arms the other buffer and handles the frame
 *   that is complete, unless it is still busy with work of an earlier one. A C0 that comes while no
 *   buffer is armed is lost, which is why DB 00 needs a pause behind it and why two requests without a
 *   wait between them leave the receiver inverted. With pace fast there is no clock that could show the
 *   pause after DB 00, or after an acknowledgement of READ_FLASH: there a batch ends with these.
 *
 * Answers come after the checks and before the work (inflate, erase, program). With pace real the model leaves that
 * work undone until its result is asked for (the main loop's next round, a reset, a look into the flash), or until its
 * owner has nothing better to do: many boards that end a block in one moment all answer first. Work that fails is told
 * in the answer to the next command, whatever it is, and that command is not executed. There is no check of
 * sequence numbers. END is a barrier and asks only whether all announced bytes came.
 *
 * Facts: the observed answers of the stub that npm esptool-js 0.7.0 ships; the protocol reference 1.1
 * and 4.4.
 */
#ifndef FL_SIM_STUB_H
#define FL_SIM_STUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

enum {
    SIM_STUB_FRAME = 8 + 0x4000 + 0xFF,
    SIM_STUB_BATCH = 32,
    SIM_STUB_RING = 32768, /* inflated bytes are programmed when so many are there, or the stream ends */
};

struct sim_board;

struct sim_stub_buffer {
    uint8_t bytes[SIM_STUB_FRAME];
    size_t len;
    bool complete, error;
};

struct sim_stub {
    /* receiver */
    struct sim_stub_buffer buffer[2];
    unsigned rx;     /* the buffer being filled */
    bool armed, in_frame, escape;
    size_t rx_len;
    unsigned batch;  /* bytes since the main loop last could run */
    uint64_t busy;   /* ns: the main loop works until then */
    bool waiting;    /* ... and has a frame to handle afterwards */
    struct {
        const uint8_t *data; /* in a frame buffer, which is not filled before the main loop's next round; NULL: nothing */
        size_t n;
        bool compressed;
    } owed; /* work of a write that was answered: `busy` does not hold its time yet */

    /* flash */
    uint32_t flash_size; /* as found at the start, or told by SPI_SET_PARAMS: nothing beyond is touched */
    bool writing;
    uint32_t remaining, at, erase_at, erase_left;
    bool dirty_seen;
    int deferred;    /* status of failed work, 0: none */
    z_stream z;
    bool z_open, z_done;
    uint8_t *ring;   /* SIM_STUB_RING bytes, made with the first compressed write */
    size_t ring_len;

    /* memory */
    bool loading;
    uint32_t ram_at, ram_left;

    /* READ_FLASH under way */
    bool reading;
    uint32_t read_at, read_left, read_packet, read_total, acked;
    bool ack_due;
    void *md5; /* struct fl_hash */
};

void sim_stub_start(struct sim_board *b, uint64_t at); /* from ROM or stub: OHAI a little after `at` */
void sim_stub_fini(struct sim_board *b);
/* `more`: further bytes follow without a pause. */
void sim_stub_receive(struct sim_board *b, const uint8_t *bytes, size_t n, bool more);
uint64_t sim_stub_due(const struct sim_board *b); /* when the main loop has something to do */
void sim_stub_tick(struct sim_board *b);
void sim_stub_finish(struct sim_board *b); /* does the work that is owed */

/* stub_cmd.c: one complete frame. Returns ns that the main loop is busy. */
uint64_t sim_stub_handle(struct sim_board *b, const uint8_t *frame, size_t n);
uint64_t sim_stub_read_next(struct sim_board *b); /* READ_FLASH: the next packet, or the MD5 */
/* stub_flash.c */
int sim_stub_begin(struct sim_board *b, const uint8_t *data, size_t n, bool compressed, uint64_t *ns);
int sim_stub_end(struct sim_board *b, size_t n);
int sim_stub_work(struct sim_board *b, const uint8_t *data, size_t n, bool compressed, uint64_t *ns);

#endif
