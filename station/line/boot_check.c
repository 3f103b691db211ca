/* SPDX-License-Identifier: Apache-2.0 */
#include "line/boot_check.h"

#include <string.h>

void boot_check_init(struct boot_check *b, const char *expect, const char *fail)
{
    *b = (struct boot_check){.expect = expect, .fail = fail};
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
    {"Brownout detector was triggered", BOOT_BROWNOUT},
    {"invalid header: 0x", BOOT_PANIC},
};

static enum boot_verdict look(const struct boot_check *b)
{
    if (holds(b, b->fail))
        return BOOT_FAIL_TEXT;
    for (size_t i = 0; i < sizeof trouble / sizeof *trouble; i++)
        if (holds(b, trouble[i].text))
            return trouble[i].verdict;
    return holds(b, b->expect) ? BOOT_GOOD : BOOT_GO_ON;
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
