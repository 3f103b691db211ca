/* SPDX-License-Identifier: Apache-2.0 */
#include "console/console.h"

#include "base/wake.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PAINT_MS = 100, BAR = 16, PLAIN_WIDTH = 200 };

struct console {
    struct board *board;
    FILE *out;
    pthread_t thread;
    struct fl_wake wake; /* raised to stop */
    bool live, colour, utf8;
    size_t painted;          /* lines on the screen that are ours */
    struct slot_view *shown; /* plain form: what was last said of each slot */
};

/* ---- one slot as text ---------------------------------------------------------------------------- */

struct look {
    const char *word, *sign, *ascii, *colour;
};

static const struct look state_looks[] = {
    [SLOT_EMPTY] = {"empty", "\xc2\xb7", ".", "2"},
    [SLOT_CONNECT] = {"look", "\xe2\x80\xa6", "?", "33"},
    [SLOT_WORK] = {"work", "\xe2\x96\xb8", ">", "33"},
    [SLOT_RECORD] = {"record", "\xe2\x9c\x8e", "w", "33"},
    [SLOT_DONE] = {"done", "", "", ""},
    [SLOT_CLOSED] = {"closed", "\xe2\x96\xa0", "#", "31"},
};
static const struct look outcome_looks[] = {
    [OUTCOME_PASS] = {"PASS", "\xe2\x9c\x94", "+", "32"},
    [OUTCOME_FAIL] = {"FAIL", "\xe2\x9c\x98", "x", "31"},
    [OUTCOME_ERROR] = {"ERROR", "!", "!", "35"},
    [OUTCOME_ABORTED] = {"ABORTED", "\xe2\x80\x93", "-", "36"},
    [OUTCOME_INTERRUPTED] = {"INTERRUPTED", "~", "~", "36"},
};

static const struct look *look_of(const struct slot_view *v)
{
    return v->state == SLOT_DONE ? &outcome_looks[v->outcome] : &state_looks[v->state];
}

static void add_seconds(uint64_t ms, struct fl_buf *out)
{
    fl_buf_addf(out, " %u.%u s", (unsigned)(ms / 1000), (unsigned)(ms / 100 % 10));
}

static void add_rungs(unsigned rungs, struct fl_buf *out)
{
    if (rungs)
        fl_buf_addf(out, " %u rung%s", rungs, rungs == 1 ? "" : "s");
}

static void add_bar(uint64_t done, uint64_t total, bool utf8, struct fl_buf *out)
{
    unsigned full = (unsigned)(done >= total ? BAR : done * BAR / total);
    for (unsigned i = 0; i < BAR; i++)
        fl_buf_adds(out, i < full ? (utf8 ? "\xe2\x96\x88" : "#") : (utf8 ? "\xe2\x96\x91" : "."));
    fl_buf_addf(out, " %3u%%", (unsigned)(done >= total ? 100 : done * 100 / total));
}

static void add_working(const struct slot_view *v, uint64_t now_ms, bool utf8, struct fl_buf *out)
{
    fl_buf_addf(out, " %-8s ", v->step);
    if (v->total)
        add_bar(v->done, v->total, utf8, out);
    add_seconds(now_ms > v->started_ms ? now_ms - v->started_ms : 0, out);
    if (v->baud)
        fl_buf_addf(out, " %u baud", (unsigned)v->baud);
    add_rungs(v->rungs, out);
}

static void add_finished(const struct slot_view *v, struct fl_buf *out)
{
    const struct fault *f = fault_find(v->fault);
    if (v->chip[0])
        fl_buf_addf(out, " %s", v->chip);
    add_seconds(v->ended_ms - v->started_ms, out);
    add_rungs(v->rungs, out);
    if (v->leaf >= 0)
        fl_buf_addf(out, " leaf %lld", (long long)v->leaf);
    if (f)
        fl_buf_addf(out, " %s: %s", f->name, f->todo);
}

/* Cut at `width` columns: a UTF-8 sequence counts as one, control characters are left out. */
static void cut(struct fl_buf *b, size_t from, unsigned width)
{
    size_t to = from, columns = 0;
    for (size_t i = from; i < b->len; i++) {
        uint8_t c = b->bytes[i];
        bool starts = (c & 0xC0) != 0x80;
        if (starts && columns == width)
            break;
        if (c < 0x20 || c == 0x7f)
            continue;
        columns += starts;
        b->bytes[to++] = c;
    }
    if (b->bytes) {
        b->len = to;
        b->bytes[to] = 0;
    }
}

void console_line(const struct slot_view *v, uint64_t now_ms, unsigned width, bool utf8,
                  struct fl_buf *out)
{
    size_t from = out->len;
    const struct look *look = look_of(v);
    fl_buf_addf(out, "%3d %s %-6s", v->slot, utf8 ? look->sign : look->ascii, look->word);
    if (v->mac[0])
        fl_buf_addf(out, " %s", v->mac);
    if (v->state == SLOT_WORK || v->state == SLOT_RECORD)
        add_working(v, now_ms, utf8, out);
    else if (v->state == SLOT_DONE)
        add_finished(v, out);
    else
        fl_buf_addf(out, " %s%s%s", v->port, v->fault[0] ? " " : "", v->fault);
    cut(out, from, width);
}

/* ---- painting -------------------------------------------------------------------------------------- */

static void show(struct console *c, struct fl_buf *b)
{
    if (b->len) {
        (void)fwrite(b->bytes, 1, b->len, c->out); /* for eyes: a closed terminal stops nothing */
        (void)fflush(c->out);
    }
    fl_buf_fini(b);
}

static unsigned terminal_width(FILE *out)
{
    struct winsize w = {0};
    return ioctl(fileno(out), TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col - 1u : 79;
}

static void paint_live(struct console *c)
{
    struct fl_buf b = FL_BUF(1 << 20);
    unsigned width = terminal_width(c->out);
    uint64_t now = fl_mono_ms();
    size_t n = board_slots(c->board);
    if (c->painted)
        fl_buf_addf(&b, "\033[%zuA", c->painted);
    for (size_t i = 0; i < n; i++) {
        struct slot_view v;
        board_get(c->board, i, &v);
        fl_buf_adds(&b, "\r\033[K");
        if (c->colour)
            fl_buf_addf(&b, "\033[%sm", look_of(&v)->colour);
        console_line(&v, now, width, c->utf8, &b);
        fl_buf_adds(&b, c->colour ? "\033[0m\n" : "\n");
    }
    c->painted = n;
    show(c, &b);
}

/* A line is said when a slot's state or step changed; progress alone says nothing. */
static void paint_plain(struct console *c)
{
    struct fl_buf b = FL_BUF(1 << 20);
    uint64_t now = fl_mono_ms();
    for (size_t i = 0; i < board_slots(c->board); i++) {
        struct slot_view v, *old = &c->shown[i];
        board_get(c->board, i, &v);
        bool same = v.state == old->state && strcmp(v.step, old->step) == 0 &&
                    v.started_ms == old->started_ms;
        *old = v;
        if (same || v.state == SLOT_EMPTY)
            continue;
        v.total = 0; /* a bar tells nothing in a log */
        console_line(&v, now, PLAIN_WIDTH, c->utf8, &b);
        fl_buf_addc(&b, '\n');
    }
    show(c, &b);
}

static void paint(struct console *c)
{
    if (c->live)
        paint_live(c);
    else
        paint_plain(c);
}

static void *paint_main(void *arg)
{
    struct console *c = arg;
    do
        paint(c);
    while (fl_wake_sleep(&c->wake, fl_deadline_in_ms(PAINT_MS)) == FL_OK);
    paint(c);
    return NULL;
}

enum fl_err console_start(struct board *board, FILE *out, struct console **to, struct fl_why *why)
{
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    struct console *c = calloc(1, sizeof *c);
    *to = NULL;
    if (!c)
        return fl_fail(why, FL_NOMEM, "out of memory");
    c->board = board;
    c->out = out;
    c->live = isatty(fileno(out)) && term && strcmp(term, "dumb") != 0;
    c->colour = c->live && !(no_colour && *no_colour);
    c->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    enum fl_err err = fl_wake_init(&c->wake, why);
    c->shown = calloc(board_slots(board) + 1, sizeof *c->shown);
    for (size_t i = 0; c->shown && i < board_slots(board); i++)
        c->shown[i].step = "";
    if (!err && (!c->shown || pthread_create(&c->thread, NULL, paint_main, c) != 0))
        err = fl_fail(why, FL_NOMEM, "cannot start the console's thread");
    if (err) {
        fl_wake_fini(&c->wake);
        free(c->shown);
        free(c);
        return err;
    }
    *to = c;
    return FL_OK;
}

void console_stop(struct console *c)
{
    if (!c)
        return;
    fl_wake_raise(&c->wake);
    (void)pthread_join(c->thread, NULL);
    fl_wake_fini(&c->wake);
    free(c->shown);
    free(c);
}
