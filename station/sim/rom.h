/* SPDX-License-Identifier: Apache-2.0
 *
 * rom.h: the boot ROM's download mode: receiver, commands, one transfer at a time.
 *
 * Receiver (heals itself; a request is never lost to damage of the one before it):
 *
 *            C0, nothing collected              byte             C0: frame complete, handled
 *      ┌──────────────┐            ┌──────────────────┐      ┌──────────────────────────────┐
 *      ▼              │            ▼                  │      ▼                              │
 *   OPENED ───────────┴─ byte ─► COLLECTING ──────────┴─ C0 ─► DOUBTFUL (that C0 may also have been
 *                                                              an opening one) ─ byte ─► COLLECTING ...
 *
 *   A frame collected from DOUBTFUL counts only when it is a whole well-formed request; otherwise it was
 *   text or noise between frames, is dropped without a word, and the C0 that ended it opens the next.
 *   An invalid escape drops what was collected. A frame longer than SIM_ROM_FRAME makes the ROM deaf
 *   until a SYNC, as it is after a reset.
 *
 * Sequence (DATA commands): a number other than the next one is refused (01 05) and changes nothing. The
 * right number is used up whether the checksum is right or not; with a wrong one (01 07) the content is
 * dropped and the place to write at does not move, so the same payload under the next number lands there.
 *
 * Facts: the observed answers of the ESP32 and ESP32-C3 ROM code.
 */
#ifndef FL_SIM_ROM_H
#define FL_SIM_ROM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

enum {
    SIM_ROM_BLOCK = 0x1800,            /* the largest DATA payload it takes */
    SIM_ROM_FRAME = 8 + 16 + 0x4000,   /* the longest frame that it answers at all */
    SIM_ROM_SIZE = 2 * 1024 * 1024,    /* flash size until SPI_SET_PARAMS */
};

enum sim_transfer { SIM_XFER_NONE, SIM_XFER_MEM, SIM_XFER_FLASH, SIM_XFER_DEFL };

struct sim_board;

struct sim_rom {
    uint8_t frame[SIM_ROM_FRAME];
    size_t len;
    bool escape, doubtful, too_long, deaf;

    uint8_t last_op;    /* the last one understood: refusals carry it */
    uint8_t last_error; /* stays in the second status byte of later successes */
    uint8_t left[4];    /* bytes 2 and 3 are what an earlier longer reply left there */
    uint32_t flash_size;

    enum sim_transfer transfer;
    uint32_t at, next, blocks, taken, end; /* taken: blocks with a right checksum */
    z_stream z;
    bool z_open, z_done, z_broken;
};

void sim_rom_reset(struct sim_board *b);
void sim_rom_fini(struct sim_board *b);
void sim_rom_receive(struct sim_board *b, const uint8_t *bytes, size_t n);

/* rom_flash.c: BEGIN and DATA. Both give the ROM's error code, 0 for success. */
uint8_t sim_rom_begin(struct sim_board *b, enum sim_transfer kind, const uint8_t *data, uint64_t *ns);
uint8_t sim_rom_data(struct sim_board *b, enum sim_transfer kind, const uint8_t *data, size_t n,
                     bool whole, uint32_t checksum, uint64_t *ns);

#endif
