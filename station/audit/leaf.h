/* SPDX-License-Identifier: Apache-2.0
 *
 * leaf.h: one record of the log, read by one pass over its bytes.
 *
 * A leaf is one JSON object in canonical form (RFC 8785 restricted as base/json.h says). Its bytes are what is
 * hashed and signed; a reader never writes it anew. Members that every leaf has:
 *
 *   v        1
 *   log      origin of the log: a record cannot be carried over to another log
 *   seq      its place in the log, from 0
 *   event    kind of the event
 *   time     UTC, "2026-11-22T08:00:00.000Z"
 *   boot     place of the `boot` leaf of the run of the program that wrote it
 *   mono_ms  milliseconds of that machine's monotonic clock
 *   clock    "sync", "free" or "unknown": was the wall clock kept right by a time service?
 *   station  name of the station
 *   sw       program and version
 *
 * leaf_scan both checks the canonical form and finds the members that verification needs, without a tree of
 * values: a log is re-read whole at every start, so this is on the way of millions of leaves.
 *
 * Thread rule: pure.
 */
#ifndef FL_AUDIT_LEAF_H
#define FL_AUDIT_LEAF_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LEAF_BYTES_MAX = 65535 };

/* Text inside the leaf, between its quotes, escapes as written. p NULL: no such member. */
struct leaf_text {
    const char *p;
    size_t n;
};

struct leaf_view {
    struct leaf_text event, log, station, clock, sw, job, vkey, next;
    int64_t v, seq, boot, mono_ms; /* -1: no such member, or no integer that is not negative */
    int64_t to_ms;                 /* of a clock_step; INT64_MIN: none */
    int64_t time_ms;               /* INT64_MIN: none or malformed */
};

/* FL_FORMAT: not canonical; the why says where. Borrows the bytes. */
FL_MUST enum fl_err leaf_scan(const uint8_t *bytes, size_t n, struct leaf_view *out, struct fl_why *why);

/* Inline, so that the length of a literal is known when it is compiled. */
static inline bool leaf_text_is(struct leaf_text t, const char *s)
{
    size_t n = strlen(s);
    return t.p && t.n == n && memcmp(t.p, s, n) == 0;
}

#endif
