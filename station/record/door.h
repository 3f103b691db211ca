/* SPDX-License-Identifier: Apache-2.0
 *
 * door.h: how other verbs add events while one program has the folder: a local socket `door` in the data folder (mode
 * 0600: whoever may open it may write the records anyway), kept by the program that holds the lock.
 *
 *   connect, one line of JSON, one line of JSON back, closed. A line has at most 65,536 bytes.
 *
 *   {"event":"note","body":{...}}     ─► {"leaf":17}                              durable and signed
 *   {"ask":"scan","code":"4711"}      ─► {"answer":{...}}                         what the program's `ask` says
 *                                     ─► {"error":"REFUSED","fault":"","why":"lot L-7 is closed"}
 *
 * "error" is an enum fl_err without its FL_. Events: those of event_kind_outside (event/event.h); a body without `job` is
 * given one. Verbs do not talk to it themselves: record/tell.h.
 *
 * Thread rule: opened and closed by one thread; runs one of its own, on which `ask` is called.
 */
#ifndef FL_RECORD_DOOR_H
#define FL_RECORD_DOOR_H

#include "record/recorder.h"

struct door; /* opaque */

enum { DOOR_LINE_MAX = 65536 };

struct door_config {
    const char *data;          /* the data folder, whose lock is held by us */
    struct recorder *recorder; /* outlives the door */
    /* What is asked of the program itself (scan, acknowledge, status, ...). `request` is the whole line's object; *answer
     * a new reference, may stay NULL. Must be quick: others wait at the door. NULL: nothing can be asked. */
    FL_MUST enum fl_err (*ask)(void *ctx, const char *what, const json_t *request, json_t **answer, struct fl_why *why);
    /* An event of another verb is durable; quick as well. NULL: nobody wants to know. */
    void (*added)(void *ctx, enum event_kind kind, const json_t *body);
    void *ctx;
};

FL_MUST enum fl_err door_open(const struct door_config *c, struct door **out, struct fl_why *why);
/* Ends the conversation under way, removes the socket. NULL is fine. */
void door_close(struct door *d);

/* "REFUSED" and back; FL_IO for a word that is none. */
const char *door_error_name(enum fl_err err);
enum fl_err door_error_parse(const char *name);

/* A socket connected to the door of this folder, or bound to it and listening. FL_NOT_FOUND: nobody is there.
 * For door.c and tell.c. */
FL_MUST enum fl_err door_connect(const char *data, int *fd, struct fl_why *why);
FL_MUST enum fl_err door_listen(const char *data, int *fd, struct fl_why *why);
/* One line, without its newline, by the deadline. FL_GONE: the other side left. */
FL_MUST enum fl_err door_read(int fd, struct fl_buf *line, struct fl_wake *stop, struct fl_deadline d, struct fl_why *why);
FL_MUST enum fl_err door_write(int fd, const json_t *object, struct fl_wake *stop, struct fl_deadline d, struct fl_why *why);

#endif
