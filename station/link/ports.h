/* SPDX-License-Identifier: Apache-2.0
 *
 * ports.h: which serial ports this machine has now, and where they are plugged in.
 *
 * The tty name of a USB port changes with the order of plugging; the USB place ("1-1.4.1": bus, then
 * the chain of hub ports) does not. A slot is bound to a place.
 * Source of facts: sysfs on Linux through libserialport, plus the driver link that it does not read.
 *
 * Thread rule: no shared state.
 */
#ifndef FL_LINK_PORTS_H
#define FL_LINK_PORTS_H

#include "link/link.h"

/* A new array the caller frees with free(); sorted by USB place, then by device name. */
FL_MUST enum fl_err link_ports(struct link_info **out, size_t *n, struct fl_why *why);

/* "Silicon Labs CP2104", "WCH CH9102", ... or "" : names for well-known VID:PID pairs. */
const char *link_bridge_name(uint16_t vid, uint16_t pid);

/* The tty at this USB place now. FL_NOT_FOUND when nothing is plugged in there. */
FL_MUST enum fl_err link_port_at(const char *usb_path, char device[static LINK_URL_MAX],
                                 struct fl_why *why);

#endif
