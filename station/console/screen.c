/* SPDX-License-Identifier: Apache-2.0 */
#include "console/screen.h"

#include <locale.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#define NCURSES_WIDECHAR 1
#include <ncurses.h>

struct screen {
    SCREEN *curses;
    FILE *out;
    bool colour, keys;
};

/* Pairs by tone + 1, in the eight colours that every colour terminal has. */
static const struct {
    short fg, bg;
    attr_t more;
} pairs[] = {
    [TONE_IDLE + 1] = {-1, -1, A_DIM},                 [TONE_BUSY + 1] = {COLOR_WHITE, COLOR_BLUE, 0},
    [TONE_GOOD + 1] = {COLOR_BLACK, COLOR_GREEN, 0},   [TONE_BAD + 1] = {COLOR_WHITE, COLOR_RED, A_BOLD},
    [TONE_HELP + 1] = {COLOR_WHITE, COLOR_MAGENTA, 0}, [TONE_NOTE + 1] = {COLOR_BLACK, COLOR_YELLOW, 0},
};
/* Without colours: what wants a hand is reversed, PASS is bold; word and sign say the rest anyway. */
static const attr_t plain[] = {
    [TONE_IDLE + 1] = A_DIM, [TONE_BUSY + 1] = 0,         [TONE_GOOD + 1] = A_BOLD,
    [TONE_BAD + 1] = A_REVERSE, [TONE_HELP + 1] = A_REVERSE, [TONE_NOTE + 1] = A_REVERSE,
};

static void set_colours(struct screen *s)
{
    if (!s->colour || !has_colors() || start_color() == ERR || use_default_colors() == ERR) {
        s->colour = false;
        return;
    }
    for (short i = 1; i < (short)(sizeof pairs / sizeof *pairs); i++)
        (void)init_pair(i, pairs[i].fg, pairs[i].bg);
}

/* Ctrl-Z would stop the slots in the middle of their work, Ctrl-S the picture: they are no keys here. */
static void no_stopping(int fd)
{
    struct termios t;
    if (tcgetattr(fd, &t) == 0) {
        t.c_cc[VSUSP] = _POSIX_VDISABLE;
        t.c_iflag &= ~(tcflag_t)IXON;
        (void)tcsetattr(fd, TCSANOW, &t);
    }
}

enum fl_err screen_open(FILE *out, FILE *in, bool colour, struct screen **to, struct fl_why *why)
{
    struct screen *s = calloc(1, sizeof *s);
    *to = NULL;
    if (!s)
        return fl_fail(why, FL_NOMEM, "out of memory");
    s->out = out;
    s->colour = colour;
    s->keys = isatty(fileno(in)) && tcgetpgrp(fileno(in)) == getpgrp();
    s->curses = newterm(NULL, out, in);
    if (!s->curses) {
        free(s);
        return fl_fail(why, FL_UNSUPPORTED, "terminfo does not know this terminal");
    }
    (void)set_term(s->curses);
    if (s->keys) {
        (void)cbreak(); /* Ctrl-C stays a signal */
        (void)noecho();
        (void)nodelay(stdscr, TRUE);
        (void)keypad(stdscr, TRUE);
        (void)set_escdelay(25); /* ms; what tells Esc from an arrow, over ssh too */
        no_stopping(fileno(in));
    }
    (void)curs_set(0); /* not every terminal can */
    (void)leaveok(stdscr, TRUE);
    set_colours(s);
    *to = s;
    return FL_OK;
}

void screen_close(struct screen *s)
{
    if (!s)
        return;
    (void)endwin();
    delscreen(s->curses);
    free(s);
}

bool screen_has_keys(const struct screen *s)
{
    return s->keys;
}

void screen_size(struct screen *s, int *w, int *h)
{
    struct winsize size;
    if (ioctl(fileno(s->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0 &&
        (size.ws_col != COLS || size.ws_row != LINES)) {
        (void)resizeterm(size.ws_row, size.ws_col);
        (void)clearok(stdscr, TRUE);
    }
    *w = COLS;
    *h = LINES;
}

static attr_t attributes(const struct screen *s, const struct grid_cell *c)
{
    attr_t a = (c->flags & GRID_BOLD ? A_BOLD : 0) | (c->flags & GRID_REVERSE ? A_REVERSE : 0) |
               (c->flags & GRID_DIM ? A_DIM : 0);
    attr_t more = !c->tone ? 0 : s->colour ? pairs[c->tone].more : plain[c->tone];
    return (a | (more & ~(attr_t)A_REVERSE)) ^ (more & A_REVERSE); /* reversed twice is not reversed */
}

void screen_show(struct screen *s, const struct grid *g)
{
    for (int y = 0; y < g->h && y < LINES; y++)
        for (int x = 0; x < g->w && x < COLS; x++) {
            const struct grid_cell *c = &g->cell[y * g->w + x];
            wchar_t text[2] = {(wchar_t)c->ch, 0};
            cchar_t cell;
            if (!c->ch)
                continue; /* the wide character before has it */
            if (setcchar(&cell, text, attributes(s, c), s->colour ? (short)c->tone : 0, NULL) != ERR)
                (void)mvadd_wch(y, x, &cell);
        }
    (void)refresh();
}

enum screen_typed screen_read(struct screen *s, enum tiles_key *key, char *byte)
{
    static const struct {
        int code;
        enum tiles_key key;
    } row[] = {
        {KEY_LEFT, TILES_LEFT}, {KEY_RIGHT, TILES_RIGHT}, {KEY_UP, TILES_UP}, {KEY_DOWN, TILES_DOWN}, {27, TILES_ESC},
    };
    int code = s->keys ? getch() : ERR;
    *key = TILES_NONE;
    for (size_t i = 0; code != ERR && i < sizeof row / sizeof *row; i++)
        if (row[i].code == code) {
            *key = row[i].key;
            return SCREEN_KEY;
        }
    code = code == KEY_ENTER ? '\n' : code == KEY_BACKSPACE ? 8 : code;
    *byte = (char)code;
    return code == ERR ? SCREEN_NOTHING : code <= 0xFF ? SCREEN_BYTE : SCREEN_KEY; /* F1 and the like mean nothing */
}
