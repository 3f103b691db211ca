/* SPDX-License-Identifier: Apache-2.0
 *
 * regs.h: the address space behind READ_REG and WRITE_REG: words that remember what was written, zero
 * where nothing was. The flash controller, whose registers act, is in spi.h.
 *
 * At most SIM_REGS_MAX different addresses are remembered; more are forgotten silently, as a client
 * that writes so many is not using registers.
 */
#ifndef FL_SIM_REGS_H
#define FL_SIM_REGS_H

#include <stdbool.h>
#include <stdint.h>

enum { SIM_REGS_MAX = 1024 };

struct sim_regs {
    struct {
        uint32_t addr, value;
    } slot[2 * SIM_REGS_MAX]; /* open addressing; address 0 marks a free slot and is not remembered */
    unsigned used;
};

uint32_t sim_regs_get(const struct sim_regs *r, uint32_t addr);
void sim_regs_set(struct sim_regs *r, uint32_t addr, uint32_t value);
void sim_regs_or(struct sim_regs *r, uint32_t addr, uint32_t bits);

/* Whether anything answers there: memory and registers of all these chips lie between. Elsewhere a load or a store
 * is an exception, which a ROM does not survive. */
static inline bool sim_mapped(uint32_t addr)
{
    return addr >= 0x3F000000 && addr < 0x70000000;
}

#endif
