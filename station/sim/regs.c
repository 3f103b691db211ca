/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/regs.h"

/* Where addr is, or the free slot where it would go. At most half of the slots are used, so there is one. */
static unsigned place(const struct sim_regs *r, uint32_t addr)
{
    unsigned i = (addr >> 2) * 2654435761u % (2 * SIM_REGS_MAX);
    while (r->slot[i].addr != 0 && r->slot[i].addr != addr)
        i = (i + 1) % (2 * SIM_REGS_MAX);
    return i;
}

uint32_t sim_regs_get(const struct sim_regs *r, uint32_t addr)
{
    return r->slot[place(r, addr)].value;
}

void sim_regs_set(struct sim_regs *r, uint32_t addr, uint32_t value)
{
    unsigned i = place(r, addr);
    if (addr == 0)
        return;
    if (r->slot[i].addr == 0) {
        if (r->used == SIM_REGS_MAX)
            return;
        r->used++;
        r->slot[i].addr = addr;
    }
    r->slot[i].value = value;
}

void sim_regs_or(struct sim_regs *r, uint32_t addr, uint32_t bits)
{
    sim_regs_set(r, addr, sim_regs_get(r, addr) | bits);
}
