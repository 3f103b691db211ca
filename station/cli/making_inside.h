/* SPDX-License-Identifier: Apache-2.0
 *
 * making_inside.h: what making.c and making_asked.c share; nobody else.
 */
#ifndef FL_CLI_MAKING_INSIDE_H
#define FL_CLI_MAKING_INSIDE_H

#include "lineside/clerk.h"
#include "lineside/heads.h"
#include "lineside/labels.h"
#include "cli/lot_line.h"
#include "cli/making.h"
#include "cli/results.h"
#include "lineside/scanner.h"
#include "cli/signals.h"
#include "console/console.h"
#include "line/desk.h"
#include "record/door.h"
#include "web/web.h"

enum { LOT_NAME_MAX = 64 };

struct making_fact {
    struct event_ticket ticket;
    const char *what;
};

struct making {
    const struct cli_verb *verb;
    /* options */
    const char *station_path, *data, *format, *operator_id, *lot, *purpose, *credential, *web_listen, *web_cert, *web_key, *journal_path;
    unsigned passphrase_fd;
    struct cli_list ports, profile_paths;
    /* parts, in order of making */
    struct profile **profiles;
    size_t n_profiles;
    struct station_file station;
    char *data_dir;
    struct cli_signals signals;
    bool signals_on;
    struct fl_wake stop; /* raised by a signal */
    char *passphrase; /* until the recorder is open */
    struct recorder *early, *recorder;
    struct making_fact *facts;
    size_t n_facts, room_facts;
    struct door *door;
    uint64_t planned; /* of the lot; 0 not said */
    json_t *lot_facts;
    struct lot_line *lot_line;
    struct labels *labels;
    struct labels *reprints; /* the door's own: sends labels where the station file names no printer */
    struct heads *heads;
    struct board *board;
    struct clerk *clerk; /* NULL: the console has no keyboard */
    struct console *console;
    struct web *web;
    struct journal *journal;
    struct line *line;
    enum line_mode mode;
    struct desk *desk;
    struct scan_patterns *patterns; /* NULL: nothing is scanned */
    struct scanner *scanner;
    pthread_cond_t lot_begun; /* changing is over */
    bool lot_begun_ok;        /* the condition is made */
    pthread_mutex_t lot_lock; /* guards the next four, and lot_line against the door and the scanner */
    bool over;     /* no lot is begun any more */
    bool changing; /* from the scan until the line works with the new lot, or the program ends */
    char wanted[LOT_NAME_MAX]; /* a lot that was scanned: to be made from now on; "" none */
    char lot_name[LOT_NAME_MAX]; /* of the lot that is made, when it was scanned */
    struct results results;
};

/* Takes body, gives it a job where it has none; waits until it is durable. */
enum fl_err making_event(struct fl_queue *q, enum event_kind kind, json_t *body, int64_t *leaf, struct fl_why *why);

/* A fact of the start, told to the recorder and not waited for: the queue keeps its order, so it stands before whatever an
 * attempt tells. Takes body; `what` names it for people and must live as long as m. */
enum fl_err making_fact(struct making *m, enum event_kind kind, json_t *body, const char *what, struct fl_why *why);
/* Are they all durable? The first that is not says why. */
enum fl_err making_facts_kept(struct making *m, struct fl_why *why);
void making_facts_free(struct making *m); /* when the recorder is closed: it has answered them all */

/* What comes to the door (record/door.h), and from the scanner. */
enum fl_err making_asked(void *making, const char *what, const json_t *request, json_t **answer, struct fl_why *why);
void making_scanned(void *making, const char *code);
void making_scan_damaged(void *making, const char *why);
/* Asked for at the console's keyboard: recorded, then the slots go on. */
void making_reopen(void *making, int slot, const char *who, const char *reason);

#endif
