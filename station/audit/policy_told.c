/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/policy_told.h"

#include "base/json.h"
#include "base/utf8.h"

static bool clean(const uint8_t *p, size_t n)
{
    if (!fl_utf8_ok(p, n))
        return false;
    for (size_t i = 0; i < n; i++)
        if ((p[i] < ' ' && p[i] != '\t' && p[i] != '\n') || p[i] == 127)
            return false;
    return true;
}

enum fl_err policy_as_told(const void *bytes, size_t n, struct fl_buf *out, struct fl_why *why)
{
    uint8_t hash[FL_SHA256_SIZE];
    char hex[2 * FL_SHA256_SIZE + 1];
    if (n <= POLICY_TOLD_MAX && clean(bytes, n)) {
        if (n)
            fl_buf_add(out, bytes, n);
        return fl_buf_err(out, why);
    }
    if (fl_sha256(bytes, n, hash))
        return fl_fail(why, FL_NOMEM, "out of memory");
    fl_hex(hash, sizeof hash, hex);
    fl_buf_addf(out, "SHA-256 %s, %zu bytes", hex, n);
    return fl_buf_err(out, why);
}

static enum fl_err keep(struct audit_policy *p, uint64_t index, const json_t *text)
{
    const char *s = json_string_value(text);
    if (!s)
        return FL_OK;
    p->times++;
    p->leaf = index;
    p->none = !*s;
    return fl_sha256(s, json_string_length(text), p->sha256);
}

enum fl_err policy_told_take(struct audit_policy *p, uint64_t index, const struct leaf_view *v, const uint8_t *rec, size_t n)
{
    bool opens = index == 0, config = leaf_text_is(v->event, "config");
    json_t *o;
    if (!opens && !config)
        return FL_OK;
    enum fl_err err = fl_json_parse(rec, n, &o, NULL);
    if (err)
        return err == FL_NOMEM ? err : FL_OK; /* what is malformed was said already */
    if (opens)
        err = keep(p, index, json_object_get(o, "policy"));
    else if (strcmp(fl_json_text(o, "what"), "policy") == 0)
        err = keep(p, index, json_object_get(o, "text"));
    json_decref(o);
    return err;
}

enum fl_err policy_told_same(const struct audit_policy *p, const void *bytes, size_t n, bool *same, struct fl_why *why)
{
    struct fl_buf told = FL_BUF(POLICY_TOLD_MAX + 1);
    uint8_t hash[FL_SHA256_SIZE];
    enum fl_err err = policy_as_told(bytes, n, &told, why);
    if (!err && fl_sha256(told.len ? (const void *)told.bytes : "", told.len, hash))
        err = fl_fail(why, FL_NOMEM, "out of memory");
    *same = !err && memcmp(hash, p->sha256, sizeof hash) == 0;
    fl_buf_fini(&told);
    return err;
}
