/* SPDX-License-Identifier: Apache-2.0
 *
 * utf8.h: is this UTF-8, and may it go to a terminal? Pure.
 */
#ifndef FL_BASE_UTF8_H
#define FL_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Length of the UTF-8 sequence at p (1..4; left >= 1), 0 when it is none. Overlong forms, surrogates
 * and values above U+10FFFF are none (RFC 3629). */
static inline size_t fl_utf8_len(const uint8_t *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xC2 && p[0] <= 0xDF   ? 2
               : p[0] >= 0xE0 && p[0] <= 0xEF ? 3
               : p[0] >= 0xF0 && p[0] <= 0xF4 ? 4
                                              : 0;
    if (!n || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
        (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return n;
}

static inline bool fl_utf8_ok(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t k = fl_utf8_len(p + i, n - i);
        if (k == 0)
            return false;
        i += k;
    }
    return true;
}

/* C0, DEL, C1: what steers a terminal; U+202A..202E, U+2066..2069: what turns the text around it, so that another one is read.
 * n as fl_utf8_len has it. */
static inline bool fl_utf8_control(const uint8_t *p, size_t n)
{
    bool turns = n == 3 && p[0] == 0xE2 && ((p[1] == 0x80 && p[2] >= 0xAA && p[2] <= 0xAE) || (p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9));
    return *p < 0x20 || *p == 0x7f || (n == 2 && p[0] == 0xC2 && p[1] < 0xA0) || turns;
}

/* Text without such? Then it can be shown and recorded as it is. */
static inline bool fl_utf8_plain(const char *text)
{
    const uint8_t *p = (const uint8_t *)text;
    for (size_t left = strlen(text), n; left; p += n, left -= n) {
        n = fl_utf8_len(p, left);
        if (!n || fl_utf8_control(p, n))
            return false;
    }
    return true;
}

/* For eyes: what is not UTF-8 and every control character becomes '?', so that no record, file or damaged database can speak
 * to the terminal. `lines`: newlines and tabs stay. In place. */
static inline void fl_utf8_clean(char *text, bool lines)
{
    size_t left = strlen(text);
    for (uint8_t *p = (uint8_t *)text; left;) {
        size_t n = fl_utf8_len(p, left);
        bool control = fl_utf8_control(p, n);
        if (!n)
            n = 1, control = true;
        if (control && !(lines && (*p == '\n' || *p == '\t')))
            for (size_t i = 0; i < n; i++)
                p[i] = '?';
        p += n;
        left -= n;
    }
}

#endif
