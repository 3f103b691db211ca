/* SPDX-License-Identifier: Apache-2.0
 *
 * Register offsets by controller, and what the bits mean:
 *
 *            CMD ADDR USR USR1 USR2 MOSI MISO W0       USR  31 command 30 address 29 dummy
 *   8266     00  04   1C  20   24   -    -    40            28 read (MISO) 27 write (MOSI)
 *   ESP32    00  04   1C  20   24   28   2C   80       USR1 31:26 address bits - 1
 *   later    00  04   18  1C   20   24   28   58            8266: 25:17 MOSI bits - 1, 16:8 MISO bits - 1
 *                                                      USR2 15:0 opcode      CMD 18 go
 */
#include "sim/spi.h"

#include <string.h>

struct layout {
    uint8_t usr, usr1, usr2, mosi, miso, w0;
};

static const struct layout layouts[] = {
    [SIM_SPI_8266] = {0x1C, 0x20, 0x24, 0, 0, 0x40},
    [SIM_SPI_ESP32] = {0x1C, 0x20, 0x24, 0x28, 0x2C, 0x80},
    [SIM_SPI_LATER] = {0x18, 0x1C, 0x20, 0x24, 0x28, 0x58},
};

enum { CMD_USR = 1 << 18, DATA_MAX = 64 };

static unsigned data_bits(const struct sim_regs *regs, uint32_t base, const struct layout *l, bool mosi)
{
    uint8_t reg = mosi ? l->mosi : l->miso;
    if (reg == 0)
        return (sim_regs_get(regs, base + l->usr1) >> (mosi ? 17 : 8) & 0x1FF) + 1;
    return (sim_regs_get(regs, base + reg) & 0x3FF) + 1;
}

static size_t bytes_of(unsigned bits)
{
    size_t n = (bits + 7) / 8;
    return n < DATA_MAX ? n : DATA_MAX;
}

static void run(const struct sim_chip *chip, struct sim_regs *regs, struct sim_flash *flash)
{
    const struct layout *l = &layouts[chip->spi_layout];
    uint32_t base = chip->spi, usr = sim_regs_get(regs, base + l->usr), addr = 0;
    uint8_t in[DATA_MAX], out[DATA_MAX];
    size_t n_in = 0, n_out = 0;
    if (usr & 1u << 30) {
        unsigned bits = (sim_regs_get(regs, base + l->usr1) >> 26) + 1;
        addr = sim_regs_get(regs, base + 4);
        if (chip->spi_layout != SIM_SPI_LATER) /* the older controllers want it left-aligned */
            addr >>= 32 - (bits < 32 ? bits : 32);
    }
    if (usr & 1u << 27) {
        n_in = bytes_of(data_bits(regs, base, l, true));
        for (size_t i = 0; i < n_in; i++)
            in[i] = (uint8_t)(sim_regs_get(regs, base + l->w0 + (uint32_t)(i & ~3u)) >> 8 * (i & 3));
    }
    if (usr & 1u << 28)
        n_out = bytes_of(data_bits(regs, base, l, false));
    if (usr & 1u << 31)
        sim_flash_spi(flash, (uint8_t)sim_regs_get(regs, base + l->usr2), addr, in, n_in, out, n_out);
    else
        memset(out, 0xFF, sizeof out);
    for (size_t i = 0; i < n_out; i += 4) {
        uint32_t word = sim_regs_get(regs, base + l->w0 + (uint32_t)i);
        for (size_t k = 0; k < 4 && i + k < n_out; k++) {
            word &= ~(0xFFu << 8 * k);
            word |= (uint32_t)out[i + k] << 8 * k;
        }
        sim_regs_set(regs, base + l->w0 + (uint32_t)i, word);
    }
}

void sim_spi_written(const struct sim_chip *chip, struct sim_regs *regs, struct sim_flash *flash,
                     uint32_t addr)
{
    if (addr != chip->spi || !(sim_regs_get(regs, addr) & CMD_USR))
        return;
    run(chip, regs, flash);
    sim_regs_set(regs, addr, sim_regs_get(regs, addr) & ~(uint32_t)CMD_USR);
}
