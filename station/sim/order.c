/* SPDX-License-Identifier: Apache-2.0
 * What both loaders do to the chip, seen through the faults that a scenario put on their commands. */
#include "base/cursor.h"
#include "sim/board_impl.h"
#include "sim/journal.h"
#include "sim/spi.h"

#include <string.h>

enum { UART_SCLK_PER_MHZ = 1000000, RTC_HZ = 32000 };
static const uint32_t wdt_unlocked = 0x50D83AA1, wdt_enable = 1u << 31;

static enum sim_go apply(struct sim_board *b, const struct sim_fault *f, int *code)
{
    switch (f->kind) {
    case SIM_FAULT_LOSE_REPLY: b->order.mute = true; return SIM_GO;
    case SIM_FAULT_DELAY: b->order.late = (uint64_t)f->ms * 1000000u; return SIM_GO;
    case SIM_FAULT_LIE: b->order.lie = true; return SIM_GO;
    case SIM_FAULT_WORK: b->order.fail_work = true; return SIM_GO;
    case SIM_FAULT_NAK: *code = f->code; return SIM_GO_NAK;
    case SIM_FAULT_DIE: b->mode = SIM_STOPPED; return SIM_GO_NOWHERE;
    case SIM_FAULT_DEAD:
        sim_halt(b);
        b->mode = SIM_DEAD;
        return SIM_GO_NOWHERE;
    case SIM_FAULT_RESET: sim_start(b, false, SIM_CAUSE_WATCHDOG); return SIM_GO_NOWHERE;
    case SIM_FAULT_BROWNOUT: sim_start(b, false, SIM_CAUSE_BROWNOUT); return SIM_GO_NOWHERE;
    case SIM_FAULT_UNPLUG: sim_port_down(b, b->now + (uint64_t)f->ms * 1000000u); return SIM_GO_NOWHERE;
    case SIM_FAULT_GONE: sim_port_down(b, SIM_NEVER); return SIM_GO_NOWHERE;
    default: return SIM_GO;
    }
}

enum sim_go sim_command(struct sim_board *b, int op, int *code)
{
    sim_journal_frame(b, op);
    const struct sim_fault *f = sim_fault_command(b->spec.faults, b->spec.n_faults, &b->rng, op);
    return f ? apply(b, f, code) : SIM_GO;
}

uint8_t sim_checksum(const uint8_t *bytes, size_t n)
{
    return 0xEF ^ sim_xor(bytes, n);
}

bool sim_do_erase(struct sim_board *b, uint32_t addr, uint32_t n, uint64_t *ns)
{
    const struct sim_timing *t = &b->spec.timing;
    uint64_t at = addr - addr % SIM_SECTOR, end = (uint64_t)addr + n;
    double us = 0;
    while (n > 0 && at < end) {
        bool block = at % SIM_BLOCK == 0 && end - at > SIM_BLOCK - SIM_SECTOR;
        us += block ? t->block_us : t->sector_us;
        at += block ? SIM_BLOCK : SIM_SECTOR;
    }
    uint64_t takes = sim_takes(b, us * b->spec.flash.slow);
    *ns += takes;
    b->flash_ns += takes;
    if (b->order.fail_work)
        return false;
    return b->order.lie || sim_flash_erase(&b->flash, addr, n);
}

bool sim_do_program(struct sim_board *b, uint32_t addr, const uint8_t *bytes, size_t n, uint64_t *ns)
{
    size_t pages = (n + SIM_PAGE - 1) / SIM_PAGE;
    uint64_t takes = sim_takes(b, (double)pages * b->spec.timing.page_us * b->spec.flash.slow);
    *ns += takes;
    b->flash_ns += takes;
    if (b->order.fail_work)
        return false;
    return b->order.lie || sim_flash_program(&b->flash, addr, bytes, n);
}

bool sim_do_ram(struct sim_board *b, uint32_t addr, const uint8_t *bytes, size_t n)
{
    return b->order.lie || sim_ram_write(&b->ram, addr, bytes, n);
}

/* The RTC watchdog, with which clients restart a chip whose lines do not (reference 2.6): CONFIG1, the word
 * behind CONFIG0, counts slow clocks until it bites. */
static void watchdog_written(struct sim_board *b, uint32_t addr)
{
    const struct sim_chip *c = b->spec.chip;
    if (c->wdt == 0 || addr != c->wdt || sim_regs_get(&b->regs, c->wdt_key) != wdt_unlocked)
        return;
    uint64_t ticks = sim_regs_get(&b->regs, c->wdt + 4);
    b->watchdog_at = sim_regs_get(&b->regs, c->wdt) & wdt_enable
                         ? b->now + ticks * 1000000000u / RTC_HZ
                         : SIM_NEVER;
}

void sim_do_write_regs(struct sim_board *b, const uint8_t *entries, size_t n, uint64_t *ns)
{
    for (; n >= 16; entries += 16, n -= 16) {
        uint32_t addr = fl_get_u32le(entries), value = fl_get_u32le(entries + 4);
        uint32_t mask = fl_get_u32le(entries + 8);
        *ns += sim_takes(b, fl_get_u32le(entries + 12));
        if (b->order.lie)
            continue;
        sim_regs_set(&b->regs, addr, (value & mask) | (sim_regs_get(&b->regs, addr) & ~mask));
        sim_spi_written(b->spec.chip, &b->regs, &b->flash, addr);
        watchdog_written(b, addr);
    }
}

/* The divider that the ROM's speed needs from the crystal; clients reckon the crystal from it. */
static uint32_t uart_divider(const struct sim_board *b)
{
    uint32_t clock = b->spec.chip->crystal_mhz * UART_SCLK_PER_MHZ;
    if (b->spec.chip->mac_layout == SIM_MAC_8266)
        clock *= 2;
    return (clock + b->chip_baud / 2) / b->chip_baud;
}

uint32_t sim_read_reg(const struct sim_board *b, uint32_t addr)
{
    uint8_t ram[4];
    size_t n = 0;
    if (addr != 0 && addr == b->spec.chip->uart_clkdiv)
        return uart_divider(b);
    while (n < sizeof ram && sim_ram_byte(&b->ram, addr + (uint32_t)n, &ram[n]))
        n++;
    return n == sizeof ram ? fl_get_u32le(ram) : sim_regs_get(&b->regs, addr);
}

size_t sim_security_info(const struct sim_board *b, uint8_t out[static 20])
{
    const struct sim_security_spec *s = &b->spec.security;
    memset(out, 0, 20);
    fl_put_u32le(out, (s->secure_boot ? 1u : 0) | (s->secure_download ? 4u : 0));
    out[4] = s->flash_encryption ? 1 : 0; /* an odd number of bits: on */
    if (s->secure_boot)
        out[5] = 9; /* KEY0 is a secure-boot digest */
    fl_put_u32le(out + 12, (uint32_t)b->spec.chip->image_id);
    fl_put_u32le(out + 16, b->spec.chip->eco);
    return b->spec.chip->security_len;
}
