/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.h: monotonic time for waiting and measuring, wall time for records.
 *
 * A deadline is made once at the start of an operation and passed down, so that no retry loop below
 * can exceed the caller's budget. All waits in flashline take one.
 *
 * Thread rule: no shared state; any thread.
 */
#ifndef FL_BASE_CLOCK_H
#define FL_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct fl_deadline {
    uint64_t at_ns; /* on the monotonic clock; UINT64_MAX: never */
};

uint64_t fl_mono_ns(void);
static inline uint64_t fl_mono_ms(void)
{
    return fl_mono_ns() / 1000000u;
}
int64_t fl_wall_ms(void); /* UTC, milliseconds since 1970 */

struct fl_deadline fl_deadline_in_ms(uint64_t ms);
struct fl_deadline fl_deadline_in_us(uint64_t us);
static inline struct fl_deadline fl_deadline_never(void)
{
    return (struct fl_deadline){UINT64_MAX};
}
/* The earlier of two. */
static inline struct fl_deadline fl_deadline_min(struct fl_deadline a, struct fl_deadline b)
{
    return a.at_ns < b.at_ns ? a : b;
}
static inline bool fl_deadline_passed(struct fl_deadline d)
{
    return d.at_ns != UINT64_MAX && fl_mono_ns() >= d.at_ns;
}
/* Nanoseconds left; 0 when passed, UINT64_MAX for never. */
uint64_t fl_deadline_left_ns(struct fl_deadline d);

enum { FL_TIME_TEXT = 25 };
/* "2026-11-22T08:00:00.000Z" (UTC, RFC 3339), and back. Parsing is strict: exactly this form. */
void fl_time_format(int64_t wall_ms, char out[static FL_TIME_TEXT]);
bool fl_time_parse(const char *text, int64_t *wall_ms);

#endif
