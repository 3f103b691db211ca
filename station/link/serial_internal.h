/* SPDX-License-Identifier: Apache-2.0
 * serial_internal.h: what only some systems can do with a serial port; serial_linux.c does it,
 * serial_plain.c says that it cannot. */
#ifndef FL_LINK_SERIAL_INTERNAL_H
#define FL_LINK_SERIAL_INTERNAL_H

#include "link/link.h"

/* Ask the driver to hand each byte over at once (an FTDI bridge otherwise holds bytes for 16 ms). */
enum link_known link_serial_low_latency(int fd);

/* A speed that termios has no constant for. *made: what the driver made of it. errno on false. */
bool link_tty_any_baud(int fd, uint32_t baud, uint32_t *made);

#endif
