/* SPDX-License-Identifier: Apache-2.0
 * Raw commands to the flash chip through the SPI controller's registers: its id, its status.
 *
 *   lengths (bits - 1) · USR1 = (dummy - 1) | (address - 1) << 26 · USR = what takes part · USR2 =
 *   7 << 28 | opcode · ADDR · W0 · CMD = 1 << 18, until that bit is clear · the answer is in W0
 *
 * A command that gives no answer is not asked whether it is over: it takes microseconds, the next request to the chip
 * some hundred of them on the wire. One that should give an answer and never ends is found.
 *
 * The loader uses the same controller: USR and USR2 are put back, after one command or after several between
 * esp_spi_begin and esp_spi_end. Works in ROM and in the stub.
 * Source: facts 3.5. */
#include "esp/session.h"

#include <string.h>

enum { SPI_CMD = 0x00, SPI_ADDR = 0x04, POLLS = 10 };
#define USR_COMMAND (1u << 31)
#define USR_ADDR (1u << 30)
#define USR_DUMMY (1u << 29)
#define USR_MISO (1u << 28)
#define USR_MOSI (1u << 27)
#define CMD_USR (1u << 18)

/* The register values one command wants, in the order they are written. */
static size_t plan(const struct chip *chip, const struct spi_command *c, struct reg_write w[8])
{
    const struct chip_spi *s = chip->spi;
    uint32_t b = chip->spi_base, usr = USR_COMMAND, usr1 = 0;
    size_t n = 0;
    if (c->addr_bits) {
        usr |= USR_ADDR;
        usr1 |= (c->addr_bits - 1u) << 26;
    }
    if (c->dummy_bits) {
        usr |= USR_DUMMY;
        usr1 |= c->dummy_bits - 1u;
    }
    if (c->in_bits) {
        usr |= USR_MISO;
        if (s->mosi_len)
            w[n++] = (struct reg_write){b + s->miso_len, c->in_bits - 1u, UINT32_MAX};
        else
            usr1 |= (c->in_bits - 1u) << 8;
    }
    if (c->out_bits) {
        usr |= USR_MOSI;
        if (s->mosi_len)
            w[n++] = (struct reg_write){b + s->mosi_len, c->out_bits - 1u, UINT32_MAX};
        else
            usr1 |= (c->out_bits - 1u) << 17;
    }
    w[n++] = (struct reg_write){b + s->usr1, usr1, UINT32_MAX};
    w[n++] = (struct reg_write){b + s->usr, usr, UINT32_MAX};
    w[n++] = (struct reg_write){b + s->usr2, 7u << 28 | c->opcode, UINT32_MAX};
    if (c->addr_bits)
        w[n++] = (struct reg_write){
            b + SPI_ADDR, s->addr_left ? c->addr << (32 - c->addr_bits) : c->addr, UINT32_MAX};
    w[n++] = (struct reg_write){b + s->w0, c->out_bits ? c->out : 0, UINT32_MAX};
    w[n++] = (struct reg_write){b + SPI_CMD, CMD_USR, UINT32_MAX};
    return n;
}

static enum fl_err finish(struct esp *e, uint8_t opcode)
{
    for (int i = 0; i < POLLS; i++) {
        uint32_t v;
        enum fl_err err = esp_read_reg(e, e->chip->spi_base + SPI_CMD, &v);
        if (err || !(v & CMD_USR))
            return err;
    }
    return esp_fail(e, TROUBLE_REFUSED, ESP_FAULT_FLASH_MISSING, FL_TIMEOUT,
                    "the SPI controller does not finish command %02x", opcode);
}

enum fl_err esp_spi_begin(struct esp *e)
{
    const struct chip *chip = e->chip;
    enum fl_err err = esp_read_reg(e, chip->spi_base + chip->spi->usr, &e->spi.usr);
    if (!err)
        err = esp_read_reg(e, chip->spi_base + chip->spi->usr2, &e->spi.usr2);
    e->spi.open = !err;
    return err;
}

enum fl_err esp_spi_end(struct esp *e)
{
    const struct chip *chip = e->chip;
    const struct reg_write back[] = {{chip->spi_base + chip->spi->usr, e->spi.usr, UINT32_MAX},
                                     {chip->spi_base + chip->spi->usr2, e->spi.usr2, UINT32_MAX}};
    e->spi.open = false;
    return esp_write_regs(e, back, sizeof back / sizeof *back);
}

enum fl_err esp_spi(struct esp *e, struct spi_command c, uint32_t *in)
{
    const struct chip *chip = e->chip;
    struct reg_write w[9];
    uint32_t v = 0;
    bool alone = !e->spi.open;
    enum fl_err err = alone ? esp_spi_begin(e) : FL_OK;
    if (!err)
        err = esp_write_regs(e, w, plan(chip, &c, w));
    if (!err && c.in_bits)
        err = finish(e, c.opcode);
    if (!err && c.in_bits)
        err = esp_read_reg(e, chip->spi_base + chip->spi->w0, &v);
    if (!err && alone)
        err = esp_spi_end(e);
    if (err) {
        e->spi.open = false; /* whoever tries again saves afresh */
        return err;
    }
    if (in)
        *in = c.in_bits && c.in_bits < 32 ? v & ((1u << c.in_bits) - 1) : v;
    return FL_OK;
}

/* Two commands of eight bits and no more, in as few writes as they take: a register that takes no part is left as it stands.
 * Not in one request: the controller needs the microseconds between two commands. */
enum fl_err esp_spi_flash_reset(struct esp *e)
{
    uint32_t b = e->chip->spi_base, usr = b + e->chip->spi->usr, usr2 = b + e->chip->spi->usr2;
    const struct reg_write enable[] = {{usr, USR_COMMAND, UINT32_MAX},
                                       {usr2, 7u << 28 | FLASH_RESET_ENABLE, UINT32_MAX},
                                       {b + SPI_CMD, CMD_USR, UINT32_MAX}},
                           reset[] = {{usr2, 7u << 28 | FLASH_RESET, UINT32_MAX}, {b + SPI_CMD, CMD_USR, UINT32_MAX}};
    enum fl_err err = esp_spi_begin(e);
    if (!err)
        err = esp_write_regs(e, enable, sizeof enable / sizeof *enable);
    if (!err)
        err = esp_write_regs(e, reset, sizeof reset / sizeof *reset);
    if (!err)
        err = esp_spi_end(e);
    e->spi.open = false; /* whoever tries again saves afresh */
    return err;
}

/* ---- write protection ----------------------------------------------------------------------------- */

enum {
    FLASH_WREN = 0x06,
    FLASH_WREN_VOLATILE = 0x50,
    FLASH_WRDI = 0x04,
    FLASH_STATUS = 0x05,
    FLASH_WRITE_STATUS = 0x01,
    STATUS_PROTECT = 0x7c, /* block protection bits and their direction; the same place in all makes */
    STATUS_BUSY = 0x01,
    STATUS_POLLS = 50,
};

static enum fl_err status_of(struct esp *e, uint32_t *status)
{
    enum fl_err err = FL_OK;
    for (int i = 0; i < STATUS_POLLS && !err; i++) {
        err = esp_spi(e, (struct spi_command){.opcode = FLASH_STATUS, .in_bits = 8}, status);
        if (!err && !(*status & STATUS_BUSY))
            return FL_OK;
    }
    return err;
}

static enum fl_err clear_with(struct esp *e, uint8_t enable, uint32_t *status)
{
    enum fl_err err = esp_spi(e, (struct spi_command){.opcode = enable}, NULL);
    if (!err)
        err = esp_spi(e, (struct spi_command){.opcode = FLASH_WRITE_STATUS, .out_bits = 8}, NULL);
    if (!err)
        err = status_of(e, status);
    return err;
}

enum fl_err esp_unprotect(struct esp *e, bool *cleared, uint32_t *status)
{
    uint32_t now = 0;
    *cleared = false;
    enum fl_err err = status_of(e, status);
    if (err || !(*status & STATUS_PROTECT))
        return err;
    /* for this power cycle only, if the flash chip can do that; else for good */
    err = clear_with(e, FLASH_WREN_VOLATILE, &now);
    if (!err && (now & STATUS_PROTECT))
        err = clear_with(e, FLASH_WREN, &now);
    if (!err)
        err = esp_spi(e, (struct spi_command){.opcode = FLASH_WRDI}, NULL);
    *cleared = !err && !(now & STATUS_PROTECT);
    return err;
}
