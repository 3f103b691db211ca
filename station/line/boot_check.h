/* SPDX-License-Identifier: Apache-2.0
 *
 * boot_check.h: does the flashed program say what it should? Pure: text in, verdict out.
 *
 * Feed what arrives after the reset; matches may lie across the pieces. A failure text wins over an
 * expected one that comes later; a panic or brownout text is a failure whether asked for or not.
 *
 * Thread rule: one owner. Patterns are borrowed.
 */
#ifndef FL_LINE_BOOT_CHECK_H
#define FL_LINE_BOOT_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum boot_verdict { BOOT_GO_ON, BOOT_GOOD, BOOT_FAIL_TEXT, BOOT_PANIC, BOOT_BROWNOUT };

enum { BOOT_PATTERN_MAX = 256, BOOT_TAIL = 512 };

struct boot_check {
    const char *expect, *fail; /* NULL: none */
    uint8_t tail[BOOT_TAIL];   /* the last bytes seen, oldest first */
    size_t n;
    uint64_t seen; /* bytes in all */
};

void boot_check_init(struct boot_check *b, const char *expect, const char *fail);
enum boot_verdict boot_check_feed(struct boot_check *b, const uint8_t *bytes, size_t n);

#endif
