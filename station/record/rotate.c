/* SPDX-License-Identifier: Apache-2.0 */
#include "record/rotate.h"

#include <string.h>

enum { PUT_MS = 30000 };

static enum fl_err record_event(struct recorder *r, enum event_kind kind, json_t *body, struct fl_why *why)
{
    return event_tell(recorder_queue(r), event_new(kind, body, NULL), fl_deadline_in_ms(PUT_MS), NULL, why);
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
