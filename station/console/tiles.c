/* SPDX-License-Identifier: Apache-2.0 */
#include "console/tiles.h"

#include "console/letters.h"

#include <stdio.h>
#include <string.h>

enum { BAR_FULL = 0x2588, BAR_EMPTY = 0x2591, TEXT = 400, WIDE = 48, SAID_MS = 10000, SAID_REFUSED_MS = 60000, NOTE_MS = 3000, ALARM_ROWS = 3 };

/* ---- pieces ---------------------------------------------------------------------------------------------- */

static const char *seconds(uint64_t ms, char out[static 24])
{
    if (ms < 60000)
        (void)snprintf(out, 24, "%u.%u s", (unsigned)(ms / 1000), (unsigned)(ms / 100 % 10));
    else if (ms < 3600000)
        (void)snprintf(out, 24, "%u:%02u min", (unsigned)(ms / 60000), (unsigned)(ms / 1000 % 60));
    else
        (void)snprintf(out, 24, "%u:%02u h", (unsigned)(ms / 3600000 % 10000), (unsigned)(ms / 60000 % 60));
    return out;
}

static const char *speed(uint64_t rate, char out[static 24])
{
    if (rate >= 1024)
        (void)snprintf(out, 24, "%u.%u KiB/s", (unsigned)(rate / 1024 % 1000000), (unsigned)(rate % 1024 * 10 / 1024));
    else
        (void)snprintf(out, 24, "%u B/s", (unsigned)rate);
    return out;
}

static uint64_t elapsed_ms(const struct slot_view *v, uint64_t now_ms)
{
    uint64_t end = v->state == SLOT_DONE ? v->ended_ms : now_ms;
    return v->state != SLOT_EMPTY && v->state != SLOT_CLOSED && end > v->started_ms ? end - v->started_ms : 0;
}

static void bar(struct grid *g, int x, int y, int w, int permille, uint8_t tone)
{
    int full = w * permille / 1000;
    grid_fill(g, x, y, w, 1, g->utf8 ? BAR_EMPTY : '.', tone, 0);
    grid_fill(g, x, y, full, 1, g->utf8 ? BAR_FULL : '#', tone, 0);
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

/* ---- one tile ---------------------------------------------------------------------------------------------- */

struct place {
    int x, y, w, h;
    uint8_t tone, flags;
    const struct slot_view *v;
    const struct tile_meter *m;
    uint64_t now_ms;
};

static int put(struct grid *g, const struct place *p, int dx, int dy, const char *text, unsigned flags)
{
    return dx < p->w ? grid_text(g, p->x + dx, p->y + dy, p->w - dx, text, p->tone, (uint8_t)(p->flags | flags)) : 0;
}

static void put_right(struct grid *g, const struct place *p, int dy, const char *text, int taken)
{
    int n = grid_width(text, g->utf8);
    if (taken + 1 + n < p->w)
        (void)put(g, p, p->w - n - 1, dy, text, 0);
}

/* "12 ✔ PASS"; returns its width. */
static int name_row(struct grid *g, const struct place *p, int dy)
{
    char text[64];
    const struct tile_look *look = tile_look(p->v);
    (void)snprintf(text, sizeof text, "%3d %s %s", p->v->slot, sign_of(g, look), look->word);
    return put(g, p, 0, dy, text, GRID_BOLD);
}

static void step_row(struct grid *g, const struct place *p, int dy)
{
    char text[TEXT], rungs[24], a[24];
    int permille = tile_permille(p->v), n = 0;
    int64_t left = tile_left_ms(p->m, p->v);
    if (permille < 0)
        n = snprintf(text, sizeof text, "%s", p->v->state == SLOT_RECORD ? "record" : p->v->step);
    else
        n = snprintf(text, sizeof text, "%s %d%%", p->v->step, permille / 10);
    if (permille >= 0 && p->m->rate && p->w >= 32)
        n += snprintf(text + n, sizeof text - (size_t)n, "  %s", speed(p->m->rate, a));
    int more = snprintf(rungs, sizeof rungs, "  %u rung%s", p->v->rungs, p->v->rungs == 1 ? "" : "s");
    if (p->v->rungs && 4 + n + more < p->w) /* whole or not at all */
        n += snprintf(text + n, sizeof text - (size_t)n, "%s", rungs);
    n = put(g, p, 4, dy, text, 0) + 4;
    if (left >= 0) {
        (void)snprintf(text, sizeof text, "%s left", seconds((uint64_t)left, a));
        put_right(g, p, dy, text, n);
    }
}

/* What a finished or closed slot says: what to do now, with the fault's name before it where there is room. */
static void say_fault(struct grid *g, const struct place *p, int dy, int rows)
{
    const struct fault *f = fault_find(p->v->fault);
    if (rows < 1 || p->v->state == SLOT_EMPTY) /* between two boards the port may be gone: nothing to be done about it */
        return;
    if (!f) {
        if (tile_look(p->v)->tone == TONE_GOOD)
            (void)put(g, p, 4, dy, "take it out", 0);
        return;
    }
    if (rows > 2) {
        (void)put(g, p, 4, dy++, f->name, GRID_BOLD);
        rows--;
    }
    (void)grid_wrap(g, p->x + 4, p->y + dy, p->w - 5, rows, f->todo, p->tone, p->flags);
}

static void work_rows(struct grid *g, const struct place *p, int dy, int rows)
{
    int permille = tile_permille(p->v);
    step_row(g, p, dy);
    if (permille >= 0 && rows >= 2)
        bar(g, p->x + 4, p->y + dy + 1, p->w - 5, permille, p->tone);
}

static bool works(const struct slot_view *v)
{
    return v->state == SLOT_WORK || v->state == SLOT_RECORD;
}

static void big(struct grid *g, const struct place *p)
{
    char text[TEXT], a[24];
    int n = name_row(g, p, 0);
    uint64_t ms = elapsed_ms(p->v, p->now_ms);
    if (ms)
        put_right(g, p, 0, seconds(ms, a), n);
    (void)snprintf(text, sizeof text, "%s%s%s", p->v->mac[0] ? p->v->mac : p->v->port, p->v->chip[0] ? "  " : "", p->v->chip);
    (void)put(g, p, 4, 1, text, 0);
    if (works(p->v))
        work_rows(g, p, 2, p->h - 2);
    else
        say_fault(g, p, 2, p->h - 2);
}

/* Read from across the hall: number and word in letters of blocks, below them the rest. */
static void huge(struct grid *g, const struct place *p)
{
    char number[16], text[TEXT], a[24];
    const struct tile_look *look = tile_look(p->v);
    int word = 7, rest = word + letters_rows(LETTERS_LOW, g->utf8) + 1;
    uint64_t ms = elapsed_ms(p->v, p->now_ms);
    (void)snprintf(number, sizeof number, "%d", p->v->slot);
    letters_paint(g, p->x + 4, p->y + 1, number, LETTERS_HIGH, p->tone, (uint8_t)(p->flags | GRID_BOLD));
    if (ms)
        put_right(g, p, 1, seconds(ms, a), 4 + letters_width(number, LETTERS_HIGH));
    (void)put(g, p, 2, word + 1, sign_of(g, look), GRID_BOLD);
    letters_paint(g, p->x + 4, p->y + word, look->word, LETTERS_LOW, p->tone, (uint8_t)(p->flags | GRID_BOLD));
    (void)snprintf(text, sizeof text, "%s%s%s", p->v->mac[0] ? p->v->mac : p->v->port, p->v->chip[0] ? "  " : "", p->v->chip);
    (void)put(g, p, 4, rest, text, 0);
    if (works(p->v))
        work_rows(g, p, rest + 1, p->h - rest - 1);
    else
        say_fault(g, p, rest + 1, p->h - rest - 1);
}

static void middle(struct grid *g, const struct place *p)
{
    char a[24];
    int n = name_row(g, p, 0);
    uint64_t ms = elapsed_ms(p->v, p->now_ms);
    if (p->v->mac[0] && n + 11 + 8 < p->w)
        n += 2 + put(g, p, n + 2, 0, mac_tail(p->v), 0);
    if (ms)
        put_right(g, p, 0, seconds(ms, a), n);
    if (works(p->v))
        work_rows(g, p, 1, p->h - 1);
    else if (p->v->state == SLOT_EMPTY || p->v->state == SLOT_CONNECT)
        (void)put(g, p, 4, 1, p->v->port, GRID_DIM);
    else
        say_fault(g, p, 1, p->h - 1);
}

static void small(struct grid *g, const struct place *p)
{
    int permille = tile_permille(p->v), n = name_row(g, p, 0);
    char text[24];
    if (n + 1 + 8 <= p->w)
        (void)put(g, p, p->w - 8, 0, mac_tail(p->v), 0);
    if (permille >= 0) {
        (void)snprintf(text, sizeof text, "%3d%%", permille / 10);
        bar(g, p->x + 4, p->y + 1, p->w - 10, permille, p->tone);
        put_right(g, p, 1, text, 0);
    } else if (works(p->v)) {
        step_row(g, p, 1);
    } else {
        (void)put(g, p, 4, 1, tile_look(p->v)->tone == TONE_GOOD ? "take it out" : p->v->fault, 0);
    }
}

static void line(struct grid *g, const struct place *p)
{
    int permille = tile_permille(p->v);
    const struct tile_look *look = tile_look(p->v);
    char text[64];
    if (permille >= 0) {
        (void)snprintf(text, sizeof text, "%3d %s", p->v->slot, sign_of(g, look));
        (void)put(g, p, 0, 0, text, GRID_BOLD);
        bar(g, p->x + 6, p->y, p->w - 12, permille, p->tone);
        (void)snprintf(text, sizeof text, "%3d%%", permille / 10);
        put_right(g, p, 0, text, 0);
    } else {
        int n = name_row(g, p, 0), k = grid_width(works(p->v) ? p->v->step : mac_tail(p->v), g->utf8);
        if (n + 1 + k <= p->w)
            (void)put(g, p, p->w - k, 0, works(p->v) ? p->v->step : mac_tail(p->v), 0);
    }
}

static void brief(struct grid *g, const struct place *p)
{
    char text[64];
    int permille = tile_permille(p->v);
    const struct tile_look *look = tile_look(p->v);
    if (permille >= 0)
        (void)snprintf(text, sizeof text, "%2d%s %3d%%", p->v->slot, sign_of(g, look), permille / 10);
    else
        (void)snprintf(text, sizeof text, "%2d%s %s", p->v->slot, sign_of(g, look), look->word);
    (void)put(g, p, 0, 0, text, GRID_BOLD);
}

static void only_sign(struct grid *g, const struct place *p)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%2d%s", p->v->slot, sign_of(g, tile_look(p->v)));
    (void)put(g, p, 0, 0, text, GRID_BOLD);
}

/* ---- which form ------------------------------------------------------------------------------------------------ */

static const struct shape {
    int w, h, most; /* smallest size, greatest height; a form with h > 2 leaves a row free below it */
    void (*paint)(struct grid *g, const struct place *p);
} shapes[] = {
    {44, 17, 22, huge}, {34, 6, 8, big}, {26, 4, 5, middle}, {19, 2, 2, small}, {19, 1, 1, line}, {9, 1, 1, brief}, {5, 1, 1, only_sign},
};

struct layout {
    const struct shape *shape;
    int cols, rows, w, h; /* of the page; of a tile, with its gap */
    size_t first, shown;
};

static struct layout choose(int w, int h, size_t n, size_t chosen)
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

static void paint_tiles(struct grid *g, const struct tiles_in *in, struct tiles_ui *ui, const size_t *index, size_t n,
                        int top, int h)
{
    size_t at = place_of(ui, index, n);
    struct layout l = choose(g->w, h, n, at);
    aim(ui, index, n, at, (size_t)l.cols);
    for (size_t k = 0; k < l.shown; k++) {
        size_t i = index[l.first + k];
        const struct slot_view *v = &in->view[i];
        bool chosen = ui->any_chosen && i == index[at];
        struct place p = {.x = (int)(k % (size_t)l.cols) * l.w, .y = top + (int)(k / (size_t)l.cols) * l.h,
                          .w = l.w - (l.w > 6), .h = l.h > 2 ? l.h - 1 : l.h,
                          .tone = (uint8_t)(tile_look(v)->tone + 1), .v = v, .m = &in->meter[i], .now_ms = in->now_ms};
        grid_fill(g, p.x, p.y, p.w, p.h, ' ', p.tone, p.flags);
        l.shape->paint(g, &p);
        if (chosen) /* a mark that needs neither colour nor room */
            (void)grid_text(g, p.x, p.y, 1, g->utf8 ? "\xe2\x96\xb6" : ">", p.tone, GRID_BOLD | GRID_REVERSE);
    }
    if (g->h >= 5 && (l.first || l.first + l.shown < n)) { /* in the row of the keys */
        char text[64];
        (void)snprintf(text, sizeof text, " %zu-%zu of %zu ", l.first + 1, l.first + l.shown, n);
        (void)grid_text(g, g->w > (int)strlen(text) ? g->w - (int)strlen(text) : 0, g->h - 1, g->w, text, 0, GRID_REVERSE);
    }
}

/* ---- head, keys, details ------------------------------------------------------------------------------------------- */

/* Adds a piece where it fits whole; returns the new x. */
static int piece(struct grid *g, int x, int y, const char *text, uint8_t tone, unsigned flags)
{
    int n = grid_width(text, g->utf8);
    if (x + n > g->w)
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
    char text[TEXT], a[24], b[24];
    const struct tally_head *h = in->head;
    static const enum tile_tone tone[] = {TONE_GOOD, TONE_BAD, TONE_HELP};
    int x = 1, n = snprintf(text, sizeof text, "done %llu", (unsigned long long)h->passed);
    if (h->planned)
        (void)snprintf(text + n, sizeof text - (size_t)n, "/%llu", (unsigned long long)h->planned);
    x = piece(g, x, y, text, 0, GRID_BOLD);
    for (int o = OUTCOME_PASS; o <= OUTCOME_ERROR; o++) {
        (void)snprintf(text, sizeof text, "%s %llu", outcome_name((enum outcome)o), (unsigned long long)h->outcomes[o]);
        x = piece(g, x, y, text, h->outcomes[o] ? (uint8_t)(tone[o] + 1) : 0, GRID_BOLD);
    }
    if (h->units) {
        uint64_t p = h->first_passed * 1000 / h->units;
        (void)snprintf(text, sizeof text, "FPY %u.%u %%", (unsigned)(p / 10), (unsigned)(p % 10));
        x = piece(g, x, y, text, 0, 0);
    }
    if (h->per_hour) {
        uint64_t takt = 3600000 / h->per_hour;
        bool late = h->takt_ms && takt > h->takt_ms;
        (void)snprintf(text, sizeof text, "%llu/h", (unsigned long long)h->per_hour);
        x = piece(g, x, y, text, 0, 0);
        n = snprintf(text, sizeof text, "takt %s", seconds(takt, a));
        if (h->takt_ms)
            (void)snprintf(text + n, sizeof text - (size_t)n, " of %s%s", seconds(h->takt_ms, b), late ? " LATE" : "");
        if (x + n > g->w || (h->takt_ms && x + (int)strlen(text) > g->w)) /* narrow: the plan is left out first */
            (void)snprintf(text, sizeof text, "takt %s%s", a, late ? " LATE" : "");
        (void)piece(g, x, y, text, late ? TONE_NOTE + 1 : 0, 0);
    }
}

/* What was said last: a scan that did something for a moment, one that was refused until somebody must have read it. */
static bool says(const struct tally_head *h, uint64_t now_ms)
{
    return h->said[0] && now_ms - h->said_ms < (h->refused ? SAID_REFUSED_MS : SAID_MS);
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

static void keys_row(struct grid *g, const struct tiles_ui *ui, int y)
{
    const char *const keys[] = {"arrows choose", "Enter details", ui->attention ? "a all slots" : "a only what wants a hand"};
    static const char *const in_details[] = {"Enter back", "arrows next slot"};
    const char *const *list = ui->details ? in_details : keys;
    size_t n = !ui->keys || ui->form.open ? 0 : ui->details ? sizeof in_details / sizeof *in_details : sizeof keys / sizeof *keys;
    grid_fill(g, 0, y, g->w, 1, ' ', 0, GRID_DIM);
    int x = 1;
    if (ui->note) {
        (void)grid_text(g, x, y, g->w - 1, ui->note, 0, GRID_BOLD);
        return;
    }
    if (ui->keys && ui->asks && ui->reopens >= 0 && !ui->form.open)
        x = piece(g, x, y, ui->reopens ? "r reopen a slot" : "r reopen the line", 0, GRID_BOLD);
    for (size_t i = 0; i < n; i++)
        x = piece(g, x, y, list[i], 0, GRID_DIM);
    (void)piece(g, x, y, "Ctrl-C stop", 0, GRID_DIM);
}

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
    struct place p = {.x = 0, .y = top, .w = g->w, .h = h > 5 ? 5 : h, .tone = (uint8_t)(tile_look(v)->tone + 1), .v = v,
                      .m = &in->meter[ui->chosen], .now_ms = in->now_ms};
    char baud[24] = "", rungs[24] = "", leaf[24] = "";
    grid_fill(g, p.x, p.y, p.w, p.h, ' ', p.tone, 0);
    big(g, &p);
    int y = top + p.h + 1, end = top + h;
    if (v->baud)
        (void)snprintf(baud, sizeof baud, "%u", (unsigned)v->baud);
    if (v->rungs)
        (void)snprintf(rungs, sizeof rungs, "%u", v->rungs);
    if (v->leaf >= 0)
        (void)snprintf(leaf, sizeof leaf, "%lld", (long long)v->leaf);
    const char *const row[][2] = {
        {"port", v->port}, {"MAC", v->mac}, {"chip", v->chip}, {"baud", baud}, {"rungs", rungs}, {"leaf", leaf},
        {"fault", v->fault}, {"what", f ? f->what : ""}, {"now", f ? f->todo : ""}, {"who acts", f ? f->who : ""},
        {"engineer", f ? f->engineer : ""}, {"in detail", v->why},
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
    struct tiles_in cut = *in;
    cut.n = in->n < TILES_SLOTS_MAX ? in->n : TILES_SLOTS_MAX;
    int top = 0, bottom = g->h;
    grid_clear(g);
    if (ui->chosen >= cut.n)
        ui->chosen = cut.n ? cut.n - 1 : 0;
    if (g->h >= 8)
        title_row(g, in, top++);
    if (g->h >= 3)
        counts_row(g, in, top++);
    if (in->head->alarm[0] && top + 1 < bottom) {
        int rows = g->h >= 14 ? ALARM_ROWS : 1;
        grid_fill(g, 0, top, g->w, rows, ' ', TONE_BAD + 1, GRID_BOLD);
        int used = grid_wrap(g, 1, top, g->w - 2, rows, in->head->alarm, TONE_BAD + 1, GRID_BOLD);
        grid_fill(g, 0, top + used, g->w, rows - used, ' ', 0, 0);
        top += used;
    }
    if (says(in->head, in->now_ms) && top + 1 < bottom)
        said_row(g, in, top++);
    ui->reopens = what_reopens(&cut, ui);
    if (!ui->note || (ui->note_ms && in->now_ms - ui->note_ms >= NOTE_MS)) {
        ui->note = NULL;
        ui->note_ms = 0;
    } else if (!ui->note_ms) {
        ui->note_ms = in->now_ms;
    }
    top += form_paint(g, &ui->form, top, bottom - top);
    if (g->h >= 5)
        keys_row(g, ui, --bottom);
    if (g->h >= 14)
        top++; /* a free row below the head */
    size_t n = pick(&cut, ui, index);
    if (ui->details && cut.n) {
        details(g, &cut, ui, top, bottom - top);
        aim(ui, index, n, place_of(ui, index, n), 1);
        return;
    }
    if (!n)
        (void)grid_text(g, 1, top, g->w - 1, ui->attention ? "no slot wants a hand" : "no slots", 0, 0);
    paint_tiles(g, &cut, ui, index, n, top, bottom > top ? bottom - top : 1);
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
