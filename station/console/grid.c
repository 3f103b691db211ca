/* SPDX-License-Identifier: Apache-2.0 */
#include "console/grid.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_MAX = 2000 };

enum fl_err grid_init(struct grid *g, int w, int h, bool utf8)
{
    *g = (struct grid){.w = w < 1 ? 1 : w > SIDE_MAX ? SIDE_MAX : w, .h = h < 1 ? 1 : h > SIDE_MAX ? SIDE_MAX : h,
                       .utf8 = utf8};
    g->cell = calloc((size_t)g->w * (size_t)g->h, sizeof *g->cell);
    if (!g->cell)
        return FL_NOMEM;
    grid_clear(g);
    return FL_OK;
}

void grid_fini(struct grid *g)
{
    free(g->cell);
    *g = (struct grid){0, 0, false, NULL};
}

void grid_clear(struct grid *g)
{
    grid_fill(g, 0, 0, g->w, g->h, ' ', 0, 0);
}

void grid_fill(struct grid *g, int x, int y, int w, int h, uint32_t ch, uint8_t tone, uint8_t flags)
{
    for (int row = y < 0 ? 0 : y; row < y + h && row < g->h; row++)
        for (int col = x < 0 ? 0 : x; col < x + w && col < g->w; col++)
            g->cell[row * g->w + col] = (struct grid_cell){ch, tone, flags};
}

/* East Asian Wide and Fullwidth (Unicode UAX #11), in the blocks that texts here can hold. */
static int columns(uint32_t c)
{
    static const struct {
        uint32_t from, to;
        int width;
    } row[] = {
        {0x0000, 0x001F, 0}, {0x007F, 0x009F, 0}, {0x0300, 0x036F, 0}, {0x200B, 0x200F, 0}, {0x2028, 0x202E, 0},
        {0x2060, 0x206F, 0}, {0xFE00, 0xFE0F, 0}, {0xFEFF, 0xFEFF, 0}, {0x1100, 0x115F, 2}, {0x2E80, 0x303E, 2},
        {0x3041, 0xA4CF, 2}, {0xAC00, 0xD7A3, 2}, {0xF900, 0xFAFF, 2}, {0xFE30, 0xFE6F, 2}, {0xFF00, 0xFF60, 2},
        {0xFFE0, 0xFFE6, 2}, {0x1F300, 0x1FAFF, 2}, {0x20000, 0x3FFFD, 2},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (c >= row[i].from && c <= row[i].to)
            return row[i].width;
    return 1;
}

/* The next character of the text and its columns; '?' for what cannot be shown. False at the end. */
static bool next_char(const char **text, bool utf8, uint32_t *ch, int *width)
{
    const uint8_t *p = (const uint8_t *)*text;
    if (!*p)
        return false;
    size_t n = fl_utf8_len(p, strnlen(*text, 4));
    uint32_t c = n == 0 ? '?' : n == 1 ? p[0] : n == 2 ? p[0] & 0x1Fu : n == 3 ? p[0] & 0x0Fu : p[0] & 0x07u;
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3Fu);
    *text += n ? n : 1;
    *width = columns(c);
    *ch = c;
    if (!utf8 && c > 0x7E && *width) {
        *ch = '?';
        *width = 1;
    }
    return true;
}

int grid_width(const char *text, bool utf8)
{
    uint32_t ch;
    int width, sum = 0;
    while (next_char(&text, utf8, &ch, &width))
        sum += width;
    return sum;
}

int grid_text(struct grid *g, int x, int y, int width, const char *text, uint8_t tone, uint8_t flags)
{
    uint32_t ch;
    int k, at = 0;
    if (y < 0 || y >= g->h || x < 0)
        return 0;
    width = width < g->w - x ? width : g->w - x;
    while (next_char(&text, g->utf8, &ch, &k) && at + k <= width) {
        if (k == 0)
            continue;
        struct grid_cell *c = &g->cell[y * g->w + x + at];
        c[0] = (struct grid_cell){ch, tone, flags};
        if (k == 2)
            c[1] = (struct grid_cell){0, tone, flags};
        at += k;
    }
    return at;
}

/* How many bytes of the text fit in `width` columns: up to its end, a space, or (no space) wherever it is full. */
static size_t fitting(const char *text, bool utf8, int width)
{
    const char *p = text, *fits = text, *space = NULL;
    uint32_t ch;
    int k, at = 0;
    while (fits = p, next_char(&p, utf8, &ch, &k) && at + k <= width) {
        at += k;
        if (ch == ' ')
            space = fits;
    }
    bool whole = !*fits || *fits == ' ';
    return (size_t)((whole || !space || space == text ? fits : space) - text);
}

int grid_wrap(struct grid *g, int x, int y, int width, int rows, const char *text, uint8_t tone, uint8_t flags)
{
    int row = 0;
    const char *more = g->utf8 ? "\xe2\x80\xa6" : "...";
    int more_width = g->utf8 ? 1 : 3;
    while (*text && row < rows && width > 0) {
        char line[512];
        size_t n = fitting(text, g->utf8, width);
        bool cut = row + 1 == rows && text[n + strspn(text + n, " ")] && width > more_width;
        if (cut)
            n = fitting(text, g->utf8, width - more_width);
        n = n < sizeof line - 8 ? n : sizeof line - 8;
        if (n == 0)
            break;
        (void)snprintf(line, sizeof line, "%.*s%s", (int)n, text, cut ? more : "");
        (void)grid_text(g, x, y + row++, width, line, tone, flags);
        text += n + strspn(text + n, " ");
    }
    return row;
}
