/* SPDX-License-Identifier: Apache-2.0
 *
 * tell.h: how a verb adds an event, whoever has the folder: through the door (door.h) of the flashline that is at work
 * there, or, when none is, by holding the lock itself for as long as the teller lives. The verb does not care.
 *
 * Thread rule: one owner.
 */
#ifndef FL_RECORD_TELL_H
#define FL_RECORD_TELL_H

#include "record/recorder.h"

struct teller; /* opaque */

struct tell_config {
    const char *data;
    const char *passphrase; /* this and the next as recorder_config; used only when nobody is at work there */
    bool signer_apart;
};
/* FL_NOT_FOUND: no station there. FL_BUSY: a flashline has the folder and keeps no door, or does not open it within ten
 * seconds. Others: as recorder_open. */
FL_MUST enum fl_err tell_open(const struct tell_config *c, struct teller **out, struct fl_why *why);
void tell_close(struct teller *t); /* NULL is fine */

/* Is a flashline at work there (and answers at its door)? */
bool tell_at_work(const struct teller *t);
/* The teller's own recorder, for what needs more than an event; NULL where one is at work. */
struct recorder *tell_recorder(const struct teller *t);

/* Takes `body`; a `job` is added when it has none. FL_OK: durable and signed, *leaf its index. FL_REFUSED: the rules do
 * not let it be (record/allow.h); the sentence says why. Safe to be lost on the way: it is told again under the same job. */
FL_MUST enum fl_err tell_event(struct teller *t, enum event_kind kind, json_t *body, int64_t *leaf, struct fl_why *why);

/* Ask the flashline at work: `request` (taken; NULL: nothing more to say) with the member "ask" set to `what`. *answer: new
 * reference. FL_NOT_FOUND: none is at work there. */
FL_MUST enum fl_err tell_ask(const char *data, const char *what, json_t *request, json_t **answer, struct fl_why *why);

#endif
