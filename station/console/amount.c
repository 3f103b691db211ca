/* SPDX-License-Identifier: Apache-2.0 */
#include "console/amount.h"

#include <stdio.h>

const char *amount_seconds(uint64_t ms, char out[static AMOUNT_TEXT])
{
    if (ms < 60000)
        (void)snprintf(out, AMOUNT_TEXT, "%u.%u s", (unsigned)(ms / 1000), (unsigned)(ms / 100 % 10));
    else if (ms < 3600000)
        (void)snprintf(out, AMOUNT_TEXT, "%u:%02u min", (unsigned)(ms / 60000), (unsigned)(ms / 1000 % 60));
    else
        (void)snprintf(out, AMOUNT_TEXT, "%u:%02u h", (unsigned)(ms / 3600000 % 10000), (unsigned)(ms / 60000 % 60));
    return out;
}

const char *amount_speed(uint64_t rate, char out[static AMOUNT_TEXT])
{
    if (rate >= 1024)
        (void)snprintf(out, AMOUNT_TEXT, "%u.%u KiB/s", (unsigned)(rate / 1024 % 1000000), (unsigned)(rate % 1024 * 10 / 1024));
    else
        (void)snprintf(out, AMOUNT_TEXT, "%u B/s", (unsigned)rate);
    return out;
}
