/* SPDX-License-Identifier: Apache-2.0
 *
 * period.h: hours, shifts and days in the reader's time zone, and times as people write them.
 *
 * Records keep UTC. A zone is "UTC", "local" (this machine's) or an offset such as +08:00 or +05:45. Shifts begin at given
 * times of the day, the same every day; the part of a day before the first belongs to the last shift of the day before. Where
 * clocks are set, a time that is shown twice is its first moment, one that is jumped over the moment of the jump; a day or shift
 * lasts until the next begins.
 *
 * Thread rule: pure, but for "local", which asks the C library.
 */
#ifndef FL_REPORT_PERIOD_H
#define FL_REPORT_PERIOD_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum period_kind { PERIOD_HOUR, PERIOD_SHIFT, PERIOD_DAY };
enum { PERIOD_SHIFTS_MAX = 12, PERIOD_TEXT = 20, PERIOD_HALF_MS = 1800000 };

struct zone {
    bool local;
    int offset_min;
};
struct period {
    enum period_kind kind;
    struct zone zone;
    int shift_min[PERIOD_SHIFTS_MAX]; /* minutes after midnight, rising */
    int shifts;
};

/* NULL: UTC. FL_ARG: no zone. */
FL_MUST enum fl_err zone_parse(const char *text, struct zone *out, struct fl_why *why);
/* "06:00,14:00,22:00", which is also what NULL means. FL_ARG. */
FL_MUST enum fl_err shifts_parse(const char *text, struct period *out, struct fl_why *why);

/* "2026-11-22", "2026-11-22T08:30" (or a blank for the T; seconds are welcome, to the millisecond: 08:30:15.250) in `zone` unless Z
 * or an offset follows; or "24h", "7d", "90m": so long before now_ms. FL_ARG: none of these, or no such day. */
FL_MUST enum fl_err time_parse(const char *text, const struct zone *zone, int64_t now_ms, int64_t *out, struct fl_why *why);

/* When the period around `ms` began. */
int64_t period_start(const struct period *p, int64_t ms);
/* "2026-11-22 14:00", of a day "2026-11-22". */
void period_text(const struct period *p, int64_t start_ms, char out[static PERIOD_TEXT]);
/* "2026-11-22 14:30" in the zone. */
void zone_text(const struct zone *z, int64_t ms, char out[static PERIOD_TEXT]);
const char *zone_name(const struct zone *z, char out[static 8]);

#endif
