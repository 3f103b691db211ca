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

enum fl_err works_tell_facts(struct works *w, struct fl_why *why)
{
    json_t *settings;
    enum fl_err err = settings_changed(w->data, "station", w->c.setup, w->c.operator_id, &settings, why);
    if (err)
        return err;
    w->room_facts = w->c.n_profiles + 1;
    w->facts = calloc(w->room_facts, sizeof *w->facts);
    for (size_t i = 0; !err && i < w->c.n_profiles; i++)
        err = tell(w, EVENT_PROFILE, profile_facts(w->c.profiles[i]), w->c.profiles[i]->path, why);
    if (!err && settings)
        err = tell(w, EVENT_CONFIG, settings, "the station's settings", why);
    else
        json_decref(settings);
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
}
