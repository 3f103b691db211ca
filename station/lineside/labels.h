/* SPDX-License-Identifier: Apache-2.0
 *
 * labels.h: labels of units that pass: made when the attempt is recorded, put into the outbox with its leaf, sent to the
 * printer by the outbox's worker until it took them (record/outbox.h), and recorded as printed.
 *
 * Thread rule: opened and closed by one thread; labels_ride from any slot's.
 */
#ifndef FL_LINESIDE_LABELS_H
#define FL_LINESIDE_LABELS_H

#include "line/label.h"
#include "profile/profile.h"
#include "profile/station_file.h"
#include "record/recorder.h"

struct labels; /* opaque */

struct labels_config {
    const struct station_labels *set;
    const char *data, *station;              /* borrowed, like all here */
    const struct profile *const *profiles;   /* {version}, and {product} where the lot says none, are those of the unit's own */
    size_t n_profiles;
    json_t *const *lot;                      /* what is known of the lot that is made; changes only while no attempt runs */
    bool serials;                            /* will units have serial numbers? True also where each lot is asked when it is known */
    struct recorder *recorder;
    /* What people should hear: that a label did not leave, once until one does (`trouble`), and then that they leave again. On the
     * outbox's thread; NULL: nobody does. */
    void (*say)(void *ctx, bool trouble, const char *text);
    void *ctx;
};
/* *out NULL: the station prints none. FL_FORMAT: the template is not there or not right, or wants numbers that units do not get.
 * Others: the station's. */
FL_MUST enum fl_err labels_open(const struct labels_config *c, struct labels **out, struct fl_why *why);
/* Do they want numbers? The template that does; NULL: they do not, or `l` is NULL. Lives as long as what it was opened with. */
const char *labels_want_serials(const struct labels *l);
void labels_close(struct labels *l); /* NULL is fine; unsent labels wait for the next start */

/* line_config.parcels: golden boards and dry runs get none. */
enum fl_err labels_ride(void *labels, const struct attempt_facts *f, struct event *e, struct fl_why *why);

/* A worker that prints nothing of its own: it sends what waits in the outbox. Closed as the other. */
FL_MUST enum fl_err labels_send(const char *data, struct recorder *r, struct labels **out, struct fl_why *why);
/* Until the label of this record left, or a printer that is off was asked in vain, at most 20 s. */
FL_MUST enum fl_err labels_gone(const struct labels *l, int64_t leaf, bool *gone, struct fl_why *why);

/* The unit's newest label once more; recorded. FL_ARG: it never had one. */
FL_MUST enum fl_err labels_reprint(const char *data, struct recorder *r, const char *mac, const char *operator_id, int64_t *leaf,
                                   struct fl_why *why);

#endif
