/* SPDX-License-Identifier: Apache-2.0 */
#include "console/head.h"

#include "console/amount.h"

#include <stdio.h>
#include <string.h>

enum { TEXT = 400, ALARM_ROWS = 3 };

/* Adds a piece where it fits whole before `end`; returns the new x. */
static int piece(struct grid *g, int x, int y, int end, const char *text, uint8_t tone, unsigned flags)
{
    int n = grid_width(text, g->utf8);
    if (x + n > end)
        return x;
    return x + grid_text(g, x, y, n, text, tone, (uint8_t)flags) + 2;
}

static void title_row(struct grid *g, const struct tiles_in *in, int y)
{
    char text[TEXT];
    const struct tally_head *h = in->head;
    grid_fill(g, 0, y, g->w, 1, ' ', 0, GRID_REVERSE);
    (void)snprintf(text, sizeof text, " %s%s%s%s%s", h->product[0] ? h->product : "flashline", h->lot[0] ? "  lot " : "",
                   h->lot, h->station[0] ? "  " : "", h->station);
    int n = grid_text(g, 0, y, g->w, text, 0, GRID_REVERSE | GRID_BOLD), k = (int)strlen(in->clock);
    if (k && n + k + 2 < g->w)
        (void)grid_text(g, g->w - k - 1, y, k, in->clock, 0, GRID_REVERSE);
}

static void counts_row(struct grid *g, const struct tiles_in *in, int y)
{
    char text[TEXT], a[AMOUNT_TEXT], b[AMOUNT_TEXT];
    const struct tally_head *h = in->head;
    static const enum tile_tone tone[] = {TONE_GOOD, TONE_BAD, TONE_HELP};
    int x = 1, n = snprintf(text, sizeof text, "done %llu", (unsigned long long)h->passed);
    if (h->planned)
        (void)snprintf(text + n, sizeof text - (size_t)n, "/%llu", (unsigned long long)h->planned);
    x = piece(g, x, y, g->w, text, 0, GRID_BOLD);
    for (int o = OUTCOME_PASS; o <= OUTCOME_ERROR; o++) {
        (void)snprintf(text, sizeof text, "%s %llu", outcome_name((enum outcome)o), (unsigned long long)h->outcomes[o]);
        x = piece(g, x, y, g->w, text, h->outcomes[o] ? (uint8_t)(tone[o] + 1) : 0, GRID_BOLD);
    }
    if (h->units) {
        uint64_t p = h->first_passed * 1000 / h->units;
        (void)snprintf(text, sizeof text, "FPY %u.%u %%", (unsigned)(p / 10), (unsigned)(p % 10));
        x = piece(g, x, y, g->w, text, 0, 0);
    }
    if (h->per_hour) {
        uint64_t takt = 3600000 / h->per_hour;
        bool late = h->takt_ms && takt > h->takt_ms;
        (void)snprintf(text, sizeof text, "%llu/h", (unsigned long long)h->per_hour);
        x = piece(g, x, y, g->w, text, 0, 0);
        n = snprintf(text, sizeof text, "takt %s", amount_seconds(takt, a));
        if (h->takt_ms)
            (void)snprintf(text + n, sizeof text - (size_t)n, " of %s%s", amount_seconds(h->takt_ms, b), late ? " LATE" : "");
        if (x + n > g->w || (h->takt_ms && x + (int)strlen(text) > g->w)) /* narrow: the plan is left out first */
            (void)snprintf(text, sizeof text, "takt %s%s", a, late ? " LATE" : "");
        (void)piece(g, x, y, g->w, text, late ? TONE_NOTE + 1 : 0, 0);
    }
}

/* What was said last: a scan that did something for a moment, one that was refused until somebody must have read it. */
static bool says(const struct tally_head *h, uint64_t now_ms)
{
    return h->said[0] && now_ms - h->said_ms < (h->refused ? TILE_REFUSED_MS : TILE_SAID_MS);
}

static void said_row(struct grid *g, const struct tiles_in *in, int y)
{
    const struct tally_head *h = in->head;
    uint8_t tone = h->refused ? TONE_NOTE + 1 : TONE_GOOD + 1;
    const char *sign = h->refused ? (g->utf8 ? "\xe2\x9c\x98" : "x") : g->utf8 ? "\xe2\x9c\x94" : "+";
    grid_fill(g, 0, y, g->w, 1, ' ', tone, 0);
    (void)grid_text(g, 1, y, 1, sign, tone, GRID_BOLD);
    (void)grid_text(g, 3, y, g->w - 3, h->said, tone, GRID_BOLD);
}

void head_keys(struct grid *g, const struct tiles_ui *ui, int y, const char *pages)
{
    const char *const keys[] = {"arrows choose", "Enter details", ui->attention ? "a all slots" : "a only what wants a hand"};
    static const char *const in_details[] = {"Enter back", "arrows next slot"};
    const char *const *list = ui->details ? in_details : keys;
    size_t n = !ui->keys || ui->form.open ? 0 : ui->details ? sizeof in_details / sizeof *in_details : sizeof keys / sizeof *keys;
    grid_fill(g, 0, y, g->w, 1, ' ', 0, GRID_DIM);
    int x = 1, end = g->w - (int)strlen(pages);
    if (*pages)
        (void)grid_text(g, end > 0 ? end : 0, y, g->w, pages, 0, GRID_REVERSE);
    if (ui->note) {
        (void)grid_text(g, x, y, end - x, ui->note, 0, GRID_BOLD);
        return;
    }
    if (ui->keys && ui->asks && ui->reopens >= 0 && !ui->form.open)
        x = piece(g, x, y, end, ui->reopens ? "r reopen a slot" : "r reopen the line", 0, GRID_BOLD);
    for (size_t i = 0; i < n; i++)
        x = piece(g, x, y, end, list[i], 0, GRID_DIM);
    (void)piece(g, x, y, end, "Ctrl-C stop", 0, GRID_DIM);
}

int head_paint(struct grid *g, const struct tiles_in *in)
{
    int top = 0;
    if (g->h >= 8)
        title_row(g, in, top++);
    if (g->h >= 3)
        counts_row(g, in, top++);
    if (in->head->alarm[0] && top + 1 < g->h) {
        int rows = g->h >= 14 ? ALARM_ROWS : 1;
        grid_fill(g, 0, top, g->w, rows, ' ', TONE_BAD + 1, GRID_BOLD);
        int used = grid_wrap(g, 1, top, g->w - 2, rows, in->head->alarm, TONE_BAD + 1, GRID_BOLD);
        grid_fill(g, 0, top + used, g->w, rows - used, ' ', 0, 0);
        top += used;
    }
    if (says(in->head, in->now_ms) && top + 1 < g->h)
        said_row(g, in, top++);
    return top;
}
