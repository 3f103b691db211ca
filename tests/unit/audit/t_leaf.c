/* SPDX-License-Identifier: Apache-2.0
 * audit/leaf: the one-pass reader against base/json (parse, write canonically, compare): two roads to one verdict, on
 * literal rows and on a hundred thousand damaged records. The seed is fixed: a failing record is printed. */
#include "unit/t.h"
#include "unit/canonical.h"

#include "audit/leaf.h"
#include "base/file.h"
#include "base/json.h"

static void members(void **state)
{
    (void)state;
    static const char rec[] = "{\"boot\":1,\"clock\":\"sync\",\"event\":\"clock_step\",\"from_ms\":-5,\"job\":\"a\\\"b\",\"list\":[{\"seq\":9},[],{}],"
                              "\"log\":\"l\",\"mono_ms\":7,\"nil\":null,\"seq\":3,\"station\":\"s\",\"t\":true,"
                              "\"time\":\"2026-11-22T08:00:00.000Z\",\"to_ms\":-12,\"v\":1,\"vkey\":\"k\"}";
    struct leaf_view v;
    assert_int_equal(leaf_scan((const uint8_t *)rec, strlen(rec), &v, NULL), FL_OK);
    assert_true(leaf_text_is(v.event, "clock_step"));
    assert_true(leaf_text_is(v.job, "a\\\"b")); /* as written */
    assert_true(leaf_text_is(v.log, "l") && leaf_text_is(v.station, "s") && leaf_text_is(v.vkey, "k"));
    assert_int_equal(v.seq, 3); /* the one inside the list is not it */
    assert_int_equal(v.boot, 1);
    assert_int_equal(v.mono_ms, 7);
    assert_int_equal(v.v, 1);
    assert_int_equal(v.to_ms, -12);
    assert_int_equal(v.time_ms, 1795334400000);
    static const char bare[] = "{\"seq\":\"3\",\"time\":\"yesterday\",\"v\":-1}";
    assert_int_equal(leaf_scan((const uint8_t *)bare, strlen(bare), &v, NULL), FL_OK);
    assert_int_equal(v.seq, -1);
    assert_int_equal(v.v, -1);
    assert_true(v.time_ms == INT64_MIN && v.to_ms == INT64_MIN);
    assert_null(v.event.p);
}

static bool by_scan(const char *s, size_t n)
{
    struct leaf_view v;
    return leaf_scan((const uint8_t *)s, n, &v, NULL) == FL_OK;
}

/* The other road; the reader takes objects only. */
static bool by_json(const char *s, size_t n)
{
    return n > 0 && s[0] == '{' && is_canonical(s, n);
}

#define ROW(text, ok) {text, sizeof(text) - 1, ok}
static void literal_rows(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        bool ok;
    } row[] = {
        ROW("{}", true), ROW("{\"a\":[]}", true), ROW("{\"a\":{},\"b\":0}", true), ROW("{\"a\":-9007199254740991}", true),
        ROW("{\"a\":\"\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\/\x7f\"}", true), ROW("{\"a\":\"\xf0\x9f\x98\x80\xe2\x82\xac\"}", true),
        ROW("{\"a\":1,\"a1\":2,\"a_\":3}", true), ROW("{\"a\":true,\"b\":false,\"c\":null}", true),
        ROW("", false), ROW("[]", false), ROW("{", false), ROW("{}x", false), ROW(" {}", false), ROW("{} ", false), ROW("{}\n", false),
        ROW("{\"a\":1,}", false), ROW("{\"a\"}", false), ROW("{a:1}", false), ROW("{\"a\" :1}", false), ROW("{\"a\":1 }", false),
        ROW("{\"b\":1,\"a\":2}", false), ROW("{\"a\":1,\"a\":2}", false), ROW("{\"A\":1}", false), ROW("{\"\":1}", false),
        ROW("{\"a\":01}", false), ROW("{\"a\":-0}", false), ROW("{\"a\":+1}", false), ROW("{\"a\":1.0}", false), ROW("{\"a\":1e3}", false),
        ROW("{\"a\":-}", false), ROW("{\"a\":9007199254740992}", false), ROW("{\"a\":99999999999999999999}", false),
        ROW("{\"a\":\"\\u0041\"}", false), ROW("{\"a\":\"\\/\"}", false), ROW("{\"a\":\"\\u000a\"}", false), ROW("{\"a\":\"\\u001F\"}", false),
        ROW("{\"a\":\"\\u0020\"}", false), ROW("{\"a\":\"\x01\"}", false), ROW("{\"a\":\"\n\"}", false), ROW("{\"a\":\"\\\0\"}", false),
        ROW("{\"a\":\"\xff\"}", false), ROW("{\"a\":\"\xed\xa0\x80\"}", false), ROW("{\"a\":\"\\ud83d\\ude00\"}", false),
        ROW("{\"a\":\"x}", false), ROW("{\"a\":[1,]}", false), ROW("{\"a\":[1 ,2]}", false), ROW("{\"a\":[1}", false),
        ROW("{\"a\":tru}", false), ROW("{\"a\":nulll}", false), ROW("{\"a\":NaN}", false),
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        if (by_scan(row[i].text, row[i].n) != row[i].ok || by_json(row[i].text, row[i].n) != row[i].ok)
            fail_msg("%s: scan %d, json %d", row[i].text, by_scan(row[i].text, row[i].n), by_json(row[i].text, row[i].n));
    }
}

/* Texts are read eight bytes at a time: every byte value in every place of that stride, and pairs of them. */
static void every_place(void **state)
{
    (void)state;
    for (size_t at = 0; at < 20; at++)
        for (int c = 0; c < 256; c++)
            for (int beside = 0; beside < 3; beside++) {
                char rec[] = "{\"a\":\"abcdefghijklmnopqrstuvwxyz\"}";
                rec[6 + at] = (char)c;
                if (beside)
                    rec[7 + at] = beside == 1 ? '"' : '\x01';
                if (by_scan(rec, sizeof rec - 1) != by_json(rec, sizeof rec - 1))
                    fail_msg("byte %d in place %zu, beside it %d", c, at, beside);
            }
}

static uint32_t seed = 20261122;
static uint32_t roll(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(seed >> 8) * n >> 24);
}

static json_t *random_value(int depth)
{
    static const char *const texts[] = {"", "a", "\xe2\x82\xac", "\"\\", "\n\t\x01", "2026-11-22T08:00:00.000Z", "x y"};
    switch (roll(depth > 3 ? 4 : 6)) {
    case 0:
        return json_integer((json_int_t)roll(1000) - 500);
    case 1:
        return json_string(texts[roll(T_COUNT(texts))]);
    case 2:
        return roll(2) ? json_true() : json_null();
    case 3:
        return json_integer(9007199254740991 - (json_int_t)roll(3));
    case 4: {
        json_t *list = json_array();
        for (uint32_t n = roll(4); n; n--)
            assert_int_equal(json_array_append_new(list, random_value(depth + 1)), 0);
        return list;
    }
    default: {
        json_t *o = json_object();
        static const char *const keys[] = {"a", "b", "seq", "time", "v", "z_9"};
        for (uint32_t n = roll(5); n; n--)
            assert_int_equal(json_object_set_new(o, keys[roll(T_COUNT(keys))], random_value(depth + 1)), 0);
        return o;
    }
    }
}

static void damaged_records(void **state)
{
    (void)state;
    static const char splice[] = "{}[],:\"\\0019eEnu.-+ \n\x80\xff";
    struct fl_buf b = FL_BUF(100000);
    char text[2000];
    unsigned accepted = 0;
    for (int round = 0; round < 5000; round++) {
        json_t *o = json_object();
        for (uint32_t n = 1 + roll(6); n; n--) {
            char key[3] = {(char)('a' + roll(26)), (char)('0' + roll(10)), 0};
            assert_int_equal(json_object_set_new(o, key, random_value(0)), 0);
        }
        fl_buf_clear(&b);
        assert_int_equal(fl_json_canonical(o, &b, NULL), FL_OK);
        json_decref(o);
        assert_true(by_scan(fl_buf_text(&b), b.len));
        for (int hit = 0; hit < 20 && b.len < sizeof text - 1; hit++) {
            size_t n = b.len, at = roll((uint32_t)n);
            memcpy(text, b.bytes, n);
            switch (roll(3)) {
            case 0:
                text[at] = splice[roll(sizeof splice - 1)];
                break;
            case 1:
                memmove(text + at, text + at + 1, n - at - 1);
                n--;
                break;
            default:
                memmove(text + at + 1, text + at, n - at);
                text[at] = splice[roll(sizeof splice - 1)];
                n++;
            }
            bool scan = by_scan(text, n);
            accepted += scan;
            if (scan != by_json(text, n))
                fail_msg("scan says %d: %.*s", scan, (int)n, text);
        }
    }
    fl_buf_fini(&b);
    assert_true(accepted > 1000); /* the damage must not always be fatal, or one side of the comparison is idle */
}

static void limits(void **state)
{
    (void)state;
    struct leaf_view v;
    char *big = malloc(70000), deep[200];
    memset(big, 'a', 70000);
    memcpy(big, "{\"a\":\"", 6);
    memcpy(big + LEAF_BYTES_MAX - 2, "\"}", 2);
    assert_int_equal(leaf_scan((const uint8_t *)big, LEAF_BYTES_MAX, &v, NULL), FL_OK);
    big[LEAF_BYTES_MAX - 2] = 'a';
    memcpy(big + LEAF_BYTES_MAX - 1, "\"}", 2);
    assert_int_equal(leaf_scan((const uint8_t *)big, LEAF_BYTES_MAX + 1, &v, NULL), FL_FORMAT);
    free(big);
    /* a hostile record cannot exhaust the stack */
    (void)strcpy(deep, "{\"a\":");
    memset(deep + 5, '[', 100);
    assert_int_equal(leaf_scan((const uint8_t *)deep, 105, &v, NULL), FL_FORMAT);
}

/* For another implementation to judge (tests/outside/canon.mjs): each line of $FL_CANON/texts, is it canonical (ours: y, n), and
 * the value written anew (again: - where it is refused). */
static void answer(const char *text, size_t n, struct fl_buf *ours, struct fl_buf *again)
{
    json_t *o = NULL;
    struct fl_buf b = FL_BUF(100000);
    bool scan = by_scan(text, n), json = by_json(text, n);
    if (scan != json)
        fail_msg("the two readers differ: %.*s", (int)n, text);
    fl_buf_adds(ours, scan ? "y\n" : "n\n");
    if (fl_json_parse(text, n, &o, NULL) == FL_OK && fl_json_canonical(o, &b, NULL) == FL_OK)
        fl_buf_add(again, b.bytes, b.len);
    else
        fl_buf_addc(again, '-');
    fl_buf_addc(again, '\n');
    json_decref(o);
    fl_buf_fini(&b);
}

static void for_others(void **state)
{
    const char *dir = getenv("FL_CANON");
    char path[3][300];
    static const char *const name[3] = {"texts", "ours", "again"};
    struct fl_buf b[3] = {FL_BUF(64 << 20), FL_BUF(64 << 20), FL_BUF(64 << 20)};
    (void)state;
    for (int i = 0; i < 3; i++)
        (void)snprintf(path[i], sizeof path[i], "%s/%s", dir, name[i]);
    assert_int_equal(fl_file_read(path[0], &b[0], NULL), FL_OK);
    for (size_t at = 0, n; at < b[0].len; at += n + 1) {
        n = (size_t)((uint8_t *)memchr(b[0].bytes + at, '\n', b[0].len - at) - (b[0].bytes + at));
        answer((const char *)b[0].bytes + at, n, &b[1], &b[2]);
    }
    for (int i = 1; i < 3; i++)
        assert_int_equal(fl_file_replace(path[i], b[i].bytes, b[i].len, 0644, NULL), FL_OK);
    for (int i = 0; i < 3; i++)
        fl_buf_fini(&b[i]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(members), cmocka_unit_test(literal_rows), cmocka_unit_test(every_place), cmocka_unit_test(damaged_records), cmocka_unit_test(limits),
    };
    static const struct CMUnitTest judged[] = {cmocka_unit_test(for_others)};
    if (getenv("FL_CANON"))
        return cmocka_run_group_tests(judged, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
