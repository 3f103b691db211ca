/* SPDX-License-Identifier: Apache-2.0
 * Where no line runs in this program, the board shows what the records say: each slot's last attempt and the counts of
 * the whole log. Another program may be writing them: reading is beside it, and only when the log has grown. */
#include "report/live.h"
#include "web/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_head(struct web_watch *w, const struct report_counts *s)
{
    struct tally_head h = {.units = (uint64_t)s->units, .passed = (uint64_t)s->passed, .first_passed = (uint64_t)s->first_passed};
    (void)snprintf(h.station, sizeof h.station, "%s", s->station);
    for (int i = 0; i < 5; i++)
        h.outcomes[i] = (uint64_t)s->outcome[i];
    tally_put(board_tally(w->board), &h);
}

static bool put_slots(struct web_watch *w, struct report *r)
{
    size_t n = 0;
    struct slot_view *now = calloc(WEB_WATCHED_SLOTS, sizeof *now);
    bool ok = now && report_slots_now(r, now, WEB_WATCHED_SLOTS, &n, NULL) == FL_OK;
    for (size_t i = 0; i < n && ok; i++) {
        struct slot_view old;
        board_get(w->board, i, &old);
        if (old.slot != now[i].slot || old.leaf != now[i].leaf)
            board_put(w->board, i, &now[i]);
    }
    free(now);
    return ok;
}

static void look(struct web_watch *w)
{
    struct report *r;
    struct report_counts s;
    json_t *log = NULL;
    if (report_open(w->data, &r, NULL))
        return; /* no station yet: looked for again */
    if (report_log(r, &log, NULL) == FL_OK && fl_json_int(log, "leaves", 0) != w->leaves) {
        bool counted = report_counts(r, &s, NULL) == FL_OK;
        if (counted)
            put_head(w, &s);
        if (put_slots(w, r) && counted) /* else at the next look, though no record may come before it */
            w->leaves = fl_json_int(log, "leaves", 0);
    }
    json_decref(log);
    report_close(r);
}

static void *watch_main(void *arg)
{
    struct web_watch *w = arg;
    do {
        uint64_t began = fl_mono_ms();
        look(w);
        uint64_t took = fl_mono_ms() - began; /* a long history takes long: rest ten times as long as that */
        if (fl_wake_sleep(&w->wake, fl_deadline_in_ms(10 * took > WEB_WATCH_MS ? 10 * took : WEB_WATCH_MS)) != FL_OK)
            break;
    } while (true);
    return NULL;
}

enum fl_err watch_open(struct web_watch *w, const char *data, struct board *board, struct fl_why *why)
{
    *w = (struct web_watch){.wake = {-1, -1}, .data = data, .board = board, .leaves = -1};
    enum fl_err err = fl_wake_init(&w->wake, why);
    if (!err && pthread_create(&w->thread, NULL, watch_main, w) != 0) {
        fl_wake_fini(&w->wake);
        err = fl_fail(why, FL_NOMEM, "cannot start the watch thread");
    }
    w->running = !err;
    return err;
}

void watch_close(struct web_watch *w)
{
    if (!w->running)
        return;
    fl_wake_raise(&w->wake);
    (void)pthread_join(w->thread, NULL);
    fl_wake_fini(&w->wake);
    w->running = false;
}
