/* SPDX-License-Identifier: Apache-2.0
 * The flash attached, woken, identified, its size told to the loader. */
#include "esp/session.h"

enum {
    FLASH_RDID = 0x9f,
    FLASH_SFDP = 0x5a,
    FLASH_RELEASE = 0xab,
    VENDOR_XMC = 0x20,
    ID_TRIES = 4,
    SIZE_WHEN_UNKNOWN = 4 << 20,
    CONNECT_BAUD = 115200,
};
static const uint32_t sfdp_signature = 0x50444653;

/* ---- attach --------------------------------------------------------------------------------------- */

static enum fl_err attach(struct esp *e)
{
    uint32_t words[4] = {0};
    if (e->stub)
        return esp_words(e, OP_SPI_ATTACH, words, 1, e->times.command);
    if (!e->chip->has_attach) /* ESP8266: BEGIN attaches */
        return esp_words(e, OP_FLASH_BEGIN, words, 4, e->times.command);
    enum fl_err err = FL_OK;
    if (e->unit.security.secure_download != ESP_ON)
        err = chip_read_attach(e->chip, (struct chip_regs){e, esp_read_reg_sure}, &words[0]);
    return err ? err : esp_words(e, OP_SPI_ATTACH, words, 2, e->times.command);
}

static enum fl_err set_params(struct esp *e, uint64_t size)
{
    if (!e->stub && !e->chip->has_attach)
        return FL_OK; /* the ESP8266's ROM has no such command */
    uint32_t total = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
    uint32_t words[] = {0, total, 0x10000, 0x1000, 0x100, 0xffff};
    return esp_words(e, OP_SPI_SET_PARAMS, words, 6, e->times.command);
}

/* ---- who is it ------------------------------------------------------------------------------------ */

static enum fl_err plain(struct esp *e, uint8_t opcode)
{
    return esp_spi(e, (struct spi_command){.opcode = opcode}, NULL);
}

static enum fl_err read_id(struct esp *e, uint32_t *id)
{
    static const struct spi_command rdid = {.opcode = FLASH_RDID, .in_bits = 24};
    uint32_t last;
    enum fl_err err = esp_spi(e, rdid, &last);
    for (int i = 0; i < ID_TRIES && !err; i++) {
        err = esp_spi(e, rdid, id);
        if (!err && *id == last)
            return FL_OK;
        last = *id;
    }
    return err; /* it keeps changing: the last one is as good as any, and fails below if it is bad */
}

static enum fl_err read_sfdp(struct esp *e, uint32_t at, uint8_t bits, uint32_t *v)
{
    return esp_spi(e, (struct spi_command){.opcode = FLASH_SFDP, .in_bits = bits, .addr_bits = 24,
                                           .dummy_bits = 8, .addr = at}, v);
}

static bool plausible_xmc(uint32_t id)
{
    uint32_t vendor = id & 0xff, type = id >> 8 & 0xff, cap = id >> 16 & 0xff;
    return vendor == VENDOR_XMC && ((type == 0x40 && cap >= 0x13 && cap <= 0x20) ||
                                    (type == 0x41 && cap >= 0x17 && cap <= 0x20) ||
                                    (type == 0x50 && cap >= 0x15 && cap <= 0x16));
}

/* Some XMC chips come up in a state in which they give a wrong id; their maker's sequence ends it. */
static enum fl_err wake_xmc(struct esp *e, uint32_t *id)
{
    static const uint8_t sequence[] = {0xb9, 0x79, 0xff};
    uint32_t maker = 0;
    if (plausible_xmc(*id))
        return FL_OK;
    enum fl_err err = read_sfdp(e, 0x10, 8, &maker);
    if (err || maker != VENDOR_XMC)
        return err;
    for (size_t i = 0; i < sizeof sequence && !err; i++)
        err = plain(e, sequence[i]);
    if (!err)
        err = esp_pause(e, e->times.flash_wake);
    if (!err)
        err = plain(e, FLASH_RELEASE);
    return err ? err : read_id(e, id);
}

static enum fl_err present(struct esp *e, uint32_t id)
{
    uint32_t signature = 0;
    enum fl_err err = FL_OK;
    if (chip_flash_id_bad(id))
        err = read_sfdp(e, 0, 32, &signature);
    if (err || !chip_flash_id_bad(id) || signature == sfdp_signature)
        return err;
    /* registers are written without a checksum: on a line that has damaged something before it need not be the flash that is silent */
    bool doubt = esp_line_bad(e) || ((e->climbs > 0 || esp_line_hurt(e)) && link_baud(e->link) > CONNECT_BAUD);
    return esp_fail(e, doubt ? TROUBLE_DAMAGED : TROUBLE_DEAD, ESP_FAULT_FLASH_MISSING, FL_NOT_FOUND,
                    "the flash gives the id %06x and no SFDP signature (%08x)", id, signature);
}

/* *awake: before then the flash chip does not hear. */
static enum fl_err identify(struct esp *e, struct fl_deadline *awake)
{
    uint32_t id = 0;
    e->spi.open = false; /* an earlier try may have broken off */
    enum fl_err err = esp_spi_begin(e);
    if (!err)
        err = read_id(e, &id);
    if (!err)
        err = wake_xmc(e, &id);
    if (!err)
        err = present(e, id);
    /* leaves QPI or whatever state an application put it in */
    if (!err)
        err = plain(e, FLASH_RESET_ENABLE);
    if (!err)
        err = plain(e, FLASH_RESET);
    *awake = fl_deadline_in_ms(e->times.flash_wake);
    if (!err)
        err = esp_spi_end(e);
    if (!err) {
        e->flash.jedec = id;
        e->flash.size = chip_flash_size(id);
    }
    return err;
}

/* After a reset in the middle of the work it is the same flash: the same MAC address was read before this stage. On a line that
 * damages bytes it is not asked for its id again, because a damaged WRITE_REG can stop a ROM: an id and the commands around it
 * take 31, and where one byte in 1,000 is lost one of them arrives damaged more often than not; seven are left. What changes the flash's own state is sent all the
 * same, since an application may have run meanwhile: 66 and 99; but an XMC chip's id must be looked at, for it tells whether the
 * chip has to be woken. That a flash is silent is not believed on such a line anyway (present). */
static bool known(const struct esp *e)
{
    uint32_t id = e->flash.jedec;
    return id && !chip_flash_id_bad(id) && (id & 0xff) != VENDOR_XMC && e->unit.has_mac && esp_line_bad(e);
}

static enum fl_err wake_known(struct esp *e, struct fl_deadline *awake)
{
    enum fl_err err = esp_spi_flash_reset(e);
    *awake = fl_deadline_in_ms(e->times.flash_wake);
    e->flash.size = chip_flash_size(e->flash.jedec);
    return err;
}

/* ---- the stage ------------------------------------------------------------------------------------ */

enum fl_err esp_stage_flash(struct esp *e)
{
    e->work = WORK_TALK;
    struct fl_deadline awake = {0};
    bool sdm = e->unit.security.secure_download == ESP_ON;
    enum fl_err err = attach(e);
    if (!err && !sdm)
        err = known(e) ? wake_known(e, &awake) : identify(e, &awake);
    if (err)
        return err;
    if (e->flash.size == 0)
        e->flash.size = e->flash_size;
    if (e->flash.size == 0 && sdm)
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_FLASH_SIZE, FL_UNSUPPORTED,
                        "in secure download mode the flash cannot be asked for its size: it must be "
                        "given");
    uint64_t tell = e->flash_size ? e->flash_size : e->flash.size;
    err = set_params(e, tell ? tell : SIZE_WHEN_UNKNOWN); /* a word to the loader: the flash chip may still sleep */
    if (!err && !fl_deadline_passed(awake))
        err = esp_pause(e, (uint32_t)(fl_deadline_left_ns(awake) / 1000000u + 1));
    e->unsure = err != FL_OK;
    return err;
}
