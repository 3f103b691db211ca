/* SPDX-License-Identifier: Apache-2.0 */
#include "console/console.h"

#include "base/wake.h"
#include "console/keys.h"
#include "console/screen.h"

#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { PAINT_MS = 100, STUCK_MS = 300, BAR = 16, PLAIN_WIDTH = 200,
       SLOW_MS = 1000, PIECE = _POSIX_PIPE_BUF /* a pipe that is ready takes so many at once */ };

struct console {
    struct board *board;
    FILE *out;
    pthread_t thread;
    struct fl_wake wake;     /* raised to stop */
    bool tiles, colour, utf8;
    struct slot_view *shown; /* plain form: what was last said of each slot */
    pthread_mutex_t lock;    /* guards ended */
    pthread_cond_t over;
    bool locks, ended;
    /* tiles; the thread's own */
    struct screen *screen;
    struct tile_meter *meter;
    struct tiles_ui ui;
    struct keys keys;
    bool asks_on;
    struct console_asks asks;
};

/* ---- one slot as text ---------------------------------------------------------------------------- */

static void add_seconds(uint64_t ms, struct fl_buf *out)
{
    uint64_t tenths = (ms + 50) / 100; /* as the results say it */
    fl_buf_addf(out, " %u.%u s", (unsigned)(tenths / 10), (unsigned)(tenths % 10));
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
        fl_buf_addf(out, " %s: %s", f->name, fault_todo(f, v->port));
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
    const struct tile_look *look = tile_look(v);
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

/* ---- plain lines ----------------------------------------------------------------------------------------- */

/* For eyes: a closed terminal stops nothing, and a pipe that nobody empties neither the painting nor its end. */
static void say_plain(const struct console *c, const struct fl_buf *b)
{
    int fd = fileno(c->out);
    for (size_t at = 0; at < b->len;) {
        if (fl_wake_poll(NULL, fd, POLLOUT, fl_deadline_in_ms(SLOW_MS)))
            return;
        ssize_t n = write(fd, b->bytes + at, b->len - at < PIECE ? b->len - at : PIECE);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return;
        at += n > 0 ? (size_t)n : 0;
    }
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
    say_plain(c, &b);
    fl_buf_fini(&b);
}

/* ---- tiles ---------------------------------------------------------------------------------------------------- */

static void clock_text(char out[static 16])
{
    time_t now = time(NULL);
    struct tm tm;
    if (!localtime_r(&now, &tm) || strftime(out, 16, "%H:%M:%S", &tm) == 0)
        out[0] = 0;
}

static void paint_tiles(struct console *c)
{
    char clock[16];
    int w, h;
    struct tally_head head;
    struct grid g;
    uint64_t now = fl_mono_ms();
    for (size_t i = 0; i < board_slots(c->board); i++) {
        board_get(c->board, i, &c->shown[i]);
        tile_meter_add(&c->meter[i], &c->shown[i], now);
    }
    tally_get(board_tally(c->board), now, &head);
    clock_text(clock);
    screen_size(c->screen, &w, &h);
    if (grid_init(&g, w, h, c->utf8) == FL_OK) {
        tiles_paint(&g, &(struct tiles_in){c->shown, c->meter, board_slots(c->board), &head, now, clock}, &c->ui);
        screen_show(c->screen, &g);
    }
    grid_fini(&g);
}

/* ---- what is typed -------------------------------------------------------------------------------------------- */

static enum tiles_key key_of(char c)
{
    static const struct {
        char c;
        enum tiles_key key;
    } row[] = {{'h', TILES_LEFT}, {'l', TILES_RIGHT}, {'k', TILES_UP},        {'j', TILES_DOWN},
               {'\n', TILES_ENTER}, {'\r', TILES_ENTER}, {'a', TILES_ATTENTION}, {'r', TILES_REOPEN}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (row[i].c == c)
            return row[i].key;
    return TILES_NONE;
}

static bool pressed(struct console *c, enum tiles_key key)
{
    if ((key == TILES_REOPEN && !c->asks_on) || !tiles_press(&c->ui, key))
        return false;
    paint_tiles(c); /* where the next arrow leads is known when this one is shown */
    return true;
}

/* They were the beginning of a scanner's code: what can be undone of them is. A choice that moved stays. */
static bool taken_back(struct console *c, const char *keys)
{
    for (; *keys; keys++)
        if (key_of(*keys) == TILES_ATTENTION)
            (void)pressed(c, TILES_ATTENTION);
    form_close(&c->ui.form);
    return true;
}

static bool heard(struct console *c, enum keys_is is, const char *text)
{
    char why[160];
    bool any = false;
    switch (is) {
    case KEYS_NOTHING:
        break;
    case KEYS_KEY:
        for (; *text; text++)
            any = pressed(c, key_of(*text)) || any;
        break;
    case KEYS_BACK:
        return taken_back(c, text);
    case KEYS_CODE:
        c->asks.code(c->asks.ctx, text);
        return true;
    case KEYS_HALF:
        (void)snprintf(why, sizeof why, "half a code, '%s': nothing is done", text);
        c->asks.damaged(c->asks.ctx, why);
        return true;
    case KEYS_TOO_LONG:
        (void)snprintf(why, sizeof why, "a code of more than %d characters, '%.20s...': nothing is done", KEYS_CODE_MAX, text);
        c->asks.damaged(c->asks.ctx, why);
        return true;
    }
    return any;
}

/* A form takes all that is typed, unless a scanner's code opened it; else it is a scanner's, or a key. */
static bool typed(struct console *c, char byte)
{
    char text[KEYS_CODE_MAX + 1] = {byte, 0};
    uint64_t now = fl_mono_ms();
    struct form *form = &c->ui.form;
    if (form->open && !(c->keys.n_given && now - c->keys.last_ms <= KEYS_HAND_MS)) {
        if (form_typed(form, byte, now))
            c->asks.reopen(c->asks.ctx, form->slot, form->who, form->why);
        paint_tiles(c);
        return true;
    }
    if (!c->asks_on)
        return heard(c, KEYS_KEY, text);
    bool any = heard(c, keys_waited(&c->keys, now, text), text);
    return heard(c, keys_typed(&c->keys, byte, now, text), text) || c->keys.n || any;
}

/* Until the next painting is due or a key came. */
static bool wait_tiles(struct console *c)
{
    struct fl_deadline due = fl_deadline_in_ms(PAINT_MS);
    uint64_t now = fl_mono_ms(), keys_due = keys_due_ms(&c->keys);
    if (keys_due != UINT64_MAX)
        due = fl_deadline_min(due, fl_deadline_in_ms(keys_due > now ? keys_due - now : 0));
    enum fl_err err = c->ui.keys ? fl_wake_poll(&c->wake, STDIN_FILENO, POLLIN, due) : fl_wake_sleep(&c->wake, due);
    if (err == FL_CANCELLED)
        return false;
    bool any = false;
    enum screen_typed is = SCREEN_NOTHING;
    do {
        enum tiles_key key;
        char byte, text[KEYS_CODE_MAX + 1];
        is = c->ui.keys ? screen_read(c->screen, &key, &byte) : SCREEN_NOTHING;
        any = (is == SCREEN_KEY ? pressed(c, key) : is == SCREEN_BYTE ? typed(c, byte)
                                                                      : heard(c, keys_waited(&c->keys, fl_mono_ms(), text), text)) || any;
    } while (is != SCREEN_NOTHING);
    if (err == FL_OK && c->ui.keys && !any) /* a key that means nothing, or the keyboard is gone: no busy loop */
        return fl_wake_sleep(&c->wake, due) != FL_CANCELLED;
    return true;
}

/* ---- the thread ------------------------------------------------------------------------------------------------- */

static void *paint_main(void *arg)
{
    struct console *c = arg;
    if (c->tiles) {
        struct fl_why why = {0};
        if (screen_open(c->out, stdin, c->colour, &c->screen, &why) != FL_OK)
            c->tiles = false; /* no entry in terminfo: plain lines are shown instead */
        else
            c->ui.keys = screen_has_keys(c->screen);
    }
    if (c->tiles) {
        do
            paint_tiles(c);
        while (wait_tiles(c));
        paint_tiles(c);
        screen_close(c->screen);
    } else {
        do
            paint_plain(c);
        while (fl_wake_sleep(&c->wake, fl_deadline_in_ms(PAINT_MS)) == FL_OK);
        paint_plain(c);
    }
    (void)pthread_mutex_lock(&c->lock);
    c->ended = true;
    (void)pthread_cond_broadcast(&c->over);
    (void)pthread_mutex_unlock(&c->lock);
    return NULL;
}

static enum fl_err prepare(struct console *c, struct fl_why *why)
{
    const char *no_colour = getenv("NO_COLOR");
    size_t n = board_slots(c->board);
    c->tiles = console_takes_terminal(c->out);
    c->colour = c->tiles && !(no_colour && *no_colour);
    c->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    c->shown = calloc(n + 1, sizeof *c->shown);
    c->meter = calloc(n + 1, sizeof *c->meter);
    if (!c->shown || !c->meter || pthread_mutex_init(&c->lock, NULL) != 0)
        return fl_fail(why, FL_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        c->shown[i].step = "";
    if (fl_cond_init(&c->over)) {
        (void)pthread_mutex_destroy(&c->lock);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    c->locks = true;
    return fl_wake_init(&c->wake, why);
}

static void take_apart(struct console *c)
{
    fl_wake_fini(&c->wake);
    if (c->locks) {
        (void)pthread_cond_destroy(&c->over);
        (void)pthread_mutex_destroy(&c->lock);
    }
    free(c->shown);
    free(c->meter);
    free(c);
}

enum fl_err console_start(struct board *board, FILE *out, const struct console_asks *asks, struct console **to, struct fl_why *why)
{
    struct console *c = calloc(1, sizeof *c);
    *to = NULL;
    if (!c)
        return fl_fail(why, FL_NOMEM, "out of memory");
    *c = (struct console){.board = board, .out = out, .wake = {-1, -1}, .asks_on = asks != NULL};
    if (asks)
        c->asks = *asks;
    c->ui.asks = c->asks_on;
    enum fl_err err = prepare(c, why);
    if (!err && pthread_create(&c->thread, NULL, paint_main, c) != 0)
        err = fl_fail(why, FL_NOMEM, "cannot start the console's thread");
    if (err)
        take_apart(c);
    else
        *to = c;
    return err;
}

/* The terminal takes nothing (Ctrl-S, a dead connection): what waits in it is thrown away, again and again, until
 * the thread has said all and ended. Ending flow control undoes a Ctrl-S. Throwing away wakes no writer of a
 * pseudo-terminal on Linux: a signal that is handled and means nothing here does. */
static void unstick(struct console *c)
{
    int fd = fileno(c->out);
    struct termios t;
    if (tcgetattr(fd, &t) == 0 && (t.c_iflag & IXON)) {
        t.c_iflag &= ~(tcflag_t)IXON;
        (void)tcsetattr(fd, TCSANOW, &t);
    }
    (void)tcflush(fd, TCOFLUSH);
    (void)pthread_kill(c->thread, SIGWINCH);
}

void console_stop(struct console *c)
{
    if (!c)
        return;
    fl_wake_raise(&c->wake);
    (void)pthread_mutex_lock(&c->lock);
    while (!c->ended)
        if (!fl_cond_wait(&c->over, &c->lock, fl_deadline_in_ms(STUCK_MS)) && !c->ended && isatty(fileno(c->out)))
            unstick(c);
    (void)pthread_mutex_unlock(&c->lock);
    (void)pthread_join(c->thread, NULL);
    take_apart(c);
}
