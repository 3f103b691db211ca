/* SPDX-License-Identifier: Apache-2.0 */
#include "line/boot_check.h"

#include <string.h>

void boot_check_init(struct boot_check *b, const struct profile_boot_check *want)
{
    *b = (struct boot_check){.expect = want->expect, .fail = want->fail, .measures = want->measures,
                             .n_measures = want->n_measures};
}

static bool holds(const struct boot_check *b, const char *pattern)
{
    return pattern && *pattern && memmem(b->tail, b->n, pattern, strlen(pattern)) != NULL;
}

/* What a chip itself prints when it is in trouble (ESP-IDF panic handler, brownout detector; ROM reset
 * cause 0xf of ESP32). */
static const struct {
    const char *text;
    enum boot_verdict verdict;
} trouble[] = {
    {"Guru Meditation Error", BOOT_PANIC},
    {"Fatal exception (", BOOT_PANIC},
    {"abort() was called at PC", BOOT_PANIC},
    {"assert failed: ", BOOT_PANIC},
    {"***ERROR*** A stack overflow", BOOT_PANIC},
    {"Brownout detector was triggered", BOOT_BROWNOUT},
    {"invalid header: 0x", BOOT_PANIC},
};

/* The tail as a text: a zero byte in it ends what can be found before it, so it is made a blank. */
static void text_of(const struct boot_check *b, char text[static BOOT_TAIL + 1])
{
    for (size_t i = 0; i < b->n; i++)
        text[i] = b->tail[i] ? (char)b->tail[i] : ' ';
    text[b->n] = 0;
}

static bool find_value(const char *text, const char *pattern, int64_t *micro)
{
    const char *mark = strstr(pattern, "{}"), *after = mark + 2, *end;
    size_t n = (size_t)(mark - pattern);
    for (const char *p = text; *p; p++) {
        if (strncmp(p, pattern, n) != 0)
            continue;
        const char *number = p + n + strspn(p + n, " ");
        if (profile_parse_decimal(number, micro, &end) && *end && (*end != '.' || end[1]) && strncmp(end, after, strlen(after)) == 0)
            return true;
    }
    return false;
}

static void look_for_values(struct boot_check *b)
{
    char text[BOOT_TAIL + 1];
    if (b->n_values == b->n_measures)
        return;
    text_of(b, text);
    for (size_t i = 0; i < b->n_measures; i++)
        if (!b->values[i].seen && find_value(text, b->measures[i].text, &b->values[i].micro)) {
            b->values[i].seen = true;
            b->n_values++;
        }
}

const char *boot_check_verdict(const struct profile_measure *m, int64_t v, unsigned near_percent)
{
    int64_t range = m->has_low && m->has_high ? m->high - m->low : m->has_low ? m->low : m->high;
    int64_t near = (range < 0 ? -range : range) / 100 * (int64_t)near_percent;
    if (m->has_low && v < m->low)
        return "low";
    if (m->has_high && v > m->high)
        return "high";
    if ((m->has_low && v < m->low + near) || (m->has_high && v > m->high - near))
        return "marginal";
    return "ok";
}

static enum boot_verdict look(struct boot_check *b)
{
    if (holds(b, b->fail))
        return BOOT_FAIL_TEXT;
    for (size_t i = 0; i < sizeof trouble / sizeof *trouble; i++)
        if (holds(b, trouble[i].text))
            return trouble[i].verdict;
    b->expected = b->expected || holds(b, b->expect);
    look_for_values(b);
    if (!b->expect && !b->n_measures)
        return BOOT_GO_ON; /* only what must not be said is listened for */
    return (b->expected || !b->expect) && b->n_values == b->n_measures ? BOOT_GOOD : BOOT_GO_ON;
}

enum boot_verdict boot_check_feed(struct boot_check *b, const uint8_t *bytes, size_t n)
{
    /* in pieces of half the tail, so that no match is pushed out between two looks */
    while (n) {
        size_t k = n < BOOT_TAIL - BOOT_PATTERN_MAX ? n : BOOT_TAIL - BOOT_PATTERN_MAX;
        if (b->n + k > BOOT_TAIL) {
            size_t drop = b->n + k - BOOT_TAIL;
            memmove(b->tail, b->tail + drop, b->n - drop);
            b->n -= drop;
        }
        memcpy(b->tail + b->n, bytes, k);
        b->n += k;
        b->seen += k;
        bytes += k;
        n -= k;
        enum boot_verdict v = look(b);
        if (v != BOOT_GO_ON)
            return v;
    }
    return BOOT_GO_ON;
}
