/* SPDX-License-Identifier: Apache-2.0
 *
 * previous.h: the log in front of this one, as the first record names it, so that a station's history does not end with a log.
 *
 * log_open's member `previous` is an object:
 *
 *   checkpoint  the newest head of that log that verified, as a signed note
 *   vkey        the key that signed it
 *   verdict     what a whole verification of that log found on that day: "good", or the class of its worst finding
 *   found       the finding in words, where it was not good
 *   elsewhere   another head of it that was kept outside its database and contradicts it, where there was one
 *
 * Thread rule: pure.
 */
#ifndef FL_AUDIT_PREVIOUS_H
#define FL_AUDIT_PREVIOUS_H

#include "audit/checkpoint.h"
#include "base/json.h"

enum { PREVIOUS_NOTE_MAX = 1024, PREVIOUS_VERDICT_MAX = 16 };

struct audit_previous {
    bool named;
    struct checkpoint head; /* verified with `key` */
    struct vkey key;
    char verdict[PREVIOUS_VERDICT_MAX];
    char note[PREVIOUS_NOTE_MAX]; /* the whole of it */
};

/* What the record names. FL_NOT_FOUND: nothing. FL_FORMAT, FL_MISMATCH: not as above, or the head is not signed by the key. */
FL_MUST enum fl_err previous_read(const void *rec, size_t n, struct audit_previous *out, struct fl_why *why);
/* The object. `found`, `elsewhere`: NULL or empty: none. NULL: no memory, or a text that is none. */
json_t *previous_body(const char *note, const struct vkey *key, const char *verdict, const char *found, const char *elsewhere);

#endif
