/* SPDX-License-Identifier: Apache-2.0
 *
 * stamping.h: a signed head stamped by an authority on the network (RFC 3161), as the record `anchor` keeps it (audit/anchor.h).
 *
 * Thread rule: one call, one thread.
 */
#ifndef FL_PROVE_STAMPING_H
#define FL_PROVE_STAMPING_H

#include "base/buf.h"
#include "base/json.h"
#include "base/wake.h"

#include <stdint.h>

struct stamping {
    const char *url, *ca;   /* ca: PEM file of its certificates; NULL: who signed the token is not checked */
    const void *note;       /* the head to be stamped */
    size_t n;
    struct fl_wake *stop;   /* may be NULL */
};

/* The body of the record. FL_REFUSED: it answered something else. FL_MISMATCH, FL_FORMAT: no good timestamp, or its clock and
 * this machine's lie further apart than an audit lets pass. FL_NOT_FOUND: no certificates in `ca`. FL_ARG: the URL. Others: not
 * reached. New reference. */
FL_MUST enum fl_err stamping_ask(const struct stamping *s, json_t **body, int64_t *time_ms, struct fl_why *why);

/* The newest signed head of the station in the folder. */
FL_MUST enum fl_err stamping_head(const char *data, struct fl_buf *note, struct fl_why *why);

#endif
