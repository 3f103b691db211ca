/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/values.h"

#include <limits.h>
#include <string.h>

int value_word(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (int i = 0; words; i++) {
        size_t k = strcspn(words, "|");
        if (k == n && memcmp(words, word, n) == 0)
            return i;
        words = words[k] ? words + k + 1 : NULL;
    }
    return -1;
}

static int digit_of(char c, unsigned base)
{
    int d = c >= '0' && c <= '9'   ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                   : 99;
    return (unsigned)d < base ? d : -1;
}

/* Digits at the start of `text`; *end is what follows. A leading zero could mean octal to somebody: refused. */
static bool digits(const char *text, unsigned base, uint64_t *out, const char **end)
{
    const char *p = text;
    uint64_t v = 0;
    for (int d; (d = digit_of(*p, base)) >= 0; p++) {
        if (v > (UINT64_MAX - (unsigned)d) / base)
            return false;
        v = v * base + (unsigned)d;
    }
    *out = v;
    *end = p;
    return p > text && (base == 16 || *text != '0' || p == text + 1);
}

bool value_number(const char *text, uint64_t *out)
{
    const char *end;
    bool hex = text[0] == '0' && text[1] == 'x';
    return digits(hex ? text + 2 : text, hex ? 16 : 10, out, &end) && !*end;
}

bool profile_parse_size(const char *text, uint64_t *bytes)
{
    static const struct {
        const char *unit;
        unsigned shift;
    } units[] = {{"KB", 10}, {"MB", 20}};
    const char *end;
    uint64_t v;
    if (value_number(text, bytes))
        return true;
    if (!digits(text, 10, &v, &end))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].unit) == 0 && v <= UINT64_MAX >> units[i].shift) {
            *bytes = v << units[i].shift;
            return true;
        }
    return false;
}

static bool time_ms(const char *text, uint64_t *ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}};
    const char *end;
    uint64_t v;
    if (!digits(text, 10, &v, &end))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].unit) == 0 && v <= UINT32_MAX) {
            *ms = v * units[i].ms;
            return true;
        }
    return false;
}

static bool revision(const char *text, uint64_t *full)
{
    const char *end;
    uint64_t major, minor;
    if (!digits(text, 10, &major, &end) || *end != '.' || !digits(end + 1, 10, &minor, &end) || *end)
        return false;
    *full = major * 100 + minor;
    return major <= 99 && minor <= 99;
}

static bool is_name(const char *text)
{
    for (const char *p = text; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
              strchr("._-", *p)))
            return false;
    return true;
}

static bool store_text(const struct key *k, const char *text, void *to)
{
    size_t n = strlen(text);
    if (n < k->min || n > k->max || (k->type == KEY_NAME && !is_name(text)))
        return false;
    *(const char **)to = text;
    return true;
}

static bool store_bool(const char *text, void *to)
{
    int i = value_word("false|true", text);
    if (i >= 0)
        *(bool *)to = i;
    return i >= 0;
}

static bool store_number(const struct key *k, const char *text, void *to)
{
    static bool (*const parse[KEY_TYPES])(const char *, uint64_t *) = {
        [KEY_COUNT] = value_number, [KEY_SPEED] = value_number,    [KEY_SIZE] = profile_parse_size,
        [KEY_OFFSET] = value_number, [KEY_TIME] = time_ms,         [KEY_REVISION] = revision,
    };
    uint64_t v;
    int word = value_word(k->words, text);
    if (word >= 0)
        v = UINT64_MAX - (unsigned)word; /* cut to the type's own maximum below */
    else if (!parse[k->type](text, &v) || v < k->min || v > k->max)
        return false;
    if (k->type == KEY_SIZE)
        *(uint64_t *)to = v;
    else if (k->type == KEY_REVISION)
        *(unsigned *)to = (unsigned)v;
    else
        *(uint32_t *)to = (uint32_t)v;
    return true;
}

bool value_store(const struct key *k, const char *text, void *to)
{
    switch (k->type) {
    case KEY_TEXT:
    case KEY_NAME:
        return store_text(k, text, to);
    case KEY_CHOICE: {
        int i = value_word(k->words, text);
        if (i >= 0)
            *(int *)to = i;
        return i >= 0;
    }
    case KEY_BOOL:
        return store_bool(text, to);
    case KEY_SHA256: {
        struct key_sha256 *sha = to;
        sha->said = fl_unhex(text, sha->bytes, sizeof sha->bytes);
        return sha->said;
    }
    case KEY_COUNT:
    case KEY_SPEED:
    case KEY_SIZE:
    case KEY_OFFSET:
    case KEY_TIME:
    case KEY_REVISION:
        return store_number(k, text, to);
    case KEY_SPEEDS:
    case KEY_TEXTS:
    case KEY_MAP:
    case KEY_LIST:
    case KEY_TYPES:
        break;
    }
    return false;
}
