/* SPDX-License-Identifier: Apache-2.0
 * making_asked.c: what a line at work is told and asked by others: at its door, and by a barcode scanner. */
#include "cli/making_inside.h"

#include "event/tile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

enum { EVENT_MS = 30000, CHANGE_MS = 20000 };

/* Takes body. The ticket is answered later, unless this fails. */
static enum fl_err hand_over(struct fl_queue *q, enum event_kind kind, json_t *body, struct event_ticket *t, struct fl_why *why)
{
    return event_put(q, event_new(kind, event_with_job(body), t), fl_deadline_in_ms(EVENT_MS), why);
}

enum fl_err making_event(struct fl_queue *q, enum event_kind kind, json_t *body, int64_t *leaf, struct fl_why *why)
{
    return event_tell(q, event_new(kind, event_with_job(body), NULL), fl_deadline_in_ms(EVENT_MS), leaf, why);
}

/* ---- facts of the start ------------------------------------------------------------------------------------ */

enum fl_err making_fact(struct making *m, enum event_kind kind, json_t *body, const char *what, struct fl_why *why)
{
    struct making_fact *f = m->n_facts < m->room_facts ? &m->facts[m->n_facts] : NULL;
    if (!f || event_ticket_init(&f->ticket)) {
        json_decref(body);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    f->what = what;
    enum fl_err err = hand_over(recorder_queue(m->recorder), kind, body, &f->ticket, why);
    if (err)
        event_ticket_fini(&f->ticket);
    else
        m->n_facts++;
    return err;
}

enum fl_err making_facts_kept(struct making *m, struct fl_why *why)
{
    for (size_t i = 0; i < m->n_facts; i++) {
        enum fl_err err = event_ticket_wait(&m->facts[i].ticket, fl_deadline_never(), NULL, why);
        if (err)
            return fl_why_wrap(why, err, "%s could not be recorded: ", m->facts[i].what);
    }
    return FL_OK;
}

void making_facts_free(struct making *m)
{
    for (size_t i = 0; i < m->n_facts; i++)
        event_ticket_fini(&m->facts[i].ticket);
    free(m->facts);
}

/* Recorded first, then the slots go on. */
static enum fl_err reopen(struct making *m, int slot, const char *who, const char *reason, int64_t *leaf, struct fl_why *why)
{
    json_t *b = json_pack("{ss,ss}", "operator", who, "why", reason);
    if (b && slot != RULES_LINE && json_object_set_new(b, "slot", json_integer(slot)) != 0) {
        json_decref(b);
        b = NULL;
    }
    enum fl_err err = making_event(recorder_queue(m->recorder), EVENT_LINE_REOPEN, b, leaf, why);
    if (err)
        return err;
    (void)pthread_mutex_lock(&m->lot_lock);
    if (m->lot_line)
        (void)guard_reopen(lot_line_guard(m->lot_line), slot);
    (void)pthread_mutex_unlock(&m->lot_lock);
    return FL_OK;
}

/* "reopen" */
static enum fl_err asked_reopen(struct making *m, const json_t *request, json_t **answer, struct fl_why *why)
{
    int64_t leaf = -1;
    enum fl_err err = reopen(m, (int)fl_json_int(request, "slot", RULES_LINE), fl_json_text(request, "operator"),
                             fl_json_text(request, "why"), &leaf, why);
    if (!err)
        *answer = json_pack("{sI}", "leaf", (json_int_t)leaf);
    return err;
}

static enum fl_err reprint(struct making *m, const json_t *request, json_t **answer, struct fl_why *why)
{
    int64_t leaf = -1;
    enum fl_err err = labels_reprint(m->data_dir, m->recorder, fl_json_text(request, "mac"), fl_json_text(request, "operator"),
                                     &leaf, why);
    if (!err && !m->labels && !m->reprints)
        err = labels_send(m->data_dir, m->recorder, &m->reprints, why);
    if (!err)
        *answer = json_pack("{sI}", "leaf", (json_int_t)leaf);
    return err;
}

/* ---- scans -------------------------------------------------------------------------------------------- */

static enum fl_err scan_operator(struct making *m, const char *name, struct fl_why *said)
{
    json_t *b = json_pack("{ss,ss}", "operator", name, "change", "begin");
    enum fl_err err = making_event(recorder_queue(m->recorder), EVENT_OPERATOR, b, NULL, said);
    return err ? err : desk_operator(m->desk, name, said);
}

/* A board that is in would be made as part of another lot. */
static int slot_in_use(const struct making *m)
{
    for (size_t i = 0; i < board_slots(m->board); i++) {
        struct slot_view v;
        board_get(m->board, i, &v);
        if (v.state != SLOT_EMPTY && v.state != SLOT_CLOSED)
            return v.slot;
    }
    return 0;
}

static enum fl_err scan_lot(struct making *m, const char *name, int *concerns, struct fl_why *said)
{
    json_t *facts = NULL;
    int slot = slot_in_use(m);
    (void)pthread_mutex_lock(&m->lot_lock);
    bool same = m->lot && strcmp(m->lot, name) == 0;
    (void)pthread_mutex_unlock(&m->lot_lock);
    if (m->mode != LINE_STAY || strlen(name) >= LOT_NAME_MAX)
        return fl_fail(said, FL_STATE, "lot %.60s: no lot can be begun here", name);
    if (same)
        return fl_fail(said, FL_OK, "lot %s is what is made already", name);
    *concerns = same || m->mode != LINE_STAY ? 0 : slot;
    if (slot)
        return fl_fail(said, FL_STATE, "lot %s: take all boards out first (slot %d): nothing is done", name, slot);
    enum fl_err err = making_lot_check(m->data_dir, name, (const struct profile *const *)m->profiles, m->n_profiles, &facts, said);
    json_decref(facts);
    if (err)
        return err;
    (void)pthread_mutex_lock(&m->lot_lock);
    (void)snprintf(m->wanted, sizeof m->wanted, "%s", name);
    m->changing = !m->over;
    struct fl_deadline d = fl_deadline_in_ms(CHANGE_MS);
    while (m->changing && !fl_deadline_passed(d)) /* said when it is so: the next board may come this moment */
        (void)fl_cond_wait(&m->lot_begun, &m->lot_lock, d);
    bool begun = !m->changing && m->lot && strcmp(m->lot, name) == 0;
    (void)pthread_mutex_unlock(&m->lot_lock);
    return begun ? fl_fail(said, FL_OK, "lot %s is made from now on", name)
                 : fl_fail(said, FL_STATE, "lot %s could not be begun", name);
}

/* A code that says nothing is taken for the number of the slot that waits for one. */
static enum fl_err scan(struct making *m, const char *code, int *concerns, struct fl_why *said)
{
    char value[SCAN_CODE_MAX + 1];
    enum scan_kind kind;
    if (!m->patterns)
        return fl_fail(said, FL_STATE, "nothing is scanned here: the station file has no scanner");
    enum fl_err err = scan_meaning(m->patterns, code, &kind, value, said);
    if (err) {
        *concerns = desk_waits_for(m->desk, fl_mono_ms());
        return err;
    }
    switch (kind) {
    case SCAN_OPERATOR:
        return scan_operator(m, value, said);
    case SCAN_LOT:
        return scan_lot(m, value, concerns, said);
    case SCAN_SERIAL:
        return desk_serial(m->desk, value, fl_mono_ms(), concerns, said);
    case SCAN_SLOT:
        return desk_slot(m->desk, value, fl_mono_ms(), concerns, said);
    case SCAN_KINDS:
        break;
    }
    return FL_ARG;
}

/* On every board, on the tile of the slot that it concerns (0: none), and a bell where something was not done: hands are
 * full, eyes elsewhere. */
static void say(struct making *m, int slot, bool refused, const char *text)
{
    tally_say(board_tally(m->board), refused, text, fl_mono_ms());
    board_say(m->board, slot, refused, text, fl_mono_ms());
    journal_line(m->journal, refused ? LOG_WARNING : LOG_INFO, text);
    if (!console_takes_terminal(stderr))
        fprintf(stderr, "flashline: scan: %s\n", text);
    else if (refused)
        (void)fputc('\a', stderr);
}

void making_reopen(void *making, int slot, const char *who, const char *reason)
{
    struct making *m = making;
    struct fl_why why = {0, ""};
    char name[SCAN_CODE_MAX + 1], scope[24], text[500];
    enum scan_kind kind;
    int64_t leaf = -1;
    if (m->patterns && !scan_meaning(m->patterns, who, &kind, name, NULL) && kind == SCAN_OPERATOR)
        who = name; /* a badge that was scanned in place of a name */
    enum fl_err err = reopen(m, slot, who, reason, &leaf, &why);
    (void)snprintf(scope, sizeof scope, slot == RULES_LINE ? "the line" : "slot %d", slot);
    if (err)
        (void)snprintf(text, sizeof text, "%s stays closed: %s", scope, why.text);
    else
        (void)snprintf(text, sizeof text, "%s is open again: %s answers for it (leaf %lld)", scope, who, (long long)leaf);
    say(m, slot, err != FL_OK, text);
}

void making_scanned(void *making, const char *code)
{
    struct fl_why said = {0, ""};
    int slot = 0;
    enum fl_err err = scan(making, code, &slot, &said);
    say(making, slot, err != FL_OK, said.text);
}

void making_scan_damaged(void *making, const char *why)
{
    struct making *m = making;
    say(m, desk_waits_for(m->desk, fl_mono_ms()), true, why);
}

static enum fl_err asked_scan(struct making *m, const json_t *request, json_t **answer, struct fl_why *why)
{
    int slot = 0;
    enum fl_err err = scan(m, fl_json_text(request, "code"), &slot, why);
    say(m, slot, err != FL_OK, why->text);
    if (!err)
        *answer = json_pack("{ss}", "said", why->text);
    return err ? FL_REFUSED : FL_OK;
}

/* "status": what the tiles show now. */
static enum fl_err status(struct making *m, json_t **answer)
{
    struct tally_head head;
    json_t *slots = json_array();
    for (size_t i = 0; i < board_slots(m->board); i++) {
        struct slot_view v;
        board_get(m->board, i, &v);
        (void)json_array_append_new(slots, json_pack("{si,ss,ss*,ss*,ss*}", "slot", v.slot, "state", tile_look(&v)->name,
                                                     "fault", v.fault[0] ? v.fault : NULL, "mac", v.mac[0] ? v.mac : NULL,
                                                     "said", tile_says(&v, fl_mono_ms()) ? v.said : NULL));
    }
    tally_get(board_tally(m->board), fl_mono_ms(), &head);
    json_t *stopped = json_array();
    for (size_t i = 0; i < head.n_stopped; i++)
        (void)json_array_append_new(stopped, json_integer(head.stopped[i]));
    *answer = json_pack("{ss*,ss*,ss*,so,ss*,sb,so}", "lot", head.lot[0] ? head.lot : NULL, "product",
                        head.product[0] ? head.product : NULL, "alarm", head.alarm[0] ? head.alarm : NULL, "stopped", stopped,
                        "said", head.said[0] ? head.said : NULL, "refused", head.refused != 0, "slots", slots);
    return *answer ? FL_OK : FL_NOMEM;
}

enum fl_err making_asked(void *making, const char *what, const json_t *request, json_t **answer, struct fl_why *why)
{
    if (strcmp(what, "reopen") == 0)
        return asked_reopen(making, request, answer, why);
    if (strcmp(what, "reprint") == 0)
        return reprint(making, request, answer, why);
    if (strcmp(what, "scan") == 0)
        return asked_scan(making, request, answer, why);
    if (strcmp(what, "status") == 0)
        return status(making, answer);
    return fl_fail(why, FL_FORMAT, "nobody here knows what '%.40s' means", what);
}
