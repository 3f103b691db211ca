/* SPDX-License-Identifier: Apache-2.0
 *
 * gate.h: may this unit be flashed with this profile? Pure.
 *
 * Asked twice: after the chip is identified, and again when its flash is known. Thread rule: none.
 */
#ifndef FL_LINE_GATE_H
#define FL_LINE_GATE_H

#include "profile/profile.h"

/* Name of the fault ("gate.revision", ...), or NULL when the unit may pass; `why` says what was found and
 * what the profile asks for. */
const char *gate_unit(const struct profile *p, const struct esp_unit *u, struct fl_why *why);
const char *gate_flash(const struct profile *p, const struct esp_flash_info *f, struct fl_why *why);

#endif
