/* SPDX-License-Identifier: Apache-2.0
 * Which chip, which unit, in which security state.
 *
 *   GET_SECURITY_INFO ──20 bytes──► chip by id
 *          │refused, or 12 bytes (ESP32-S2)
 *          ▼
 *   READ_REG of the magic word ──► ESP8266, ESP32, ESP32-S2
 *          │refused too
 *          ▼
 *   an ESP32-S2 in secure download mode
 *
 *   20 bytes: 0 u32 flags · 4 u8 flash_crypt_count · 5 u8[7] key purposes · 12 u32 chip id · 16 u32 version
 *
 * An ESP8266 or ESP32 that the configuration names is asked for its magic word at once.
 *
 * In secure download mode registers cannot be read: no MAC, no revision, no flash id.
 *
 * Neither these questions nor their answers carry a checksum. So whatever decides something is asked until two answers
 * in a row agree, a refusal too; and a verdict on the unit (a chip that nobody knows, another board) is given only
 * when all of it was heard twice. */
#include "esp/session.h"

#include <limits.h>
#include <string.h>

enum { INFO_LONG = 20, INFO_SHORT = 12, INFO_TRIES = 4, UNKNOWN_TRIES = 3, WORDS_MAX = 16 };
enum { FLAG_SECURE_BOOT = 1u << 0, FLAG_SECURE_DOWNLOAD = 1u << 2, FLAGS_JTAG_OFF = 3u << 6 };

struct info {
    size_t n; /* 20, 12, or 0: refused */
    bool skipped;
    uint8_t bytes[INFO_LONG];
};

/* ---- the chip ----------------------------------------------------------------------------------- */

static enum fl_err ask_info(struct esp *e, struct info *out)
{
    struct answer a;
    *out = (struct info){0};
    enum fl_err err = esp_ask(e, OP_SECURITY_INFO, NULL, 0, INFO_LONG, e->times.command, &a);
    if (err == FL_REFUSED) /* unknown to ESP8266 and ESP32 */
        return FL_OK;
    /* 12 bytes and their status are too short for 20: their place is where they end */
    if (err == FL_FORMAT && a.n >= INFO_SHORT + 2 && a.n <= INFO_SHORT + 4 && a.data[INFO_SHORT] == 0) {
        out->n = INFO_SHORT;
        err = FL_OK;
    } else if (!err) {
        out->n = INFO_LONG;
    }
    if (!err)
        memcpy(out->bytes, a.data, out->n);
    return err;
}

static enum fl_err sure_info(struct esp *e, struct info *out)
{
    struct info again;
    /* a chip that went silent on this question is asked for its magic word after the next reset */
    if (e->info_silent && e->taken[ESP_RUNG_RECONNECT] % 2 == 1) {
        *out = (struct info){.skipped = true};
        return FL_OK;
    }
    enum fl_err err = ask_info(e, out);
    e->info_silent = err != FL_OK;
    if (!err && out->n == 0 && e->unknown == 0)
        return FL_OK; /* the magic word will confirm it; if it does not, the refusal must come twice */
    for (int i = 0; i < INFO_TRIES && !err; i++) {
        err = ask_info(e, &again);
        if (!err && again.n == out->n && memcmp(again.bytes, out->bytes, out->n) == 0)
            return FL_OK;
        *out = again;
    }
    return err ? err
               : esp_fail(e, TROUBLE_DAMAGED, ESP_FAULT_LINK_DAMAGED, FL_MISMATCH,
                          "SECURITY_INFO reads differently each time");
}

static enum fl_err by_magic(struct esp *e, const struct info *info, const struct chip **out)
{
    uint32_t magic;
    *out = NULL;
    if (info->n == INFO_SHORT && (fl_get_u32le(info->bytes) & FLAG_SECURE_DOWNLOAD)) {
        *out = chip_by_name("esp32s2"); /* the one chip that answers so, and it would refuse the magic word */
        return FL_OK;
    }
    enum fl_err err = esp_read_reg_sure(e, CHIP_MAGIC_REG, &magic); /* refused: again and again, that is sure */
    if (err == FL_REFUSED && e->trouble == TROUBLE_REFUSED) {
        *out = chip_by_name("esp32s2");
        e->unit.security.secure_download = ESP_ON;
        return FL_OK;
    }
    if (!err) {
        *out = chip_by_magic(magic);
        e->magic = magic;
        e->magic_known = *out != NULL;
    }
    /* a chip that was not asked for its id, or whose question arrived garbled, may have one: it is asked again */
    bool ask = info->skipped || (info->n == 0 && ++e->unknown < UNKNOWN_TRIES);
    if (!err && !*out)
        return esp_fail(e, ask ? TROUBLE_SILENT : TROUBLE_DEAD, ESP_FAULT_CHIP_UNKNOWN, FL_UNSUPPORTED,
                        "no chip is known whose magic word is %08x", magic);
    return err;
}

static enum fl_err find_chip(struct esp *e, const struct info *info, const struct chip **out)
{
    if (info->n != INFO_LONG)
        return by_magic(e, info, out);
    uint32_t id = fl_get_u32le(info->bytes + 12);
    *out = chip_by_id(id);
    if (!*out)
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_CHIP_UNKNOWN, FL_UNSUPPORTED,
                        "the chip gives the id %u, which this program does not know", id);
    return FL_OK;
}

/* ---- its security state -------------------------------------------------------------------------- */

static enum esp_tristate on_off(bool on)
{
    return on ? ESP_ON : ESP_OFF;
}

static void security_from_info(struct esp *e, const struct info *info)
{
    struct esp_security *s = &e->unit.security;
    s->has_flags = true;
    s->flags = fl_get_u32le(info->bytes);
    s->secure_boot = on_off(s->flags & FLAG_SECURE_BOOT);
    s->secure_download = on_off(s->flags & FLAG_SECURE_DOWNLOAD);
    s->jtag_off = on_off(s->flags & FLAGS_JTAG_OFF);
    s->flash_encryption = on_off(chip_odd_parity(info->bytes[4]));
}

/* The eFuses themselves: for chips that have no other way to say it, and for what the flags lack. */
static enum fl_err security_from_efuses(struct esp *e, struct chip_regs regs)
{
    enum fl_err err = chip_read_security(e->chip, regs, e->unit.revision, &e->efuses);
    if (err)
        return err;
    struct esp_security *s = &e->unit.security;
    if (!s->has_flags && e->chip->crypt_count.n > 0) {
        s->secure_boot = on_off(e->efuses.secure_boot);
        s->flash_encryption = on_off(e->efuses.encrypted);
        s->secure_download = ESP_OFF; /* registers can be read */
        if (e->chip->revision == REVISION_ESP32)
            s->jtag_off = on_off(e->efuses.jtag_off);
    }
    /* two witnesses: the stricter one counts */
    if (e->efuses.encrypted)
        s->flash_encryption = ESP_ON;
    if (e->efuses.secure_boot)
        s->secure_boot = ESP_ON;
    return FL_OK;
}

/* ---- the unit ----------------------------------------------------------------------------------- */

/* Several facts stand in one word of the fuses: it is asked for once (twice, that is, until two answers agree). */
struct words {
    struct esp *e;
    size_t n;
    struct {
        uint32_t addr, value;
    } known[WORDS_MAX];
};

static enum fl_err read_once(void *ctx, uint32_t addr, uint32_t *value)
{
    struct words *w = ctx;
    for (size_t i = 0; i < w->n; i++)
        if (w->known[i].addr == addr) {
            *value = w->known[i].value;
            return FL_OK;
        }
    enum fl_err err = esp_read_reg_sure(w->e, addr, value);
    if (!err && w->n < WORDS_MAX) {
        w->known[w->n].addr = addr;
        w->known[w->n++].value = *value;
    }
    return err;
}

/* No word of a MAC address is 0, but most of what a changed address may ask for is: such a word is heard once more, until it is
 * heard so again, or otherwise. An ESP8266 may keep a 0 there. */
static enum fl_err read_mac_word(void *ctx, uint32_t addr, uint32_t *value)
{
    struct words *w = ctx;
    uint32_t again = 0;
    enum fl_err err = read_once(w, addr, value);
    if (err || *value != 0 || w->e->chip->mac == 0)
        return err;
    err = esp_read_reg_sure(w->e, addr, &again);
    if (err || again == 0)
        return err;
    w->e->count.cut++;
    w->n--;
    return read_once(w, addr, value);
}

static enum fl_err read_unit(struct esp *e)
{
    struct words words = {.e = e};
    struct chip_regs regs = {&words, read_once}, mac = {&words, read_mac_word};
    enum fl_err err = esp_speed_early(e);
    if (!err)
        err = chip_read_mac(e->chip, mac, e->unit.mac, e->unit.eui64);
    if (err == FL_UNSUPPORTED)
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_CHIP_UNKNOWN, err,
                        "the chip's fuses hold no MAC address that a board could have: %02x:%02x:%02x:%02x:%02x:%02x",
                        e->unit.mac[0], e->unit.mac[1], e->unit.mac[2], e->unit.mac[3], e->unit.mac[4], e->unit.mac[5]);
    e->unit.has_mac = !err;
    e->unit.has_eui64 = !err && e->chip->eui64;
    if (!err)
        err = chip_read_revision(e->chip, regs, &e->unit.revision);
    if (!err)
        err = chip_read_crystal(e->chip, regs, link_baud(e->link), &e->unit.crystal_mhz);
    if (!err)
        err = security_from_efuses(e, regs);
    return err;
}

/* Two watchdogs run in a USB-Serial/JTAG session and would reset the chip in the middle of the work.
 * A stub has stopped them by itself. */
static enum fl_err stop_watchdogs(struct esp *e)
{
    const struct chip_wdt *w = e->chip->wdt;
    if (!w || e->stub || !w->swd_config || e->usb != USB_JTAG)
        return FL_OK;
    struct reg_write writes[] = {
        {w->protect, 0x50d83aa1, UINT32_MAX},
        {w->config0, 0, UINT32_MAX},
        {w->protect, 0, UINT32_MAX},
        {w->swd_protect, w->swd_key, UINT32_MAX},
        {w->swd_config, UINT32_C(1) << w->swd_bit, UINT32_C(1) << w->swd_bit},
        {w->swd_protect, 0, UINT32_MAX},
    };
    return esp_write_regs(e, writes, sizeof writes / sizeof *writes);
}

static enum fl_err wrong_chip(struct esp *e)
{
    if (!e->unit.security.has_flags && e->unit.security.secure_download == ESP_ON)
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_CHIP_WRONG, FL_MISMATCH,
                        "SECURITY_INFO and every register are refused, as by an ESP32-S2 in secure download mode; "
                        "wanted is an %s", chip_by_name(e->config.chip)->title);
    return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_CHIP_WRONG, FL_MISMATCH, "the chip is an %s, not an %s",
                    e->chip->title, chip_by_name(e->config.chip)->title);
}

/* ESP8266 and ESP32 refuse SECURITY_INFO, and how often they will say so is waited for. Where one of them is expected
 * its magic word is asked first; any other answer means the long way. */
static enum fl_err expected_chip(struct esp *e, const struct chip **out)
{
    const struct chip *want = e->config.chip ? chip_by_name(e->config.chip) : NULL;
    uint32_t magic = 0;
    *out = NULL;
    if (!want || want->magic == 0 || want->id > 0)
        return FL_OK;
    /* once: no damage makes just this word of another */
    enum fl_err err = esp_read_reg(e, CHIP_MAGIC_REG, &magic);
    if (err == FL_REFUSED && e->trouble == TROUBLE_REFUSED)
        return FL_OK;
    if (err || magic != want->magic)
        return err;
    *out = want;
    e->magic = magic;
    e->magic_known = true;
    return FL_OK;
}

static enum fl_err identify(struct esp *e)
{
    struct info info = {0};
    const struct chip *chip = NULL;
    e->unit = (struct esp_unit){
        .revision = UINT_MAX, .security = {ESP_UNKNOWN, ESP_UNKNOWN, ESP_UNKNOWN, ESP_UNKNOWN, 0, 0}};
    enum fl_err err = expected_chip(e, &chip);
    if (!err && !chip)
        err = sure_info(e, &info);
    if (!err && !chip)
        err = find_chip(e, &info, &chip);
    if (err)
        return err;
    e->chip = chip;
    e->unit.chip = chip->name;
    if (info.n)
        security_from_info(e, &info);
    bool sdm = e->unit.security.secure_download == ESP_ON;
    if (!sdm)
        err = stop_watchdogs(e);
    if (!err && !sdm && !e->magic_known) {
        err = esp_read_reg_sure(e, CHIP_MAGIC_REG, &e->magic);
        e->magic_known = !err;
    }
    if (!err && !sdm)
        err = read_unit(e);
    /* at last: whoever records the refusal wants to know which unit it was */
    if (!err && e->config.chip && strcmp(chip->name, e->config.chip) != 0)
        err = wrong_chip(e);
    return err;
}

/* With silence before each question: where answers come twice, or late, none is taken for another's. */
static enum fl_err read_alone(void *session, uint32_t addr, uint32_t *value)
{
    enum { TRIES = 4 };
    struct esp *e = session;
    uint32_t last = 0;
    enum fl_err err = FL_OK;
    for (int i = 0; i < TRIES && !err; i++) {
        err = wire_quiet(e);
        if (err)
            return esp_fail_link(e, err, "READ_REG");
        err = esp_read_reg(e, addr, value);
        if (!err && i > 0 && *value == last)
            return FL_OK;
        last = *value;
    }
    return err ? err : esp_fail(e, TROUBLE_DAMAGED, ESP_FAULT_LINK_DAMAGED, FL_MISMATCH, "register %08x reads differently each time", addr);
}

/* Is it the unit that it was said to be? */
static enum fl_err same_unit(struct esp *e)
{
    uint8_t mac[6] = {0}, eui64[8];
    enum fl_err err = FL_OK;
    if (!e->unit.has_mac)
        return FL_OK;
    bool same = false;
    for (int i = 0; i < 2 && !err && !same; i++) {
        err = chip_read_mac(e->chip, (struct chip_regs){e, i == 0 ? esp_read_reg_sure : read_alone}, mac, eui64);
        same = !err && memcmp(mac, e->unit.mac, sizeof mac) == 0;
        if (err == FL_UNSUPPORTED && i == 0) /* no MAC that an ESP8266 could have */
            err = FL_OK;
    }
    if (!err && !same && (e->strays > 0 || esp_line_bad(e)))
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_LINK_DAMAGED, FL_MISMATCH,
                        "after the reset another MAC address is read, and answers arrive damaged, late or once more: which of the "
                        "two is right is not known");
    if (err == FL_UNSUPPORTED || (!err && !same))
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_LINK_LOST, FL_GONE,
                        "another board answers after the reset: its MAC address ends in "
                        "%02x:%02x:%02x", mac[3], mac[4], mac[5]);
    e->unit_again = !err;
    return err;
}

enum fl_err esp_job_same(struct esp *e, const struct esp_run *run)
{
    (void)run;
    e->work = WORK_TALK;
    return same_unit(e);
}

enum fl_err esp_stage_identify(struct esp *e)
{
    e->work = WORK_TALK;
    if (e->identified) { /* after a reset in the middle of the work; what has told no MAC address takes no register either */
        enum fl_err err = e->unit.has_mac ? stop_watchdogs(e) : FL_OK;
        return err ? err : same_unit(e);
    }
    enum fl_err err = identify(e);
    e->identified = !err;
    return err;
}
