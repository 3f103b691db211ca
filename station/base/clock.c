/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <string.h>
#include <time.h>

uint64_t fl_mono_ns(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with this clock and a valid pointer */
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int64_t fl_wall_ms(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct fl_deadline in_ns(uint64_t ns)
{
    uint64_t now = fl_mono_ns();
    return (struct fl_deadline){ns > UINT64_MAX - 1 - now ? UINT64_MAX : now + ns};
}

struct fl_deadline fl_deadline_in_ms(uint64_t ms)
{
    return in_ns(ms > UINT64_MAX / 1000000u ? UINT64_MAX : ms * 1000000u);
}

struct fl_deadline fl_deadline_in_us(uint64_t us)
{
    return in_ns(us > UINT64_MAX / 1000u ? UINT64_MAX : us * 1000u);
}

uint64_t fl_deadline_left_ns(struct fl_deadline d)
{
    if (d.at_ns == UINT64_MAX)
        return UINT64_MAX;
    uint64_t now = fl_mono_ns();
    return now >= d.at_ns ? 0 : d.at_ns - now;
}

/* ---- as text: by hand, both ways, because a log of millions of records is read again at every start -------- */

static void put_digits(char *to, int64_t v, int n)
{
    while (n--) {
        to[n] = (char)('0' + v % 10);
        v /= 10;
    }
}

/* Days since 1970-01-01 as a date, proleptic Gregorian. Years run from March, so that the leap day is the last. */
static void put_date(char *to, int64_t days)
{
    int64_t d = days + 719468, era = (d >= 0 ? d : d - 146096) / 146097, of_era = d - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), m = (5 * of_year + 2) / 153;
    int64_t month = m < 10 ? m + 3 : m - 9;
    year += era * 400 + (month <= 2);
    /* years outside 0..9999 cannot be written in this form; they are held at its ends */
    put_digits(to, year < 0 ? 0 : year > 9999 ? 9999 : year, 4);
    put_digits(to + 5, month, 2);
    put_digits(to + 8, of_year - (153 * m + 2) / 5 + 1, 2);
}

void fl_time_format(int64_t wall_ms, char out[static FL_TIME_TEXT])
{
    static const int64_t day_ms = 86400000;
    int64_t days = wall_ms / day_ms, ms = wall_ms % day_ms;
    if (ms < 0) {
        ms += day_ms;
        days--;
    }
    memcpy(out, "0000-00-00T00:00:00.000Z", FL_TIME_TEXT);
    put_date(out, days);
    put_digits(out + 11, ms / 3600000, 2);
    put_digits(out + 14, ms / 60000 % 60, 2);
    put_digits(out + 17, ms / 1000 % 60, 2);
    put_digits(out + 20, ms % 1000, 3);
}

static int number(const char *digits, int n)
{
    int v = 0;
    while (n--)
        v = 10 * v + (*digits++ - '0');
    return v;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01, proleptic Gregorian. Years run from March, so that the leap day is the last. */
static int64_t days_to(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;
    int64_t before = y * 365 + (y + 400) / 4 - (y + 400) / 100 + (y + 400) / 400 - 97;
    return before + (153 * m + 2) / 5 + day - 1 - 719468;
}

bool fl_time_parse(const char *text, int64_t *wall_ms)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    if (strlen(text) != sizeof form - 1)
        return false;
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    int year = number(text, 4), month = number(text + 5, 2), day = number(text + 8, 2);
    int hour = number(text + 11, 2), minute = number(text + 14, 2), second = number(text + 17, 2);
    if (month < 1 || month > 12 || day < 1 || day > month_days(year, month) || hour > 23 || minute > 59 || second > 59)
        return false;
    int64_t s = ((days_to(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    *wall_ms = s * 1000 + number(text + 20, 3);
    return true;
}
