/* SPDX-License-Identifier: Apache-2.0
 * people.c: what those who stand at the line do and are told: codes that they scan, slots that they open again. */
#include "works/works_inside.h"

#include "store/db.h"
#include "store/folder.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

enum { ROOM_MS = 30000, CHANGE_MS = 20000 };

static enum fl_err tell(struct works *w, enum event_kind kind, json_t *body, int64_t *leaf, struct fl_why *why)
{
    return event_tell(recorder_queue(w->recorder), event_new(kind, event_with_job(body), NULL), fl_deadline_in_ms(ROOM_MS), leaf, why);
}

enum fl_err works_open_again(struct works *w, int slot, const char *who, const char *reason, int64_t *leaf, struct fl_why *why)
{
    json_t *b = json_pack("{ss,ss}", "operator", who, "why", reason);
    if (b && slot != RULES_LINE && json_object_set_new(b, "slot", json_integer(slot)) != 0) {
        json_decref(b);
        b = NULL;
    }
    enum fl_err err = tell(w, EVENT_LINE_REOPEN, b, leaf, why);
    if (err)
        return err;
    (void)pthread_mutex_lock(&w->lot_lock);
    if (w->lot)
        (void)guard_reopen(lot_guard(w->lot), slot);
    (void)pthread_mutex_unlock(&w->lot_lock);
    return FL_OK;
}

/* ---- scans -------------------------------------------------------------------------------------------- */

static enum fl_err scan_operator(struct works *w, const char *name, struct fl_why *said)
{
    json_t *b = json_pack("{ss,ss}", "operator", name, "change", "begin");
    enum fl_err err = tell(w, EVENT_OPERATOR, b, NULL, said);
    return err ? err : desk_operator(w->desk, name, said);
}

/* A board that is in would be made as part of another lot. */
static int slot_in_use(const struct works *w)
{
    for (size_t i = 0; i < board_slots(w->board); i++) {
        struct slot_view v;
        board_get(w->board, i, &v);
        if (v.state != SLOT_EMPTY && v.state != SLOT_CLOSED)
            return v.slot;
    }
    return 0;
}

/* May this lot be made here? What a start asks of --lot. */
static enum fl_err lot_fits(struct works *w, const char *name, struct fl_why *said)
{
    struct db_reader reader;
    json_t *facts = NULL;
    const char *label = w->c.station->scanner.patterns[SCAN_SERIAL] ? NULL : labels_want_serials(w->labels);
    enum fl_err err = folder_open_reader(w->data, true, &reader, said);
    if (!err)
        err = lot_check(reader.db, name, (const struct profile *const *)w->c.profiles, w->c.n_profiles, &facts, said);
    if (!err && label && !*fl_json_text(json_object_get(json_object_get(facts, "rules"), "serial"), "template"))
        err = fl_fail(said, FL_REFUSED, "lot %s gives no serial numbers, and %s wants them: nothing is done", name, label);
    db_close_reader(&reader);
    json_decref(facts);
    return err;
}

static enum fl_err scan_lot(struct works *w, const char *name, int *concerns, struct fl_why *said)
{
    int slot = slot_in_use(w);
    (void)pthread_mutex_lock(&w->lot_lock);
    bool same = w->c.lot && strcmp(w->c.lot, name) == 0;
    (void)pthread_mutex_unlock(&w->lot_lock);
    if (w->c.mode != LINE_STAY || strlen(name) >= LOT_NAME_MAX)
        return fl_fail(said, FL_STATE, "lot %.60s: no lot can be begun here", name);
    if (slot && !same) {
        *concerns = slot;
        return fl_fail(said, FL_STATE, "lot %s: take all boards out first (slot %d): nothing is done", name, slot);
    }
    enum fl_err err = lot_fits(w, name, said); /* closed since, perhaps, also where it is the same */
    if (err)
        return err;
    if (same)
        return fl_fail(said, FL_OK, "lot %s is what is made already", name);
    (void)pthread_mutex_lock(&w->lot_lock);
    (void)snprintf(w->wanted, sizeof w->wanted, "%s", name);
    w->changing = !w->over;
    struct fl_deadline d = fl_deadline_in_ms(CHANGE_MS);
    while (w->changing && !fl_deadline_passed(d)) /* said when it is so: the next board may come this moment */
        (void)fl_cond_wait(&w->lot_begun, &w->lot_lock, d);
    bool begun = !w->changing && w->c.lot && strcmp(w->c.lot, name) == 0;
    (void)pthread_mutex_unlock(&w->lot_lock);
    return begun ? fl_fail(said, FL_OK, "lot %s is made from now on", name)
                 : fl_fail(said, FL_STATE, "lot %s could not be begun", name);
}

/* A code that says nothing is taken for the number of the slot that waits for one. */
enum fl_err works_scan(struct works *w, const char *code, int *concerns, struct fl_why *said)
{
    char value[SCAN_CODE_MAX + 1];
    enum scan_kind kind;
    if (!w->patterns)
        return fl_fail(said, FL_STATE, "nothing is scanned here: the station file has no scanner");
    enum fl_err err = scan_meaning(w->patterns, code, &kind, value, said);
    if (err) {
        *concerns = desk_waits_for(w->desk, fl_mono_ms());
        return err;
    }
    switch (kind) {
    case SCAN_OPERATOR:
        return scan_operator(w, value, said);
    case SCAN_LOT:
        return scan_lot(w, value, concerns, said);
    case SCAN_SERIAL:
        return desk_serial(w->desk, value, fl_mono_ms(), concerns, said);
    case SCAN_SLOT:
        return desk_slot(w->desk, value, fl_mono_ms(), concerns, said);
    case SCAN_KINDS:
        break;
    }
    return FL_ARG;
}

void works_tell_people(struct works *w, int slot, bool refused, const char *text)
{
    tally_say(board_tally(w->board), refused, text, fl_mono_ms());
    board_say(w->board, slot, refused, text, fl_mono_ms());
    journal_line(w->journal, refused ? LOG_WARNING : LOG_INFO, text);
    works_say(w, refused ? WORKS_NOT_DONE : WORKS_DONE, "%s", text);
}

void works_reopen(void *works, int slot, const char *who, const char *reason)
{
    struct works *w = works;
    struct fl_why why = {0, ""};
    char name[SCAN_CODE_MAX + 1], scope[24], text[500];
    enum scan_kind kind;
    int64_t leaf = -1;
    if (w->patterns && !scan_meaning(w->patterns, who, &kind, name, NULL) && kind == SCAN_OPERATOR)
        who = name; /* a badge that was scanned in place of a name */
    enum fl_err err = works_open_again(w, slot, who, reason, &leaf, &why);
    (void)snprintf(scope, sizeof scope, slot == RULES_LINE ? "the line" : "slot %d", slot);
    if (err)
        (void)snprintf(text, sizeof text, "%s stays closed: %s", scope, why.text);
    else
        (void)snprintf(text, sizeof text, "%s is open again: %s answers for it (leaf %lld)", scope, who, (long long)leaf);
    works_tell_people(w, slot, err != FL_OK, text);
}

void works_scanned(void *works, const char *code)
{
    struct fl_why said = {0, ""};
    int slot = 0;
    enum fl_err err = works_scan(works, code, &slot, &said);
    works_tell_people(works, slot, err != FL_OK, said.text);
}

void works_scan_damaged(void *works, const char *why)
{
    struct works *w = works;
    works_tell_people(w, desk_waits_for(w->desk, fl_mono_ms()), true, why);
}

