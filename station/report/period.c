/* SPDX-License-Identifier: Apache-2.0 */
#include "report/period.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MINUTE_MS = 60000 };
static const int64_t day_ms = 86400000;

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* ---- zones ------------------------------------------------------------------------------------------ */

/* Digits only, exactly n; -1 otherwise. */
static int digits(const char *s, int n)
{
    int v = 0;
    for (int i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return -1;
        v = 10 * v + s[i] - '0';
    }
    return v;
}

/* "+08:00" */
static bool offset_parse(const char *s, int *minutes)
{
    if ((*s != '+' && *s != '-') || strlen(s) != 6 || s[3] != ':')
        return false;
    int h = digits(s + 1, 2), m = digits(s + 4, 2);
    *minutes = (*s == '-' ? -1 : 1) * (60 * h + m);
    return h >= 0 && h <= 14 && m >= 0 && m < 60;
}

enum fl_err zone_parse(const char *text, struct zone *out, struct fl_why *why)
{
    *out = (struct zone){false, 0};
    if (!text || strcmp(text, "UTC") == 0 || strcmp(text, "Z") == 0)
        return FL_OK;
    if (strcmp(text, "local") == 0) {
        out->local = true;
        tzset();
        return FL_OK;
    }
    if (!offset_parse(text, &out->offset_min))
        return fl_fail(why, FL_ARG, "'%.40s' is no time zone: UTC, local, or an offset such as +08:00", text);
    return FL_OK;
}

static int64_t offset_ms(const struct zone *z, int64_t ms)
{
    time_t t = (time_t)floor_div(ms, 1000);
    struct tm tm;
    if (!z->local)
        return (int64_t)z->offset_min * MINUTE_MS;
    return localtime_r(&t, &tm) ? (int64_t)tm.tm_gmtoff * 1000 : 0;
}

/* The first moment at which clocks in the zone show `shown`; where they jump over it, the moment of the jump. A clock that goes back
 * shows an hour twice. */
static int64_t from_shown(const struct zone *z, int64_t shown)
{
    int64_t before = offset_ms(z, shown - day_ms), after = offset_ms(z, shown + day_ms), low = shown - after, high = shown - before;
    if (before == after || offset_ms(z, high) == before)
        return high;
    if (after < before || offset_ms(z, low) == after)
        return low;
    low = floor_div(low, 1000); /* zones change on whole seconds */
    high = floor_div(high, 1000);
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (offset_ms(z, middle * 1000) == before)
            low = middle;
        else
            high = middle;
    }
    return high * 1000;
}

const char *zone_name(const struct zone *z, char out[static 8])
{
    int m = abs(z->offset_min);
    if (z->local)
        return "local time";
    if (m == 0)
        return "UTC";
    (void)snprintf(out, 8, "%c%02d:%02d", z->offset_min < 0 ? '-' : '+', m / 60 % 100, m % 60);
    return out;
}

/* ---- periods ---------------------------------------------------------------------------------------- */

/* "08:30" as minutes, -1: none. */
static int clock_parse(const char *s)
{
    int h = digits(s, 2), m = s[0] && s[1] && s[2] == ':' ? digits(s + 3, 2) : -1;
    return h < 0 || h > 23 || m < 0 || m > 59 ? -1 : 60 * h + m;
}

enum fl_err shifts_parse(const char *text, struct period *out, struct fl_why *why)
{
    const char *s = text ? text : "06:00,14:00,22:00";
    out->shifts = 0;
    for (;;) {
        int m = clock_parse(s);
        bool more = m >= 0 && s[5] == ',';
        if (m < 0 || (s[5] && !more) || out->shifts == PERIOD_SHIFTS_MAX ||
            (out->shifts && m <= out->shift_min[out->shifts - 1]))
            return fl_fail(why, FL_ARG, "'%.60s' are no shifts: up to %d rising times of the day, such as 06:00,14:00,22:00",
                           text, PERIOD_SHIFTS_MAX);
        out->shift_min[out->shifts++] = m;
        if (!more)
            return FL_OK;
        s += 6;
    }
}

/* Periods have no holes and do not overlap, also where the clock is set: one lasts until the next begins, whatever clocks show in
 * between. Where no clock is set within a day of `ms` its own offset holds for all borders that can matter. */
int64_t period_start(const struct period *p, int64_t ms)
{
    static const int midnight[] = {0};
    bool by_shift = p->kind == PERIOD_SHIFT;
    int n = by_shift ? p->shifts : 1;
    const int *begins = by_shift ? p->shift_min : midnight;
    int64_t offset = offset_ms(&p->zone, ms), shown = ms + offset, day = floor_div(shown, day_ms) * day_ms;
    if (p->kind == PERIOD_HOUR)
        return ms - (shown - floor_div(shown, 3600000) * 3600000);
    bool set = p->zone.local && offset_ms(&p->zone, ms - 2 * day_ms) != offset_ms(&p->zone, ms + 2 * day_ms);
    for (int64_t d = set ? day + day_ms : day;; d -= day_ms)
        for (int i = n - 1; i >= 0; i--) {
            int64_t border = d + (int64_t)begins[i] * MINUTE_MS;
            border = set ? from_shown(&p->zone, border) : border - offset;
            if (border <= ms)
                return border;
        }
}

void zone_text(const struct zone *z, int64_t ms, char out[static PERIOD_TEXT])
{
    char iso[FL_TIME_TEXT];
    fl_time_format(ms + offset_ms(z, ms), iso);
    (void)snprintf(out, PERIOD_TEXT, "%.10s %.5s", iso, iso + 11);
}

void period_text(const struct period *p, int64_t start_ms, char out[static PERIOD_TEXT])
{
    zone_text(&p->zone, start_ms, out);
    if (p->kind == PERIOD_DAY)
        out[10] = 0;
}

/* ---- times ------------------------------------------------------------------------------------------ */

/* "24h": so many milliseconds; -1: not of this form. */
static int64_t span_parse(const char *s)
{
    static const struct {
        char unit;
        int64_t ms;
    } unit[] = {{'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    size_t n = strspn(s, "0123456789");
    for (size_t i = 0; i < sizeof unit / sizeof *unit && n > 0 && n < 7; i++)
        if (s[n] == unit[i].unit && !s[n + 1])
            return atoll(s) * unit[i].ms;
    return -1;
}

/* "5", "50", "500": parts of a second, three digits at most. How many there are, which is 0 where they are none. */
static size_t millis_parse(const char *s, int *ms)
{
    size_t n = strspn(s, "0123456789");
    *ms = n > 0 && n <= 3 ? digits(s, (int)n) * (n == 1 ? 100 : n == 2 ? 10 : 1) : -1;
    return n;
}

enum fl_err time_parse(const char *text, const struct zone *zone, int64_t now_ms, int64_t *out, struct fl_why *why)
{
    char iso[32];
    const char *rest = text;
    int minutes = 0, clock = 0, seconds = 0, ms = 0;
    int64_t span = span_parse(text);
    if (span >= 0 && span <= now_ms) {
        *out = now_ms - span;
        return FL_OK;
    }
    bool ok = strlen(text) >= 10 && digits(text, 4) >= 1970 && text[4] == '-' && digits(text + 5, 2) > 0 && text[7] == '-' &&
              digits(text + 8, 2) > 0;
    if (ok)
        rest = text + 10;
    if (ok && (*rest == 'T' || *rest == ' ')) {
        clock = clock_parse(rest + 1);
        ok = clock >= 0;
        rest += ok ? 6 : 0;
        if (ok && *rest == ':') {
            seconds = digits(rest + 1, 2);
            ok = seconds >= 0 && seconds < 60;
            rest += ok ? 3 : 0;
            rest += ok && *rest == '.' ? 1 + millis_parse(rest + 1, &ms) : 0;
            ok = ok && ms >= 0;
        }
    }
    bool fixed = ok && (strcmp(rest, "Z") == 0 || offset_parse(rest, &minutes));
    if (!ok || (!fixed && *rest))
        return fl_fail(why, FL_ARG, "'%.40s' is no time: 2026-11-22, 2026-11-22T08:30, either with Z or +08:00 behind it, or 24h, 7d ago", text);
    (void)snprintf(iso, sizeof iso, "%.10sT%02d:%02d:%02d.%03dZ", text, clock / 60 % 100, clock % 60, seconds % 100, ms % 1000);
    if (!fl_time_parse(iso, out))
        return fl_fail(why, FL_ARG, "'%.40s' is no time: there is no %.10s", text, text);
    *out = fixed ? *out - (int64_t)minutes * MINUTE_MS : from_shown(zone, *out);
    return FL_OK;
}
