/* SPDX-License-Identifier: Apache-2.0 */
#include "base/b64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void b64_encode(const uint8_t *bytes, size_t n, char *out)
{
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)bytes[i] << 16 | (uint32_t)(left > 1 ? bytes[i + 1] : 0) << 8 |
                     (uint32_t)(left > 2 ? bytes[i + 2] : 0);
        *out++ = alphabet[v >> 18];
        *out++ = alphabet[v >> 12 & 63];
        *out++ = left > 1 ? alphabet[v >> 6 & 63] : '=';
        *out++ = left > 2 ? alphabet[v & 63] : '=';
    }
    *out = 0;
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool b64_decode(const char *text, size_t text_n, uint8_t *out, size_t cap, size_t *n)
{
    *n = 0;
    if (text_n % 4 != 0)
        return false;
    for (size_t i = 0; i < text_n; i += 4) {
        bool last = i + 4 == text_n;
        size_t pad = !last ? 0 : text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
        uint32_t v = 0;
        for (size_t k = 0; k < 4; k++) {
            int x = k >= 4 - pad ? 0 : value_of(text[i + k]);
            if (x < 0)
                return false;
            v = v << 6 | (uint32_t)x;
        }
        /* the bits that padding leaves over must be zero, or "dTV=" and "dTU=" would mean the same */
        if (v & ((1u << 8 * pad) - 1) || cap - *n < 3 - pad)
            return false;
        for (size_t k = 0; k < 3 - pad; k++)
            out[(*n)++] = (uint8_t)(v >> (16 - 8 * k));
    }
    return true;
}
