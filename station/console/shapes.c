/* SPDX-License-Identifier: Apache-2.0 */
#include "console/shapes.h"

#include "console/amount.h"
#include "console/letters.h"

#include <stdio.h>
#include <string.h>

enum { BAR_FULL = 0x2588, BAR_EMPTY = 0x2591, BAR_EIGHTH = 0x2590, TEXT = 400, WIDE = 48, INDENT = 4, SHARE = 5 };

/* ---- pieces ---------------------------------------------------------------------------------------------- */

static uint8_t tone_of(const struct place *p)
{
    return (uint8_t)(tile_look(p->v)->tone + 1);
}

static int put(struct grid *g, const struct place *p, int dx, int dy, const char *text, unsigned flags)
{
    return dx < p->w ? grid_text(g, p->x + dx, p->y + dy, p->w - dx, text, tone_of(p), (uint8_t)flags) : 0;
}

static void put_right(struct grid *g, const struct place *p, int dy, const char *text, int taken)
{
    int n = grid_width(text, g->utf8);
    if (taken + 1 + n < p->w)
        (void)put(g, p, p->w - n - 1, dy, text, 0);
}

/* In eighths of a column where there are blocks for them. */
static void bar(struct grid *g, const struct place *p, int dx, int dy, int w, int permille)
{
    int eighths = w * 8 * permille / 1000, full = eighths / 8, part = g->utf8 ? eighths % 8 : 0;
    grid_fill(g, p->x + dx, p->y + dy, w, 1, g->utf8 ? BAR_EMPTY : '.', tone_of(p), 0);
    grid_fill(g, p->x + dx, p->y + dy, full, 1, g->utf8 ? BAR_FULL : '#', tone_of(p), 0);
    if (part && full < w) /* U+2589 is seven eighths, U+258F one */
        grid_fill(g, p->x + dx + full, p->y + dy, 1, 1, (uint32_t)(BAR_EIGHTH - part), tone_of(p), 0);
}

static const char *mac_tail(const struct slot_view *v)
{
    size_t n = strlen(v->mac);
    return n > 8 ? v->mac + n - 8 : v->mac;
}

static const char *sign_of(const struct grid *g, const struct tile_look *look)
{
    return g->utf8 ? look->sign : look->ascii;
}

static bool works(const struct slot_view *v)
{
    return v->state == SLOT_WORK || v->state == SLOT_RECORD;
}

static uint64_t elapsed_ms(const struct slot_view *v, uint64_t now_ms)
{
    uint64_t end = v->state == SLOT_DONE ? v->ended_ms : now_ms;
    return v->state != SLOT_EMPTY && v->state != SLOT_CLOSED && end > v->started_ms ? end - v->started_ms : 0;
}

/* ---- rows -------------------------------------------------------------------------------------------------- */

/* "12 ✔ PASS"; returns its width. */
static int name_row(struct grid *g, const struct place *p, int dy)
{
    char text[64];
    const struct tile_look *look = tile_look(p->v);
    (void)snprintf(text, sizeof text, "%3d %s %s", p->v->slot, sign_of(g, look), look->word);
    return put(g, p, 0, dy, text, GRID_BOLD);
}

static void unit_row(struct grid *g, const struct place *p, int dy)
{
    char text[TEXT];
    const struct slot_view *v = p->v;
    (void)snprintf(text, sizeof text, "%s%s%s", v->mac[0] ? v->mac : v->port, v->chip[0] ? "  " : "", v->chip);
    (void)put(g, p, INDENT, dy, text, 0);
}

static void step_row(struct grid *g, const struct place *p, int dy)
{
    char text[TEXT], rungs[24], a[AMOUNT_TEXT];
    int permille = tile_permille(p->v), n = 0;
    int64_t left = tile_left_ms(p->m, p->v);
    if (permille < 0)
        n = snprintf(text, sizeof text, "%s", p->v->state == SLOT_RECORD ? "record" : p->v->step);
    else
        n = snprintf(text, sizeof text, "%s %d%%", p->v->step, permille / 10);
    if (permille >= 0 && p->m->rate && p->w >= 32)
        n += snprintf(text + n, sizeof text - (size_t)n, "  %s", amount_speed(p->m->rate, a));
    int more = snprintf(rungs, sizeof rungs, "  %u rung%s", p->v->rungs, p->v->rungs == 1 ? "" : "s");
    if (p->v->rungs && INDENT + n + more < p->w) /* whole or not at all */
        n += snprintf(text + n, sizeof text - (size_t)n, "%s", rungs);
    n = put(g, p, INDENT, dy, text, 0) + INDENT;
    if (left >= 0) {
        (void)snprintf(text, sizeof text, "%s left", amount_seconds((uint64_t)left, a));
        put_right(g, p, dy, text, n);
    }
}

static void work_rows(struct grid *g, const struct place *p, int dy, int rows)
{
    int permille = tile_permille(p->v);
    step_row(g, p, dy);
    if (permille >= 0 && rows >= 2)
        bar(g, p, INDENT, dy + 1, p->w - INDENT - 1, permille);
}

/* What a finished or closed slot says: what to do now, with the fault's name before it where there is room. */
static void say_fault(struct grid *g, const struct place *p, int dy, int rows)
{
    const struct fault *f = fault_find(p->v->fault);
    if (rows < 1 || p->v->state == SLOT_EMPTY) /* between two boards the port may be gone: nothing to be done about it */
        return;
    if (!f) {
        if (tile_look(p->v)->tone == TONE_GOOD)
            (void)put(g, p, INDENT, dy, "take it out", 0);
        return;
    }
    if (rows > 2) {
        (void)put(g, p, INDENT, dy++, f->name, GRID_BOLD);
        rows--;
    }
    (void)grid_wrap(g, p->x + INDENT, p->y + dy, p->w - INDENT - 1, rows, fault_todo(f, p->v->port), tone_of(p), 0);
}

static void rest_rows(struct grid *g, const struct place *p, int dy)
{
    if (works(p->v))
        work_rows(g, p, dy, p->h - dy);
    else
        say_fault(g, p, dy, p->h - dy);
}

/* What a scan did, in the last rows; in a form of one row its sign in the gap behind: the sentence stands in the head. */
static void said_rows(struct grid *g, const struct place *p)
{
    uint8_t tone = (uint8_t)((p->v->refused ? TONE_NOTE : TONE_GOOD) + 1);
    const char *sign = p->v->refused ? (g->utf8 ? "\xe2\x9c\x98" : "x") : g->utf8 ? "\xe2\x9c\x94" : "+";
    int rows = p->h > 4 ? 2 : 1, y = p->y + p->h - rows, x = p->h > 1 ? 1 : p->w;
    if (!tile_says(p->v, p->now_ms) || p->w < 9)
        return;
    if (p->h > 1)
        grid_fill(g, p->x, y, p->w, rows, ' ', tone, 0);
    (void)grid_text(g, p->x + x, y, 1, sign, tone, GRID_BOLD);
    if (p->h > 1)
        (void)grid_wrap(g, p->x + 3, y, p->w - 4, rows, p->v->said, tone, GRID_BOLD);
}

/* ---- forms ------------------------------------------------------------------------------------------------- */

static void big(struct grid *g, const struct place *p)
{
    char a[AMOUNT_TEXT];
    int n = name_row(g, p, 0);
    uint64_t ms = elapsed_ms(p->v, p->now_ms);
    if (ms)
        put_right(g, p, 0, amount_seconds(ms, a), n);
    unit_row(g, p, 1);
    rest_rows(g, p, 2);
}

/* Read from across the hall: number and word in letters of blocks, below them the rest. */
static void huge(struct grid *g, const struct place *p)
{
    char number[16], a[AMOUNT_TEXT];
    const struct tile_look *look = tile_look(p->v);
    int word = 7, rest = word + letters_rows(LETTERS_LOW, g->utf8) + 1;
    uint64_t ms = elapsed_ms(p->v, p->now_ms);
    (void)snprintf(number, sizeof number, "%d", p->v->slot);
    letters_paint(g, p->x + INDENT, p->y + 1, number, LETTERS_HIGH, tone_of(p), GRID_BOLD);
    if (ms)
        put_right(g, p, 1, amount_seconds(ms, a), INDENT + letters_width(number, LETTERS_HIGH));
    (void)put(g, p, 2, word + 1, sign_of(g, look), GRID_BOLD);
    letters_paint(g, p->x + INDENT, p->y + word, look->word, LETTERS_LOW, tone_of(p), GRID_BOLD);
    unit_row(g, p, rest);
    rest_rows(g, p, rest + 1);
}

static void middle(struct grid *g, const struct place *p)
{
    char a[AMOUNT_TEXT];
    int n = name_row(g, p, 0);
    uint64_t ms = elapsed_ms(p->v, p->now_ms);
    if (p->v->mac[0] && n + 11 + 8 < p->w)
        n += 2 + put(g, p, n + 2, 0, mac_tail(p->v), 0);
    if (ms)
        put_right(g, p, 0, amount_seconds(ms, a), n);
    if (p->v->state == SLOT_EMPTY || p->v->state == SLOT_CONNECT)
        (void)put(g, p, INDENT, 1, p->v->port, GRID_DIM);
    else
        rest_rows(g, p, 1);
}

/* " 50%", at the end of a row. */
static void share(struct grid *g, const struct place *p, int dy, int permille)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%3d%%", permille / 10);
    (void)put(g, p, p->w - 4, dy, text, 0);
}

static void small(struct grid *g, const struct place *p)
{
    int permille = tile_permille(p->v), n = name_row(g, p, 0);
    if (n + 1 + 8 <= p->w)
        (void)put(g, p, p->w - 8, 0, mac_tail(p->v), 0);
    if (permille >= 0) {
        bar(g, p, INDENT, 1, p->w - INDENT - SHARE, permille);
        share(g, p, 1, permille);
    } else if (works(p->v)) {
        step_row(g, p, 1);
    } else {
        (void)put(g, p, INDENT, 1, tile_look(p->v)->tone == TONE_GOOD ? "take it out" : p->v->fault, 0);
    }
}

static void line(struct grid *g, const struct place *p)
{
    int permille = tile_permille(p->v), n = name_row(g, p, 0) + 1;
    const char *right = p->v->state == SLOT_WORK ? p->v->step : mac_tail(p->v);
    if (p->v->state != SLOT_WORK && strlen(right) == 8 && n + 8 > p->w)
        right += 3; /* two bytes of the MAC still tell one board from its neighbours */
    if (permille < 0 && n + grid_width(right, g->utf8) <= p->w)
        (void)put(g, p, p->w - grid_width(right, g->utf8), 0, right, 0);
    if (permille < 0 || n + SHARE > p->w)
        return;
    bar(g, p, n, 0, p->w - n - SHARE, permille);
    share(g, p, 0, permille);
}

static void brief(struct grid *g, const struct place *p)
{
    char text[64];
    int permille = tile_permille(p->v);
    const struct tile_look *look = tile_look(p->v);
    int n = snprintf(text, sizeof text, "%2d", p->v->slot) + 2;
    bool whole = n + (int)strlen(look->word) <= p->w;
    (void)snprintf(text, sizeof text, "%2d%s %s", p->v->slot, sign_of(g, look), whole ? look->word : look->brief);
    n = put(g, p, 0, 0, text, GRID_BOLD);
    if (permille >= 0 && n + SHARE <= p->w)
        share(g, p, 0, permille);
}

/* ---- which form ------------------------------------------------------------------------------------------------ */

static const struct shape {
    int w, h, most; /* smallest size, greatest height; a form with h > 2 leaves a row free below it */
    void (*paint)(struct grid *g, const struct place *p);
} shapes[] = {
    {44, 17, 22, huge}, {34, 6, 8, big}, {26, 4, 5, middle}, {19, 2, 2, small}, {19, 1, 1, line}, {10, 1, 1, brief},
};

struct layout layout_choose(int w, int h, size_t n, size_t chosen)
{
    struct layout l = {.shape = &shapes[sizeof shapes / sizeof *shapes - 1]};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct shape *f = &shapes[i];
        if (w / f->w >= 1 && h / f->h >= 1 && (size_t)(w / f->w) * (size_t)(h / f->h) >= n) {
            l.shape = f;
            break;
        }
    }
    int most_rows = h / l.shape->h > 1 ? h / l.shape->h : 1, most_cols = w / l.shape->w > 1 ? w / l.shape->w : 1;
    l.cols = (int)((n + (size_t)most_rows - 1) / (size_t)most_rows);
    int wanted = w / WIDE; /* on a wide screen side by side rather than stretched */
    l.cols = l.cols < wanted ? ((size_t)wanted < n ? wanted : (int)n) : l.cols;
    l.cols = l.cols < 1 ? 1 : l.cols > most_cols ? most_cols : l.cols;
    l.rows = (int)((n + (size_t)l.cols - 1) / (size_t)l.cols);
    l.rows = l.rows < 1 ? 1 : l.rows > most_rows ? most_rows : l.rows;
    l.w = w / l.cols;
    l.h = h / l.rows < l.shape->most ? h / l.rows : l.shape->most;
    l.h = l.h < 1 ? 1 : l.h;
    size_t page = (size_t)l.cols * (size_t)l.rows;
    l.first = n ? chosen / page * page : 0;
    l.shown = n - l.first < page ? n - l.first : page;
    return l;
}

struct place layout_place(const struct layout *l, size_t k, int top)
{
    return (struct place){.x = (int)(k % (size_t)l->cols) * l->w, .y = top + (int)(k / (size_t)l->cols) * l->h,
                          .w = l->w - (l->w > 8), .h = l->h > 2 ? l->h - 1 : l->h};
}

void shape_paint(struct grid *g, const struct shape *s, const struct place *p)
{
    grid_fill(g, p->x, p->y, p->w, p->h, ' ', tone_of(p), 0);
    s->paint(g, p);
    said_rows(g, p);
}

void shape_paint_big(struct grid *g, const struct place *p)
{
    grid_fill(g, p->x, p->y, p->w, p->h, ' ', tone_of(p), 0);
    big(g, p);
}
