/* SPDX-License-Identifier: Apache-2.0
 * canonical.h: is a record in canonical form? By taking it apart and writing it anew: another road than audit/leaf.h's, which reads it once. */
#ifndef FL_TESTS_CANONICAL_H
#define FL_TESTS_CANONICAL_H

#include "base/json.h"

#include <string.h>

static bool is_canonical(const void *bytes, size_t n)
{
    json_t *v;
    if (fl_json_parse(bytes, n, &v, NULL))
        return false;
    struct fl_buf b = FL_BUF(n + 64);
    bool same = fl_json_canonical(v, &b, NULL) == FL_OK && b.len == n && memcmp(b.bytes, bytes, n) == 0;
    fl_buf_fini(&b);
    json_decref(v);
    return same;
}

#endif
