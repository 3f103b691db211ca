/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/leaf.h"

#include "base/clock.h"
#include "base/cursor.h"
#include "base/utf8.h"

#include <string.h>

enum { DEPTH_MAX = 33 }; /* one more than base/json.h writes, so that the limit is found there first */

struct scan {
    const uint8_t *start, *p, *end;
    const char *bad; /* first thing that is wrong */
};

static bool fail(struct scan *s, const char *what)
{
    if (!s->bad)
        s->bad = what;
    return false;
}

static bool take(struct scan *s, char c)
{
    if (s->p == s->end || *s->p != (uint8_t)c)
        return false;
    s->p++;
    return true;
}

/* \uXXXX: only control characters without a shorter escape are written so, in lower case. */
static bool scan_u(struct scan *s)
{
    if (s->end - s->p < 4 || s->p[0] != '0' || s->p[1] != '0' || (s->p[2] != '0' && s->p[2] != '1'))
        return fail(s, "an escape that is not the shortest");
    uint8_t c = s->p[3];
    bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    bool shorter = s->p[2] == '0' && (c == '8' || c == '9' || c == 'a' || c == 'c' || c == 'd');
    if (!hex || shorter)
        return fail(s, "an escape that is not the shortest");
    s->p += 4;
    return true;
}

/* How many of the first eight bytes are plain: printable ASCII, neither a quote nor a backslash. Little endian, so that the
 * lowest byte comes first; a borrow can make a byte behind the first bad one look bad, never one before it. */
static unsigned plain_run(const uint8_t *p)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t x = fl_get_u32le(p) | (uint64_t)fl_get_u32le(p + 4) << 32, quote = x ^ ('"' * ones), slash = x ^ ('\\' * ones);
    uint64_t bad = (((x - 0x20 * ones) | (quote - ones) | (slash - ones)) & ~x & high) | (x & high);
    return bad ? (unsigned)__builtin_ctzll(bad) / 8 : 8;
}

/* To the first byte that is not plain, or the end. */
static const uint8_t *skip_plain(const uint8_t *p, const uint8_t *end)
{
    while (end - p >= 8) {
        unsigned n = plain_run(p);
        p += n;
        if (n < 8)
            return p;
    }
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}

static bool scan_text(struct scan *s, struct leaf_text *out)
{
    if (!take(s, '"'))
        return fail(s, "no text where one must be");
    const uint8_t *from = s->p;
    for (;;) {
        s->p = skip_plain(s->p, s->end); /* nearly all there is */
        if (s->p == s->end)
            return fail(s, "text without an end");
        uint8_t c = *s->p;
        if (c == '"') {
            *out = (struct leaf_text){(const char *)from, (size_t)(s->p - from)};
            s->p++;
            return true;
        }
        if (c == '\\') {
            s->p++;
            if (s->p < s->end && *s->p != 0 && strchr("\"\\btnfr", *s->p))
                s->p++;
            else if (!take(s, 'u'))
                return fail(s, "an escape that is not the shortest");
            else if (!scan_u(s))
                return false;
            continue;
        }
        size_t k = c < 0x20 ? 0 : fl_utf8_len(s->p, (size_t)(s->end - s->p));
        if (k == 0)
            return fail(s, "text that is not UTF-8, or a bare control character");
        s->p += k;
    }
}

static bool scan_int(struct scan *s, int64_t *out)
{
    bool minus = take(s, '-');
    const uint8_t *from = s->p;
    int64_t v = 0;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9' && s->p - from < 17)
        v = 10 * v + (*s->p++ - '0');
    bool ok = s->p > from && !(*from == '0' && (s->p - from > 1 || minus)) && v <= 9007199254740991 &&
              !(s->p < s->end && *s->p >= '0' && *s->p <= '9');
    *out = minus ? -v : v;
    return ok || fail(s, "a number that is not a whole one within 2^53");
}

static bool scan_word(struct scan *s, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return fail(s, "no value where one must be");
    s->p += n;
    return true;
}

static bool scan_object(struct scan *s, int depth, struct leaf_view *view);

static bool scan_array(struct scan *s, int depth);

enum kind { TEXT, INT, OTHER };
struct value {
    enum kind kind;
    struct leaf_text text;
    int64_t i;
};

static bool scan_value(struct scan *s, int depth, struct value *v)
{
    uint8_t c = s->p < s->end ? *s->p : 0;
    v->kind = OTHER;
    if (depth > DEPTH_MAX)
        return fail(s, "nested too deep");
    if (c == '"') {
        v->kind = TEXT;
        return scan_text(s, &v->text);
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        v->kind = INT;
        return scan_int(s, &v->i);
    }
    return c == '{'   ? scan_object(s, depth, NULL)
           : c == '[' ? scan_array(s, depth)
                      : scan_word(s, c == 't' ? "true" : c == 'f' ? "false" : "null");
}

static bool scan_array(struct scan *s, int depth)
{
    struct value v;
    s->p++;
    if (take(s, ']'))
        return true;
    do
        if (!scan_value(s, depth + 1, &v))
            return false;
    while (take(s, ','));
    return take(s, ']') || fail(s, "an array without an end");
}

/* A key and its quotes, in one pass. */
static bool scan_key(struct scan *s, struct leaf_text *out)
{
    if (!take(s, '"'))
        return fail(s, "no text where one must be");
    const uint8_t *from = s->p;
    while (s->p < s->end && ((*s->p >= 'a' && *s->p <= 'z') || (*s->p >= '0' && *s->p <= '9') || *s->p == '_'))
        s->p++;
    *out = (struct leaf_text){(const char *)from, (size_t)(s->p - from)};
    return (out->n > 0 && take(s, '"')) || fail(s, "a key that is not of [a-z0-9_]");
}

static bool ascending(struct leaf_text a, struct leaf_text b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = *a.p != *b.p ? (uint8_t)*a.p - (uint8_t)*b.p : memcmp(a.p, b.p, n); /* neither is empty */
    return d < 0 || (d == 0 && a.n < b.n);
}

static int64_t time_of(struct leaf_text t)
{
    char text[FL_TIME_TEXT];
    int64_t ms;
    if (t.n != sizeof text - 1)
        return INT64_MIN;
    memcpy(text, t.p, t.n);
    text[t.n] = 0;
    return fl_time_parse(text, &ms) ? ms : INT64_MIN;
}

static void keep(struct leaf_view *view, struct leaf_text key, const struct value *v)
{
#define MEMBER(name, kind) {#name, sizeof #name - 1, offsetof(struct leaf_view, name), kind}
    /* by their first letter; most members are not asked for */
    static const struct member {
        const char *key;
        size_t n, at;
        enum kind kind;
    } wanted['z' - 'a' + 1][4] = { /* the last one empty */
        ['b' - 'a'] = {MEMBER(boot, INT)},
        ['c' - 'a'] = {MEMBER(clock, TEXT)},
        ['e' - 'a'] = {MEMBER(event, TEXT)},
        ['j' - 'a'] = {MEMBER(job, TEXT)},
        ['l' - 'a'] = {MEMBER(log, TEXT)},
        ['m' - 'a'] = {MEMBER(mono_ms, INT)},
        ['n' - 'a'] = {MEMBER(next, TEXT)},
        ['s' - 'a'] = {MEMBER(seq, INT), MEMBER(station, TEXT), MEMBER(sw, TEXT)},
        ['t' - 'a'] = {{"time", 4, offsetof(struct leaf_view, time_ms), TEXT}, MEMBER(to_ms, INT)},
        ['v' - 'a'] = {MEMBER(v, INT), MEMBER(vkey, TEXT)},
    };
#undef MEMBER
    if (*key.p < 'a')
        return;
    const struct member *m = wanted[*key.p - 'a'];
    while (m->n && m->n != key.n) /* no two of a letter are of one length */
        m++;
    if (m->n != key.n || m->kind != v->kind || memcmp(m->key, key.p, key.n) != 0)
        return;
    if (m->at == offsetof(struct leaf_view, time_ms))
        view->time_ms = time_of(v->text);
    else if (m->kind == TEXT)
        memcpy((char *)view + m->at, &v->text, sizeof v->text);
    else if (v->i >= 0 || m->at == offsetof(struct leaf_view, to_ms))
        memcpy((char *)view + m->at, &v->i, sizeof v->i);
}

static bool scan_object(struct scan *s, int depth, struct leaf_view *view)
{
    struct leaf_text key, before = {NULL, 0};
    struct value v;
    if (!take(s, '{'))
        return fail(s, "no object");
    if (take(s, '}'))
        return true;
    do {
        if (!scan_key(s, &key))
            return false;
        if (before.p && !ascending(before, key))
            return fail(s, "keys that are not in order, or twice the same");
        if (!take(s, ':'))
            return fail(s, "a key without a value");
        if (!scan_value(s, depth + 1, &v))
            return false;
        if (view)
            keep(view, key, &v);
        before = key;
    } while (take(s, ','));
    return take(s, '}') || fail(s, "an object without an end");
}

enum fl_err leaf_scan(const uint8_t *bytes, size_t n, struct leaf_view *out, struct fl_why *why)
{
    struct scan s = {bytes, bytes, bytes + n, NULL};
    *out = (struct leaf_view){.v = -1, .seq = -1, .boot = -1, .mono_ms = -1, .to_ms = INT64_MIN, .time_ms = INT64_MIN};
    if (n > LEAF_BYTES_MAX)
        return fl_fail(why, FL_FORMAT, "a record of %zu bytes, more than %d", n, LEAF_BYTES_MAX);
    if (scan_object(&s, 0, out) && s.p != s.end)
        (void)fail(&s, "bytes behind the object");
    if (s.bad)
        return fl_fail(why, FL_FORMAT, "not in canonical form at byte %td: %s", s.p - s.start, s.bad);
    return FL_OK;
}
