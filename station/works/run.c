/* SPDX-License-Identifier: Apache-2.0
 * run.c: the line at work, from its start until nothing is made any more, and the change from lot to lot. */
#include "works/works_inside.h"

#include "store/db.h"
#include "store/folder.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

enum { HEALTH_MS = 250 };

/* `db`: the records, opened once for all that a lot asks of them. */
static enum fl_err make_lot(struct works *w, sqlite3 *db, json_t **facts, struct lot **out, struct fl_why *why)
{
    struct fl_why said = {0, ""};
    enum fl_err err = lot_check(db, w->c.lot, (const struct profile *const *)w->c.profiles, w->c.n_profiles, facts, &said);
    if (err == FL_ARG)
        return fl_fail(why, FL_ARG, "%s: flashline lot open makes one", said.text);
    if (err)
        return fl_fail(why, err == FL_REFUSED ? FL_ARG : err, "%s", said.text);
    const struct lot_config c = {.db = db, .name = w->c.lot, .facts = *facts, .queue = recorder_queue(w->recorder),
                                 .tally = board_tally(w->board)};
    err = lot_new(&c, out, why);
    return err == FL_FORMAT ? works_theirs(err) : works_ours(err);
}

enum fl_err works_make_lot(struct works *w, struct fl_why *why)
{
    struct db_reader reader;
    json_t *facts = NULL;
    struct lot *lot = NULL;
    enum fl_err err = folder_open_reader(w->data, true, &reader, why);
    if (!err)
        err = make_lot(w, reader.db, &facts, &lot, why);
    db_close_reader(&reader);
    if (err) {
        json_decref(facts);
        return err;
    }
    (void)pthread_mutex_lock(&w->lot_lock);
    w->lot_facts = facts;
    w->lot = lot;
    (void)pthread_mutex_unlock(&w->lot_lock);
    return FL_OK;
}

void works_title(struct works *w)
{
    char product[TALLY_TEXT] = "";
    const char *said = fl_json_text(w->lot_facts, "product");
    const struct profile *first = w->c.profiles[0];
    bool versioned = strcmp(first->version, "0") != 0; /* "0": the profile says none */
    if (w->c.n_profiles == 1)
        (void)snprintf(product, sizeof product, "%s%s%s", first->name, versioned ? " " : "", versioned ? first->version : "");
    else if (*said)
        (void)snprintf(product, sizeof product, "%s", said);
    else
        (void)snprintf(product, sizeof product, "%zu profiles", w->c.n_profiles);
    tally_title(board_tally(w->board), w->c.station->station, product, w->c.lot, (uint64_t)fl_json_int(w->lot_facts, "planned", 0),
                w->lot ? lot_rules(w->lot)->takt_ms : 0);
}

/* ---- the line ------------------------------------------------------------------------------------------------- */

/* On a slot's thread, as line_config says. */
static void attempt_ended(void *works, const struct attempt_facts *f, int64_t leaf)
{
    struct works *w = works;
    journal_attempt(w->journal, f, leaf);
    if (!(f->purpose && *f->purpose)) /* samples and dry runs enter no number, as in the reports */
        tally_add(board_tally(w->board), f->outcome, f->has_mac ? f->mac : NULL, fl_mono_ms());
    w->c.finished(w->c.ctx, f, leaf);
}

static enum fl_err start_line(struct works *w, struct fl_why *why)
{
    const struct line_config config = {
        .learned = w->learned.list, .n_learned = w->learned.n,
        .mode = w->c.mode, .profiles = (const struct profile *const *)w->c.profiles, .n_profiles = w->c.n_profiles,
        .slots = w->c.station->slots, .n_slots = w->c.station->n,
        .facts = recorder_queue(w->recorder), .board = w->board, .desk = w->desk, .lot = w->c.lot, .purpose = w->c.purpose,
        .guard = lot_guard(w->lot), .serials = lot_serials(w->lot),
        .parcels = w->labels ? labels_ride : NULL, .parcels_ctx = w->labels,
        .before = &w->c.station->before, .after = &w->c.station->after,
        .finished = attempt_ended, .ctx = w,
    };
    enum fl_err err = line_start(&config, &w->line, why);
    learned_fini(&w->learned);
    return err;
}

/* True: it ended by itself. Without a line (no lot is open yet) only the time passes. */
static bool line_ended(struct works *w)
{
    struct fl_deadline d = fl_deadline_in_ms(HEALTH_MS);
    if (w->line)
        return line_wait(w->line, d) == FL_OK;
    return fl_wake_sleep(w->c.stop, d) == FL_CANCELLED;
}

/* ---- from lot to lot ------------------------------------------------------------------------------------------- */

static void lot_begun(struct works *w)
{
    (void)pthread_mutex_lock(&w->lot_lock);
    w->changing = false;
    (void)pthread_cond_broadcast(&w->lot_begun);
    (void)pthread_mutex_unlock(&w->lot_lock);
}

static bool lot_wanted(struct works *w)
{
    (void)pthread_mutex_lock(&w->lot_lock);
    bool wanted = w->wanted[0] != 0;
    (void)pthread_mutex_unlock(&w->lot_lock);
    return wanted;
}

/* What was learned since the start too. */
static void recall(struct works *w)
{
    struct db_reader reader;
    struct fl_why why = {0, ""};
    if (folder_open_reader(w->data, true, &reader, &why)) {
        works_say(w, WORKS_NOTE, "what the slots learned is not used: %s", why.text);
        return;
    }
    works_recall(w, reader.db);
    db_close_reader(&reader);
}

/* A lot was scanned while all slots were empty: the line ends, and begins again with it. */
static enum fl_err change_lot(struct works *w, struct fl_why *why)
{
    line_free(w->line);
    w->line = NULL;
    (void)pthread_mutex_lock(&w->lot_lock);
    struct lot *old = w->lot;
    json_t *old_facts = w->lot_facts;
    w->lot = NULL;
    w->lot_facts = NULL;
    (void)pthread_mutex_unlock(&w->lot_lock);
    lot_free(old); /* which has borrowed lot_name, perhaps */
    json_decref(old_facts);
    (void)pthread_mutex_lock(&w->lot_lock);
    (void)snprintf(w->lot_name, sizeof w->lot_name, "%s", w->wanted);
    w->wanted[0] = 0;
    w->c.lot = w->lot_name;
    (void)pthread_mutex_unlock(&w->lot_lock);
    tally_alarm(board_tally(w->board), NULL);
    tally_stops(board_tally(w->board), NULL, 0);
    enum fl_err err = works_make_lot(w, why);
    if (err)
        return fl_why_wrap(why, works_ours(err), "lot %s could not be begun: ", w->c.lot);
    works_title(w);
    recall(w);
    err = start_line(w, why);
    lot_begun(w);
    return err;
}

/* ---- until the end ---------------------------------------------------------------------------------------------- */

/* What it means for whoever stands there, then why. */
static void cannot_record(struct works *w, const char *why)
{
    char text[TALLY_ALARM];
    (void)snprintf(text, sizeof text, "nothing can be recorded, so nothing passes any more: call the engineer (%s)", why);
    tally_alarm(board_tally(w->board), text);
}

static enum fl_err keep_making(struct works *w, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    while (!err && !line_ended(w)) {
        bool told = fl_wake_sleep(w->c.stop, fl_deadline_in_ms(0)) == FL_CANCELLED;
        bool broken = recorder_health(w->recorder, why) != FL_OK;
        if (broken) {
            cannot_record(w, why->text);
            journal_line(w->journal, LOG_CRIT, why->text);
        }
        if ((told || broken) && w->line)
            line_cancel(w->line);
        else if (told || broken)
            break;
        else if (lot_wanted(w))
            err = change_lot(w, why);
    }
    return err;
}

enum fl_err works_run(struct works *w, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    if (w->c.station->lots_required && !w->c.lot)
        tally_alarm(board_tally(w->board), "no lot is open: scan the lot");
    else
        err = start_line(w, why);
    for (size_t i = 0; i < w->c.n_profiles; i++) /* not before: it would take a processor from the start */
        profile_begin(w->c.profiles[i]);
    if (!err)
        err = works_facts_kept(w, why);
    if (!err)
        err = keep_making(w, why);
    line_free(w->line);
    w->line = NULL;
    (void)pthread_mutex_lock(&w->lot_lock);
    w->over = true;
    (void)pthread_mutex_unlock(&w->lot_lock);
    lot_begun(w); /* whoever scanned one in the last moment need not wait */
    if (!err && recorder_health(w->recorder, why))
        err = fl_why_wrap(why, FL_STATE, "the station stopped: ");
    return works_ours(err);
}
