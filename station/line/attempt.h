/* SPDX-License-Identifier: Apache-2.0
 *
 * attempt.h: one try at one unit in one slot, from opening the port to the durable record.
 *
 * Internal to the line. Thread rule: owned by the slot's thread.
 */
#ifndef FL_LINE_ATTEMPT_H
#define FL_LINE_ATTEMPT_H

#include "line/line.h"
#include "line/tuning.h"

enum {
    ATTEMPT_OPEN_MS = 5000,     /* a network server that does not answer by then is not there */
    ATTEMPT_BACK_MS = 7000,     /* a hub that reset, or a socket switched on, brings its port back within this */
    ATTEMPT_RECORD_MS = 120000, /* room in the facts queue: a disk that takes longer is broken */
};

/* Copy text into an array, cut to fit. */
#define ATTEMPT_COPY(to, from) ((void)snprintf((to), sizeof(to), "%s", (from)))

/* What an attempt makes of a place where nobody answers. */
enum attempt_how {
    ATTEMPT_LOUD,  /* that is a result: it was told to */
    ATTEMPT_BOARD, /* a board was plugged in: its silence is a result, a port that cannot be used is not */
    ATTEMPT_QUIET, /* nothing */
    ATTEMPT_ASK,   /* nothing, and it is asked once only, without switching its supply */
};

enum attempt_end {
    ATTEMPT_NOBODY,   /* no board there, nothing recorded; the facts hold the fault */
    ATTEMPT_SAME,     /* the board that passed here a moment ago: it never left, nothing was done */
    ATTEMPT_RECORDED, /* facts hold it, the leaf is durable */
    ATTEMPT_STATION,  /* the station cannot record: stop */
};

/* What a slot keeps between attempts. */
struct attempt {
    const struct line_config *c;
    const struct station_slot *slot;
    size_t index; /* place in the board's table */
    const struct profile *profile; /* of this attempt: the slot's last one until the chip says otherwise */
    struct fl_wake *wake;

    struct link *link; /* open between attempts where a board stays; NULL: closed */
    struct link_counters let_go; /* of links that this attempt had before, when the supply was switched */
    struct esp *esp;   /* only during an attempt */
    struct tuning_book book;
    struct tuning_entry *tuning; /* of the bridge in use, in the book; NULL: the port was never open */

    struct esp_unit unit; /* of this attempt, once identified */
    bool unproven;        /* written without a proof: it cannot pass */
    struct attempt_facts facts; /* of the current or last attempt */
    struct slot_view view;
    enum attempt_how how;
    uint64_t came_ms; /* monotonic: when something was there again */
    bool stopped; /* the rules of the lot stopped something by this attempt */
    bool hooked; /* the commands before it were run, or need not be: those after it will */
    bool same; /* this attempt found the board that is done */
    struct {
        bool pass;
        uint8_t mac[6];
        uint64_t gone_ms; /* monotonic: when it was last seen to go */
        struct slot_view view;
    } done; /* the last unit that passed here */

    uint64_t began_ns, step_ns;
    const char *step; /* running */
    unsigned step_rungs; /* taken in it */
    bool started;     /* attempt_start is queued */
    struct event_ticket start_ticket, end_ticket;
};

FL_MUST enum fl_err attempt_init(struct attempt *a, const struct line_config *c, size_t index,
                                 struct fl_wake *wake);
void attempt_fini(struct attempt *a); /* closes the link */

enum attempt_end attempt_run(struct attempt *a, enum attempt_how how);

/* Between attempts: nothing of the last one is shown any more. */
void attempt_forget(struct attempt *a);

/* Open the slot's port unless it is open; nothing is recorded or shown. */
bool attempt_open(struct attempt *a);
/* Let go of it: a port that went keeps its name taken as long as somebody has it open. */
void attempt_shut(struct attempt *a);

/* Is the board of the last attempt still there? Asks the link, and where `probe` the chip itself (which
 * restarts its program); one that does not answer is asked once more. */
bool attempt_still_there(struct attempt *a, bool probe);

/* Show state on the board (event/board.h). */
void attempt_show(struct attempt *a, enum slot_state state);

/* ---- between attempt.c, steps.c, boot.c and hook.c -------------------------------------------------------------- */

/* Close the running step and begin another (NULL: none). The same step entered twice is one entry with its
 * times added. */
void attempt_step(struct attempt *a, const char *name);
/* Put a fault (a name of event/fault.h) into the facts; returns false, so that a step can return it. */
bool attempt_fault(struct attempt *a, const char *name, const char *why);
/* boot.c: the fault that a link's error is, where no more is known of it. */
const char *attempt_port_fault(enum fl_err err);
/* boot.c: the step "boot-check". */
bool attempt_boot(struct attempt *a);
/* Close the session, keep the link. */
void attempt_leave(struct attempt *a);
/* Queue the attempt_start unless it is queued. */
bool attempt_start(struct attempt *a);
/* All steps in order, until one fails. */
bool attempt_steps(struct attempt *a);

#endif
