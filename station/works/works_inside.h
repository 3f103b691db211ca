/* SPDX-License-Identifier: Apache-2.0
 *
 * works_inside.h: what the files of works share; nobody else.
 */
#ifndef FL_WORKS_WORKS_INSIDE_H
#define FL_WORKS_WORKS_INSIDE_H

#include "line/desk.h"
#include "lineside/heads.h"
#include "lineside/journal.h"
#include "lineside/labels.h"
#include "lineside/scanner.h"
#include "record/door.h"
#include "works/learned.h"
#include "works/lot.h"
#include "works/works.h"

enum { LOT_NAME_MAX = 64 };

struct works_fact {
    struct event_ticket ticket;
    const char *what;
};

struct works {
    struct works_config c;
    const char *data, *passphrase;
    /* parts, in order of making */
    struct recorder *early, *recorder;
    struct board *board;
    struct journal *journal;
    struct works_fact *facts; /* that the line begins with; told and not yet waited for */
    size_t n_facts, room_facts;
    json_t *settings; /* to be told as well, from works_look; NULL: as before */
    struct learned learned; /* for the line that is started next */
    json_t *lot_facts; /* NULL: no lot */
    struct lot *lot;
    struct labels *labels;
    struct labels *reprints; /* the door's own: sends labels where the station file names no printer */
    struct heads *heads;
    struct desk *desk;
    struct scan_patterns *patterns; /* NULL: nothing is scanned */
    struct scanner *scanner;
    struct door *door;
    struct line *line;
    /* a lot that is scanned takes the place of the one that is made */
    pthread_cond_t lot_begun; /* changing is over */
    bool lot_begun_ok;        /* the condition is made */
    pthread_mutex_t lot_lock; /* guards the next four, and c.lot, lot and lot_facts against the door and the scanner */
    bool over;     /* no lot is begun any more */
    bool changing; /* from the scan until the line works with the new lot, or the program ends */
    char wanted[LOT_NAME_MAX];   /* a lot that was scanned: to be made from now on; "" none */
    char lot_name[LOT_NAME_MAX]; /* of the lot that is made, when it was scanned */
};

/* Whose fault: theirs who asked for it or wrote it (FL_ARG), or the station's own. */
enum fl_err works_theirs(enum fl_err err);
enum fl_err works_ours(enum fl_err err);

void works_say(struct works *w, enum works_says how, const char *fmt, ...) FL_PRINTF(3, 4);

/* recorder_config.look: what a start reads of the records. */
FL_MUST enum fl_err works_look(void *works, sqlite3 *db, struct fl_why *why);
/* What the slots learned, into w->learned; without it a line begins too, and somebody is told. */
void works_recall(struct works *w, sqlite3 *db);
/* A fact of the start, told to the recorder and not waited for: the queue keeps its order, so it stands before whatever an
 * attempt tells. All of them: the profiles, so that an attempt need only name a hash, and the station's settings. */
FL_MUST enum fl_err works_tell_facts(struct works *w, struct fl_why *why);
/* Are they all durable? The first that is not says why. */
FL_MUST enum fl_err works_facts_kept(struct works *w, struct fl_why *why);
void works_facts_free(struct works *w); /* when the recorder is closed: it has answered them all */

/* Makes the lot c.lot, which others see when it is whole. */
FL_MUST enum fl_err works_make_lot(struct works *w, struct fl_why *why);
/* What the line makes, for those who look at it. */
void works_title(struct works *w);

/* door_config.ask: what other verbs ask of a station at work. */
FL_MUST enum fl_err works_asked(void *works, const char *what, const json_t *request, json_t **answer, struct fl_why *why);
/* door_config.added: what was recorded there and those who stand at the line want to know. */
void works_added(void *works, enum event_kind kind, const json_t *body);
/* What a code says is done; the sentence is also written where it was. *concerns: the slot that it is about; else as it was. */
FL_MUST enum fl_err works_scan(struct works *w, const char *code, int *concerns, struct fl_why *said);
/* To the people at the line: on every board, on the tile of the slot that it concerns (0: none). */
void works_tell_people(struct works *w, int slot, bool refused, const char *text);
/* Recorded first, then the slots go on. Slot 0: the line. */
FL_MUST enum fl_err works_open_again(struct works *w, int slot, const char *who, const char *reason, int64_t *leaf, struct fl_why *why);

#endif
