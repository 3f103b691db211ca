/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_told.h: which witnesses a log asks for, as its own records say it, so that nobody can exchange the file `policy` beside
 * it without a trace.
 *
 * log_open's member `policy` is the text of the station's file `policy` when the log began, "" where there was none. When a start
 * finds another text, a `config` record of `what` "policy" holds it as `text`. Of a file that is no clean text, or larger than
 * POLICY_TOLD_MAX, both hold "SHA-256 <hex>, <n> bytes". Logs of older programs say nothing until a `config` record does.
 *
 * Thread rule: pure.
 */
#ifndef FL_AUDIT_POLICY_TOLD_H
#define FL_AUDIT_POLICY_TOLD_H

#include "audit/leaf.h"
#include "base/buf.h"
#include "base/hash.h"

enum { POLICY_TOLD_MAX = 16384 };

/* What the records say; zeroed: nothing yet. */
struct audit_policy {
    uint64_t times; /* so many records told it, each another text than the one before; 0: the log says nothing */
    uint64_t leaf;  /* the last of them */
    bool none;      /* it told that there is no policy */
    uint8_t sha256[FL_SHA256_SIZE]; /* of what it told */
};

/* What a record would hold for a file with these bytes; n 0: there is none. Added to `out`. */
FL_MUST enum fl_err policy_as_told(const void *bytes, size_t n, struct fl_buf *out, struct fl_why *why);

/* One record, in order; those that say nothing about a policy are passed over. FL_NOMEM. */
FL_MUST enum fl_err policy_told_take(struct audit_policy *p, uint64_t index, const struct leaf_view *v, const uint8_t *rec, size_t n);

/* Is this the file that was told last? */
FL_MUST enum fl_err policy_told_same(const struct audit_policy *p, const void *bytes, size_t n, bool *same, struct fl_why *why);

#endif
