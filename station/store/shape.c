/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shape.h"

#include "base/b64.h"
#include "audit/leaf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "store/job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LITERAL, MARK_TIME = 1, MARK_JOB = 2, MARK_BEFORE = 3, MARK_VALUE = 's', PARTS_MAX = SHAPE_VALUES_MAX + 16 };
enum { TIME_N = FL_TIME_TEXT - 1, BEFORE_N = B64_LEN(FL_SHA256_SIZE) };
#define TIME_MAX_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

/* ---- taking apart ------------------------------------------------------------------------------------------ */

/* Members that are not the same in all records of a kind. A member that is not here makes a shape of its own for each
 * value it has; one that is here costs some bytes in each record. Sorted, as members of a record are. */
static const struct {
    const char *key;
    char mark;
} marked[] = {
    {"as", MARK_VALUE},       {"attempt", MARK_BEFORE}, {"boot", MARK_VALUE},    {"boot_text", MARK_VALUE}, {"bridge", MARK_VALUE},
    {"bytes_in", MARK_VALUE}, {"bytes_out", MARK_VALUE}, {"damage", MARK_VALUE}, {"eui64", MARK_VALUE},     {"found", MARK_VALUE},
    {"hooks", MARK_VALUE},    {"job", MARK_JOB},        {"mac", MARK_VALUE},     {"measures", MARK_VALUE},  {"mono_ms", MARK_VALUE},
    {"ms", MARK_VALUE},       {"rungs", MARK_VALUE},    {"seq", MARK_VALUE},     {"serial", MARK_VALUE},    {"slot", MARK_VALUE},
    {"start_ms", MARK_VALUE}, {"steps", MARK_VALUE},    {"time", MARK_TIME},     {"tries", MARK_VALUE},     {"why", MARK_VALUE},
};

static char mark_of(const uint8_t *key, size_t n)
{
    for (size_t i = 0; i < sizeof marked / sizeof *marked; i++)
        if (strlen(marked[i].key) == n && memcmp(marked[i].key, key, n) == 0)
            return marked[i].mark;
    return LITERAL;
}

/* The end of the text whose opening quote is at p; NULL: it has none. */
static const uint8_t *text_end(const uint8_t *p, const uint8_t *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\' && ++p == end)
            return NULL;
    return p < end ? p + 1 : NULL;
}

/* What a byte means to value_end. */
static const uint8_t means[256] = {['"'] = 1, ['['] = 2, ['{'] = 2, [']'] = 3, ['}'] = 3, [','] = 4};
enum { QUOTE = 1, OPENS, CLOSES, COMMA };

/* The end of the value at p, which a comma or a closing bracket follows; NULL: there is none. What stands inside is not
 * looked at: bytes go in and come out as they are. */
static const uint8_t *value_end(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *from = p;
    int depth = 0;
    while (p < end) {
        const uint8_t what = means[*p];
        if (what >= CLOSES && depth == 0)
            return p > from ? p : NULL;
        if (what == QUOTE) {
            p = text_end(p, end);
            if (!p)
                return NULL;
            continue;
        }
        depth += (what == OPENS) - (what == CLOSES);
        p++;
    }
    return NULL;
}

static bool is_text(const uint8_t *p, const uint8_t *end, const char *text, size_t n)
{
    return (size_t)(end - p) == n + 2 && *p == '"' && memcmp(p + 1, text, n) == 0 && end[-1] == '"';
}

static void add_literal(struct fl_buf *b, const uint8_t *p, const uint8_t *end)
{
    const uint8_t *from = p;
    for (; p < end; p++) {
        if (*p == '%') { /* twice: once with what stands before it, once with what comes */
            fl_buf_add(b, from, (size_t)(p - from) + 1);
            from = p;
        }
        if (*p < 0x20)
            b->err = FL_FORMAT;
    }
    fl_buf_add(b, from, (size_t)(p - from));
}

struct split {
    const struct beside *b;
    struct fl_buf *text, *values;
    size_t n;
    int64_t time;
    bool timed;
};

static bool is_time(struct split *s, const uint8_t *p, const uint8_t *end)
{
    char text[FL_TIME_TEXT], again[FL_TIME_TEXT];
    if (end - p != TIME_N + 2)
        return false;
    memcpy(text, p + 1, TIME_N);
    text[TIME_N] = 0;
    if (!fl_time_parse(text, &s->time) || s->time < 0 || s->time > TIME_MAX_MS)
        return false;
    fl_time_format(s->time, again);
    s->timed = is_text(p, end, again, TIME_N);
    return s->timed;
}

static bool is_job(const struct beside *b, const uint8_t *p, const uint8_t *end)
{
    char text[JOB_TEXT];
    if (!b->job)
        return false;
    job_text(b->job, b->job_n, text);
    return *text && is_text(p, end, text, strlen(text));
}

static bool is_before(const struct beside *b, const uint8_t *p, const uint8_t *end)
{
    char text[BEFORE_N + 1];
    if (!b->before)
        return false;
    b64_encode(b->before, FL_SHA256_SIZE, text);
    return is_text(p, end, text, BEFORE_N);
}

/* A number, text, array or object. What is left, true, false and null, SQL has no own value for. */
static bool is_value(uint8_t first)
{
    return first != 't' && first != 'f' && first != 'n';
}

static void split_value(struct split *s, char mark, const uint8_t *p, const uint8_t *end)
{
    const char quoted[3] = {'"', mark, '"'};
    bool known = mark == MARK_TIME ? is_time(s, p, end) : mark == MARK_JOB ? is_job(s->b, p, end) : mark == MARK_BEFORE && is_before(s->b, p, end);
    if (mark == MARK_VALUE && is_value(*p)) {
        fl_buf_adds(s->text, "%s");
        fl_buf_addc(s->values, ',');
        fl_buf_add(s->values, p, (size_t)(end - p));
        s->n++;
    } else if (known) {
        fl_buf_add(s->text, quoted, sizeof quoted);
    } else {
        add_literal(s->text, p, end);
    }
}

static bool split_members(struct split *s, const uint8_t *p, const uint8_t *end)
{
    while (p < end && *p == '"') {
        const uint8_t *key = p + 1, *stop = text_end(p, end);
        if (!stop || stop >= end || *stop != ':')
            return false;
        const uint8_t *value = stop + 1, *past = value_end(value, end);
        if (!past)
            return false;
        add_literal(s->text, p, value);
        split_value(s, mark_of(key, (size_t)(stop - key) - 1), value, past);
        add_literal(s->text, past, past + 1);
        p = past + 1;
        if (*past == '}')
            return p == end;
        if (*past != ',')
            return false;
    }
    return false;
}

bool shape_split(const uint8_t *rec, size_t n, const struct beside *b, struct fl_buf *text, struct fl_buf *values)
{
    struct fl_buf rest = FL_BUF(LEAF_BYTES_MAX);
    struct split s = {.b = b, .text = text, .values = &rest};
    fl_buf_clear(text);
    fl_buf_clear(values);
    fl_buf_addc(text, '{');
    bool ok = n > 2 && *rec == '{' && split_members(&s, rec + 1, rec + n) && s.timed && s.n <= SHAPE_VALUES_MAX;
    fl_buf_addi(values, s.time);
    fl_buf_add(values, rest.bytes, rest.len);
    ok = ok && text->len <= SHAPE_TEXT_MAX && !fl_buf_err(text, NULL) && !fl_buf_err(&rest, NULL) && !fl_buf_err(values, NULL);
    fl_buf_fini(&rest);
    return ok;
}

/* ---- putting together ---------------------------------------------------------------------------------------- */

struct part {
    uint16_t from, n; /* of text, in front of the mark */
    char mark;
};
struct shape {
    struct part part[PARTS_MAX];
    size_t parts, values;
    bool before;
    size_t n;
    uint8_t text[]; /* %% undone */
};

enum { BAD = -1 };

/* The mark at *p, or a character as it is in *c; *p behind it. */
static int next_mark(const uint8_t **p, const uint8_t *end, uint8_t *c)
{
    *c = *(*p)++;
    if (*c >= MARK_TIME && *c <= MARK_BEFORE)
        return *c;
    if (*c != '%')
        return *c < 0x20 ? BAD : LITERAL;
    int second = *p < end ? *(*p)++ : 0;
    return second == '%' ? LITERAL : second == MARK_VALUE ? MARK_VALUE : BAD;
}

enum fl_err shape_read(const void *text, size_t n, struct shape **out, struct fl_why *why)
{
    const uint8_t *p = text, *end = p + n;
    size_t from = 0;
    int mark = LITERAL;
    *out = NULL;
    if (n == 0 || n > SHAPE_TEXT_MAX)
        return fl_fail(why, FL_FORMAT, "it is no shape of a record");
    struct shape *s = calloc(1, sizeof *s + n);
    if (!s)
        return fl_fail(why, FL_NOMEM, "out of memory");
    while (p < end && mark != BAD) {
        mark = next_mark(&p, end, &s->text[s->n]);
        s->n += mark == LITERAL;
        if (mark == LITERAL && p < end)
            continue;
        if (s->parts == PARTS_MAX)
            mark = BAD;
        else
            s->part[s->parts++] = (struct part){(uint16_t)from, (uint16_t)(s->n - from), (char)mark};
        s->before = s->before || mark == MARK_BEFORE;
        s->values += mark == MARK_VALUE;
        from = s->n;
    }
    if (mark == BAD) {
        free(s);
        return fl_fail(why, FL_FORMAT, "it is no shape of a record");
    }
    *out = s;
    return FL_OK;
}

bool shape_needs_before(const struct shape *s)
{
    return s->before;
}

bool shape_is(const uint8_t *stored, size_t n)
{
    return n > 0 && *stored == '[';
}

/* A number without sign or leading zero, as canonical JSON has it; *p behind it. False: none, or above `max`. */
static bool take_number(const uint8_t **p, const uint8_t *end, int64_t max, int64_t *out)
{
    const uint8_t *from = *p;
    *out = 0;
    while (*p < end && **p >= '0' && **p <= '9' && *out <= max)
        *out = *out * 10 + *(*p)++ - '0';
    return *p > from && *out <= max && (*from != '0' || *p == from + 1);
}

uint32_t shape_number(const uint8_t *stored, size_t n)
{
    const uint8_t *p = stored + 1, *end = stored + n;
    int64_t number;
    return shape_is(stored, n) && take_number(&p, end, SHAPES_MAX, &number) && p < end && *p == ',' ? (uint32_t)number : 0;
}

enum { BESIDE_MAX = JOB_TEXT }; /* the longest of the three marks' texts, and a zero */
static_assert((int)JOB_TEXT > (int)BEFORE_N && (int)JOB_TEXT >= (int)FL_TIME_TEXT, "BESIDE_MAX");

/* The next value of the array to `to`; *p behind it. NULL: there is none. */
static uint8_t *join_value(const uint8_t **p, const uint8_t *end, uint8_t *to)
{
    const uint8_t *from = *p + 1, *past = *p < end && **p == ',' ? value_end(from, end) : NULL;
    if (!past || *past == '}')
        return NULL;
    memcpy(to, from, (size_t)(past - from));
    *p = past;
    return to + (past - from);
}

static uint8_t *join_mark(char mark, int64_t time, const struct beside *b, uint8_t *to)
{
    char *text = (char *)to;
    *text = 0;
    if (mark == MARK_TIME)
        fl_time_format(time, text);
    else if (mark == MARK_JOB && b->job_text)
        memcpy(text, b->job_text, strlen(b->job_text) + 1);
    else if (mark == MARK_JOB && b->job)
        job_text(b->job, b->job_n, text);
    else if (mark == MARK_BEFORE && b->before)
        b64_encode(b->before, FL_SHA256_SIZE, text);
    return *text ? to + strlen(text) : NULL;
}

/* Room for all that can come: literals, values (each byte of the array at most once), and what stands beside. */
static uint8_t *room_for(const struct shape *s, size_t n, struct fl_buf *out)
{
    return fl_buf_room(out, s->n + n + (s->parts - s->values) * BESIDE_MAX);
}

enum fl_err shape_join(const struct shape *s, const uint8_t *stored, size_t n, const struct beside *b, struct fl_buf *out,
                       struct fl_why *why)
{
    const uint8_t *p = stored + 1, *end = stored + n;
    int64_t number, time;
    fl_buf_clear(out);
    uint8_t *to = room_for(s, n, out); /* SHAPE_ROOM is that and more */
    bool ok = to && shape_is(stored, n) && take_number(&p, end, SHAPES_MAX, &number) && p < end && *p++ == ',' &&
              take_number(&p, end, TIME_MAX_MS, &time);
    for (size_t i = 0; i < s->parts && ok; i++) {
        const struct part *part = &s->part[i];
        memcpy(to, s->text + part->from, part->n);
        to += part->n;
        if (part->mark == MARK_VALUE)
            to = join_value(&p, end, to);
        else if (part->mark != LITERAL)
            to = join_mark(part->mark, time, b, to);
        ok = to != NULL;
    }
    if (ok && p + 1 == end && *p == ']' && to - out->bytes <= LEAF_BYTES_MAX) {
        out->len = (size_t)(to - out->bytes);
        *to = 0;
        return FL_OK;
    }
    return out->err ? fl_buf_err(out, why) : fl_fail(why, FL_FORMAT, "it is not stored as its shape wants it");
}
