/* SPDX-License-Identifier: Apache-2.0 */
#include "console/keys.h"

#include <string.h>

static enum keys_is give(struct keys *k, enum keys_is is, char text[static KEYS_CODE_MAX + 1])
{
    memcpy(text, k->code, k->n);
    text[k->n] = 0;
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
    return !k->n ? UINT64_MAX : k->last_ms + (k->n == 1 ? KEYS_QUICK_MS : KEYS_HALF_MS);
}

enum keys_is keys_waited(struct keys *k, uint64_t now_ms, char text[static KEYS_CODE_MAX + 1])
{
    if (now_ms < keys_due_ms(k))
        return KEYS_NOTHING;
    return give(k, one_key(k) ? KEYS_KEY : KEYS_HALF, text);
}

enum keys_is keys_typed(struct keys *k, char c, uint64_t now_ms, char text[static KEYS_CODE_MAX + 1])
{
    bool quick = now_ms - k->last_ms < KEYS_QUICK_MS, end = c == '\r' || c == '\n' || c == '\t';
    k->last_ms = now_ms;
    if (!end) {
        k->after_code = false;
        if ((unsigned char)c < 0x20 || c == 0x7f) /* what some scanners put around a code */
            return KEYS_NOTHING;
        if (k->n < KEYS_CODE_MAX)
            k->code[k->n++] = c;
        else if (one_key(k))
            return give(k, KEYS_KEY, text); /* held down for long: what there is, then on */
        else
            k->too_long = true;
        return KEYS_NOTHING;
    }
    if (k->n)
        return give(k, k->too_long ? KEYS_TOO_LONG : KEYS_CODE, text);
    bool rest = k->after_code && quick;
    k->after_code = false;
    if (rest)
        return KEYS_NOTHING;
    text[0] = '\n';
    text[1] = 0;
    return KEYS_KEY;
}
