/* SPDX-License-Identifier: Apache-2.0
 *
 * rv32.h: runs RV32IMC machine code (RISC-V unprivileged specification 20191213: RV32I, M, C), one hart, little endian, no
 * privilege, no control and status registers, no floating point.
 *
 * Plain memory lies in windows; two windows may show the same bytes (an ESP32-C3 has its SRAM twice, once
 * for instructions and once for data). What lies outside goes to the callbacks: loads and stores to `load`
 * and `store` (registers), instruction fetches to `enter` (functions of a boot ROM, given by the embedder).
 *
 * Thread rule: everything hangs on the struct; two of them are independent.
 */
#ifndef OUTSIDE_RV32_H
#define OUTSIDE_RV32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RV32_WINDOWS = 2, RV32_RA = 1, RV32_SP = 2, RV32_A0 = 10 };

enum rv32_stop {
    RV32_RAN,       /* the budget is used up, or `enter` asked to stop */
    RV32_BAD_FETCH, /* the program counter is odd, or outside and `enter` did not know the address */
    RV32_BAD_CODE,  /* not an instruction of RV32IMC, or ECALL, EBREAK */
    RV32_BAD_LOAD,  /* misaligned, or refused by the callback; `fault` is the address */
    RV32_BAD_STORE,
};

struct rv32 {
    uint32_t x[32]; /* x[0] reads as zero whatever it holds */
    uint32_t pc;
    uint32_t fault;
    struct rv32_window {
        uint32_t base, size;
        uint8_t *bytes;
    } window[RV32_WINDOWS];
    void *ctx;
    bool (*load)(void *ctx, uint32_t addr, unsigned size, uint32_t *value);
    bool (*store)(void *ctx, uint32_t addr, unsigned size, uint32_t value);
    /* pc is outside all windows: do what lies there, set pc (usually to x[RV32_RA]), say whether it was known */
    bool (*enter)(void *ctx, struct rv32 *cpu);
    bool stop; /* set by a callback: rv32_run returns RV32_RAN after this instruction */
};

/* At most `budget` instructions. On a fault pc stands at the instruction that failed. */
enum rv32_stop rv32_run(struct rv32 *cpu, uint64_t budget);

/* n bytes of plain memory at addr, or NULL where they do not lie in one window. */
uint8_t *rv32_memory(const struct rv32 *cpu, uint32_t addr, uint32_t n);

/* A 16-bit instruction as the 32-bit one that does the same; 0 where it is none of RV32C. */
uint32_t rv32_expand(uint16_t c);

#endif
