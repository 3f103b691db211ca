/* SPDX-License-Identifier: Apache-2.0
 *
 * board.h: as much of an ESP32-C3 as Espressif's flasher stub needs around it: 384 KB of SRAM, a register
 * file, UART 0 with its receive interrupt, the flash controller, and the boot ROM's functions (board_rom.c),
 * which the stub calls by address. The machine code that runs is the stub itself, as npm esptool-js ships it.
 *
 * Ends a board's life: board_broken (the stub did what no stub does: the text says what).
 */
#ifndef OUTSIDE_BOARD_H
#define OUTSIDE_BOARD_H

#include "outside/rv32/rv32.h"

#include <openssl/evp.h>
#include <zlib.h>

enum {
    SRAM_SIZE = 0x60000,
    SRAM_DATA = 0x3FC80000,      /* SRAM as data */
    SRAM_CODE = 0x40380000,      /* the same bytes as instructions */
    ROM_START = 0x40000000,
    REGS_START = 0x60000000,
    REGS_SIZE = 0xD0000,
    STACK_TOP = 0x3FCDE000,      /* below the ROM's own variables */
    UART_FIFO_SIZE = 128,
    FLASH_SIZE = 0x400000,
    FLASH_ID = 0x1640C8,         /* as RDID gives it, first byte lowest: GigaDevice, 4 MB */
};

struct board {
    struct rv32 cpu;
    uint8_t sram[SRAM_SIZE];
    uint32_t reg[REGS_SIZE / 4];
    uint8_t flash[FLASH_SIZE];
    bool write_enabled;
    unsigned busy; /* status reads that still find the flash at work */
    uint8_t fifo[UART_FIFO_SIZE];
    unsigned fifo_used;
    uint32_t handler, handler_arg; /* of the UART interrupt; 0: none yet */
    bool unmasked, in_handler;
    uint64_t activity; /* counts calls of ROM functions and register accesses: a waiting stub makes none */
    uint32_t divider;  /* of the UART clock, once the stub has set it; 0: not yet */
    z_stream inflater;
    bool inflating;
    uint32_t inflater_sum; /* adler32 of what came out */
    EVP_MD_CTX *md5;
    uint8_t nowhere[4]; /* what a ROM function touches when it was given no memory */
    void (*send)(void *ctx, uint8_t byte);
    void *send_ctx;
    char broken[120]; /* empty: running well */
};

struct board *board_new(void (*send)(void *ctx, uint8_t byte), void *ctx); /* flash blank; NULL: no memory */
void board_free(struct board *b);
void board_reset(struct board *b); /* everything but the flash */

void board_start(struct board *b, uint32_t entry);
/* Bytes from the wire into the UART (what does not fit is lost, as on the chip), then the handler. */
void board_receive(struct board *b, const uint8_t *bytes, unsigned n);
void board_run(struct board *b, uint64_t instructions);

bool board_load(void *board, uint32_t addr, unsigned size, uint32_t *value);
bool board_store(void *board, uint32_t addr, unsigned size, uint32_t value);
bool board_rom(void *board, struct rv32 *cpu); /* board_rom.c: rv32.enter */
void board_break(struct board *b, const char *what, uint32_t number);

/* flash part, shared by the controller's registers and the ROM's functions */
bool flash_read(const struct board *b, uint32_t addr, uint8_t *to, uint32_t n);
bool flash_program(struct board *b, uint32_t addr, const uint8_t *from, uint32_t n);
bool flash_erase(struct board *b, uint32_t addr, uint32_t n);

#endif
