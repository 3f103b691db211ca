/* SPDX-License-Identifier: Apache-2.0
 *
 * qr.h: a QR code that a program drew, read back: do its modules hold these bytes, and nothing else?
 *
 * Not a scanner: the modules are known exactly, and one of data that does not fit is a no; the patterns by which a scanner finds
 * its way hold nothing, and are not looked at. Error correction is not used but checked,
 * since a scanner uses it: codewords that are one message with the check bytes of another could be read as that other.
 *
 * Source of the layout: ISO/IEC 18004, models 2, versions 1 to 40, error correction level L, one segment of bytes.
 * Thread rule: pure.
 */
#ifndef FL_AUDIT_QR_H
#define FL_AUDIT_QR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QR_WIDTH_MAX = 177 };

/* Modules of one code, by row: 1 dark. */
struct qr {
    unsigned width;
    uint8_t dark[QR_WIDTH_MAX * QR_WIDTH_MAX];
};

bool qr_width_ok(unsigned width);
bool qr_holds(const struct qr *q, const void *bytes, size_t n);

#endif
