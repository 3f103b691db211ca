/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/trust.h"

#include <stdio.h>
#include <string.h>

static enum fl_err add(struct vkey list[static TRUST_KEYS_MAX], size_t *n, const struct vkey *k, struct fl_why *why)
{
    for (size_t i = 0; i < *n; i++)
        if (memcmp(list[i].key, k->key, KEY_PUBLIC) == 0 && (k->type == KEY_COSIGN || strcmp(list[i].name, k->name) == 0))
            return FL_OK;
    if (*n == TRUST_KEYS_MAX)
        return fl_fail(why, FL_LIMIT, "more than %d keys", TRUST_KEYS_MAX);
    list[(*n)++] = *k;
    return FL_OK;
}

static enum fl_err add_given(struct trust *t, const struct trust_words *w, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < w->n_keys && !err; i++) {
        struct vkey k;
        err = vkey_parse(w->keys[i], &k, why);
        if (!err)
            err = k.type == KEY_NOTE ? add(t->log, &t->n_logs, &k, why) : add(t->witness, &t->n_witnesses, &k, why);
    }
    t->n_given = t->n_logs;
    return err;
}

enum fl_err trust_read(const struct trust_words *w, struct trust *out, struct fl_why *why)
{
    memset(out, 0, sizeof *out);
    out->quorum = w->quorum;
    out->ca = w->ca;
    enum fl_err err = w->policy ? policy_read(w->policy, &out->policy, why) : FL_OK;
    const struct policy *p = out->policy;
    for (size_t i = 0; p && !err && i < p->n_witnesses; i++)
        err = add(out->witness, &out->n_witnesses, &p->witness[i].vkey, why); /* none comes twice: places agree */
    if (!err)
        err = add_given(out, w, why);
    for (size_t i = 0; p && !err && i < p->n_logs; i++)
        err = add(out->log, &out->n_logs, &p->log[i].vkey, why);
    if (err)
        trust_fini(out);
    return err;
}

void trust_fini(struct trust *t)
{
    policy_free(t->policy);
    t->policy = NULL;
}

size_t trust_log(const struct trust *t, const char *own, struct vkey out[static TRUST_KEYS_MAX])
{
    const char *name = t->n_logs ? t->log[0].name : "";
    size_t n = 0;
    for (size_t i = 0; i < t->n_logs; i++)
        if (strcmp(t->log[i].name, own) == 0)
            name = t->log[i].name; /* not `own`, which may lie in `out` */
    for (size_t i = 0; i < t->n_logs; i++)
        if (strcmp(t->log[i].name, name) == 0)
            out[n++] = t->log[i];
    return n;
}

bool trust_asks(const struct trust *t)
{
    return t->quorum > 0 || (t->policy && t->policy->quorum != POLICY_NONE);
}

bool trust_met(const struct trust *t, const bool *signed_by)
{
    size_t have = 0;
    for (size_t i = 0; i < t->n_witnesses; i++)
        have += signed_by[i];
    return have >= t->quorum && (!t->policy || policy_met(t->policy, signed_by));
}

void trust_asked(const struct trust *t, char out[static 160])
{
    bool policy = t->policy && t->policy->quorum != POLICY_NONE;
    int n = t->quorum ? snprintf(out, 160, "%u of the %zu witnesses%s", t->quorum, t->n_witnesses, policy ? ", and " : "") : 0;
    if (policy)
        (void)snprintf(out + n, (size_t)(160 - n), "the quorum %.80s of the policy", policy_quorum_name(t->policy));
    else if (!n)
        (void)snprintf(out, 160, "no witness");
}
