/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/qr.h"

#include <string.h>

/* Of level L, by version: check bytes of each block, and blocks (ISO/IEC 18004, table 9). */
static const uint8_t check_bytes[41] = {0,  7,  10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
                                        28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30};
static const uint8_t blocks[41] = {0, 1, 1, 1, 1,  1,  2,  2,  2,  2,  4,  4,  4,  4,  4,  6,  6,  6,  6,  7, 8,
                                   8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25};

enum { CODEWORDS_MAX = 3706, CHECK_MAX = 30, BLOCK_MAX = 153, FORMAT_MASK = 0x5412, LEVEL_L = 1 };

bool qr_width_ok(unsigned width)
{
    return width >= 21 && width <= QR_WIDTH_MAX && (width - 17) % 4 == 0;
}

/* ---- where what lies ---------------------------------------------------------------------------------------- */

static bool near_alignment(unsigned v, unsigned width, unsigned x, unsigned y)
{
    unsigned n = v / 7 + 2, step = v == 32 ? 26 : (v * 4 + n * 2 + 1) / (n * 2 - 2) * 2, at[7];
    if (v == 1)
        return false;
    for (unsigned i = 0; i < n; i++)
        at[i] = i ? width - 7 - (n - 1 - i) * step : 6;
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < n; k++) {
            bool corner = (i == 0 && k == 0) || (i == 0 && k == n - 1) || (i == n - 1 && k == 0); /* finders stand there */
            if (!corner && x + 2 >= at[i] && x <= at[i] + 2 && y + 2 >= at[k] && y <= at[k] + 2)
                return true;
        }
    return false;
}

/* Not for data: finders with format and dark module, timing, alignment, version. */
static bool reserved(unsigned width, unsigned x, unsigned y)
{
    unsigned v = (width - 17) / 4;
    bool finder = (x < 9 && y < 9) || (x >= width - 8 && y < 9) || (x < 9 && y >= width - 8);
    bool version = v >= 7 && ((x >= width - 11 && y < 6) || (y >= width - 11 && x < 6));
    return finder || version || x == 6 || y == 6 || near_alignment(v, width, x, y);
}

static bool masked(unsigned mask, unsigned x, unsigned y)
{
    switch (mask) {
    case 0:
        return (x + y) % 2 == 0;
    case 1:
        return y % 2 == 0;
    case 2:
        return x % 3 == 0;
    case 3:
        return (x + y) % 3 == 0;
    case 4:
        return (x / 3 + y / 2) % 2 == 0;
    case 5:
        return x * y % 2 + x * y % 3 == 0;
    case 6:
        return (x * y % 2 + x * y % 3) % 2 == 0;
    default:
        return ((x + y) % 2 + x * y % 3) % 2 == 0;
    }
}

/* Level and mask, from the five bits at the left of row 8. */
static unsigned format_of(const struct qr *q)
{
    unsigned bits = 0;
    for (unsigned x = 0; x < 5; x++)
        bits = bits << 1 | q->dark[8 * q->width + x];
    return bits ^ FORMAT_MASK >> 10;
}

/* Codewords in the order in which they lie: two columns at a time from the right, up and down by turns. Returns how many. */
static size_t read_codewords(const struct qr *q, unsigned mask, uint8_t out[static CODEWORDS_MAX])
{
    const unsigned w = q->width;
    size_t bits = 0;
    bool up = true;
    for (unsigned right = w - 1; right >= 1 && right < w; right -= 2, up = !up) {
        right -= right == 6; /* the timing column */
        for (unsigned i = 0; i < w; i++)
            for (unsigned k = 0; k < 2; k++) {
                unsigned x = right - k, y = up ? w - 1 - i : i;
                if (reserved(w, x, y) || bits / 8 >= CODEWORDS_MAX)
                    continue;
                bool bit = (q->dark[y * w + x] != 0) != masked(mask, x, y);
                out[bits / 8] = (uint8_t)(out[bits / 8] << 1 | bit);
                bits++;
            }
    }
    return bits / 8; /* up to 7 are left over */
}

/* ---- check bytes: Reed-Solomon over GF(256), x^8 + x^4 + x^3 + x^2 + 1 -------------------------------------------- */

static uint8_t times(uint8_t a, uint8_t b)
{
    unsigned z = 0;
    for (int i = 7; i >= 0; i--)
        z = (z << 1) ^ ((z >> 7) * 0x11du) ^ ((unsigned)b >> i & 1u) * a;
    return (uint8_t)z;
}

static void check_of(const uint8_t *data, size_t n, size_t checks, uint8_t out[static CHECK_MAX])
{
    uint8_t generator[CHECK_MAX] = {0}, root = 1;
    generator[checks - 1] = 1;
    for (size_t i = 0; i < checks; i++, root = times(root, 2))
        for (size_t k = 0; k < checks; k++)
            generator[k] = (uint8_t)(times(generator[k], root) ^ (k + 1 < checks ? generator[k + 1] : 0));
    memset(out, 0, CHECK_MAX);
    for (size_t i = 0; i < n; i++) {
        uint8_t factor = data[i] ^ out[0];
        memmove(out, out + 1, checks - 1);
        out[checks - 1] = 0;
        for (size_t k = 0; k < checks; k++)
            out[k] ^= times(generator[k], factor);
    }
}

/* The blocks' codewords, which lie by turns, put behind each other without their check bytes. 0: those are not right. */
static size_t gather(unsigned v, const uint8_t *raw, size_t n, uint8_t out[static CODEWORDS_MAX])
{
    size_t count = blocks[v], checks = check_bytes[v], shorter = count - n % count, data = n / count - checks, filled = 0;
    for (size_t b = 0; b < count; b++) {
        uint8_t *block = out + filled, want[CHECK_MAX];
        size_t len = data + (b >= shorter);
        for (size_t i = 0; i < data; i++)
            block[i] = raw[i * count + b];
        if (len > data)
            block[data] = raw[data * count + b - shorter];
        check_of(block, len, checks, want);
        for (size_t i = 0; i < checks; i++)
            if (raw[n - checks * count + i * count + b] != want[i])
                return 0;
        filled += len;
    }
    return filled;
}

/* ---- what it says -------------------------------------------------------------------------------------------------- */

/* Everything from here on is moved by the four bits of the mode in front. */
static uint8_t byte_at(const uint8_t *p, size_t i)
{
    return (uint8_t)(p[i] << 4 | p[i + 1] >> 4);
}

bool qr_holds(const struct qr *q, const void *bytes, size_t n)
{
    uint8_t raw[CODEWORDS_MAX] = {0}, data[CODEWORDS_MAX];
    unsigned v = (q->width - 17) / 4, format = format_of(q);
    if (!qr_width_ok(q->width) || format >> 3 != LEVEL_L)
        return false;
    size_t have = gather(v, raw, read_codewords(q, format & 7, raw), data), head = v < 10 ? 1 : 2, said = 0;
    if (have < head + 2 || data[0] >> 4 != 4) /* mode 4: bytes */
        return false;
    for (size_t i = 0; i < head; i++)
        said = said << 8 | byte_at(data, i);
    if (said != n || head + n + 1 > have)
        return false;
    for (size_t i = 0; i < n; i++)
        if (byte_at(data, head + i) != ((const uint8_t *)bytes)[i])
            return false;
    return (data[head + n] & 15) == 0; /* and then the end */
}
