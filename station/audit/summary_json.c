/* SPDX-License-Identifier: Apache-2.0
 * The result of a check as one JSON object. */
#include "audit/summary.h"

#include "base/b64.h"
#include "base/clock.h"
#include "base/json.h"

#include <string.h>

static size_t shown(size_t n, size_t max)
{
    return n < max ? n : max;
}

static json_t *head_json(bool has, uint64_t size, const struct tree_hash *root)
{
    char b64[B64_LEN(FL_SHA256_SIZE) + 1];
    if (!has)
        return json_null();
    b64_encode(root->b, sizeof root->b, b64);
    return json_pack("{sI,ss}", "size", (json_int_t)size, "root", b64);
}

/* NULL: no memory. A list that is cut short would say that less was found. */
static json_t *findings_json(const struct audit_report *a)
{
    json_t *list = json_array();
    bool list_bad = !list;
    for (size_t i = 0; i < shown(a->n_findings, AUDIT_FINDINGS_MAX); i++) {
        const struct audit_finding *f = &a->finding[i];
        json_t *o = json_pack("{ss,sI,sI}", "class", audit_class_name(f->class), "first", (json_int_t)f->first, "last",
                              (json_int_t)f->last);
        if (!o || fl_json_set_dirty(o, "text", f->text, strlen(f->text)) || json_array_append_new(list, json_incref(o)) != 0)
            list_bad = true;
        json_decref(o);
    }
    if (!list_bad)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *keys_json(const struct audit_report *a)
{
    json_t *list = json_array();
    for (size_t i = 0; i < a->n_keys; i++) {
        const struct audit_key *k = &a->key[i];
        char text[KEY_VKEY_MAX];
        vkey_format(&k->key, text);
        (void)json_array_append_new(list, json_pack("{ss,sI,so,sb}", "key", text, "from", (json_int_t)k->from, "to",
                                                    k->to == UINT64_MAX ? json_null() : json_integer((json_int_t)k->to), "given",
                                                    (int)k->trusted));
    }
    return list;
}

static json_t *previous_json(const struct check_result *r)
{
    const struct audit_previous *p = &r->report.previous;
    char text[KEY_VKEY_MAX];
    if (!p->named)
        return json_null();
    vkey_format(&p->key, text);
    return json_pack("{ss,ss,so,ss,so}", "log", p->key.name, "key", text, "head", head_json(true, p->head.size, &p->head.root), "verdict",
                     p->verdict, "now", r->previous.checked ? json_string(audit_class_name(r->previous.verdict)) : json_null());
}

static json_t *policy_json(const struct check_result *r)
{
    const struct audit_policy *p = &r->report.policy;
    if (!p->times)
        return json_null();
    return json_pack("{sI,sI,sb,so}", "record", (json_int_t)p->leaf, "times", (json_int_t)p->times, "none", (int)p->none, "file_same",
                     r->policy_looked ? json_boolean(r->policy_same) : json_null());
}

static json_t *steps_json(const struct audit_report *a)
{
    json_t *list = json_array();
    for (size_t i = 0; i < a->n_steps; i++) {
        json_t *o = json_pack("{sI,sI}", "leaf", (json_int_t)a->step[i].leaf, "ms", (json_int_t)a->step[i].ms);
        if (o && a->step[i].why[0])
            (void)json_object_set_new(o, "why", json_string(a->step[i].why));
        (void)json_array_append_new(list, o);
    }
    return list;
}

static json_t *gaps_json(const struct audit_report *a)
{
    json_t *list = json_array();
    for (size_t i = 0; i < shown(a->n_gaps, AUDIT_GAPS_MAX); i++)
        (void)json_array_append_new(list, json_pack("{sI,sI}", "leaf", (json_int_t)a->gap[i].leaf, "ms", (json_int_t)a->gap[i].ms));
    return list;
}

static json_t *twice_json(const struct account_twice *list, size_t n)
{
    json_t *all = json_array();
    for (size_t i = 0; i < shown(n, ACCOUNT_LIST_MAX); i++) {
        json_t *leaves = json_array();
        for (size_t k = 0; k < shown(list[i].n, ACCOUNT_LEAVES_MAX); k++)
            (void)json_array_append_new(leaves, json_integer((json_int_t)list[i].leaf[k]));
        (void)json_array_append_new(all, json_pack("{ss,sI,so}", "what", list[i].what, "times", (json_int_t)list[i].n, "records", leaves));
    }
    return all;
}

static json_t *ranges_json(const struct account_result *a)
{
    json_t *all = json_array();
    for (size_t i = 0; i < shown(a->n_ranges, ACCOUNT_LIST_MAX); i++) {
        const struct account_range *r = &a->range[i];
        json_t *holes = json_array();
        for (size_t k = 0; k < shown(r->n_holes, ACCOUNT_HOLES_MAX); k++)
            (void)json_array_append_new(holes, json_pack("[s,s]", r->hole[k].first, r->hole[k].last));
        (void)json_array_append_new(all, json_pack("{ss,ss,sI,sI,so}", "first", r->first, "last", r->last, "given", (json_int_t)r->given, "missing",
                                                   (json_int_t)r->missing, "holes", holes));
    }
    return all;
}

static json_t *account_json(const struct audit_report *r)
{
    const struct account_result *a = &r->account;
    json_t *endless = json_array();
    for (size_t i = 0; i < shown(a->n_endless, ACCOUNT_LIST_MAX); i++)
        (void)json_array_append_new(endless, json_integer((json_int_t)a->endless[i]));
    json_t *o = json_pack("{sI,sI,sI,so,so,sI,so,sI,so}", "certificates", (json_int_t)a->certified, "units", (json_int_t)a->units, "more_than_once",
                          (json_int_t)a->n_twice, "twice", twice_json(a->twice, a->n_twice), "serials", ranges_json(a), "serials_shared",
                          (json_int_t)a->n_serials_twice, "shared", twice_json(a->serials_twice, a->n_serials_twice), "endless_attempts",
                          (json_int_t)a->n_endless, "endless", endless);
    if (r->accounted)
        return o;
    json_decref(o);
    return json_null();
}

static json_t *time_json(const struct audit_report *a, int64_t ms)
{
    char text[FL_TIME_TEXT];
    fl_time_format(ms, text);
    return a->leaves ? json_string(text) : json_null();
}

static json_t *signer_json(const struct check_result *r)
{
    static const char *const known[] = {[REMEMBERED_TOLD] = "told", [REMEMBERED_NOTHING] = "nothing", [REMEMBERED_NOT_HERE] = "not here",
                                        [REMEMBERED_CLOSED] = "closed"};
    if (r->signer == REMEMBERED_NOT_ASKED)
        return json_null();
    json_t *o = json_pack("{ss,sb,sI,sI}", "memory", known[r->signer], "agrees", (int)r->signer_agrees, "size", (json_int_t)r->signer_size,
                          "ahead", (json_int_t)r->signer_ahead);
    if (o && r->signer_why[0] && fl_json_set_dirty(o, "why", r->signer_why, strlen(r->signer_why))) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static json_t *checked_json(const struct check_result *r)
{
    const struct audit_report *a = &r->report;
    return json_pack("{sI,sI,sI,sI,sI,sI,sI,so}", "records", (json_int_t)a->leaves, "bytes", (json_int_t)a->bytes, "nodes",
                     (json_int_t)a->nodes, "heads", (json_int_t)a->heads, "signatures", (json_int_t)a->signatures, "tiles",
                     (json_int_t)r->tiles, "outside", (json_int_t)a->outside, "rows",
                     r->rows_checked ? json_integer((json_int_t)r->rows) : json_null());
}

static json_t *life_json(const struct audit_report *a)
{
    return json_pack("{sI,sI,sI,sb,sI,sI,sI,sI,sI,so,so}", "boots", (json_int_t)a->boots, "closed", (json_int_t)a->closes,
                     "unclosed", (json_int_t)a->unclosed, "open", (int)a->open, "attempts_begun", (json_int_t)a->starts,
                     "attempts_ended", (json_int_t)a->results, "interrupted", (json_int_t)a->interrupted, "clock_steps",
                     (json_int_t)a->clock_steps, "heartbeats", (json_int_t)a->heartbeats, "gaps", gaps_json(a), "steps", steps_json(a));
}

static json_t *outside_json(const struct check_result *r)
{
    return json_pack("{sI,sI,sI,sb,sb}", "given", (json_int_t)r->heads_given, "agreed", (json_int_t)r->heads_agreed, "size",
                     (json_int_t)r->heads_size, "mark", (int)r->has_mark, "mark_agrees", (int)r->mark);
}

static json_t *anchors_json(const struct check_result *r)
{
    char when[FL_TIME_TEXT];
    fl_time_format(r->anchor_ms, when);
    return json_pack("{sI,sI,sI,so,sb}", "found", (json_int_t)r->anchors, "good", (json_int_t)r->anchors_good, "size",
                     (json_int_t)r->anchor_size, "time", r->anchors_good ? json_string(when) : json_null(), "ca", (int)r->has_ca);
}

static json_t *witness_json(const struct check_result *r)
{
    return json_pack("{sI,sI,sI,ss?}", "signed", (json_int_t)r->cosigned, "size", (json_int_t)r->cosigned_size, "unknown",
                     (json_int_t)r->unknown_cosigned, "asked", r->asked ? r->asked_text : NULL);
}

static json_t *window_json(const struct check_result *r)
{
    uint64_t held = summary_held(r), all = r->report.leaves;
    return held < all ? json_pack("{sI,sI}", "first", (json_int_t)held, "last", (json_int_t)(all - 1)) : json_null();
}

enum fl_err summary_json(const char *path, const struct check_result *r, struct fl_buf *out)
{
    const struct audit_report *a = &r->report;
    const struct audit_finding *worst = audit_worst(a);
    char key[KEY_VKEY_MAX];
    vkey_format(&r->vkey, key);
    bool bad = worst && a->n_log_findings;
    json_t *o = json_pack("{ss,ss,ss,sb,ss,so,so,so,so,so,so,so,so,so,so,so,sb,so,so,sb,so,so,so,so}", "data", "", "log", r->vkey.name,
                          "key", key, "own_key", (int)r->own_key, "verdict", audit_class_name(a->verdict), "checked", checked_json(r), "life",
                          life_json(a), "from", time_json(a, a->first_ms), "to", time_json(a, a->last_ms), "head",
                          head_json(a->has_head, a->head.size, &a->head.root), "outside", outside_json(r), "anchors", anchors_json(r),
                          "witness", witness_json(r), "window", window_json(r), "first_bad",
                          bad ? json_integer((json_int_t)worst->first) : json_null(), "trusted_head",
                          head_json(a->has_trusted, a->trusted_size, &a->trusted_root), "tree_intact", (int)a->tree_intact,
                          "findings", findings_json(a), "keys", keys_json(a), "retired", (int)a->retired, "account", account_json(a),
                          "previous", previous_json(r), "signer", signer_json(r), "policy", policy_json(r));
    if (o && fl_json_set_dirty(o, "data", path, strlen(path)) != FL_OK) {
        json_decref(o);
        o = NULL;
    }
    return fl_json_write(o, JSON_INDENT(2), out);
}
