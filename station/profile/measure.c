/* SPDX-License-Identifier: Apache-2.0
 * Numbers with their limits, in millionths. */
#include "profile/profile.h"

#include <stdio.h>
#include <string.h>

enum { PLACES = 6 };
#define WHOLE_MAX 1000000000000 /* 10^12: with six places far inside 63 bits */

bool profile_parse_decimal(const char *text, int64_t *micro, const char **end)
{
    const char *p = text;
    bool minus = *p == '-';
    p += *p == '-' || *p == '+';
    if (*p < '0' || *p > '9')
        return false;
    int64_t v = 0;
    for (; *p >= '0' && *p <= '9'; p++)
        if ((v = v * 10 + (*p - '0')) > WHOLE_MAX)
            return false;
    int places = 0;
    if (*p == '.' && p[1] >= '0' && p[1] <= '9')
        for (p++; *p >= '0' && *p <= '9'; p++) {
            if (places == PLACES)
                return false;
            v = v * 10 + (*p - '0');
            places++;
        }
    for (; places < PLACES; places++)
        v *= 10;
    *micro = minus ? -v : v;
    *end = p;
    return true;
}

bool profile_parse_limits(const char *text, struct profile_measure *out)
{
    const char *p = text;
    memset(out, 0, sizeof *out);
    if (strncmp(p, "..", 2) != 0 && !(out->has_low = profile_parse_decimal(p, &out->low, &p)))
        return false;
    if (strncmp(p, "..", 2) != 0)
        return false;
    p += 2;
    if (*p && *p != ' ' && !(out->has_high = profile_parse_decimal(p, &out->high, &p)))
        return false;
    if (*p == ' ')
        p++;
    else if (*p)
        return false;
    if (strlen(p) >= sizeof out->unit || strchr(p, ' '))
        return false;
    (void)snprintf(out->unit, sizeof out->unit, "%s", p);
    return (out->has_low || out->has_high) && (!out->has_low || !out->has_high || out->low <= out->high);
}
