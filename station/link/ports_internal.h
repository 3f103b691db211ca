/* SPDX-License-Identifier: Apache-2.0
 * ports_internal.h: what ports.c asks the operating system; ports_linux.c answers, ports_plain.c where
 * there is no sysfs. */
#ifndef FL_LINK_PORTS_INTERNAL_H
#define FL_LINK_PORTS_INTERNAL_H

#include "link/ports.h"

/* Fills usb_path and driver of a tty ("/dev/ttyUSB3"), as far as known. */
void link_port_locate(const char *device, struct link_info *info);

/* Fills all that is known of a tty that exists: ids, texts, place, driver. Never fails: what is not
 * known stays empty. */
void link_port_describe(const char *device, struct link_info *info);

/* Has this process read and write permission? When not, `group` becomes the group that has ("" where
 * the mode gives no group both). */
bool link_port_permitted(const char *device, char group[static LINK_TEXT_MAX]);

#endif
