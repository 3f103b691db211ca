/* SPDX-License-Identifier: Apache-2.0 */
#include "console/letters.h"

#include <stddef.h>
#include <string.h>

enum { ROWS = 5, FULL = 0x2588, UPPER = 0x2580, LOWER = 0x2584 };

static const struct glyph {
    char c;
    const char *row[ROWS];
} glyphs[] = {
    {' ', {"  ", "  ", "  ", "  ", "  "}},
    {'0', {" ## ", "#  #", "#  #", "#  #", " ## "}}, {'1', {" # ", "## ", " # ", " # ", "###"}},
    {'2', {"### ", "   #", " ## ", "#   ", "####"}}, {'3', {"### ", "   #", " ## ", "   #", "### "}},
    {'4', {"#  #", "#  #", "####", "   #", "   #"}}, {'5', {"####", "#   ", "### ", "   #", "### "}},
    {'6', {" ## ", "#   ", "### ", "#  #", " ## "}}, {'7', {"####", "   #", "  # ", " #  ", " #  "}},
    {'8', {" ## ", "#  #", " ## ", "#  #", " ## "}}, {'9', {" ## ", "#  #", " ###", "   #", " ## "}},
    {'A', {" ## ", "#  #", "####", "#  #", "#  #"}}, {'B', {"### ", "#  #", "### ", "#  #", "### "}},
    {'C', {" ###", "#   ", "#   ", "#   ", " ###"}}, {'D', {"### ", "#  #", "#  #", "#  #", "### "}},
    {'E', {"####", "#   ", "### ", "#   ", "####"}}, {'F', {"####", "#   ", "### ", "#   ", "#   "}},
    {'I', {"###", " # ", " # ", " # ", "###"}},      {'K', {"#  #", "# # ", "##  ", "# # ", "#  #"}},
    {'L', {"#   ", "#   ", "#   ", "#   ", "####"}}, {'M', {"#   #", "## ##", "# # #", "#   #", "#   #"}},
    {'N', {"#  #", "## #", "# ##", "#  #", "#  #"}}, {'O', {" ## ", "#  #", "#  #", "#  #", " ## "}},
    {'P', {"### ", "#  #", "### ", "#   ", "#   "}}, {'R', {"### ", "#  #", "### ", "# # ", "#  #"}},
    {'S', {" ###", "#   ", " ## ", "   #", "### "}}, {'T', {"###", " # ", " # ", " # ", " # "}},
    {'U', {"#  #", "#  #", "#  #", "#  #", " ## "}}, {'W', {"#   #", "#   #", "# # #", "## ##", "#   #"}},
    {'Y', {"# #", "# #", " # ", " # ", " # "}},
};

static const struct glyph *glyph_of(char c)
{
    for (size_t i = 0; i < sizeof glyphs / sizeof *glyphs; i++)
        if (glyphs[i].c == c)
            return &glyphs[i];
    return NULL;
}

int letters_rows(enum letters_size size, bool utf8)
{
    return size == LETTERS_LOW && utf8 ? (ROWS + 1) / 2 : ROWS;
}

int letters_width(const char *text, enum letters_size size)
{
    int dots = 0;
    for (; *text; text++) {
        const struct glyph *l = glyph_of(*text);
        dots += l ? (int)strlen(l->row[0]) + 1 : 0;
    }
    return (dots ? dots - 1 : 0) * (size == LETTERS_HIGH ? 2 : 1);
}

/* The block of one cell: its own dot, or (half blocks) that one and the one below. */
static uint32_t block(const struct glyph *l, int row, size_t column, bool halves, bool utf8)
{
    bool upper = l->row[row][column] == '#', lower = halves && row + 1 < ROWS && l->row[row + 1][column] == '#';
    if (!halves)
        return !upper ? ' ' : utf8 ? FULL : '#';
    return upper && lower ? FULL : upper ? UPPER : lower ? LOWER : ' ';
}

void letters_paint(struct grid *g, int x, int y, const char *text, enum letters_size size, uint8_t tone, uint8_t flags)
{
    bool halves = size == LETTERS_LOW && g->utf8;
    int wide = size == LETTERS_HIGH ? 2 : 1, step = halves ? 2 : 1;
    for (; *text; text++) {
        const struct glyph *l = glyph_of(*text);
        size_t n = l ? strlen(l->row[0]) : 0;
        for (int row = 0; l && row < ROWS; row += step)
            for (size_t i = 0; i < n; i++)
                grid_fill(g, x + (int)i * wide, y + row / step, wide, 1, block(l, row, i, halves, g->utf8), tone, flags);
        x += n ? ((int)n + 1) * wide : 0;
    }
}
