/* SPDX-License-Identifier: Apache-2.0 */
#include "console/form.h"

#include "base/utf8.h"
#include "console/keys.h"

#include <stdio.h>
#include <string.h>

enum { LABEL_WIDTH = 26 };

void form_open(struct form *f, int slot)
{
    *f = (struct form){.open = true, .slot = slot, .note = ""};
}

void form_close(struct form *f)
{
    f->open = false;
}

void form_move(struct form *f, bool down)
{
    f->in_why = down;
}

/* A whole character, also one of several bytes. */
static void rub_out(char *text)
{
    size_t n = strlen(text);
    while (n && ((unsigned char)text[n - 1] & 0xC0) == 0x80)
        n--;
    text[n ? n - 1 : 0] = 0;
}

static bool sound(const char *text)
{
    return text[strspn(text, " ")] && fl_utf8_ok((const uint8_t *)text, strlen(text));
}

static bool entered(struct form *f, bool quick)
{
    if (!sound(f->in_why ? f->why : f->who)) {
        f->note = f->in_why ? "say what was found and done" : "say who answers for it";
        return false;
    }
    if (!f->in_why) {
        f->in_why = true;
        return false;
    }
    if (!sound(f->who)) {
        f->in_why = false;
        f->note = "say who answers for it";
        return false;
    }
    if (quick) {
        f->note = "Enter once more reopens it";
        return false;
    }
    f->open = false;
    return true;
}

bool form_typed(struct form *f, char c, uint64_t now_ms)
{
    char *text = f->in_why ? f->why : f->who;
    size_t max = f->in_why ? FORM_WHY_MAX : FORM_WHO_MAX, n = strlen(text);
    bool quick = now_ms - f->last_ms < KEYS_HALF_MS;
    f->note = "";
    f->last_ms = now_ms;
    if (c == '\n' || c == '\r' || c == '\t')
        return entered(f, quick);
    if (c == 8 || c == 127) {
        rub_out(text);
    } else if ((unsigned char)c >= 0x20 && n < max) {
        text[n] = c;
        text[n + 1] = 0;
    }
    return false;
}

static void field(struct grid *g, int y, const char *label, const char *text, bool here)
{
    int x = g->w > 2 * LABEL_WIDTH ? LABEL_WIDTH : g->w / 3, room = g->w - x - 2;
    while (*text && grid_width(text, g->utf8) > room) /* the end of it is what is typed */
        text++;
    (void)grid_text(g, 1, y, x - 2, label, TONE_NOTE + 1, 0);
    int n = grid_text(g, x, y, room, text, TONE_NOTE + 1, GRID_BOLD);
    if (here)
        (void)grid_text(g, x + n, y, 1, " ", TONE_NOTE + 1, GRID_REVERSE);
}

int form_paint(struct grid *g, const struct form *f, int top, int rows)
{
    char title[80];
    int y = top, n = rows < FORM_ROWS ? rows : FORM_ROWS;
    if (!f->open || n < 1)
        return 0;
    grid_fill(g, 0, top, g->w, n, ' ', TONE_NOTE + 1, 0);
    if (f->slot)
        (void)snprintf(title, sizeof title, "Reopen slot %d: from then on its rules count from nothing", f->slot);
    else
        (void)snprintf(title, sizeof title, "Reopen the line: from then on its rules count from nothing");
    if (n >= 2)
        (void)grid_text(g, 1, y++, g->w - 1, title, TONE_NOTE + 1, GRID_BOLD);
    if (n >= 3 || !f->in_why)
        field(g, y++, "Who answers for it", f->who, !f->in_why);
    if (n >= 3 || f->in_why)
        field(g, y++, "What was found and done", f->why, f->in_why);
    if (n >= 4)
        (void)grid_text(g, 1, y++, g->w - 1, f->note[0] ? f->note : "Enter goes on  Esc leaves it closed", TONE_NOTE + 1,
                        f->note[0] ? GRID_BOLD : 0);
    return y - top;
}
