/* SPDX-License-Identifier: Apache-2.0
 *
 * reset.h: reset strategies as data: which line goes where, and when.
 *
 *   D0 D1     DTR released, asserted          R0 R1   RTS released, asserted
 *   U0,1      both lines in one step: DTR, RTS
 *   W0.05     wait, in seconds                |       between steps
 *
 * A user may write such a sequence in the station file. On most boards two crossed transistors stand
 * between these lines and the chip: DTR asserted alone pulls the boot strap low, RTS asserted alone
 * holds the chip in reset, both or none does nothing. A pair of lines that must change together
 * (`U`) passes through a wrong state on the way when it is written as two steps.
 *
 * Pure. Thread rule: const tables.
 */
#ifndef FL_ESP_RESET_H
#define FL_ESP_RESET_H

#include "link/link.h"

struct reset_step {
    enum link_wire dtr, rts; /* LINK_KEEP twice: a wait */
    uint32_t wait_ms;
};

enum { RESET_STEPS_MAX = 24, RESET_WAIT_MAX_MS = 5000 };

struct reset_sequence {
    struct reset_step steps[RESET_STEPS_MAX];
    size_t n;
};

/* FL_FORMAT with a sentence. An empty text is not a sequence. */
FL_MUST enum fl_err reset_parse(const char *text, struct reset_sequence *out, struct fl_why *why);

struct reset_strategy {
    const char *name; /* "classic", "unix-tight", ...; NULL ends the table */
    const char *text; /* in the language above */
    const char *why;  /* when it is the right one, for help texts */
};
extern const struct reset_strategy reset_strategies[];
const struct reset_strategy *reset_named(const char *name); /* NULL: no such name */

/* What esp_config.reset may be: "auto", "none", a strategy's name, or a sequence. */
FL_MUST enum fl_err reset_check(const char *setting, struct fl_why *why);

/* The strategies to try on this link, in turn, one an attempt: a list of names ended by NULL. Lives as
 * long as the program. */
const char *const *reset_cycle(const struct link_info *link);
/* The sequence that starts the application on this link. */
const char *reset_into_app(const struct link_info *link);

/* The short way, for the usual circuit of two transistors: pulse the reset pin, keep the boot strap low; the caller
 * hears when the loader is up and releases the strap then. NULL: this link has another circuit. `reset_quick_app`:
 * the same into the application. */
const char *reset_quick(const struct link_info *link);
const char *reset_quick_app(const struct link_info *link);

enum reset_usb { USB_NONE, USB_JTAG, USB_OTG };
/* Is the chip itself the USB device? USB_OTG: its own USB-OTG peripheral, served by ROM. */
enum reset_usb reset_usb_kind(const struct link_info *link);

#endif
