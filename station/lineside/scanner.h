/* SPDX-License-Identifier: Apache-2.0
 *
 * scanner.h: a barcode scanner on a port, or one that types like a keyboard into standard input: codes as a call on a
 * thread of its own. A port that is not there, or goes, is tried again every second.
 *
 * Thread rule: opened and closed by one thread.
 */
#ifndef FL_LINESIDE_SCANNER_H
#define FL_LINESIDE_SCANNER_H

#include "line/scan.h"
#include "profile/station_file.h"

struct scanner; /* opaque */

struct scanner_config {
    const struct station_scanner *set; /* borrowed */
    void (*code)(void *ctx, const char *code);  /* a whole one */
    void (*damaged)(void *ctx, const char *why); /* half a code, or one that is too long: nothing was done */
    void *ctx;
};
FL_MUST enum fl_err scanner_open(const struct scanner_config *c, struct scanner **out, struct fl_why *why);
void scanner_close(struct scanner *s); /* NULL is fine */

#endif
