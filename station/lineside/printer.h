/* SPDX-License-Identifier: Apache-2.0
 *
 * printer.h: a label's way to its printer, by what the printer's name (`printer` of the station file) begins with:
 *
 *   tcp://HOST:PORT     the bytes, as a label printer takes them on its raw port (9100)
 *   command:WORDS       a program that reads them from its standard input: lp -d labels -o raw
 *   dir:FOLDER          a file label-JOB-HASH.zpl, with eight digits of the label's SHA-256: sent twice it is the same file, and
 *                       stations that share a folder, whose records have the same numbers, do not write over one another's
 *
 * Thread rule: any thread; waits up to 15 s for a printer, 60 s for a command.
 */
#ifndef FL_LINESIDE_PRINTER_H
#define FL_LINESIDE_PRINTER_H

#include "record/outbox.h"

/* FL_OK: the printer took it. FL_FORMAT: no such printer can be. FL_CANCELLED: `stop` was raised. Anything else is a printer that may
 * take it later. */
FL_MUST enum fl_err printer_send(const struct outbox_item *item, struct fl_wake *stop, struct fl_why *why);

#endif
