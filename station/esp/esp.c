/* SPDX-License-Identifier: Apache-2.0
 * The calls of esp.h: order, limits, problems out. The work is in the other files. */
#include "esp/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TALK_LIMIT_MS = 180000,   /* of every call but the two below: ends a ladder that goes on and on */
    ERASE_STEP = 1 << 20,     /* what the ROM erases in one BEGIN */
    ROM_ERASE_BLOCK = 0x400,
    TX_MAX = 40000,           /* the longest frame: 0x4000 bytes, all escaped, and its head */
};

/* ---- trouble ------------------------------------------------------------------------------------ */

enum fl_err esp_fail(struct esp *e, enum esp_trouble t, enum esp_fault f, enum fl_err err,
                     const char *fmt, ...)
{
    struct esp_problem p = {.fault = f, .err = err};
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(p.text, sizeof p.text, fmt, ap);
    va_end(ap);
    e->problem = p; /* at last: the old text may have been an argument */
    e->trouble = t;
    e->disturbed = e->unsure = true;
    return err;
}

enum fl_err esp_fail_link(struct esp *e, enum fl_err err, const char *doing)
{
    const char *why = link_why(e->link)->text;
    switch (err) {
    case FL_GONE:
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_LINK_LOST, err, "%s: %s", doing, why);
    case FL_CANCELLED:
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_CANCELLED, err, "%s: stopped from outside", doing);
    case FL_TIMEOUT:
        return esp_fail(e, TROUBLE_SILENT, ESP_FAULT_PORT_FAILED, err, "%s: %s", doing, why);
    case FL_STATE: /* not the link's error: the chip's boot text was heard meanwhile */
        return esp_fail_restart(e, doing, "");
    case FL_NOMEM:
    case FL_ARG:
    case FL_LIMIT:
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_INTERNAL, err, "%s: %s", doing, fl_err_text(err));
    default:
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_PORT_FAILED, err, "%s: %s: %s", doing,
                        fl_err_text(err), why);
    }
}

enum fl_err esp_pause(struct esp *e, uint32_t ms)
{
    enum fl_err err = wire_listen(e, ms);
    return err ? esp_fail_link(e, err, "waiting") : FL_OK;
}

void esp_step(struct esp *e, const char *name)
{
    if (e->observer.step)
        e->observer.step(e->observer.ctx, name);
}

/* ---- one call ----------------------------------------------------------------------------------- */

static enum fl_err out_of_order(struct esp *e, struct esp_problem *p)
{
    (void)esp_fail(e, TROUBLE_DEAD, ESP_FAULT_INTERNAL, FL_STATE,
                   "a call on a session that is not that far, or has failed");
    if (p)
        *p = e->problem;
    return FL_STATE;
}

static void start(struct esp *e, uint64_t limit_ms)
{
    e->limit = fl_deadline_in_ms(limit_ms);
    esp_ladder_rest(e);
}

static enum fl_err finish(struct esp *e, enum fl_err err, struct esp_problem *p)
{
    e->limit = fl_deadline_never();
    if (err) {
        esp_blame_line(e);
        esp_name_line(e);
    }
    if (err && p)
        *p = e->problem;
    return err;
}

/* ---- life --------------------------------------------------------------------------------------- */

enum fl_err esp_open(struct link *link, const struct esp_config *config, struct esp_tuning *tuning,
                     const struct esp_observer *observer, struct esp **out)
{
    *out = NULL;
    if (!link || !config || (config->chip && !chip_by_name(config->chip)) ||
        (config->reset && reset_check(config->reset, NULL)))
        return FL_ARG;
    struct esp *e = calloc(1, sizeof *e);
    if (!e)
        return FL_NOMEM;
    e->link = link;
    e->config = *config;
    e->learned = tuning;
    if (tuning)
        e->tune = e->start = *tuning;
    if (observer)
        e->observer = *observer;
    e->times = esp_times_default;
    e->tx = FL_BUF(TX_MAX);
    e->next = FL_BUF(TX_MAX);
    e->usb = reset_usb_kind(link_info(link));
    e->limit = fl_deadline_never();
    slip_reset(&e->rx);
    *out = e;
    return FL_OK;
}

void esp_close(struct esp *e)
{
    if (!e)
        return;
    fl_buf_fini(&e->tx);
    fl_buf_fini(&e->next);
    free(e);
}

const uint8_t *esp_text(const struct esp *e, size_t *n)
{
    return text_tail(&e->text, n);
}

bool esp_has_stub(const struct esp *e)
{
    return e->stub;
}

uint32_t esp_baud(const struct esp *e)
{
    return link_baud(e->link);
}

struct esp_counters esp_counters(const struct esp *e)
{
    return e->count;
}

/* ---- the conversation ----------------------------------------------------------------------------- */

enum fl_err esp_connect(struct esp *e, struct esp_problem *p)
{
    if (e->stage != STAGE_OPEN || e->failed)
        return out_of_order(e, p);
    start(e, TALK_LIMIT_MS);
    e->since_ns = fl_mono_ns();
    return finish(e, esp_reach_once(e, STAGE_SYNCED), p);
}

enum fl_err esp_identify(struct esp *e, struct esp_unit *out, struct esp_problem *p)
{
    if (e->stage != STAGE_SYNCED || e->failed)
        return out_of_order(e, p);
    start(e, TALK_LIMIT_MS);
    enum fl_err err = finish(e, esp_reach(e, STAGE_KNOWN), p);
    *out = e->unit;
    return err;
}

enum fl_err esp_certain(struct esp *e, const char *verdict, struct esp_problem *p)
{
    e->problem = (struct esp_problem){0};
    (void)snprintf(e->problem.text, sizeof e->problem.text, "%s", verdict);
    bool doubt = esp_doubt(e);
    if (doubt && p)
        *p = e->problem;
    return doubt ? FL_MISMATCH : FL_OK;
}

enum fl_err esp_prepare(struct esp *e, struct esp_problem *p)
{
    if (e->stage < STAGE_KNOWN || e->failed)
        return out_of_order(e, p);
    start(e, TALK_LIMIT_MS);
    return finish(e, esp_reach(e, STAGE_FAST), p);
}

enum fl_err esp_attach_flash(struct esp *e, uint64_t size, struct esp_flash_info *out,
                             struct esp_problem *p)
{
    if (e->stage < STAGE_FAST || e->failed)
        return out_of_order(e, p);
    start(e, TALK_LIMIT_MS);
    e->flash_size = size;
    e->stage = STAGE_FAST;
    enum fl_err err = finish(e, esp_reach(e, STAGE_FLASH), p);
    if (!err)
        *out = e->flash;
    return err;
}

enum fl_err esp_write(struct esp *e, const struct esp_region *regions, size_t n, bool skip_matching,
                      struct esp_region_result *results, struct esp_problem *p)
{
    if (e->stage < STAGE_FLASH || e->failed)
        return out_of_order(e, p);
    start(e, esp_write_limit_ms(regions, n));
    enum fl_err err = esp_write_all(e, regions, n, skip_matching, results);
    e->failed = err != FL_OK;
    if (!err && e->learned)
        *e->learned = e->tune;
    return finish(e, err, p);
}

enum fl_err esp_write_unproven(struct esp *e, const struct esp_region *regions, size_t n,
                               struct esp_region_result *results, struct esp_problem *p)
{
    if (e->stage < STAGE_FLASH || e->failed)
        return out_of_order(e, p);
    start(e, 3 * esp_write_limit_ms(regions, n));
    enum fl_err err = esp_write_all_unproven(e, regions, n, results);
    e->failed = err != FL_OK;
    if (!err && e->learned)
        *e->learned = e->tune;
    return finish(e, err, p);
}

/* ---- erasing ------------------------------------------------------------------------------------ */

static enum fl_err erase_once(struct esp *e)
{
    struct answer a;
    uint64_t size = e->flash.size;
    e->work = WORK_TALK;
    if (e->stub) /* a stub erases what is there, whether its size is known or not */
        return esp_ask(e, OP_ERASE_FLASH, NULL, 0, 0,
                       esp_scaled(e, size ? size : ESP_ROM_REACH, e->times.chip_erase_mb), &a);
    enum fl_err err = FL_OK;
    for (uint32_t at = 0; at < size && !err; at += ERASE_STEP) {
        uint32_t part = size - at < ERASE_STEP ? (uint32_t)(size - at) : ERASE_STEP;
        uint32_t words[] = {part, part / ROM_ERASE_BLOCK, ROM_ERASE_BLOCK, at, 0};
        err = esp_words(e, OP_FLASH_BEGIN, words, e->chip->begin_16 ? 4 : 5,
                        esp_scaled(e, part, e->times.erase_mb));
    }
    return err;
}

static enum fl_err erase(struct esp *e)
{
    const struct esp_security *s = &e->unit.security;
    if (s->secure_boot == ESP_ON || s->flash_encryption == ESP_ON || s->secure_download == ESP_ON)
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_SECURITY_REFUSED, FL_REFUSED,
                        "erasing a chip with secure boot, flash encryption or secure download mode "
                        "on would leave it dead");
    esp_step(e, "erase");
    for (;;) {
        enum fl_err err = esp_reach_once(e, STAGE_FLASH);
        if (!err && !e->stub && (!e->chip->has_attach || e->flash.size == 0 ||
                                 e->flash.size > ESP_ROM_REACH))
            return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_FLASH_ERASE, FL_UNSUPPORTED,
                            "without the stub the whole flash cannot be erased here");
        if (!err)
            err = erase_once(e);
        if (!err)
            return FL_OK;
        if (err == FL_TIMEOUT && e->stage == STAGE_FLASH)
            e->problem.fault = ESP_FAULT_FLASH_ERASE;
        err = esp_climb(e);
        if (err)
            return err;
    }
}

enum fl_err esp_erase_all(struct esp *e, struct esp_problem *p)
{
    if (e->stage < STAGE_FLASH || e->failed)
        return out_of_order(e, p);
    start(e, TALK_LIMIT_MS + 2 * e->flash.size * e->times.chip_erase_mb / 1000000);
    enum fl_err err = erase(e);
    e->failed = err != FL_OK;
    return finish(e, err, p);
}

/* ---- the end ------------------------------------------------------------------------------------- */

enum fl_err esp_run(struct esp *e, struct esp_problem *p)
{
    start(e, TALK_LIMIT_MS);
    return finish(e, esp_leave(e), p);
}
