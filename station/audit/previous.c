/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/previous.h"

#include <stdio.h>
#include <string.h>

static enum fl_err take(const json_t *p, struct audit_previous *out, struct fl_why *why)
{
    const char *note = fl_json_text(p, "checkpoint"), *verdict = fl_json_text(p, "verdict");
    if (strlen(note) >= sizeof out->note || !*verdict || strlen(verdict) >= sizeof out->verdict)
        return fl_fail(why, FL_FORMAT, "it has no head or no verdict");
    (void)strcpy(out->note, note);
    (void)strcpy(out->verdict, verdict);
    enum fl_err err = vkey_parse(fl_json_text(p, "vkey"), &out->key, why);
    if (!err && out->key.type != KEY_NOTE)
        err = fl_fail(why, FL_FORMAT, "its key is not a log's");
    return err ? err : checkpoint_open(out->note, strlen(out->note), &out->key, 1, out->key.name, &out->head, why);
}

enum fl_err previous_read(const void *rec, size_t n, struct audit_previous *out, struct fl_why *why)
{
    json_t *leaf;
    *out = (struct audit_previous){.named = false};
    enum fl_err err = fl_json_parse(rec, n, &leaf, why);
    if (err)
        return err;
    const json_t *p = json_object_get(leaf, "previous");
    if (!p)
        err = fl_fail(why, FL_NOT_FOUND, "no log in front of it is named");
    else if ((err = take(p, out, why)) == FL_NOT_FOUND)
        err = fl_fail(why, FL_MISMATCH, "its head is not signed by the key it gives");
    out->named = !err;
    json_decref(leaf);
    return err;
}

json_t *previous_body(const char *note, const struct vkey *key, const char *verdict, const char *found, const char *elsewhere)
{
    char text[KEY_VKEY_MAX];
    vkey_format(key, text);
    json_t *o = json_pack("{ss,ss,ss}", "checkpoint", note, "verdict", verdict, "vkey", text);
    bool bad = !o || (found && *found && fl_json_set_dirty(o, "found", found, strlen(found))) ||
               (elsewhere && *elsewhere && json_object_set_new(o, "elsewhere", json_string(elsewhere)) != 0);
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}
