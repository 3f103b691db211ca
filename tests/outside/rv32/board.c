/* SPDX-License-Identifier: Apache-2.0
 *
 * board.c: memory, registers, UART and flash controller. Register places and bits: ESP32-C3 technical
 * reference manual (UART, SPI1, eFuse); MAC and revision words: the same words every loader reads.
 */
#include "outside/rv32/board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { /* UART 0 */
    UART_FIFO = 0x60000000, UART_INT_ST = 0x60000008, UART_INT_ENA = 0x6000000C, UART_INT_CLR = 0x60000010,
    UART_STATUS = 0x6000001C, RX_FULL = 1 << 0, RX_TIMEOUT = 1 << 8,
};
enum { /* SPI 1, which has the flash */
    SPI_CMD = 0x60002000, SPI_ADDR = 0x60002004, SPI_USER1 = 0x6000201C, SPI_USER2 = 0x60002020,
    SPI_STATUS = 0x6000202C, SPI_W0 = 0x60002058,
};
#define CMD_WRITE_ENABLE (1U << 30)
#define CMD_READ_STATUS (1U << 27)
#define CMD_SECTOR_ERASE (1U << 24)
#define CMD_BLOCK_ERASE (1U << 23)
#define CMD_USER (1U << 18)

static const struct { /* what eFuses and ROM words say */
    uint32_t addr, value;
} fixed[] = {
    {0x60008844, 0xF9C30001}, /* eFuse block 1: MAC 60:55:F9:C3:00:01 */
    {0x60008848, 0x00006055},
    {0x60008850, 3U << 18},   /* eFuse block 1 word 3: minor revision 3 */
    {0x40000014, 3},          /* ROM: ECO version */
    {0x40001000, 0x1B31506F}, /* ROM: the word older loaders tell the chip by */
};

void board_break(struct board *b, const char *what, uint32_t number)
{
    if (b->broken[0] == '\0')
        snprintf(b->broken, sizeof b->broken, "%s %08X, pc %08X", what, number, b->cpu.pc);
    b->cpu.stop = true;
}

static uint32_t *reg(struct board *b, uint32_t addr)
{
    return &b->reg[(addr - REGS_START) / 4];
}

/* ---- flash ------------------------------------------------------------------------------------------- */

static bool in_flash(uint32_t addr, uint32_t n)
{
    return addr <= FLASH_SIZE && n <= FLASH_SIZE - addr;
}
bool flash_read(const struct board *b, uint32_t addr, uint8_t *to, uint32_t n)
{
    if (!in_flash(addr, n))
        return false;
    memcpy(to, b->flash + addr, n);
    return true;
}
bool flash_program(struct board *b, uint32_t addr, const uint8_t *from, uint32_t n)
{
    if (!in_flash(addr, n))
        return false;
    for (uint32_t i = 0; i < n; i++)
        b->flash[addr + i] &= from[i]; /* programming only clears bits */
    return true;
}
bool flash_erase(struct board *b, uint32_t addr, uint32_t n)
{
    if (!in_flash(addr, n))
        return false;
    memset(b->flash + addr, 0xFF, n);
    b->busy = 3;
    b->write_enabled = false;
    return true;
}

/* A command of the controller's "user" kind: opcode in USER2, answer in W0. */
static void flash_user_command(struct board *b)
{
    uint32_t answer = UINT32_MAX, width = *reg(b, SPI_USER1) >> 26; /* address bits - 1 */
    switch (*reg(b, SPI_USER2) & 0xFF) {
    case 0x9F: answer = FLASH_ID; break;
    case 0x05: answer = b->write_enabled ? 2 : 0; break;
    case 0x5A: /* SFDP: the signature, nothing behind it */
        answer = width == 23 && *reg(b, SPI_ADDR) == 0 ? 0x50444653 : UINT32_MAX;
        break;
    case 0x06: b->write_enabled = true; break;
    default: break; /* resets, sleep: nothing to see */
    }
    *reg(b, SPI_W0) = answer;
}

static void flash_command(struct board *b, uint32_t command)
{
    uint32_t addr = *reg(b, SPI_ADDR) & 0xFFFFFF;
    if ((command & CMD_USER) != 0)
        flash_user_command(b);
    if ((command & CMD_WRITE_ENABLE) != 0)
        b->write_enabled = true;
    if ((command & CMD_READ_STATUS) != 0) {
        *reg(b, SPI_STATUS) = (b->busy > 0 ? 1 : 0) | (b->write_enabled ? 2 : 0);
        b->busy -= b->busy > 0 ? 1 : 0;
    }
    if ((command & CMD_SECTOR_ERASE) != 0 && b->write_enabled)
        (void)flash_erase(b, addr & ~0xFFFU, 0x1000);
    if ((command & CMD_BLOCK_ERASE) != 0 && b->write_enabled)
        (void)flash_erase(b, addr & ~0xFFFFU, 0x10000);
}

/* ---- registers --------------------------------------------------------------------------------------- */

bool board_load(void *board, uint32_t addr, unsigned size, uint32_t *value)
{
    struct board *b = board;
    if (size != 4)
        return false;
    b->activity++;
    *value = 0;
    if (addr - ROM_START < 0x60000) {
        for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
            *value = fixed[i].addr == addr ? fixed[i].value : *value;
        return true;
    }
    if (addr - REGS_START >= REGS_SIZE)
        return false;
    if (addr == UART_FIFO && b->fifo_used > 0) {
        *value = b->fifo[0];
        memmove(b->fifo, b->fifo + 1, --b->fifo_used);
    } else if (addr == UART_STATUS) {
        *value = b->fifo_used;
    } else if (addr != UART_FIFO) {
        *value = *reg(b, addr);
    }
    return true;
}

bool board_store(void *board, uint32_t addr, unsigned size, uint32_t value)
{
    struct board *b = board;
    if (size != 4 || addr - REGS_START >= REGS_SIZE)
        return false;
    b->activity++;
    if (addr == SPI_CMD)
        flash_command(b, value); /* done at once: the register reads 0 */
    else if (addr == UART_INT_CLR)
        *reg(b, UART_INT_ST) &= ~value;
    else
        *reg(b, addr) = value;
    return true;
}

/* ---- life -------------------------------------------------------------------------------------------- */

struct board *board_new(void (*send)(void *ctx, uint8_t byte), void *ctx)
{
    struct board *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->md5 = EVP_MD_CTX_new();
    if (b->md5 == NULL) {
        free(b);
        return NULL;
    }
    b->send = send;
    b->send_ctx = ctx;
    memset(b->flash, 0xFF, sizeof b->flash);
    board_reset(b);
    return b;
}

void board_free(struct board *b)
{
    if (b == NULL)
        return;
    if (b->inflating)
        (void)inflateEnd(&b->inflater);
    EVP_MD_CTX_free(b->md5);
    free(b);
}

void board_reset(struct board *b)
{
    if (b->inflating)
        (void)inflateEnd(&b->inflater);
    b->inflating = false;
    b->fifo_used = b->busy = 0;
    b->handler = b->handler_arg = b->divider = 0;
    b->unmasked = b->in_handler = b->write_enabled = false;
    b->broken[0] = '\0';
    memset(b->sram, 0, sizeof b->sram);
    memset(b->reg, 0, sizeof b->reg);
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (fixed[i].addr >= REGS_START)
            *reg(b, fixed[i].addr) = fixed[i].value;
    memset(&b->cpu, 0, sizeof b->cpu);
    b->cpu.window[0] = (struct rv32_window){SRAM_CODE, SRAM_SIZE, b->sram};
    b->cpu.window[1] = (struct rv32_window){SRAM_DATA, SRAM_SIZE, b->sram};
    b->cpu.ctx = b;
    b->cpu.load = board_load;
    b->cpu.store = board_store;
    b->cpu.enter = board_rom;
}

void board_start(struct board *b, uint32_t entry)
{
    b->cpu.pc = entry;
    b->cpu.x[RV32_SP] = STACK_TOP;
}

void board_run(struct board *b, uint64_t instructions)
{
    static const char *const why[] = {"", "fetch from", "no instruction", "load from", "store to"};
    if (b->broken[0] != '\0')
        return;
    enum rv32_stop r = rv32_run(&b->cpu, instructions);
    if (r != RV32_RAN)
        board_break(b, why[r], b->cpu.fault);
}

/* The ROM's trap entry saves all registers and calls the handler as an ordinary function. */
static void interrupt(struct board *b)
{
    struct rv32 saved = b->cpu;
    b->cpu.x[RV32_RA] = ROM_START; /* nothing returns to the reset vector by itself: board_rom sees it */
    b->cpu.x[RV32_A0] = b->handler_arg;
    b->cpu.pc = b->handler;
    for (b->in_handler = true; b->in_handler && b->broken[0] == '\0';)
        board_run(b, 100000);
    memcpy(b->cpu.x, saved.x, sizeof saved.x);
    b->cpu.pc = saved.pc;
}

void board_receive(struct board *b, const uint8_t *bytes, unsigned n)
{
    unsigned room = UART_FIFO_SIZE - b->fifo_used;
    memcpy(b->fifo + b->fifo_used, bytes, n < room ? n : room);
    b->fifo_used += n < room ? n : room;
    *reg(b, UART_INT_ST) |= (RX_FULL | RX_TIMEOUT) & *reg(b, UART_INT_ENA);
    if (b->handler != 0 && b->unmasked && *reg(b, UART_INT_ST) != 0 && b->broken[0] == '\0')
        interrupt(b);
}
