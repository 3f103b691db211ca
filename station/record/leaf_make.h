/* SPDX-License-Identifier: Apache-2.0
 *
 * leaf_make.h: an event's body becomes a leaf: what every leaf has is added (audit/leaf.h lists it), and the whole
 * becomes canonical bytes.
 *
 * Thread rule: one owner.
 */
#ifndef FL_RECORD_LEAF_MAKE_H
#define FL_RECORD_LEAF_MAKE_H

#include "event/event.h"

struct leaf_common {
    const char *log, *station;
    int64_t seq, boot, wall_ms, mono_ms;
};

/* `leaf` and `bytes` (max LEAF_BYTES_MAX, emptied first) are filled; body is borrowed and not changed. FL_FORMAT: the
 * body holds a member that every leaf has, or something canonical JSON cannot say, or a text with a zero in it, or is too large. */
FL_MUST enum fl_err leaf_make(const struct leaf_common *c, enum event_kind kind, const json_t *body, json_t **leaf,
                              struct fl_buf *bytes, struct fl_why *why);

#endif
