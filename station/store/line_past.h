/* SPDX-License-Identifier: Apache-2.0
 *
 * line_past.h: what the records hold of a lot and of the line's stops, for rules that go on where they were after a
 * restart.
 *
 * Thread rule: as the database connection; with a folder, one call, one thread.
 */
#ifndef FL_STORE_LINE_PAST_H
#define FL_STORE_LINE_PAST_H

#include "event/event.h"

#include <sqlite3.h>

enum line_past_kind { LINE_PAST_ATTEMPT, LINE_PAST_STOP, LINE_PAST_REOPEN };

struct line_past {
    enum line_past_kind kind;
    int slot;               /* 0: the whole line (stop, reopen) */
    enum outcome outcome;   /* attempt */
    const char *fault;      /* attempt: its fault; stop: the rule; borrowed during the call */
    const char *why;        /* stop */
    bool has_mac;
    uint8_t mac[6];
};

/* All attempts of the lot that are production, and all stops and reopenings of the line, in the order of their records. */
FL_MUST enum fl_err line_past_read(sqlite3 *db, const char *lot, void (*each)(void *ctx, const struct line_past *p),
                                   void *ctx, struct fl_why *why);

/* Members mac, serial, lot (where there are any) of the attempt that this leaf ended: a new object. FL_ARG: it is none. */
FL_MUST enum fl_err line_past_attempt(const char *data, int64_t leaf, json_t **out, struct fl_why *why);
/* The newest label of a unit: printer, bytes (the caller's, for free()), attempt. FL_ARG: there is none. FL_MISMATCH: somebody
 * changed it (outbox_told.h); `bytes` is the caller's then too. */
struct line_past_label {
    char printer[PARCEL_TARGET_MAX];
    uint8_t *bytes;
    size_t n;
    int64_t attempt;
};
FL_MUST enum fl_err line_past_label(const char *data, const uint8_t mac[static 6], struct line_past_label *out,
                                    struct fl_why *why);

/* What does not leave, for whoever looks after the station: {"kind", "target", "waiting" (tried in vain), "given_up" (of the newest
 * thousand parcels), "why" (of the newest)}, one for each kind and target; an array, empty where all is well. */
FL_MUST enum fl_err line_past_stuck(const char *data, json_t **out, struct fl_why *why);

/* How many labels wait that no printer was asked to take yet. */
FL_MUST enum fl_err line_past_labels_untried(const char *data, unsigned *n, struct fl_why *why);
/* Is it on record that the label of the attempt that this leaf ended was printed? False for a reprint's leaf. */
FL_MUST enum fl_err line_past_label_printed(const char *data, int64_t leaf, bool *printed, struct fl_why *why);
/* Does the label that left with this record still wait for its printer? */
FL_MUST enum fl_err line_past_label_waits(const char *data, int64_t leaf, bool *waits, struct fl_why *why);

struct line_past_serial {
    const char *serial, *lot; /* borrowed during the call */
    bool confirmed, returned; /* neither: reserved */
    bool has_mac;
    uint8_t mac[6];
};
/* All serial numbers that there ever were, in the order of their first reservation. */
FL_MUST enum fl_err line_past_serials(sqlite3 *db, void (*each)(void *ctx, const struct line_past_serial *p), void *ctx,
                                      struct fl_why *why);

#endif
