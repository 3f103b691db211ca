/* SPDX-License-Identifier: Apache-2.0
 *
 * works.h: a station at work: the log, the line with its lot, what stands beside it and the door for other verbs, put together
 * from profiles, station file and lot, and taken apart in the right order. What `flash` and `run` share; it prints nothing.
 *
 *   works_new    the signer starts: whoever called reads profiles, images and slots meanwhile
 *   works_open   recorder (lock, log verified) ─► what the line begins with, told ─► lot (rules, from what is recorded) ─► labels
 *                ─► heads ─► desk, scanner ─► door
 *   works_run    the line; begun again with each lot that is scanned; until it ends, `stop` is raised, or the recorder fails
 *   works_close  scanner ─► door ─► labels ─► desk ─► lot ─► heads ─► recorder ─► journal
 *
 * Between works_open and works_run those who show the line begin, and end between works_run and works_close: its state is on
 * the board.
 *
 * Thread rule: new, open, run and close from one thread; works_scanned, works_scan_damaged and works_reopen from any, from
 * works_open to works_close.
 */
#ifndef FL_WORKS_WORKS_H
#define FL_WORKS_WORKS_H

#include "base/wake.h"
#include "line/line.h"

struct works; /* opaque */

enum works_says {
    WORKS_NOTE,     /* what opening did; who does not answer */
    WORKS_DONE,     /* of a code that was scanned, or what was asked for at the keyboard: on the board already */
    WORKS_NOT_DONE, /* the same, and nothing was done by it */
};

/* All borrowed until works_close, except where it says otherwise. */
struct works_config {
    enum line_mode mode;
    const char *operator_id, *purpose; /* as line_config */
    const char *lot;                   /* NULL: none, or the one that is scanned */
    const char *journal;               /* socket of a journal; NULL: systemd's, where it listens (lineside/journal.h) */
    struct profile *const *profiles;   /* at least one; each for another chip */
    size_t n_profiles;
    const struct station_file *station; /* its slots resolved (works/slots.h) */
    const char *setup;                  /* how the line is set up, in people's own words; recorded where it is news. Until works_open is back */
    struct fl_wake *stop;               /* raised: attempts end as ABORTED, are recorded, and works_run is back */
    bool keyboard;                      /* somebody else reads standard input: a scanner there is theirs */
    /* A sentence, without its full stop. On many threads; must be quick. */
    void (*say)(void *ctx, enum works_says how, const char *text);
    void (*finished)(void *ctx, const struct attempt_facts *f, int64_t leaf); /* as line_config */
    void *ctx;
};

/* `data`: the folder; `passphrase`: NULL none. The first is borrowed until works_close, the other until works_open is back. */
FL_MUST enum fl_err works_new(const char *data, const char *passphrase, struct works **out, struct fl_why *why);
/* FL_ARG: what people asked for or wrote cannot be, the sentence says what. Anything else: the station failed. */
FL_MUST enum fl_err works_open(struct works *w, const struct works_config *c, struct fl_why *why);
/* What the line shows; lives until works_close. */
struct board *works_board(const struct works *w);

/* FL_OK: all that was done is recorded. */
FL_MUST enum fl_err works_run(struct works *w, struct fl_why *why);
void works_close(struct works *w); /* NULL is fine */

/* `works` is a struct works: as clerk_config (lineside/clerk.h) wants them. They wait for records. */
void works_scanned(void *works, const char *code);
void works_scan_damaged(void *works, const char *why);
void works_reopen(void *works, int slot, const char *who, const char *reason); /* slot 0: the line */

#endif
