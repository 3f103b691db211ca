/* SPDX-License-Identifier: Apache-2.0 */
#include "lineside/scanner.h"

#include "base/utf8.h"
#include "link/link.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPEN_MS = 5000, AGAIN_MS = 1000 };

struct scanner {
    struct scanner_config c;
    struct fl_wake stop;
    pthread_t thread;
    bool running;
    struct link *link; /* NULL: standard input, or not there now */
    struct scan_reader reader;
};

static bool is_stdin(const struct scanner *s)
{
    return strcmp(s->c.set->port, "stdin") == 0;
}

static enum fl_err read_some(struct scanner *s, char *bytes, size_t cap, size_t *got, struct fl_deadline d)
{
    if (!is_stdin(s))
        return link_read(s->link, bytes, cap, got, d);
    enum fl_err err = fl_wake_poll(&s->stop, 0, POLLIN, d);
    if (err)
        return err;
    ssize_t n = read(0, bytes, cap);
    if (n <= 0)
        return n < 0 && errno == EINTR ? FL_TIMEOUT : FL_GONE;
    *got = (size_t)n;
    return FL_OK;
}

static void take(struct scanner *s, const char *bytes, size_t n)
{
    char code[SCAN_CODE_MAX + 1], why[120];
    for (size_t i = 0; i < n; i++) {
        enum scan_read is = scan_byte(&s->reader, bytes[i], fl_mono_ms(), code);
        if (is == SCAN_CODE) {
            s->c.code(s->c.ctx, code);
        } else if (is == SCAN_TOO_LONG) {
            fl_utf8_clean(code, false);
            (void)snprintf(why, sizeof why, "a code of more than %d characters, '%.20s...': nothing is done", SCAN_CODE_MAX, code);
            s->c.damaged(s->c.ctx, why);
        }
    }
}

/* Until the port goes or the program ends. */
static enum fl_err listen_on(struct scanner *s)
{
    enum fl_err err = FL_OK;
    while (!err || err == FL_TIMEOUT) {
        char bytes[256], half[SCAN_CODE_MAX + 1], why[120];
        size_t got = 0;
        bool open_code = s->reader.n || s->reader.long_one;
        err = read_some(s, bytes, sizeof bytes, &got, open_code ? fl_deadline_in_ms(SCAN_HALF_MS) : fl_deadline_never());
        take(s, bytes, got);
        if (err == FL_TIMEOUT && scan_half(&s->reader, fl_mono_ms(), half)) {
            fl_utf8_clean(half, false);
            (void)snprintf(why, sizeof why, "half a code, '%s': nothing is done", half);
            s->c.damaged(s->c.ctx, why);
        }
    }
    return err;
}

static bool reach(struct scanner *s)
{
    if (is_stdin(s))
        return true;
    if (link_open(s->c.set->port, &s->stop, fl_deadline_in_ms(OPEN_MS), &s->link, NULL))
        return false;
    enum fl_err err = link_set_baud(s->link, s->c.set->baud, fl_deadline_in_ms(OPEN_MS));
    return !err || err == FL_UNSUPPORTED || err == FL_REFUSED;
}

static void *scanner_main(void *arg)
{
    struct scanner *s = arg;
    enum fl_err err = FL_OK;
    while (err != FL_CANCELLED) {
        err = reach(s) ? listen_on(s) : FL_GONE;
        link_close(s->link);
        s->link = NULL;
        s->reader = (struct scan_reader){.n = 0};
        if (err != FL_CANCELLED)
            err = fl_wake_sleep(&s->stop, is_stdin(s) ? fl_deadline_never() : fl_deadline_in_ms(AGAIN_MS));
    }
    return NULL;
}

enum fl_err scanner_open(const struct scanner_config *c, struct scanner **out, struct fl_why *why)
{
    struct scanner *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return fl_fail(why, FL_NOMEM, "out of memory");
    s->c = *c;
    enum fl_err err = fl_wake_init(&s->stop, why);
    if (!err && !is_stdin(s))
        err = link_url_check(c->set->port, why);
    if (!err && pthread_create(&s->thread, NULL, scanner_main, s) != 0)
        err = fl_fail(why, FL_NOMEM, "cannot start the scanner's thread");
    s->running = !err;
    if (err)
        scanner_close(s);
    else
        *out = s;
    return err;
}

void scanner_close(struct scanner *s)
{
    if (!s)
        return;
    fl_wake_raise(&s->stop);
    if (s->running)
        (void)pthread_join(s->thread, NULL);
    fl_wake_fini(&s->stop);
    free(s);
}
