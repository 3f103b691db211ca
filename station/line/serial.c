/* SPDX-License-Identifier: Apache-2.0 */
#include "line/serial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum field { FIELD_TEXT, FIELD_N, FIELD_LOT, FIELD_DATE, FIELD_BAD, FIELD_END };

struct part {
    enum field field;
    const char *text; /* FIELD_TEXT: one byte; FIELD_DATE: strftime's letter */
    size_t width;     /* digits */
};

/* The part at *p, which is moved behind it. */
static struct part next(const char **p)
{
    static const struct {
        const char *name, *letter;
        size_t width;
    } dates[] = {{"{yyyy}", "Y", 4}, {"{yy}", "y", 2}, {"{mm}", "m", 2}, {"{dd}", "d", 2}, {"{ww}", "V", 2}};
    const char *at = *p;
    if (!*at)
        return (struct part){FIELD_END, at, 0};
    if (*at == '}')
        return (struct part){FIELD_BAD, at, 0};
    if (*at != '{') {
        (*p)++;
        return (struct part){FIELD_TEXT, at, 1};
    }
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++)
        if (strncmp(at, dates[i].name, strlen(dates[i].name)) == 0) {
            *p += strlen(dates[i].name);
            return (struct part){FIELD_DATE, dates[i].letter, dates[i].width};
        }
    if (strncmp(at, "{lot}", 5) == 0 || strncmp(at, "{n}", 3) == 0) {
        *p += at[1] == 'n' ? 3 : 5;
        return (struct part){at[1] == 'n' ? FIELD_N : FIELD_LOT, at, 0};
    }
    if (strncmp(at, "{n:", 3) == 0 && at[3] >= '1' && at[3] <= '9' && at[4] == '}') {
        *p += 5;
        return (struct part){FIELD_N, at, (size_t)(at[3] - '0')};
    }
    return (struct part){FIELD_BAD, at, 0};
}

enum fl_err serial_check(const char *text, struct fl_why *why)
{
    unsigned counters = 0;
    for (const char *p = text;;) {
        struct part part = next(&p);
        if (part.field == FIELD_END)
            break;
        if (part.field == FIELD_BAD)
            return fl_fail(why, FL_FORMAT, "serial.template: '%.20s' is no field, expected {n}, {n:1} to {n:9}, {lot}, "
                                           "{yy}, {yyyy}, {mm}, {dd} or {ww}", part.text);
        if (part.field == FIELD_TEXT && ((unsigned char)*part.text < 0x21 || (unsigned char)*part.text > 0x7e))
            return fl_fail(why, FL_FORMAT, "serial.template: letters, digits and signs only, no blank");
        counters += part.field == FIELD_N;
    }
    return counters == 1 ? FL_OK : fl_fail(why, FL_FORMAT, "serial.template has {n} %s, expected it once",
                                           counters ? "more than once" : "nowhere");
}

static size_t date(char *out, size_t cap, char letter, const struct tm *t)
{
    return letter == 'Y'   ? strftime(out, cap, "%Y", t)
           : letter == 'y' ? (size_t)snprintf(out, cap, "%02d", t->tm_year % 100)
           : letter == 'm' ? strftime(out, cap, "%m", t)
           : letter == 'd' ? strftime(out, cap, "%d", t)
                           : strftime(out, cap, "%V", t);
}

enum fl_err serial_format(const char *text, uint64_t n, const char *lot, int64_t wall_ms, char out[static SERIAL_TEXT_MAX])
{
    time_t when = (time_t)(wall_ms / 1000);
    struct tm utc;
    size_t at = 0;
    if (!gmtime_r(&when, &utc))
        return FL_ARG;
    for (const char *p = text;;) {
        struct part part = next(&p);
        char piece[SERIAL_TEXT_MAX] = "";
        int len = 0;
        if (part.field == FIELD_END)
            break;
        if (part.field == FIELD_N)
            len = snprintf(piece, sizeof piece, "%0*llu", (int)part.width, (unsigned long long)n);
        else if (part.field == FIELD_LOT)
            len = snprintf(piece, sizeof piece, "%s", lot);
        else if (part.field == FIELD_DATE)
            len = (int)date(piece, sizeof piece, *part.text, &utc);
        else
            len = snprintf(piece, sizeof piece, "%c", *part.text);
        if (len < 0 || at + (size_t)len >= SERIAL_TEXT_MAX)
            return FL_LIMIT;
        memcpy(out + at, piece, (size_t)len);
        at += (size_t)len;
    }
    out[at] = 0;
    return FL_OK;
}

/* How many bytes all but the counter have: each of them has always as many. */
static size_t others(const char *text, const char *lot)
{
    size_t n = 0;
    for (const char *p = text;;) {
        struct part part = next(&p);
        if (part.field == FIELD_END || part.field == FIELD_BAD)
            return n;
        n += part.field == FIELD_LOT ? strlen(lot) : part.field == FIELD_N ? 0 : part.width;
    }
}

/* `take` digits as serial_format writes them: zeros in front up to the width only. */
static bool counter_at(const char *s, size_t take, size_t width, uint64_t *n)
{
    char number[24] = "";
    if (!take || take >= sizeof number || take < width || strspn(s, "0123456789") < take || (*s == '0' && take > (width ? width : 1)))
        return false;
    memcpy(number, s, take);
    *n = strtoull(number, NULL, 10);
    return true;
}

bool serial_counter(const char *text, const char *lot, const char *serial, uint64_t *n)
{
    size_t fixed = others(text, lot), all = strlen(serial), take = all > fixed ? all - fixed : 0;
    const char *s = serial; /* as long as all parts together: no part of it lies behind its end */
    for (const char *p = text; take;) {
        struct part part = next(&p);
        switch (part.field) {
        case FIELD_END:
            return *s == 0;
        case FIELD_TEXT:
            if (*s++ != *part.text)
                return false;
            break;
        case FIELD_LOT:
            if (strncmp(s, lot, strlen(lot)) != 0)
                return false;
            s += strlen(lot);
            break;
        case FIELD_DATE:
            if (strspn(s, "0123456789") < part.width)
                return false;
            s += part.width;
            break;
        case FIELD_N:
            if (!counter_at(s, take, part.width, n))
                return false;
            s += take;
            break;
        case FIELD_BAD:
            return false;
        }
    }
    return false;
}
