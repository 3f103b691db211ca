/* SPDX-License-Identifier: Apache-2.0 */
#include "record/rotate.h"

#include <string.h>

enum { PUT_MS = 30000 };

static enum fl_err record_event(struct recorder *r, enum event_kind kind, json_t *body, struct fl_why *why)
{
    struct event_ticket t;
    if (event_ticket_init(&t)) {
        json_decref(body);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    struct event *e = event_new(kind, body, &t);
    enum fl_err err = e ? fl_queue_put(recorder_queue(r), e, fl_deadline_in_ms(PUT_MS)) : FL_NOMEM;
    if (err) {
        event_free(e);
        (void)fl_fail(why, err, "%s", fl_err_text(err));
    } else {
        err = event_ticket_wait(&t, fl_deadline_never(), NULL, why);
    }
    event_ticket_fini(&t);
    return err;
}

enum fl_err rotate_key(struct recorder *r, const char *promised, const struct vkey *next, const struct vkey *after,
                       struct fl_why *why)
{
    char text[KEY_VKEY_MAX], is[65], then[65];
    enum fl_err err = folder_promise(next->key, is, why);
    if (!err)
        err = folder_promise(after->key, then, why);
    if (err)
        return err;
    if (!*promised)
        return fl_fail(why, FL_STATE, "this log promised no key after its first: it cannot be handed over");
    if (strcmp(promised, is) != 0)
        return fl_fail(why, FL_MISMATCH, "the key %08x is not the one that the log promised", next->id);
    vkey_format(next, text);
    return record_event(r, EVENT_KEY_ROTATE, json_pack("{ss,ss}", "vkey", text, "next", then), why);
}

enum fl_err rotate_retire(struct recorder *r, struct fl_why *why)
{
    return record_event(r, EVENT_KEY_RETIRE, json_object(), why);
}
