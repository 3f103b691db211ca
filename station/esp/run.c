/* SPDX-License-Identifier: Apache-2.0
 * Out of the loader and into the application.
 *
 * Over a bridge, RTS pulls the chip's reset pin and the straps are read anew. On USB-Serial/JTAG and
 * USB-OTG the same line makes a reset of the core only: a chip that was put into the loader by hand would
 * come back to it, so its force-download bit is cleared or its watchdog does the reset (facts 2.5, 2.6). */
#include "esp/session.h"

enum { SWITCH_MS = 2000, CONNECT_BAUD = 115200, STRAP_HIGH = 1u << 3, FORCE = 1u << 0 };

static enum fl_err watchdog_reset(struct esp *e)
{
    const struct chip_wdt *w = e->chip->wdt;
    const struct reg_write writes[] = {
        {w->protect, 0x50d83aa1, UINT32_MAX},
        {w->config1, 2000, UINT32_MAX},
        {w->config0, 0xd0000102, UINT32_MAX}, /* on, reset the system, after config1 ticks */
        {w->protect, 0, UINT32_MAX},
    };
    enum fl_err err = esp_write_regs(e, writes, sizeof writes / sizeof *writes);
    if (err)
        return err;
    err = wire_await_app(e, e->times.watchdog);
    return err ? esp_fail_link(e, err, "waiting for the watchdog") : FL_OK;
}

/* Would a core reset end in the loader again? */
static enum fl_err sticks(struct esp *e, bool *watchdog)
{
    const struct chip_usb *u = &e->chip->usb;
    uint32_t strap, force;
    *watchdog = e->usb == USB_OTG && u->otg_watchdog;
    if (!u->strap)
        return FL_OK;
    enum fl_err err = esp_read_reg_sure(e, u->strap, &strap);
    if (!err)
        err = esp_read_reg_sure(e, u->force, &force);
    if (err)
        return err;
    if (force & FORCE) /* asked for by software: take that back and the strap decides */
        err = esp_write_regs(e, &(struct reg_write){u->force, 0, FORCE}, 1);
    else
        *watchdog = *watchdog || !(strap & STRAP_HIGH);
    return err;
}

static enum fl_err native_usb(struct esp *e, bool *done)
{
    bool watchdog = false;
    *done = false;
    enum fl_err err = sticks(e, &watchdog);
    if (!err && watchdog && e->chip->wdt && e->chip->wdt->can_reset) {
        err = watchdog_reset(e);
        *done = !err;
    }
    return err;
}

/* A short pulse, and the first byte of the boot log as the proof that it was long enough. */
static enum fl_err quick_start(struct esp *e, bool *done)
{
    const char *text = reset_quick_app(link_info(e->link));
    if (!text || e->tune.slow_reset)
        return FL_OK;
    enum fl_err err = link_discard(e->link);
    if (err)
        return esp_fail_link(e, err, "resetting");
    err = esp_play(e, text);
    if (err)
        return err;
    err = link_wait(e->link, fl_deadline_in_ms(e->times.app));
    *done = !err;
    return err && err != FL_TIMEOUT ? esp_fail_link(e, err, "resetting") : FL_OK;
}

/* The core restarts when the line is asserted: the application's first words come while the sequence is played. */
static enum fl_err native_start(struct esp *e)
{
    enum fl_err err = link_discard(e->link);
    return err ? esp_fail_link(e, err, "resetting") : esp_play_into_app(e, reset_into_app(link_info(e->link)));
}

enum fl_err esp_leave(struct esp *e)
{
    bool done = false;
    enum fl_err err = FL_OK;
    bool talks = !e->failed && e->stage >= STAGE_KNOWN &&
                 e->unit.security.secure_download != ESP_ON;
    if (e->usb != USB_NONE && talks)
        err = native_usb(e, &done);
    if (err && e->trouble == TROUBLE_DEAD)
        return err;
    if (!done && !link_info(e->link)->has_lines)
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_NONE, FL_UNSUPPORTED,
                        "this link has no reset line: the board must be reset by hand");
    e->stage = STAGE_OPEN;
    e->stub = false;
    e->restarted = false;
    err = link_set_baud(e->link, CONNECT_BAUD, fl_deadline_in_ms(SWITCH_MS));
    if (err && err != FL_UNSUPPORTED)
        return esp_fail_link(e, err, "setting the speed");
    wire_forget(e);
    if (!done)
        err = quick_start(e, &done);
    if (err || done)
        return err;
    return e->usb != USB_NONE ? native_start(e) : esp_play(e, reset_into_app(link_info(e->link)));
}
