/* SPDX-License-Identifier: Apache-2.0
 *
 * start.h: what is checked before a station may write: the file, the schema, the whole log, heads kept outside it
 * (start_cosigned.c).
 *
 * Thread rule: one owner.
 */
#ifndef FL_LEDGER_START_H
#define FL_LEDGER_START_H

#include "audit/verify.h"
#include "base/json.h"
#include "store/folder.h"

#include <sqlite3.h>

/* Open (and make, in a folder that has a key and no head yet) the database. FL_MISMATCH: it is gone, damaged, or not as
 * this program made it. */
FL_MUST enum fl_err start_database(const struct folder *f, sqlite3 **out, struct fl_why *why);

/* The whole log, the newest 1,000 signatures, the file `checkpoint`. FL_MISMATCH: it does not verify; what was found is
 * kept in a file incident-<time>.txt. FL_STATE: the log was closed for good. */
struct start_found {
    int64_t last_wall;   /* of the last leaf; INT64_MIN: there is none */
    struct vkey now;     /* the key that signs now */
    size_t n_keys;
    struct vkey key[AUDIT_KEYS_MAX]; /* that the log ever had, `now` among them */
    char promise[65];    /* SHA-256 of the public half of the one after it; "": none is promised */
};
FL_MUST enum fl_err start_verify(const struct folder *f, sqlite3 *db, const struct vkey *vkey, struct start_found *out,
                                 struct fl_why *why);

/* Heads that witnesses signed, in the folder's cosigned/, against the log as it is when what its signer gave back is in it again:
 * a witness may have signed a head whose commit a power cut then took from the database. FL_MISMATCH: ROLLBACK or FORK, by a
 * head that a key of this log signed. What is no such head there (damaged, of another log) says nothing and is passed over: these
 * files can be lost and asked for again, so that one that lies there is worth something, and one that does not is not missed. */
FL_MUST enum fl_err start_cosigned(const struct folder *f, sqlite3 *db, const struct start_found *found, struct fl_why *why);

/* Something that remembers heads and the log contradict each other: keep the sentence, which names both heads, beside the newest head that is in
 * the database, in a file incident-<time>.txt. */
void start_keep_refusal(const struct folder *f, const struct vkey *vkey, const char *text);

/* Bodies of `interrupted` events for the attempts that began and did not end: an array, in order of their beginning. */
FL_MUST enum fl_err start_interrupted(sqlite3 *db, json_t **bodies, struct fl_why *why);

#endif
