/* SPDX-License-Identifier: Apache-2.0
 * Sources of the sequences: facts sheet 2.2, 2.5. */
#include "esp/reset.h"

#include <string.h>

enum {
    VID_ESPRESSIF = 0x303a,
    PID_USB_JTAG = 0x1001,
    PID_OTG_MAX = 0x0fff, /* below: the ROM's USB-OTG, numbered by chip; 4001 and up: applications */
    VID_SILABS = 0x10c4,
    PID_CP2102C = 0xea64,
};

const struct reset_strategy reset_strategies[] = {
    {"classic", "D0|R1|W0.1|D1|R0|W0.05|D0", "two crossed transistors, small capacitor on EN"},
    {"classic-slow", "D0|R1|W0.1|D1|R0|W0.55|D0", "the same with a large capacitor on EN"},
    {"classic-hold", "D0|R1|W0.1|D1|W0.1|R0|W0.05|D0", "boards that want the strap low before EN rises"},
    {"unix-tight", "U0,0|U1,1|U0,1|W0.1|U1,0|W0.05|U0,0|D0", "both lines in one step: no race"},
    {"unix-tight-slow", "U0,0|U1,1|U0,1|W0.1|U1,0|W0.55|U0,0|D0", "the same, large capacitor on EN"},
    {"usb-jtag", "R0|D0|W0.1|D1|R0|W0.1|R1|D0|R1|W0.1|D0|R0", "the chip's own USB-Serial/JTAG"},
    /* its flow control cannot be switched off and drives RTS: DTR must stay where it is */
    {"cp2102c", "D0|R1|W0.1|D1|R0|W0.05", "CP2102C bridge"},
    {NULL, NULL, NULL},
};

static const char app_classic[] = "D0|R1|W0.1|R0";
static const char app_native_usb[] = "D0|R1|W0.2|R0|W0.2";
static const char app_cp2102c[] = "D0|R1|W0.1|D1|W0.1|R0";

/* 10 ms discharge the 10 uF of a slow board through the transistor (10 kOhm at its base, some 20 mA) several times
 * over; how long EN then takes to rise is for the board to say, by its boot log or its answer. */
static const char quick[] = "D0|R1|W0.01|D1|R0";
static const char quick_app[] = "D0|R1|W0.01|R0";

const struct reset_strategy *reset_named(const char *name)
{
    for (const struct reset_strategy *s = reset_strategies; s->name; s++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

/* ---- the language ------------------------------------------------------------------------------- */

static bool wire(const char **p, enum link_wire *out)
{
    if (**p != '0' && **p != '1')
        return false;
    *out = **p == '1' ? LINK_ASSERT : LINK_RELEASE;
    (*p)++;
    return true;
}

/* Decimal seconds, to the millisecond. */
static bool seconds(const char **p, uint32_t *ms)
{
    uint32_t v = 0, digits = 0, scale = 1000;
    bool point = false;
    for (; (**p >= '0' && **p <= '9') || (**p == '.' && !point); (*p)++) {
        if (**p == '.') {
            point = true;
            continue;
        }
        digits++;
        uint32_t d = (uint32_t)(**p - '0');
        if (point) {
            scale /= 10;
            v += d * scale;
        } else if (v <= RESET_WAIT_MAX_MS) {
            v = v * 10 + d * 1000;
        }
    }
    *ms = v;
    return digits > 0 && v <= RESET_WAIT_MAX_MS;
}

static bool step(const char **p, struct reset_step *s)
{
    char what = **p;
    if (what)
        (*p)++;
    *s = (struct reset_step){LINK_KEEP, LINK_KEEP, 0};
    switch (what) {
    case 'D':
        return wire(p, &s->dtr);
    case 'R':
        return wire(p, &s->rts);
    case 'W':
        return seconds(p, &s->wait_ms);
    case 'U':
        return wire(p, &s->dtr) && *(*p)++ == ',' && wire(p, &s->rts);
    default:
        return false;
    }
}

enum fl_err reset_parse(const char *text, struct reset_sequence *out, struct fl_why *why)
{
    out->n = 0;
    const char *p = text;
    do {
        if (out->n == RESET_STEPS_MAX)
            return fl_fail(why, FL_FORMAT, "a reset sequence has at most %d steps", RESET_STEPS_MAX);
        const char *at = p;
        if (!step(&p, &out->steps[out->n++]) || (*p != '|' && *p != 0))
            return fl_fail(why, FL_FORMAT,
                           "reset sequence: \"%.20s\" is no step; expected D0 D1 R0 R1 U0,1 or "
                           "W0.05 (seconds, at most %d), with | between",
                           at, RESET_WAIT_MAX_MS / 1000);
    } while (*p++ == '|');
    return FL_OK;
}

enum fl_err reset_check(const char *setting, struct fl_why *why)
{
    if (strcmp(setting, "auto") == 0 || strcmp(setting, "none") == 0 || reset_named(setting))
        return FL_OK;
    struct reset_sequence s;
    return reset_parse(setting, &s, why);
}

/* ---- which link wants which ----------------------------------------------------------------------- */

static bool is_cp2102c(const struct link_info *l)
{
    return l->usb_vid == VID_SILABS && l->usb_pid == PID_CP2102C;
}

enum reset_usb reset_usb_kind(const struct link_info *l)
{
    if (l->usb_vid != VID_ESPRESSIF)
        return USB_NONE;
    if (l->usb_pid == PID_USB_JTAG)
        return USB_JTAG;
    return l->usb_pid <= PID_OTG_MAX ? USB_OTG : USB_NONE;
}

const char *const *reset_cycle(const struct link_info *l)
{
    static const char *const local[] = {"unix-tight", "unix-tight-slow", "classic", "classic-slow",
                                        "classic-hold", NULL};
    /* a network server sets the lines one by one whatever is asked, so the plain order comes first */
    static const char *const remote[] = {"classic", "classic-slow", "unix-tight", "unix-tight-slow",
                                         "classic-hold", NULL};
    static const char *const usb_jtag[] = {"usb-jtag", NULL};
    static const char *const cp2102c[] = {"cp2102c", NULL};
    if (reset_usb_kind(l) == USB_JTAG)
        return usb_jtag;
    if (is_cp2102c(l))
        return cp2102c;
    return l->kind == LINK_SERIAL ? local : remote;
}

const char *reset_into_app(const struct link_info *l)
{
    if (reset_usb_kind(l) != USB_NONE)
        return app_native_usb;
    return is_cp2102c(l) ? app_cp2102c : app_classic;
}

const char *reset_quick(const struct link_info *l)
{
    return reset_usb_kind(l) == USB_NONE && !is_cp2102c(l) ? quick : NULL;
}

const char *reset_quick_app(const struct link_info *l)
{
    return reset_usb_kind(l) == USB_NONE && !is_cp2102c(l) ? quick_app : NULL;
}
