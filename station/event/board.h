/* SPDX-License-Identifier: Apache-2.0
 *
 * board.h: the latest state of every slot, for eyes only. Lossy: overwritten freely, copied out whole.
 *
 * Facts go through the queue (event.h); this is what a console or a browser paints between facts.
 * Thread rule: any thread; one leaf lock, never held over I/O.
 */
#ifndef FL_EVENT_BOARD_H
#define FL_EVENT_BOARD_H

#include "event/event.h"
#include "event/tally.h"

enum slot_state {
    SLOT_EMPTY,   /* nothing there, waiting */
    SLOT_CONNECT, /* looking for a board */
    SLOT_WORK,    /* an attempt runs: see step */
    SLOT_RECORD,  /* finished, waiting for the record to be durable */
    SLOT_DONE,    /* see outcome; green only with leaf >= 0 */
    SLOT_CLOSED,  /* not used any more: see fault */
};

struct slot_view {
    int slot;
    char port[200];
    enum slot_state state;
    const char *step; /* static */
    uint64_t done, total; /* plain bytes of the step that counts */
    uint32_t baud;
    char mac[24], chip[16];
    enum outcome outcome;
    const char *fault; /* static, "" none */
    char why[ATTEMPT_WHY_MAX];
    unsigned rungs;
    int64_t leaf;
    uint64_t started_ms, ended_ms; /* monotonic */
    /* the board's own, whatever is put: board_say */
    char said[TALLY_SAID];         /* what a scan that concerns this slot did, or why it did nothing; "" nothing yet */
    uint64_t said_ms;              /* monotonic: when */
    bool refused;                  /* nothing was done by it */
    uint64_t changes;              /* counts updates, so that a painter sees what is new */
};

struct board; /* opaque */
struct board *board_new(size_t slots); /* NULL: no memory */
void board_free(struct board *b);
size_t board_slots(const struct board *b);
/* Replace slot `i`'s view (0-based place in the table) but for what is the board's own; `changes` is counted here. */
void board_put(struct board *b, size_t i, const struct slot_view *v);
/* Progress only: cheap, called for every block. */
void board_progress(struct board *b, size_t i, uint64_t done, uint64_t total);
/* What was scanned for the slot with this number; no such slot: nothing. */
void board_say(struct board *b, int slot, bool refused, const char *text, uint64_t now_ms);
void board_get(const struct board *b, size_t i, struct slot_view *out);
/* The line's head, kept beside the slots and owned by the board. */
struct tally *board_tally(const struct board *b);

#endif
