/* SPDX-License-Identifier: Apache-2.0
 *
 * witness_store.h: a witness's folder.
 *
 *   key      signing key, PKCS#8 PEM, mode 0600
 *   vkey     its verifier key: one line, public
 *   logs     verifier keys of the logs it signs for, one a line; # comments
 *   HEX.note newest head it signed of one log; HEX is SHA-256 of the origin. The log's lines and its own
 *   lock     held by the one that works here
 *
 * A head is written, fsynced and renamed before it is answered. Thread rule: any; requests are taken one after another.
 */
#ifndef FL_AUDIT_WITNESS_STORE_H
#define FL_AUDIT_WITNESS_STORE_H

#include "audit/witness.h"

struct witness_store; /* opaque */

/* Make folder, key and an empty list of logs. FL_EXISTS: there is a key. */
FL_MUST enum fl_err witness_store_make(const char *dir, const char *name, struct vkey *out, struct fl_why *why);
/* Add a log's verifier key to the list. FL_EXISTS: it is there. */
FL_MUST enum fl_err witness_store_trust(const char *dir, const char *vkey, struct fl_why *why);

/* FL_BUSY: another one works there. */
FL_MUST enum fl_err witness_store_open(const char *dir, struct witness_store **out, struct fl_why *why);
void witness_store_close(struct witness_store *s); /* NULL is fine */
const struct vkey *witness_store_vkey(const struct witness_store *s);

FL_MUST enum fl_err witness_store_answer(struct witness_store *s, const void *request, size_t n, int64_t now_s,
                                         struct witness_reply *out, struct fl_why *why);
/* The newest head of the log whose origin has this SHA-256 (64 hex digits). FL_NOT_FOUND. */
FL_MUST enum fl_err witness_store_head(struct witness_store *s, const char *hex, struct fl_buf *out, struct fl_why *why);

#endif
