/* SPDX-License-Identifier: Apache-2.0
 * The rungs of the ladder, each by itself: what is changed, and from which stage the session goes on. Which comes next: ladder.c. */
#include "esp/session.h"

#include <stdio.h>
#include <string.h>

enum { CONNECT_BAUD = 115200, SLOW_BAUD = 57600 };

/* ---- names -------------------------------------------------------------------------------------- */

static const char *const names[ESP_RUNG_COUNT] = {
    [ESP_RUNG_RESYNC] = "resync",       [ESP_RUNG_RESEND] = "resend",
    [ESP_RUNG_REGION] = "region",       [ESP_RUNG_RECONNECT] = "reconnect",
    [ESP_RUNG_SMALL_BLOCKS] = "small_blocks", [ESP_RUNG_PACED] = "paced",
    [ESP_RUNG_BAUD_DOWN] = "baud_down", [ESP_RUNG_ROM] = "rom",
    [ESP_RUNG_POWER] = "power",
};

const char *esp_rung_name(enum esp_rung_kind k)
{
    return (unsigned)k < ESP_RUNG_COUNT ? names[k] : "";
}

void esp_rung(struct esp *e, enum esp_rung_kind kind, uint32_t value, const char *fmt, ...)
{
    struct esp_rung r = {.kind = kind, .cause = e->problem.fault, .value = value};
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(r.text, sizeof r.text, fmt, ap);
    va_end(ap);
    e->taken[kind]++;
    e->disturbed = true;
    if (kind != ESP_RUNG_RESEND)
        e->recent = (struct esp_sample){0};
    if (e->observer.rung)
        e->observer.rung(e->observer.ctx, &r);
}

/* ---- rungs: false when impossible here ------------------------------------------------------------- */

static void back_to(struct esp *e, enum esp_stage stage)
{
    if (e->stage > stage)
        e->stage = stage;
}

/* The loader is sound and waits: a refused block is no reason for a reset. */
static bool damage(const struct esp *e)
{
    return e->trouble == TROUBLE_DAMAGED || e->trouble == TROUBLE_FLIPPED;
}

/* The loader's framing put right. A region that was begun is begun again by whoever wrote it. */
static bool take_resync(struct esp *e, enum esp_rung_kind kind)
{
    if (e->stage < STAGE_SYNCED)
        return false;
    const char *how = e->stub ? "DB 00" : "SYNC";
    esp_rung(e, kind, 0, "%s; %s", e->problem.text, how);
    struct esp_problem was = e->problem;
    enum esp_trouble trouble = e->trouble;
    bool lost = trouble == TROUBLE_SILENT && e->silent_usual;
    e->stubborn = e->stubborn || (kind == ESP_RUNG_REGION && damage(e));
    enum fl_err err = wire_resync(e);
    e->revived += lost && err == FL_OK;
    if (err == FL_OK || e->trouble == TROUBLE_DEAD)
        return true;
    /* the evidence that counts is what happened before */
    e->problem = was;
    e->trouble = trouble;
    return false;
}

static bool take_reset(struct esp *e)
{
    /* a loader that does not answer below its usual speed is asked at that one again */
    if (e->trouble == TROUBLE_SYNC && esp_connect_baud(e) < CONNECT_BAUD)
        e->tune.baud = CONNECT_BAUD;
    esp_rung(e, ESP_RUNG_RECONNECT, 0, "%s; reset and SYNC", e->problem.text);
    back_to(e, STAGE_OPEN);
    return true;
}

bool esp_persist(struct esp *e)
{
    enum { PERSIST = 10 };
    if (e->work == WORK_SPEED || !esp_line_bad(e) || esp_line_hopeless(e) || e->persisted == PERSIST || e->trouble == TROUBLE_RESTART)
        return false;
    e->persisted++;
    e->stubborn = true;
    return take_resync(e, e->work == WORK_WRITE ? ESP_RUNG_REGION : ESP_RUNG_RESYNC) ||
           (e->trouble != TROUBLE_DEAD && link_info(e->link)->has_lines && take_reset(e));
}

static bool take_small(struct esp *e)
{
    static const uint32_t ram[] = {0x800, 0x400, 0x200, 0x100}, flash[] = {0x800, 0x400, 0x100};
    bool load = e->work == WORK_LOAD;
    const uint32_t *sizes = load ? ram : flash;
    size_t n = load ? sizeof ram / sizeof *ram : sizeof flash / sizeof *flash;
    uint32_t *now = load ? &e->tune.ram_block : &e->tune.flash_block;
    size_t i = 0;
    while (i < n && *now != 0 && sizes[i] >= *now)
        i++;
    if (i == n)
        return false;
    *now = sizes[i];
    /* a way that cannot carry long frames into RAM will not carry them into flash */
    if (load && (e->tune.flash_block == 0 || e->tune.flash_block > sizes[i]))
        e->tune.flash_block = sizes[i] < 0x400 ? 0x400 : sizes[i];
    esp_rung(e, ESP_RUNG_SMALL_BLOCKS, sizes[i], "%s; blocks of %u bytes", e->problem.text, sizes[i]);
    if (!damage(e))
        back_to(e, STAGE_OPEN);
    return true;
}

static bool take_paced(struct esp *e)
{
    /* bytes written at once, and the pause behind them beside the time they take on the wire: one, two,
     * eight packets of full-speed USB, and a UART's FIFO */
    static const struct {
        uint32_t burst, gap_us;
    } steps[] = {{512, 1000}, {128, 2000}, {64, 4000}, {16, 2000}};
    size_t i = e->pace, n = sizeof steps / sizeof *steps;
    while (i < n && e->tune.burst != 0 && steps[i].burst >= e->tune.burst)
        i++;
    if (i == n)
        return false;
    e->pace = (unsigned)i + 1;
    e->tune.burst = steps[i].burst;
    e->tune.burst_gap_us = steps[i].gap_us;
    esp_rung(e, ESP_RUNG_PACED, steps[i].burst, "%s; writes of %u bytes with pauses of %u us",
             e->problem.text, steps[i].burst, steps[i].gap_us);
    if (!damage(e))
        back_to(e, STAGE_OPEN);
    return true;
}

/* The highest allowed speed below `now`; 0: none. */
static uint32_t slower(const struct esp *e, uint32_t now)
{
    uint32_t best = 0;
    uint32_t floor = e->work == WORK_LOAD ? SLOW_BAUD : CONNECT_BAUD;
    if (floor < now)
        best = floor;
    if (e->work == WORK_LOAD)
        return best; /* the ROM is spoken to at 115200 or below, whatever the profile allows later */
    for (size_t i = 0; i < ESP_STEP_DOWN_MAX && e->config.step_down[i]; i++)
        if (e->config.step_down[i] < now && e->config.step_down[i] > best)
            best = e->config.step_down[i];
    return best;
}

static bool take_slower(struct esp *e)
{
    if (!link_info(e->link)->has_speed || e->usb != USB_NONE)
        return false;
    uint32_t now = e->work == WORK_LOAD       ? esp_connect_baud(e)
                   : e->tune.baud             ? e->tune.baud
                   : e->config.baud           ? e->config.baud
                                              : CONNECT_BAUD;
    uint32_t baud = slower(e, now);
    if (!baud)
        return false;
    if (e->work == WORK_SPEED && e->went_late) { /* the stub cannot make it carry either: it was not the ROM */
        e->tune.late_speed = e->went_late = false;
        e->early_troubles = 0;
    }
    e->tune.baud = baud;
    e->sent = e->carried = 0; /* another speed is another line */
    e->asked = e->asked_in_vain = 0;
    esp_rung(e, ESP_RUNG_BAUD_DOWN, baud, "%s; %u baud", e->problem.text, baud);
    back_to(e, STAGE_OPEN);
    return true;
}

static bool take_rom(struct esp *e)
{
    if (e->rom || e->tune.rom_only || e->stage < STAGE_KNOWN || e->config.stub == ESP_STUB_REQUIRED ||
        !e->chip->has_md5 || !link_info(e->link)->has_lines)
        return false; /* without reset lines nothing ends a stub that runs */
    e->tune.rom_only = true;
    esp_rung(e, ESP_RUNG_ROM, 0, "%s; without the stub", e->problem.text);
    /* what did not help the stub need not slow the ROM down: it climbs from the bottom, once */
    e->tune.burst = e->start.burst;
    e->tune.burst_gap_us = e->start.burst_gap_us;
    e->tune.flash_block = e->start.flash_block;
    e->pace = 0;
    e->paced_in_vain = e->stubborn = false;
    if (e->went_late)
        e->tune.late_speed = e->went_late = false;
    e->unpaced = (struct esp_sample){0};
    esp_ladder_rest(e);
    back_to(e, STAGE_OPEN);
    return true;
}

static bool take_power(struct esp *e)
{
    if (!e->config.power_cycle || e->powered)
        return false;
    struct fl_why why = {0};
    struct esp_problem *p = &e->problem;
    e->powered = true;
    enum fl_err err = e->config.power_cycle(e->config.power_cycle_ctx, &e->link, &why);
    wire_forget(e);
    back_to(e, STAGE_OPEN);
    if (err == FL_CANCELLED) {
        (void)esp_fail_link(e, err, "switching the supply");
        return true;
    }
    if (err && err != FL_GONE) { /* what was wrong before is the verdict */
        size_t n = strlen(p->text);
        (void)snprintf(p->text + n, sizeof p->text - n, "; the supply could not be switched: %s", why.text);
        return false;
    }
    esp_rung(e, ESP_RUNG_POWER, 0, "%s; supply off and on", p->text);
    if (err)
        (void)esp_fail(e, TROUBLE_DEAD, ESP_FAULT_LINK_LOST, err, "the supply was switched off and on for \"%s\", and the port: %s",
                       p->text, why.text);
    return true;
}

bool esp_take_rung(struct esp *e, enum esp_rung_kind k)
{
    switch (k) {
    case ESP_RUNG_RESYNC:
    case ESP_RUNG_REGION:
        return take_resync(e, k);
    case ESP_RUNG_RECONNECT:
        return take_reset(e);
    case ESP_RUNG_SMALL_BLOCKS:
        return take_small(e);
    case ESP_RUNG_PACED:
        return take_paced(e);
    case ESP_RUNG_BAUD_DOWN:
        return take_slower(e);
    case ESP_RUNG_ROM:
        return take_rom(e);
    case ESP_RUNG_POWER:
        return take_power(e);
    case ESP_RUNG_RESEND:
    case ESP_RUNG_COUNT:
        break;
    }
    return false;
}

/* The ROM was put to a higher speed than other tools ask of it: trouble that comes twice before the stub runs takes
 * that back, before anything else is doubted. */
bool esp_take_late(struct esp *e)
{
    if (!e->early || e->tune.late_speed || e->stage >= STAGE_LOADED || e->early_troubles++ == 0 ||
        e->climbs >= ESP_CLIMBS_MAX)
        return false;
    e->tune.late_speed = e->went_late = true;
    e->climbs++;
    esp_rung(e, ESP_RUNG_BAUD_DOWN, CONNECT_BAUD, "%s; %u baud until the stub runs", e->problem.text, CONNECT_BAUD);
    back_to(e, STAGE_OPEN);
    return true;
}
