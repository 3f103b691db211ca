/* SPDX-License-Identifier: Apache-2.0
 * JSON as others wrote it. Canonical bytes are found by two readers of different making (a tree of values written again; one
 * pass over a record), who must agree; what is written canonically is read back as itself; rules of a lot are read or refused. */
#include "fuzz.h"
#include "unit/canonical.h"

#include "audit/leaf.h"
#include "base/json.h"
#include "line/rules.h"

static void record(const uint8_t *bytes, size_t n, const json_t *v)
{
    struct leaf_view view;
    struct fl_why why = {0, ""};
    bool good = leaf_scan(bytes, n, &view, &why) == FL_OK, canonical = is_canonical(bytes, n);
    FUZZ_HOLDS(good || (why.text[0] && fuzz_for_eyes(why.text, strlen(why.text), false)));
    FUZZ_HOLDS(good == (canonical && json_is_object(v) && n <= LEAF_BYTES_MAX));
    if (!good)
        return;
    const char *event = fl_json_text(v, "event");
    FUZZ_HOLDS(!view.event.p || memchr(view.event.p, '\\', view.event.n) || strncmp(event, view.event.p, view.event.n) == 0);
    FUZZ_HOLDS(view.seq == -1 || view.seq == fl_json_int(v, "seq", -2));
    FUZZ_HOLDS(view.seq != -1 || fl_json_int(v, "seq", -1) < 0);
}

static void again(const json_t *v, size_t n)
{
    struct fl_buf one = FL_BUF(8 * n + 64), two = FL_BUF(8 * n + 64);
    json_t *back = NULL;
    struct fl_why why = {0, ""};
    if (fl_json_canonical(v, &one, &why) == FL_OK) {
        FUZZ_HOLDS(fl_json_parse(one.bytes, one.len, &back, NULL) == FL_OK && json_equal(v, back));
        FUZZ_HOLDS(fl_json_canonical(back, &two, NULL) == FL_OK && two.len == one.len && memcmp(one.bytes, two.bytes, one.len) == 0);
        FUZZ_HOLDS(is_canonical(one.bytes, one.len));
    } else {
        FUZZ_HOLDS(fuzz_for_eyes(why.text, strlen(why.text), false));
    }
    json_decref(back);
    fl_buf_fini(&one);
    fl_buf_fini(&two);
}

static void rules(const json_t *v)
{
    struct rules_set set;
    struct fl_why why = {0, ""};
    if (rules_parse(v, &set, &why)) {
        FUZZ_HOLDS(why.text[0] && fuzz_for_eyes(why.text, strlen(why.text), false));
        return;
    }
    FUZZ_HOLDS(memchr(set.serial, 0, sizeof set.serial) && set.n_samples <= RULES_SAMPLES_MAX);
    struct rules *r = rules_new(&set);
    struct rules_stop stops[RULES_STOPS_MAX];
    FUZZ_HOLDS(r);
    for (int i = 0; i < 40; i++)
        FUZZ_HOLDS(rules_add(r, 1 + i % 3, i % 4 ? OUTCOME_FAIL : OUTCOME_PASS, "verify.md5", (const uint8_t *)"\1\2\3\4\5\6", stops) <= RULES_STOPS_MAX);
    rules_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = fuzz_copy(bytes, n);
    struct fl_why why = {0, ""};
    json_t *v = NULL;
    if (fl_json_parse(copy, n, &v, &why) == FL_OK) {
        again(v, n);
        rules(v);
    } else {
        FUZZ_HOLDS(!v && why.text[0] && fuzz_for_eyes(why.text, strlen(why.text), false));
    }
    record(copy, n, v);
    json_decref(v);
    free(copy);
    return 0;
}
