/* SPDX-License-Identifier: Apache-2.0
 * asked.c: what other verbs ask of a station at work, at its door. */
#include "works/works_inside.h"

#include "event/tile.h"

#include <stdio.h>
#include <string.h>

static enum fl_err asked_reopen(struct works *w, const json_t *request, json_t **answer, struct fl_why *why)
{
    int64_t leaf = -1, slot = fl_json_int(request, "slot", RULES_LINE);
    if (slot < RULES_LINE || slot > RULES_SLOT_MAX)
        return fl_fail(why, FL_ARG, "there is no slot %lld", (long long)slot);
    enum fl_err err = works_open_again(w, (int)slot, fl_json_text(request, "operator"), fl_json_text(request, "why"), &leaf, why);
    if (!err)
        *answer = json_pack("{sI}", "leaf", (json_int_t)leaf);
    return err;
}

static enum fl_err asked_reprint(struct works *w, const json_t *request, json_t **answer, struct fl_why *why)
{
    int64_t leaf = -1;
    enum fl_err err = labels_reprint(w->data, w->recorder, fl_json_text(request, "mac"), fl_json_text(request, "operator"),
                                     &leaf, why);
    if (!err && !w->labels && !w->reprints)
        err = labels_send(w->data, w->recorder, &w->reprints, why);
    if (!err)
        *answer = json_pack("{sI}", "leaf", (json_int_t)leaf);
    return err;
}

static enum fl_err asked_scan(struct works *w, const json_t *request, json_t **answer, struct fl_why *why)
{
    int slot = 0;
    enum fl_err err = works_scan(w, fl_json_text(request, "code"), &slot, why);
    works_tell_people(w, slot, err != FL_OK, why->text);
    if (!err)
        *answer = json_pack("{ss}", "said", why->text);
    return err ? FL_REFUSED : FL_OK;
}

/* What the tiles show now. */
static enum fl_err asked_status(struct works *w, json_t **answer)
{
    struct tally_head head;
    json_t *slots = json_array();
    for (size_t i = 0; i < board_slots(w->board); i++) {
        struct slot_view v;
        board_get(w->board, i, &v);
        (void)json_array_append_new(slots, json_pack("{si,ss,ss*,ss*,ss*}", "slot", v.slot, "state", tile_look(&v)->name,
                                                     "fault", v.fault[0] ? v.fault : NULL, "mac", v.mac[0] ? v.mac : NULL,
                                                     "said", tile_says(&v, fl_mono_ms()) ? v.said : NULL));
    }
    tally_get(board_tally(w->board), fl_mono_ms(), &head);
    json_t *stopped = json_array();
    for (size_t i = 0; i < head.n_stopped; i++)
        (void)json_array_append_new(stopped, json_integer(head.stopped[i]));
    *answer = json_pack("{ss*,ss*,ss*,so,ss*,sb,so}", "lot", head.lot[0] ? head.lot : NULL, "product",
                        head.product[0] ? head.product : NULL, "alarm", head.alarm[0] ? head.alarm : NULL, "stopped", stopped,
                        "said", head.said[0] ? head.said : NULL, "refused", head.refused != 0, "slots", slots);
    return *answer ? FL_OK : FL_NOMEM;
}

enum fl_err works_asked(void *works, const char *what, const json_t *request, json_t **answer, struct fl_why *why)
{
    if (strcmp(what, "reopen") == 0)
        return asked_reopen(works, request, answer, why);
    if (strcmp(what, "reprint") == 0)
        return asked_reprint(works, request, answer, why);
    if (strcmp(what, "scan") == 0)
        return asked_scan(works, request, answer, why);
    if (strcmp(what, "status") == 0)
        return asked_status(works, answer);
    return fl_fail(why, FL_FORMAT, "nobody here knows what '%.40s' means", what);
}

/* The slots learn of it with the next board. */
void works_added(void *works, enum event_kind kind, const json_t *body)
{
    struct works *w = works;
    char text[TALLY_ALARM];
    const char *lot = fl_json_text(body, "lot");
    if (kind != EVENT_LOT_CLOSE)
        return;
    (void)pthread_mutex_lock(&w->lot_lock);
    bool ours = w->c.lot && strcmp(w->c.lot, lot) == 0 && !w->changing;
    (void)pthread_mutex_unlock(&w->lot_lock);
    (void)snprintf(text, sizeof text, "lot %s is closed: no board of it is begun any more", lot);
    if (ours)
        tally_alarm(board_tally(w->board), text);
}
