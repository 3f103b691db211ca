/* SPDX-License-Identifier: Apache-2.0 */
#include "works/works_inside.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

enum { SAID_MAX = 2048 };

enum fl_err works_theirs(enum fl_err err)
{
    return err && err != FL_NOMEM ? FL_ARG : err;
}

enum fl_err works_ours(enum fl_err err)
{
    return err == FL_ARG ? FL_STATE : err;
}

void works_say(struct works *w, enum works_says how, const char *fmt, ...)
{
    char text[SAID_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    w->c.say(w->c.ctx, how, text);
}

/* ---- parts, in order of making ---------------------------------------------------------------------------------- */

static struct recorder_config recorder_wanted(struct works *w)
{
    return (struct recorder_config){.data = w->data, .create = true, .station = w->c.station ? w->c.station->station : NULL,
                                    .passphrase = w->passphrase, .signer_apart = true, .early = w->early, .look = works_look, .look_ctx = w};
}

static enum fl_err open_recorder(struct works *w, struct fl_why *why)
{
    struct recorder_opened opened = {.created = false};
    const struct recorder_config config = recorder_wanted(w);
    enum fl_err err = recorder_open(&config, &w->recorder, &opened, why);
    w->early = NULL;
    w->passphrase = NULL;
    if (err)
        return works_ours(err);
    if (opened.created)
        works_say(w, WORKS_NOTE, "made a station in %s with a new, %s.\n  For production: flashline init. Verifier key: %s", w->data,
                  opened.encrypted ? "encrypted key" : "unencrypted key, good for trying", opened.vkey);
    if (opened.recovered)
        works_say(w, WORKS_NOTE, "%u record%s that the signer had signed and a crash took: made again", opened.recovered,
                  opened.recovered == 1 ? "" : "s");
    if (opened.interrupted)
        works_say(w, WORKS_NOTE, "%u attempt%s without an end, from before: now INTERRUPTED", opened.interrupted,
                  opened.interrupted == 1 ? "" : "s");
    return FL_OK;
}

/* The console and the board show it as they show a scan that did nothing: whoever stands there should look at the printer. */
static void said_of_labels(void *works, bool trouble, const char *text)
{
    struct works *w = works;
    tally_say(board_tally(w->board), trouble, text, fl_mono_ms());
    journal_line(w->journal, trouble ? LOG_WARNING : LOG_INFO, text);
    works_say(w, WORKS_NOTE, "%s", text);
}

static enum fl_err open_labels(struct works *w, struct fl_why *why)
{
    const struct station_file *s = w->c.station;
    const struct labels_config c = {
        .set = &s->labels, .data = w->data, .station = s->station, .recorder = w->recorder,
        .profiles = (const struct profile *const *)w->c.profiles, .n_profiles = w->c.n_profiles, .lot = &w->lot_facts,
        .serials = lot_serials(w->lot) || s->scanner.patterns[SCAN_SERIAL] || (s->lots_required && !w->c.lot), .say = said_of_labels, .ctx = w};
    enum fl_err err = labels_open(&c, &w->labels, why);
    return err == FL_FORMAT ? works_theirs(err) : works_ours(err);
}

static void said_of_heads(void *works, const char *text)
{
    works_say(works, WORKS_NOTE, "%s", text);
}

static enum fl_err open_heads(struct works *w, struct fl_why *why)
{
    const struct heads_config c = {.data = w->data, .anchor = &w->c.station->anchor, .recorder = w->recorder, .say = said_of_heads, .ctx = w};
    enum fl_err err = heads_open(&c, &w->heads, why);
    return err == FL_FORMAT ? works_theirs(err) : works_ours(err);
}

/* Who stands there, and what a code means. */
static enum fl_err open_desk(struct works *w, struct fl_why *why)
{
    const struct station_file *s = w->c.station;
    bool stays = w->c.mode == LINE_STAY, any = s->scanner.port != NULL;
    int *slots = calloc(s->n + 1, sizeof *slots);
    for (size_t i = 0; slots && i < s->n; i++)
        slots[i] = s->slots[i].slot;
    w->desk = slots ? desk_new(w->c.operator_id, slots, s->n) : NULL;
    free(slots);
    w->lot_begun_ok = fl_cond_init(&w->lot_begun) == FL_OK;
    if (!w->desk || !w->lot_begun_ok)
        return fl_fail(why, FL_NOMEM, "out of memory");
    if (s->lots_required && !w->c.lot && (!stays || !s->scanner.patterns[SCAN_LOT]))
        return fl_fail(why, FL_ARG, "the station file says `lots: required`: give --lot NAME%s",
                       stays ? ", or a scanner with a pattern for lots" : "");
    for (int i = 0; i < SCAN_KINDS; i++)
        any = any || s->scanner.patterns[i];
    return any ? works_theirs(scan_patterns_new((const char *const *)s->scanner.patterns, &w->patterns, why)) : FL_OK;
}

/* Only where a line stays, and where nobody else reads what is typed. */
static enum fl_err open_scanner(struct works *w, struct fl_why *why)
{
    const struct station_scanner *set = &w->c.station->scanner;
    const struct scanner_config c = {.set = set, .code = works_scanned, .damaged = works_scan_damaged, .ctx = w};
    if (w->c.mode != LINE_STAY || !set->port || (strcmp(set->port, "stdin") == 0 && w->c.keyboard))
        return FL_OK;
    enum fl_err err = scanner_open(&c, &w->scanner, why);
    return err ? fl_why_wrap(why, works_theirs(err), "scanner: ") : FL_OK;
}

/* From here on other verbs reach the station at work. */
static enum fl_err open_door(struct works *w, struct fl_why *why)
{
    const struct door_config c = {.data = w->data, .recorder = w->recorder, .ask = works_asked, .added = works_added, .ctx = w};
    return works_ours(door_open(&c, &w->door, why));
}

enum fl_err works_open(struct works *w, const struct works_config *c, struct fl_why *why)
{
    w->c = *c;
    w->board = board_new(c->station->n);
    if (!w->board)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = journal_open(c->journal, &w->journal, why);
    if (err)
        return fl_why_wrap(why, works_theirs(err), "--journal: ");
    err = open_recorder(w, why);
    if (!err)
        err = works_ours(works_tell_facts(w, why));
    if (!err && c->lot)
        err = works_make_lot(w, why);
    if (!err)
        err = open_labels(w, why);
    if (!err)
        err = open_heads(w, why);
    if (!err)
        err = open_desk(w, why);
    if (!err)
        err = open_scanner(w, why);
    if (!err)
        err = open_door(w, why);
    if (!err)
        works_title(w);
    return err;
}

struct board *works_board(const struct works *w)
{
    return w->board;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

enum fl_err works_new(const char *data, const char *passphrase, struct works **out, struct fl_why *why)
{
    struct works *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w || pthread_mutex_init(&w->lot_lock, NULL) != 0) {
        free(w);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    w->data = data;
    w->passphrase = passphrase;
    const struct recorder_config config = recorder_wanted(w);
    w->early = recorder_early(&config);
    *out = w;
    return FL_OK;
}

void works_close(struct works *w)
{
    if (!w)
        return;
    scanner_close(w->scanner);
    door_close(w->door);
    labels_close(w->labels);
    labels_close(w->reprints);
    desk_free(w->desk);
    if (w->lot_begun_ok)
        (void)pthread_cond_destroy(&w->lot_begun);
    scan_patterns_free(w->patterns);
    lot_free(w->lot);
    json_decref(w->lot_facts);
    heads_close(w->heads);
    recorder_close(w->recorder);
    recorder_drop(w->early);
    works_facts_free(w);
    journal_close(w->journal);
    board_free(w->board);
    (void)pthread_mutex_destroy(&w->lot_lock);
    free(w);
}
