/* SPDX-License-Identifier: Apache-2.0
 * /metrics: the Prometheus text form, version 0.0.4. Names end in their unit; totals are counters. */
#include "web/pages.h"

#include "base/version.h"
#include "web/inside.h"

#include <string.h>

static void head_of(struct fl_buf *b, const char *name, const char *type, const char *help)
{
    fl_buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct fl_buf *b, const char *name, const char *type, const char *help, uint64_t value)
{
    head_of(b, name, type, help);
    fl_buf_addf(b, "%s %llu\n", name, (unsigned long long)value);
}

static void of_line(struct fl_buf *b, const struct tally_head *h)
{
    head_of(b, "flashline_attempts_total", "counter", "Attempts that ended, by outcome: of the lot, or of this run where none is named.");
    for (int i = OUTCOME_PASS; i <= OUTCOME_INTERRUPTED; i++)
        fl_buf_addf(b, "flashline_attempts_total{outcome=\"%s\"} %llu\n", outcome_name((enum outcome)i),
                    (unsigned long long)h->outcomes[i]);
    one(b, "flashline_units", "gauge", "Units with an attempt that counts.", h->units);
    one(b, "flashline_units_passed", "gauge", "Of these, units that passed at any of them.", h->passed);
    one(b, "flashline_units_first_passed", "gauge", "Of these, units whose first counted attempt is PASS.",
        h->first_passed);
    one(b, "flashline_units_planned", "gauge", "Units to make; 0 when not said.", h->planned);
    one(b, "flashline_units_per_hour", "gauge", "Units passed an hour, over the last hour; 0 while unknown.",
        h->per_hour);
    one(b, "flashline_alarm", "gauge", "1 while the station as a whole has an alarm.", h->alarm[0] != 0);
}

static void of_slots(struct fl_buf *b, const struct board *board)
{
    size_t n = board_slots(board), used = 0;
    struct slot_view v;
    for (size_t i = 0; i < n; i++) {
        board_get(board, i, &v);
        used += v.slot != 0;
    }
    one(b, "flashline_slots", "gauge", "Slots of the line.", used);
    if (used)
        head_of(b, "flashline_slot_state", "gauge", "1 for the state that a slot is in.");
    for (size_t i = 0; i < n; i++) {
        board_get(board, i, &v);
        if (v.slot)
            fl_buf_addf(b, "flashline_slot_state{slot=\"%d\",state=\"%s\"} 1\n", v.slot, tile_look(&v)->name);
    }
}

static void of_web(struct fl_buf *b, struct web_live *l)
{
    (void)pthread_mutex_lock(&l->lock);
    uint64_t streams = l->streams, texts = l->texts, cut = l->cut, conns = 0;
    for (struct live_conn *c = l->conns; c; c = live_conn_next(c))
        conns++;
    (void)pthread_mutex_unlock(&l->lock);
    one(b, "flashline_web_connections", "gauge", "Open connections.", conns);
    one(b, "flashline_web_streams", "gauge", "Live streams.", streams);
    one(b, "flashline_web_texts_total", "counter", "Texts written for all live streams together.", texts);
    one(b, "flashline_web_cut_total", "counter", "Connections cut off because the other side was too slow.", cut);
}

void api_metrics(struct web_request *q)
{
    struct fl_buf *b = &q->reply.body;
    struct tally_head h;
    q->reply.type = "text/plain; version=0.0.4; charset=utf-8";
    tally_get(board_tally(q->web->live.board), fl_mono_ms(), &h);
    head_of(b, "flashline_build_info", "gauge", "Always 1; the label says the version.");
    fl_buf_addf(b, "flashline_build_info{version=\"%s\"} 1\n", FL_VERSION);
    one(b, "flashline_uptime_seconds", "gauge", "Since the server started.",
        (fl_mono_ms() - q->web->began_ms) / 1000);
    of_line(b, &h);
    of_slots(b, q->web->live.board);
    of_web(b, &q->web->live);
}
