/* SPDX-License-Identifier: Apache-2.0
 * What a bundle says of itself, its key and its policy, against what its records tell. */
#include "audit/bundle_inside.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

enum fl_err bundle_key(const char *dir, struct vkey *out, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(2 * KEY_VKEY_MAX);
    enum fl_err err = bundle_file(dir, "key", &b, why);
    if (!err && b.len && b.bytes[b.len - 1] == '\n')
        b.bytes[b.len - 1] = 0;
    if (!err)
        err = vkey_parse(fl_buf_text(&b), out, why);
    fl_buf_fini(&b);
    return err;
}

static bool of_log(const struct audit_report *r, const struct vkey *k)
{
    bool known = r->n_keys == 0; /* the records name no key: nothing to hold it against but the name */
    for (size_t i = 0; i < r->n_keys; i++)
        known |= r->key[i].key.id == k->id && memcmp(r->key[i].key.key, k->key, KEY_PUBLIC) == 0;
    return known;
}

/* With a key from paper nothing here is taken from the file `key`; somebody else may take it from there. */
void bundle_judge_key(const struct bundle *b, struct check_result *out)
{
    struct vkey k;
    struct fl_why why = {0, ""};
    if (bundle_key(b->dir, &k, &why))
        audit_add_beside(&out->report, AUDIT_KEY, "the bundle's file key: %.250s", why.text);
    else if (strcmp(k.name, b->keys[0].name) != 0 || !of_log(&out->report, &k))
        audit_add_beside(&out->report, AUDIT_KEY, "the bundle's file key holds %08x of %.150s, which is no key of this log: it was exchanged", k.id, k.name);
}

/* Against what the log's own records tell. A log that asks for nobody has a file that names no witness. */
static enum fl_err judge_told(const char *path, const struct policy *p, struct check_result *out)
{
    const struct audit_policy *told = &out->report.policy;
    struct fl_buf bytes = FL_BUF(POLICY_BYTES_MAX);
    bool same = true;
    if (!told->times)
        return FL_OK;
    enum fl_err err = told->none ? FL_OK : fl_file_read(path, &bytes, NULL);
    if (!err && told->none)
        same = p->n_witnesses == 0 && p->quorum == POLICY_NONE;
    else if (!err)
        err = policy_told_same(told, bytes.bytes, bytes.len, &same, NULL);
    if (!same)
        audit_add_beside(&out->report, AUDIT_KEY, "the bundle's file policy is not the one that record %llu tells: it was exchanged",
                         (unsigned long long)told->leaf);
    fl_buf_fini(&bytes);
    return err;
}

enum fl_err bundle_judge_policy(const struct bundle *b, const struct trust *t, struct check_result *out)
{
    struct policy *p = NULL;
    struct fl_why why = {0, ""};
    char *path = fl_path_join(b->dir, "policy");
    enum fl_err err = path ? policy_read(path, &p, &why) : FL_NOMEM;
    bool ours = false;
    if (err && err != FL_NOMEM) {
        audit_add_beside(&out->report, AUDIT_MALFORMED, "the bundle's file policy: %.250s", why.text);
        free(path);
        return FL_OK;
    }
    if (!err)
        err = judge_told(path, p, out);
    free(path);
    if (err) {
        policy_free(p);
        return err;
    }
    for (size_t i = 0; i < p->n_logs; i++)
        ours |= strcmp(p->log[i].vkey.name, b->keys[0].name) == 0 && of_log(&out->report, &p->log[i].vkey);
    if (p->n_logs && !ours)
        audit_add_beside(&out->report, AUDIT_KEY, "the bundle's file policy names no key of this log: it was exchanged");
    for (size_t i = 0; i < p->n_witnesses; i++) {
        bool given = false;
        for (size_t k = 0; k < t->n_witnesses; k++)
            given |= memcmp(t->witness[k].key, p->witness[i].vkey.key, KEY_PUBLIC) == 0;
        out->policy_given += given;
    }
    out->policy_witnesses = p->n_witnesses;
    policy_free(p);
    return FL_OK;
}
