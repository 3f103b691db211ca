/* SPDX-License-Identifier: Apache-2.0 */
#include "console/tiles.h"

#include "console/head.h"
#include "console/shapes.h"

#include <stdio.h>
#include <string.h>

enum { NOTE_MS = 3000 };

/* ---- tiles and choice --------------------------------------------------------------------------------------- */

static size_t place_of(const struct tiles_ui *ui, const size_t *index, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        if (index[i] <= ui->chosen)
            at = i;
    return at;
}

static void aim(struct tiles_ui *ui, const size_t *index, size_t n, size_t at, size_t cols)
{
    for (size_t key = TILES_LEFT; key <= TILES_DOWN; key++) {
        size_t step = key >= TILES_UP ? cols : 1;
        bool back = key == TILES_LEFT || key == TILES_UP;
        size_t to = back ? (at >= step ? at - step : at) : at + step < n ? at + step : at;
        ui->go[key] = n ? index[ui->any_chosen ? to : at] : 0;
    }
}

/* pages: which of them these are, "" where all are there. */
static void paint_tiles(struct grid *g, const struct tiles_in *in, struct tiles_ui *ui, const size_t *index, size_t n,
                        int top, int h, char pages[static HEAD_PAGES])
{
    size_t at = place_of(ui, index, n);
    struct layout l = layout_choose(g->w, h, n, at);
    aim(ui, index, n, at, (size_t)l.cols);
    for (size_t k = 0; k < l.shown; k++) {
        size_t i = index[l.first + k];
        bool chosen = ui->any_chosen && i == index[at];
        struct place p = layout_place(&l, k, top);
        p.v = &in->view[i];
        p.m = &in->meter[i];
        p.now_ms = in->now_ms;
        shape_paint(g, l.shape, &p);
        if (chosen) /* a mark that needs neither colour nor room */
            (void)grid_text(g, p.x, p.y, 1, g->utf8 ? "\xe2\x96\xb6" : ">", (uint8_t)(tile_look(p.v)->tone + 1), GRID_BOLD | GRID_REVERSE);
    }
    if (l.first || l.first + l.shown < n)
        (void)snprintf(pages, HEAD_PAGES, " %zu-%zu of %zu ", l.first + 1, l.first + l.shown, n);
}

/* ---- details ------------------------------------------------------------------------------------------------ */

/* The line before any slot, the chosen slot before others. */
static int what_reopens(const struct tiles_in *in, const struct tiles_ui *ui)
{
    const struct tally_head *h = in->head;
    int chosen = ui->any_chosen && in->n ? in->view[ui->chosen].slot : 0, is = h->n_stopped ? h->stopped[0] : -1;
    for (uint64_t i = 0; i < h->n_stopped && is > 0; i++)
        if (h->stopped[i] == chosen)
            is = chosen;
    return is;
}

static int detail(struct grid *g, int y, int h, const char *name, const char *text)
{
    if (!*text || h <= 0)
        return 0;
    (void)grid_text(g, 2, y, 12, name, 0, GRID_DIM);
    return grid_wrap(g, 15, y, g->w - 17, h, text, 0, 0);
}

static void details(struct grid *g, const struct tiles_in *in, const struct tiles_ui *ui, int top, int h)
{
    const struct slot_view *v = &in->view[ui->chosen];
    const struct fault *f = fault_find(v->fault);
    struct place p = {.x = 0, .y = top, .w = g->w, .h = h > 5 ? 5 : h, .v = v, .m = &in->meter[ui->chosen], .now_ms = in->now_ms};
    char baud[24] = "", rungs[24] = "", leaf[24] = "";
    shape_paint_big(g, &p);
    int y = top + p.h + 1, end = top + h;
    if (v->baud)
        (void)snprintf(baud, sizeof baud, "%u", (unsigned)v->baud);
    if (v->rungs)
        (void)snprintf(rungs, sizeof rungs, "%u", v->rungs);
    if (v->leaf >= 0)
        (void)snprintf(leaf, sizeof leaf, "%lld", (long long)v->leaf);
    const char *const row[][2] = {
        {"port", v->port}, {"MAC", v->mac}, {"chip", v->chip}, {"baud", baud}, {"rungs", rungs}, {"leaf", leaf},
        {"fault", v->fault}, {"what", f ? f->what : ""}, {"now", f ? fault_todo(f, v->port) : ""}, {"who acts", f ? f->who : ""},
        {"engineer", f ? f->engineer : ""}, {"in detail", v->why}, {"scanned", tile_says(v, in->now_ms) ? v->said : ""},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        y += detail(g, y, end - y, row[i][0], row[i][1]);
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

/* At least one slot, and never one that is not there. */
static size_t pick(const struct tiles_in *in, const struct tiles_ui *ui, size_t *index)
{
    size_t n = 0;
    for (size_t i = 0; i < in->n; i++)
        if (!ui->attention || tile_wants_hand(&in->view[i]))
            index[n++] = i;
    return n;
}

void tiles_paint(struct grid *g, const struct tiles_in *in, struct tiles_ui *ui)
{
    size_t index[TILES_SLOTS_MAX];
    char pages[HEAD_PAGES] = "";
    struct tiles_in cut = *in;
    cut.n = in->n < TILES_SLOTS_MAX ? in->n : TILES_SLOTS_MAX;
    grid_clear(g);
    if (ui->chosen >= cut.n)
        ui->chosen = cut.n ? cut.n - 1 : 0;
    int top = head_paint(g, in), bottom = g->h >= 5 ? g->h - 1 : g->h;
    ui->reopens = what_reopens(&cut, ui);
    if (!ui->note || (ui->note_ms && in->now_ms - ui->note_ms >= NOTE_MS)) {
        ui->note = NULL;
        ui->note_ms = 0;
    } else if (!ui->note_ms) {
        ui->note_ms = in->now_ms;
    }
    top += form_paint(g, &ui->form, top, bottom - top);
    if (g->h >= 14)
        top++; /* a free row below the head */
    size_t n = pick(&cut, ui, index);
    if (ui->details && cut.n) {
        details(g, &cut, ui, top, bottom - top);
        aim(ui, index, n, place_of(ui, index, n), 1);
    } else {
        if (!n)
            (void)grid_text(g, 1, top, g->w - 1, ui->attention ? "no slot wants a hand" : "no slots", 0, 0);
        paint_tiles(g, &cut, ui, index, n, top, bottom > top ? bottom - top : 1, pages);
    }
    if (bottom < g->h)
        head_keys(g, ui, bottom, pages);
}

/* While the form is open the keys that have names are its. */
static bool press_form(struct tiles_ui *ui, enum tiles_key key)
{
    if (key == TILES_ESC)
        form_close(&ui->form);
    else if (key == TILES_UP || key == TILES_DOWN)
        form_move(&ui->form, key == TILES_DOWN);
    else
        return false;
    return true;
}

bool tiles_press(struct tiles_ui *ui, enum tiles_key key)
{
    if (ui->form.open)
        return press_form(ui, key);
    ui->note = NULL;
    switch (key) {
    case TILES_LEFT:
    case TILES_RIGHT:
    case TILES_UP:
    case TILES_DOWN:
        ui->chosen = ui->go[key];
        ui->any_chosen = true;
        return true;
    case TILES_ENTER:
        ui->chosen = ui->any_chosen ? ui->chosen : ui->go[TILES_LEFT];
        ui->details = !ui->details;
        ui->any_chosen = true;
        return true;
    case TILES_ESC:
        ui->details = false;
        return true;
    case TILES_ATTENTION:
        ui->attention = !ui->attention;
        ui->details = false;
        return true;
    case TILES_REOPEN:
        if (ui->reopens >= 0)
            form_open(&ui->form, ui->reopens);
        else
            ui->note = "nothing is stopped";
        return true;
    case TILES_NONE:
        break;
    }
    return false;
}
