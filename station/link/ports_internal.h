/* SPDX-License-Identifier: Apache-2.0
 * ports_internal.h: what ports.c asks the operating system; ports_linux.c answers, ports_plain.c where
 * there is no sysfs. */
#ifndef FL_LINK_PORTS_INTERNAL_H
#define FL_LINK_PORTS_INTERNAL_H

#include "link/ports.h"

/* The ttys that hang on a device of this machine: a new array, freed with free(), of which `device` ("/dev/ttyUSB3") is
 * filled and the rest is zero. *out NULL, *n 0: there are none, or it failed. None is opened. */
FL_MUST enum fl_err link_port_devices(struct link_info **out, size_t *n, struct fl_why *why);

/* Fills usb_path and driver of a tty ("/dev/ttyUSB3"), and ids and texts where usb_vid is still 0, as far as known. */
void link_port_locate(const char *device, struct link_info *info);

/* A text of a device's descriptor, which is a stranger's bytes: control characters, which would break lines and
 * terminals, become '?'. */
void link_port_text(char *to, size_t cap, const char *from);

/* Fills all that is known of a tty that exists: ids, texts, place, driver. Never fails: what is not
 * known stays empty. */
void link_port_describe(const char *device, struct link_info *info);

/* Has this process read and write permission? When not, `group` becomes the group that has ("" where
 * the mode gives no group both). */
bool link_port_permitted(const char *device, char group[static LINK_TEXT_MAX]);

#endif
