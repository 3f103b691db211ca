/* SPDX-License-Identifier: Apache-2.0 */
#include "record/unit_final.h"

#include "base/b64.h"
#include "audit/tree.h"

#include <string.h>

static const char *const kept[] = {"chip", "lot", "mac", "outcome", "profile"};

enum fl_err unit_final_body(const json_t *body, const struct fl_buf *bytes, json_t **out, struct fl_why *why)
{
    struct fl_hash *h;
    struct tree_hash leaf;
    char b64[B64_LEN(FL_SHA256_SIZE) + 1];
    *out = NULL;
    if (strcmp(fl_json_text(body, "outcome"), "PASS") != 0 || !*fl_json_text(body, "mac") || *fl_json_text(body, "purpose"))
        return FL_NOT_FOUND;
    enum fl_err err = fl_hash_new(FL_HASH_SHA256, &h);
    if (err)
        return fl_fail(why, FL_NOMEM, "out of memory");
    err = tree_leaf(h, bytes->bytes, bytes->len, &leaf);
    fl_hash_free(h);
    if (err)
        return fl_fail(why, err, "%s", fl_err_text(err));
    b64_encode(leaf.b, sizeof leaf.b, b64);
    json_t *o = json_pack("{ss}", "attempt", b64);
    bool bad = !o;
    for (size_t i = 0; i < sizeof kept / sizeof *kept && !bad; i++) {
        json_t *v = json_object_get(body, kept[i]);
        bad = v && json_object_set(o, kept[i], v) != 0;
    }
    if (bad) {
        json_decref(o);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    *out = o;
    return FL_OK;
}
