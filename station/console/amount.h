/* SPDX-License-Identifier: Apache-2.0
 *
 * amount.h: times and rates as people read them. Pure.
 */
#ifndef FL_CONSOLE_AMOUNT_H
#define FL_CONSOLE_AMOUNT_H

#include <stdint.h>

enum { AMOUNT_TEXT = 24 };

/* "8.5 s", "2:05 min", "1:30 h"; returns out. */
const char *amount_seconds(uint64_t ms, char out[static AMOUNT_TEXT]);
/* Bytes a second: "81.0 KiB/s", "900 B/s". */
const char *amount_speed(uint64_t rate, char out[static AMOUNT_TEXT]);

#endif
