/* SPDX-License-Identifier: Apache-2.0
 * A higher speed, proved by traffic before it is trusted.
 *
 *   CHANGE_BAUD(new, old) at the old speed ──► OK at the old speed ──► both switch ──► proof
 *
 * The stub takes (new, current). A ROM takes (new, 0), and some ROMs compute with a crystal they do
 * not have, so that another number must be asked for to get the right one (facts 3.10). */
#include "esp/session.h"

#include <string.h>

enum {
    CONNECT_BAUD = 115200,
    PROBES = 4, /* each one answered with the known word; then a SYNC with its eight answers */
    SWITCH_MS = 2000,
};

/* ---- what a ROM must be asked for ----------------------------------------------------------------- */

static enum fl_err ask_esp32(struct esp *e, uint32_t baud, uint32_t *ask)
{
    static const uint32_t rtc_calibration = 0x3ff5f06c, efuse_frequency = 0x3ff5a010;
    uint32_t cal, freq;
    enum fl_err err = esp_read_reg(e, rtc_calibration, &cal); /* once: a wrong number does not survive the proof */
    if (!err)
        err = esp_read_reg(e, efuse_frequency, &freq);
    if (err)
        return err;
    uint64_t rom = (uint64_t)(cal >> 7 & 0x1ffffff) * 15625 * (freq & 0xff) / 40;
    uint64_t real = rom > 33000000 ? 40000000 : 26000000;
    /* a calibration that is far off, or not there, says nothing: ask plainly and let the proof decide */
    bool sane = rom > 20000000 && rom < 60000000;
    *ask = sane ? (uint32_t)(baud * rom / real) : baud;
    return FL_OK;
}

static enum fl_err ask_c5(struct esp *e, uint32_t baud, uint32_t *ask)
{
    static const uint32_t expected_reg = 0x60096110;
    uint32_t v;
    enum fl_err err = esp_read_reg_sure(e, expected_reg, &v);
    uint32_t expected = v >> 24 & 0x7f, real = e->unit.crystal_mhz;
    *ask = baud;
    if (!err && ((expected == 40 && real == 48) || (expected == 48 && real == 40)))
        *ask = (uint32_t)((uint64_t)baud * expected / real);
    return err;
}

static enum fl_err rom_number(struct esp *e, uint32_t baud, uint32_t *ask)
{
    *ask = baud;
    switch (e->chip->baud) {
    case BAUD_ESP32:
        return ask_esp32(e, baud, ask);
    case BAUD_C5:
        return ask_c5(e, baud, ask);
    case BAUD_C2:
        if (e->unit.crystal_mhz == 26)
            *ask = (uint32_t)((uint64_t)baud * 40 / 26);
        return FL_OK;
    case BAUD_PLAIN:
    case BAUD_NONE:
        break;
    }
    return FL_OK;
}

/* ---- the change and its proof --------------------------------------------------------------------- */

static enum fl_err prove(struct esp *e)
{
    enum fl_err err = esp_probe(e);
    bool at_once = err == FL_OK;
    if (err && e->trouble != TROUBLE_DEAD) {
        /* one more, with the framing put right: the switch itself may have made a stray byte */
        err = e->stub ? wire_break(e) : wire_quiet(e);
        if (!err)
            err = esp_probe(e);
    }
    /* in the ROM twenty registers are read twice next, and the stub's blocks have checksums: one that carried the first question
     * need not answer more of them here */
    for (int i = 1; i < PROBES && !err && !(e->early && at_once); i++)
        err = esp_probe(e);
    bool stub = false;
    if (!err && esp_sync(e, e->times.probe, &stub))
        err = esp_fail(e, TROUBLE_SPEED, ESP_FAULT_LINK_SPEED, FL_TIMEOUT, "no answer to SYNC");
    return err;
}

/* Asked until it answers at the new speed, at most for as long as a ROM was ever seen to take. */
static enum fl_err rom_switched(struct esp *e)
{
    bool yes = false;
    enum fl_err err = wire_listen(e, e->times.rom_settle);
    for (uint32_t ms = 0; !err && !yes && ms < e->times.settle; ms += e->times.quick_probe)
        err = esp_answers(e, e->times.quick_probe, &yes);
    return err;
}

/* *asked: the question has come to its answer, and what goes wrong behind it is the new speed's doing. */
static enum fl_err change(struct esp *e, uint32_t baud, bool *asked)
{
    uint32_t words[2] = {baud, e->stub ? link_baud(e->link) : 0};
    enum fl_err err = e->stub ? FL_OK : rom_number(e, baud, &words[0]);
    if (!err)
        err = esp_words(e, OP_CHANGE_BAUD, words, 2, e->times.command);
    *asked = !err || err == FL_REFUSED;
    if (err)
        return err;
    err = link_set_baud(e->link, baud, fl_deadline_in_ms(SWITCH_MS));
    if (err == FL_GONE || err == FL_CANCELLED)
        return esp_fail_link(e, err, "setting the speed");
    if (err)
        return esp_fail(e, TROUBLE_SPEED, ESP_FAULT_LINK_SPEED, err, "%s", link_why(e->link)->text);
    err = e->stub ? wire_listen(e, e->times.settle) : rom_switched(e);
    wire_forget(e);
    if (err)
        return esp_fail_link(e, err, "setting the speed");
    err = prove(e);
    e->unasked = 0; /* whether the ROM has switched was asked more often than it was answered */
    return err;
}

/* The speed this session should work at; 0: none to change to. */
static uint32_t goal(const struct esp *e)
{
    uint32_t want = e->config.baud ? e->config.baud : CONNECT_BAUD;
    if (e->tune.baud && e->tune.baud < want)
        want = e->tune.baud;
    const struct link_info *l = link_info(e->link);
    bool can = l->has_speed && e->usb == USB_NONE &&
               !(e->rom && (e->chip->baud == BAUD_NONE ||
                            e->unit.security.secure_download == ESP_ON));
    return can && want != link_baud(e->link) ? want : 0;
}

static enum fl_err raise_speed(struct esp *e, uint32_t baud)
{
    bool asked = false;
    enum fl_err err = change(e, baud, &asked);
    if (err && asked && e->trouble != TROUBLE_DEAD && e->trouble != TROUBLE_RESTART) {
        struct esp_problem was = e->problem;
        (void)esp_fail(e, TROUBLE_SPEED, ESP_FAULT_LINK_SPEED, err, "%u baud does not carry: %s", baud,
                       was.text);
    }
    return err;
}

enum fl_err esp_stage_speed(struct esp *e)
{
    uint32_t baud = goal(e);
    if (!baud)
        return FL_OK;
    e->work = WORK_SPEED;
    esp_step(e, "baud");
    return raise_speed(e, baud);
}

/* The stub is 7 KB, 0.6 s at the speed at which ROMs begin, and every register read takes a third of the time. */
enum fl_err esp_speed_early(struct esp *e)
{
    uint32_t baud = goal(e);
    /* a crystal that has to be known is known when the fuses have been read: before the stub is loaded */
    bool crystal_first = (e->chip->baud == BAUD_C2 || e->chip->baud == BAUD_C5) && !e->unit.crystal_mhz;
    if (!baud || baud < link_baud(e->link) || e->stub || e->tune.late_speed || crystal_first ||
        e->chip->baud == BAUD_NONE || e->unit.security.secure_download == ESP_ON)
        return FL_OK;
    e->early = true;
    enum esp_work work = e->work;
    e->work = WORK_SPEED;
    enum fl_err err = raise_speed(e, baud);
    if (!err)
        e->work = work;
    return err;
}
