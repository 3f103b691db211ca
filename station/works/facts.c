/* SPDX-License-Identifier: Apache-2.0
 * facts.c: what a line begins with, for the record. */
#include "works/works_inside.h"

#include "store/settings.h"

#include <stdlib.h>

enum { ROOM_MS = 30000 };

static enum fl_err tell(struct works *w, enum event_kind kind, json_t *body, const char *what, struct fl_why *why)
{
    struct works_fact *f = w->n_facts < w->room_facts ? &w->facts[w->n_facts] : NULL;
    if (!f || event_ticket_init(&f->ticket)) {
        json_decref(body);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    f->what = what;
    struct event *e = event_new(kind, event_with_job(body), &f->ticket);
    enum fl_err err = event_put(recorder_queue(w->recorder), e, fl_deadline_in_ms(ROOM_MS), why);
    if (err)
        event_ticket_fini(&f->ticket);
    else
        w->n_facts++;
    return err;
}

void works_recall(struct works *w, sqlite3 *db)
{
    struct fl_why forgot = {0, ""};
    learned_fini(&w->learned);
    if (learned_recall(&w->learned, db, &forgot))
        works_say(w, WORKS_NOTE, "what the slots learned is not used: %s", forgot.text);
}

enum fl_err works_look(void *works, sqlite3 *db, struct fl_why *why)
{
    struct works *w = works;
    works_recall(w, db);
    return settings_changed(db, "station", w->c.setup, w->c.operator_id, &w->settings, why);
}

enum fl_err works_tell_facts(struct works *w, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    w->room_facts = w->c.n_profiles + 1;
    w->facts = calloc(w->room_facts, sizeof *w->facts);
    for (size_t i = 0; !err && i < w->c.n_profiles; i++)
        err = tell(w, EVENT_PROFILE, profile_facts(w->c.profiles[i]), w->c.profiles[i]->path, why);
    if (!err && w->settings)
        err = tell(w, EVENT_CONFIG, json_incref(w->settings), "the station's settings", why);
    return err ? fl_why_wrap(why, err, "what the line begins with could not be recorded: ") : FL_OK;
}

enum fl_err works_facts_kept(struct works *w, struct fl_why *why)
{
    for (size_t i = 0; i < w->n_facts; i++) {
        enum fl_err err = event_ticket_wait(&w->facts[i].ticket, fl_deadline_never(), NULL, why);
        if (err)
            return fl_why_wrap(why, err, "%s could not be recorded: ", w->facts[i].what);
    }
    return FL_OK;
}

void works_facts_free(struct works *w)
{
    for (size_t i = 0; i < w->n_facts; i++)
        event_ticket_fini(&w->facts[i].ticket);
    free(w->facts);
    json_decref(w->settings);
    learned_fini(&w->learned);
}
