/* SPDX-License-Identifier: Apache-2.0
 *
 * trust.h: what an auditor brings: keys of logs and of witnesses from paper, a policy, authorities. Never taken from what is
 * checked.
 *
 *   logs       those given, then the policy's
 *   witnesses  the policy's in its order, then those given; one key is there once, whatever its name, so that nobody counts twice
 *
 * Thread rule: const after trust_read.
 */
#ifndef FL_AUDIT_TRUST_H
#define FL_AUDIT_TRUST_H

#include "audit/policy.h"

enum { TRUST_KEYS_MAX = 128 }; /* of either kind */

struct trust {
    struct vkey log[TRUST_KEYS_MAX], witness[TRUST_KEYS_MAX];
    size_t n_logs, n_given, n_witnesses; /* n_given: of the logs, not from the policy */
    struct policy *policy; /* owned; NULL: none */
    unsigned quorum;       /* so many of the witnesses besides; 0: what the policy says, or none */
    const char *ca;        /* PEM file of timestamp authorities; borrowed, NULL: none */
};

struct trust_words {
    const char *const *keys; /* verifier keys, of both kinds */
    size_t n_keys;
    const char *policy; /* a file, NULL: none */
    unsigned quorum;
    const char *ca;
};

/* FL_FORMAT, FL_MISMATCH, FL_UNSUPPORTED: a key or the policy is none. FL_LIMIT. FL_NOT_FOUND, ...: the policy cannot be
 * read. */
FL_MUST enum fl_err trust_read(const struct trust_words *w, struct trust *out, struct fl_why *why);
void trust_fini(struct trust *t);

/* The keys to check one log with, which calls itself `own` there (it may lie, so that counts only among keys that are trusted):
 * all of that name; else all of the name of the first. Copied to `out`; returns how many. */
size_t trust_log(const struct trust *t, const char *own, struct vkey out[static TRUST_KEYS_MAX]);
/* Is any witness asked for? And is it enough that these signed (in the order of `witness`)? */
bool trust_asks(const struct trust *t);
bool trust_met(const struct trust *t, const bool *signed_by);
/* "2 of the 3 witnesses" or "the quorum X-and-Y of the policy": what is asked for. */
void trust_asked(const struct trust *t, char out[static 160]);

#endif
