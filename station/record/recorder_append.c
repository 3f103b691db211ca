/* SPDX-License-Identifier: Apache-2.0 */
#include "record/recorder_inside.h"

#include "ledger/redo.h"
#include "record/leaf_make.h"
#include "record/unit_final.h"
#include "store/person.h"

#include <string.h>

enum { STEP_MS = 2000 }; /* wall and monotonic clock further apart than this: somebody set the clock */

struct moment recorder_now(const struct recorder *r)
{
    return (struct moment){r->hooks.wall_ms ? r->hooks.wall_ms(r->hooks.ctx) : fl_wall_ms(), (int64_t)fl_mono_ms()};
}

/* sure: ledger_append_sure. */
static enum fl_err put_leaf(struct recorder *r, enum event_kind kind, const json_t *body, struct moment now, bool sure,
                            int64_t *index, struct fl_why *why)
{
    const char *job = json_string_value(json_object_get(body, "job"));
    struct leaf_common c = {.log = r->vkey.name, .station = r->station, .seq = (int64_t)ledger_size(r->ledger),
                            .boot = r->boot, .wall_ms = now.wall, .mono_ms = now.mono};
    json_t *leaf = NULL;
    enum fl_err err = leaf_make(&c, kind, body, &leaf, &r->bytes, why);
    if (!err)
        err = (sure ? ledger_append_sure : ledger_append)(r->ledger, kind, job, leaf, &r->bytes, why);
    json_decref(leaf);
    if (err)
        return err;
    r->last_wall = now.wall;
    r->last_mono = now.mono;
    *index = c.seq;
    return FL_OK;
}

/* Behind a PASS, the record that certificates are made of; in the next place, so that it is found without looking. */
static enum fl_err put_final(struct recorder *r, const json_t *attempt, struct moment now, struct fl_why *why)
{
    json_t *body;
    int64_t index;
    enum fl_err err = unit_final_body(attempt, &r->bytes, &body, why);
    if (err == FL_NOT_FOUND)
        return FL_OK;
    if (!err)
        err = put_leaf(r, EVENT_UNIT_FINAL, body, now, false, &index, why);
    json_decref(body);
    /* the attempt is in the transaction already: it must not be answered as one that was refused */
    return err == FL_FORMAT ? fl_why_wrap(why, FL_STATE, "the record behind a PASS: ") : err;
}

/* A body with the operator's tag in place of the name, and what that does to the table of names when its record is there: a record
 * that is refused names and forgets nobody. */
struct tagged {
    json_t *body;
    struct person made;         /* tag "": nobody new */
    char forgotten[PERSON_TAG]; /* "": nobody */
};

static enum fl_err with_tag(struct recorder *r, enum event_kind kind, const json_t *body, struct tagged *out, struct fl_why *why)
{
    char tag[PERSON_TAG];
    const char *name = fl_json_text(body, "operator");
    bool forget = kind == EVENT_OPERATOR && strcmp(fl_json_text(body, "change"), "forget") == 0;
    enum fl_err err = FL_OK;
    *out = (struct tagged){.body = NULL};
    if (*name)
        err = person_tag(r->db, name, forget ? NULL : &out->made, tag, why);
    if (err)
        return err == FL_NOT_FOUND ? FL_REFUSED : err;
    if (forget)
        memcpy(out->forgotten, tag, sizeof tag);
    out->body = *name ? json_copy((json_t *)(uintptr_t)body) : json_incref((json_t *)(uintptr_t)body);
    return out->body && (!*name || json_object_set_new(out->body, "operator", json_string(tag)) == 0) ? FL_OK
                                                                                                    : fl_fail(why, FL_NOMEM, "out of memory");
}

static enum fl_err keep_names(struct recorder *r, const struct tagged *t, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    if (t->made.tag[0]) {
        err = person_put(r->db, &t->made, why);
        redo_add_person(ledger_redo(r->ledger), &t->made);
    }
    if (!err && t->forgotten[0]) {
        err = person_forget(r->db, t->forgotten, why);
        redo_add_forgotten(ledger_redo(r->ledger), t->forgotten);
    }
    return err;
}

/* What an engineer says about it, where one does (recorder_clock). */
static enum fl_err clock_step_body(struct recorder *r, int64_t from, int64_t to, struct tagged *out, struct fl_why *why)
{
    json_t *body = json_pack("{sI,sI}", "from_ms", (json_int_t)from, "to_ms", (json_int_t)to);
    const struct recorder_clock *c = r->clock;
    bool bad = !body || (c && (fl_json_set_dirty(body, "why", c->why, strlen(c->why)) ||
                               fl_json_set_dirty(body, "operator", c->operator_id, strlen(c->operator_id))));
    enum fl_err err = bad ? fl_fail(why, FL_NOMEM, "out of memory") : with_tag(r, EVENT_CLOCK_STEP, body, out, why);
    json_decref(body);
    return err;
}

/* Leaves never go back in time in silence: when the wall clock was set, a clock_step leaf says so first. */
static enum fl_err keep_time(struct recorder *r, struct moment now, struct fl_why *why)
{
    int64_t index, expected = r->last_mono < 0 ? r->last_wall : r->last_wall + (now.mono - r->last_mono);
    bool jumped = r->last_mono >= 0 && (now.wall - expected > STEP_MS || expected - now.wall > STEP_MS);
    if (ledger_size(r->ledger) == 0 || (now.wall >= r->last_wall && !jumped))
        return FL_OK;
    struct tagged told = {.body = NULL};
    enum fl_err err = clock_step_body(r, expected, now.wall, &told, why);
    if (!err)
        err = put_leaf(r, EVENT_CLOCK_STEP, told.body, now, false, &index, why);
    if (!err)
        err = keep_names(r, &told, why);
    json_decref(told.body);
    return err;
}

static enum fl_err append(struct recorder *r, enum event_kind kind, const json_t *body, struct moment now, bool sure,
                          int64_t *index, const char **fault, struct fl_why *why)
{
    const char *job = json_string_value(json_object_get(body, "job"));
    struct tagged told = {.body = NULL};
    json_t *less = NULL;
    *fault = "";
    enum fl_err err = ledger_find(r->ledger, job, kind, index, why);
    if (err || *index >= 0)
        return err;
    err = allow_event(r->allow, kind, body, fault, why);
    if (!err)
        err = with_tag(r, kind, body, &told, why);
    if (!err)
        err = keep_time(r, now, why);
    if (!err)
        err = abridge_body(r->abridge, kind, told.body, &less, why);
    if (!err)
        err = put_leaf(r, kind, less, now, sure, index, why);
    if (!err)
        err = keep_names(r, &told, why);
    if (!err)
        abridge_told(r->abridge, kind, less, *index);
    if (!err && kind == EVENT_ATTEMPT_RESULT)
        err = put_final(r, body, now, why);
    json_decref(less);
    json_decref(told.body);
    return err;
}

enum fl_err recorder_append(struct recorder *r, enum event_kind kind, const json_t *body, struct moment now, int64_t *index,
                            const char **fault, struct fl_why *why)
{
    return append(r, kind, body, now, false, index, fault, why);
}

enum fl_err recorder_append_sure(struct recorder *r, enum event_kind kind, const json_t *body, struct moment now, int64_t *index,
                                 const char **fault, struct fl_why *why)
{
    return append(r, kind, body, now, true, index, fault, why);
}
