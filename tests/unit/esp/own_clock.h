/* SPDX-License-Identifier: Apache-2.0
 * own_clock.h: a clock that stands still while anybody computes, and is set by whoever waits.
 *
 * It is base/clock.c compiled here over another clock_gettime: a program that includes this header has no other
 * clock. One clock a thread: runs in parallel threads do not see each other.
 */
#ifndef FL_TESTS_ESP_OWN_CLOCK_H
#define FL_TESTS_ESP_OWN_CLOCK_H

#include <stdint.h>
#include <time.h>

static _Thread_local uint64_t own_now = 1000000000u; /* ns */

static int own_gettime(clockid_t id, struct timespec *ts)
{
    (void)id;
    ts->tv_sec = (time_t)(own_now / 1000000000u);
    ts->tv_nsec = (long)(own_now % 1000000000u);
    return 0;
}
#define clock_gettime own_gettime
#include "base/clock.c"
#undef clock_gettime

#endif
