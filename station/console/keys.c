/* SPDX-License-Identifier: Apache-2.0 */
#include "console/keys.h"

#include <string.h>

static bool is_letter(char c)
{
    return c && strchr(KEYS_LETTERS, c) != NULL;
}

/* A key is remembered with those just before it: a slow scanner's code may have begun with them. */
static void remember(struct keys *k)
{
    for (size_t i = 0; i < k->n && k->n_given < KEYS_CODE_MAX; i++)
        k->given[k->n_given++] = k->code[i];
}

static enum keys_is give(struct keys *k, enum keys_is is, char text[static KEYS_CODE_MAX + 1])
{
    memcpy(text, k->code, k->n);
    text[k->n] = 0;
    if (is == KEYS_KEY && is_letter(k->code[0]))
        remember(k);
    else
        k->n_given = 0;
    k->after_code = is == KEYS_CODE || is == KEYS_TOO_LONG;
    k->n = 0;
    k->too_long = false;
    return is;
}

static bool one_key(const struct keys *k)
{
    for (size_t i = 1; i < k->n; i++)
        if (k->code[i] != k->code[0])
            return false;
    return !k->too_long && k->n > 0;
}

uint64_t keys_due_ms(const struct keys *k)
{
    return !k->n ? UINT64_MAX : k->last_ms + (k->n == 1 && is_letter(k->code[0]) ? KEYS_QUICK_MS : KEYS_HALF_MS);
}

enum keys_is keys_waited(struct keys *k, uint64_t now_ms, char text[static KEYS_CODE_MAX + 1])
{
    if (now_ms < keys_due_ms(k))
        return KEYS_NOTHING;
    return give(k, one_key(k) ? KEYS_KEY : KEYS_HALF, text);
}

/* Nobody's hand: the keys given so far were the beginning of a code, and `c` goes on with it. */
static bool takes_back(struct keys *k, char c, char text[static KEYS_CODE_MAX + 1])
{
    if (k->n || !k->n_given || (is_letter(c) && k->given[k->n_given - 1] != KEYS_ASKS))
        return false;
    memcpy(k->code, k->given, k->n_given);
    memcpy(text, k->given, k->n_given);
    text[k->n_given] = 0;
    k->n = k->n_given;
    k->n_given = 0;
    return true;
}

static enum keys_is character(struct keys *k, char c, uint64_t gap_ms, char text[static KEYS_CODE_MAX + 1])
{
    k->after_code = false;
    if ((unsigned char)c < 0x20 || c == 0x7f) /* what some scanners put around a code */
        return KEYS_NOTHING;
    if (gap_ms > KEYS_HAND_MS)
        k->n_given = 0;
    bool back = takes_back(k, c, text);
    if (k->n)
        k->slowest_ms = gap_ms > k->slowest_ms ? gap_ms : k->slowest_ms;
    else
        k->slowest_ms = 0;
    if (k->n < KEYS_CODE_MAX)
        k->code[k->n++] = c;
    else if (one_key(k))
        return give(k, KEYS_KEY, text); /* held down for long: what there is, then on */
    else
        k->too_long = true;
    return back ? KEYS_BACK : KEYS_NOTHING;
}

enum keys_is keys_typed(struct keys *k, char c, uint64_t now_ms, char text[static KEYS_CODE_MAX + 1])
{
    uint64_t gap_ms = now_ms - k->last_ms;
    k->last_ms = now_ms;
    if (c != '\r' && c != '\n' && c != '\t')
        return character(k, c, gap_ms, text);
    if (k->n) {
        k->slowest_ms = gap_ms > k->slowest_ms ? gap_ms : k->slowest_ms;
        return give(k, k->too_long ? KEYS_TOO_LONG : KEYS_CODE, text);
    }
    bool rest = k->after_code && (gap_ms < KEYS_QUICK_MS || gap_ms <= k->slowest_ms + k->slowest_ms / 2);
    k->after_code = false;
    k->n_given = 0;
    if (rest)
        return KEYS_NOTHING;
    text[0] = '\n';
    text[1] = 0;
    return KEYS_KEY;
}
