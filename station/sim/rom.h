/* SPDX-License-Identifier: Apache-2.0
 *
 * rom.h: the boot ROM's download mode: receiver, commands, one transfer at a time.
 *
 * Receiver. Two buffers that are never cleared explain most of what it does:
 *
 *            ┌─────── C0 behind at least one byte: handled ────────┐
 *            ▼                                                     │
 *   bytes  OUTSIDE ── C0 ──► INSIDE, from the start of the buffer ─┘      DB DC: C0, DB DD: DB, DB x: x
 *   are lost                 (C0 with nothing before it changes nothing)
 *
 *   A frame is what lies in the buffer, however few bytes of it came: the rest is what an earlier frame left.
 *   The length that the frame says is looked at only by BEGIN and SPI_SET_PARAMS. So a request cut short is
 *   the request before it in part, and a damaged one can ask for memory that is not there: the ROM dies.
 *   A frame longer than SIM_ROM_FRAME makes it deaf until a SYNC, as it is after a reset.
 *
 *   An answer's data and status bytes stand in one buffer too: four status bytes when there is no data. What a
 *   short answer does not overwrite is still there when a longer one is refused.
 *
 * Answers. The value field keeps what the last READ_REG or SYNC put there (SYNC: its first four bytes). An unknown
 * command is answered as the last known one, as often as that one is: eight times after SYNC. The second
 * status byte of DATA and END, when they succeed, is that of the error before; any other command clears it.
 *
 * Sequence (DATA commands): a number other than the next one is refused (01 05) and changes nothing. The
 * right number is used up whether the checksum is right or not; with a wrong one (01 07) the content is
 * dropped and the place to write at does not move, so the same payload under the next number lands there.
 * A payload longer than BEGIN's block size is 01 05 and uses no number.
 *
 * Deflate: BEGIN's count of blocks matters, and refused ones count. When the last announced one is there, one was
 * refused and the stream is not at its end, what is there is no good (01 0c, later blocks too): so one refused
 * block spoils a stream that was announced exactly. Blocks behind the announced ones are answered and thrown
 * away. A stream that has ended must not be followed by more: the ROM goes round for ever. What is inflated
 * goes to flash in pieces of 32 KB and at a right end.
 *
 * Facts: the observed answers of the ESP32 and ESP32-C3 ROM code. The other chips are taken to be like them.
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
    SIM_ROM_DATA = 64,                 /* the longest data of an answer */
    SIM_ROM_WINDOW = 32768,            /* inflated bytes are written when so many are there */
};

enum sim_transfer { SIM_XFER_NONE, SIM_XFER_MEM, SIM_XFER_FLASH, SIM_XFER_DEFL };

struct sim_board;

struct sim_rom {
    uint8_t frame[SIM_ROM_FRAME];
    size_t len;
    bool inside, escape, deaf;

    uint8_t last_op;    /* the last known one */
    uint8_t last_error;
    uint32_t value;
    uint8_t answer[SIM_ROM_DATA + 4];
    uint32_t flash_size;

    enum sim_transfer transfer;
    uint32_t at, next, block;
    uint32_t blocks;
    bool refused; /* a block of this transfer had a wrong checksum */
    bool nowhere; /* BEGIN was refused for its place: blocks are taken and thrown away */
    z_stream z;
    uint8_t *window; /* SIM_ROM_WINDOW bytes while a deflate transfer is open */
    size_t windowed;
    uint8_t broken;  /* the error that every further block gets */
    bool z_done;
};

void sim_rom_reset(struct sim_board *b);
void sim_rom_fini(struct sim_board *b);
void sim_rom_receive(struct sim_board *b, const uint8_t *bytes, size_t n);

/* rom_flash.c: BEGIN, DATA and FLASH_END, FLASH_DEFL_END. All give the ROM's error code, 0 for success. */
uint8_t sim_rom_begin(struct sim_board *b, enum sim_transfer kind, const uint8_t *data, uint64_t *ns);
/* `data`: the sub-header and what lies behind it in the frame buffer. */
uint8_t sim_rom_data(struct sim_board *b, enum sim_transfer kind, const uint8_t *data, uint32_t checksum,
                     uint64_t *ns);
uint8_t sim_rom_end(struct sim_board *b, enum sim_transfer kind);

#endif
