/* SPDX-License-Identifier: Apache-2.0
 *
 * boot_check.h: does the flashed program say what it should? Pure: text in, verdict out.
 *
 * Numbers are taken from texts like "vbat={} mV": the first that comes whole, which takes one byte behind it.
 *
 * Feed what arrives after the reset; matches may lie across the pieces. A failure text wins over an
 * expected one that comes later; a panic or brownout text is a failure whether asked for or not.
 *
 * Thread rule: one owner. Patterns are borrowed.
 */
#ifndef FL_LINE_BOOT_CHECK_H
#define FL_LINE_BOOT_CHECK_H

#include "profile/profile.h"

enum boot_verdict { BOOT_GO_ON, BOOT_GOOD, BOOT_FAIL_TEXT, BOOT_PANIC, BOOT_BROWNOUT };

enum { BOOT_PATTERN_MAX = 256, BOOT_TAIL = 512 };

struct boot_value {
    bool seen;
    int64_t micro;
};

struct boot_check {
    const char *expect, *fail; /* NULL: none */
    const struct profile_measure *measures;
    size_t n_measures, n_values; /* wanted; seen */
    struct boot_value values[PROFILE_MEASURES_MAX];
    bool expected;             /* `expect` was seen */
    uint8_t tail[BOOT_TAIL];   /* the last bytes seen, oldest first */
    size_t n;
    uint64_t seen; /* bytes in all */
};

void boot_check_init(struct boot_check *b, const struct profile_boot_check *want);
/* BOOT_GOOD: all that is expected came; whether the values are good is for boot_check_verdict to say. */
enum boot_verdict boot_check_feed(struct boot_check *b, const uint8_t *bytes, size_t n);
/* "ok", "marginal" (so many percent of the range, or of the one limit, beside a limit), "low", "high". */
const char *boot_check_verdict(const struct profile_measure *m, int64_t micro, unsigned near_percent);

#endif
