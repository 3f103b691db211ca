/* SPDX-License-Identifier: Apache-2.0
 * What a table of keys says to people: the second half of schema.h. */
#include "profile/schema.h"

#include <string.h>

enum { PATH_MAX_BYTES = 120, PHRASE_MAX = 1500 };

/* "a|b|c" as "a, b or c". */
static void say_words(const char *words, struct fl_buf *out)
{
    while (words) {
        size_t k = strcspn(words, "|");
        fl_buf_add(out, words, k);
        words = words[k] ? words + k + 1 : NULL;
        if (words)
            fl_buf_adds(out, strchr(words, '|') ? ", " : " or ");
    }
}

static void say_size(uint64_t bytes, struct fl_buf *out)
{
    if (bytes >= 1u << 20 && bytes % (1u << 20) == 0)
        fl_buf_addf(out, "%lluMB", (unsigned long long)(bytes >> 20));
    else if (bytes >= 1u << 10 && bytes % (1u << 10) == 0)
        fl_buf_addf(out, "%lluKB", (unsigned long long)(bytes >> 10));
    else
        fl_buf_addf(out, "%llu", (unsigned long long)bytes);
}

void schema_say_keys(const struct key *keys, struct fl_buf *out)
{
    for (; keys->name; keys++) {
        fl_buf_adds(out, keys->name);
        if (keys[1].name)
            fl_buf_adds(out, keys[2].name ? ", " : " and ");
    }
}

void schema_expected(const struct key *k, struct fl_buf *out)
{
    unsigned long long min = k->min, max = k->max;
    switch (k->type) {
    case KEY_TEXT:
        fl_buf_addf(out, "text of %llu to %llu bytes", min, max);
        break;
    case KEY_NAME:
        fl_buf_addf(out, "%llu to %llu letters, digits, '.', '_' or '-'", min, max);
        break;
    case KEY_CHOICE:
        break;
    case KEY_BOOL:
        fl_buf_adds(out, "true or false");
        break;
    case KEY_COUNT:
        fl_buf_addf(out, "a whole number from %llu to %llu", min, max);
        break;
    case KEY_SPEED:
        fl_buf_addf(out, "bits a second from %llu to %llu", min, max);
        break;
    case KEY_TEXTS:
        fl_buf_addf(out, "a list of 1 to %d texts of %llu to %llu bytes", KEY_TEXTS_MAX, min, max);
        break;
    case KEY_SPEEDS:
        fl_buf_addf(out, "a list of at most %d speeds, each below the one before", KEY_SPEEDS_MAX);
        break;
    case KEY_SIZE:
        fl_buf_adds(out, "a size like 4MB, 1024KB or 0x400000, from ");
        say_size(k->min, out);
        fl_buf_adds(out, " to ");
        say_size(k->max, out);
        break;
    case KEY_OFFSET:
        fl_buf_addf(out, "an offset like 0x10000, at most 0x%llx", max);
        break;
    case KEY_TIME:
        fl_buf_addf(out, "a time like 500ms or 5s, from %llums to %llus", min, max / 1000);
        break;
    case KEY_REVISION:
        fl_buf_adds(out, "a revision like \"3.1\"");
        break;
    case KEY_SHA256:
        fl_buf_adds(out, "64 hex digits");
        break;
    case KEY_MAP:
        fl_buf_adds(out, "a mapping of ");
        schema_say_keys(k->keys, out);
        break;
    case KEY_LIST:
        fl_buf_addf(out, "a list of %llu to %llu mappings of ", min, max);
        schema_say_keys(k->keys, out);
        break;
    case KEY_TYPES:
        break;
    }
    if (k->words && k->type != KEY_CHOICE)
        fl_buf_adds(out, ", or ");
    if (k->words)
        say_words(k->words, out);
}

/* ---- the reference ------------------------------------------------------------------------------ */

static void say_cell(const char *text, struct fl_buf *out) /* '|' would end the cell */
{
    for (; *text; text++) {
        if (*text == '|')
            fl_buf_addc(out, '\\');
        fl_buf_addc(out, *text);
    }
}

static void reference_rows(const struct key *keys, const char *where, struct fl_buf *out)
{
    for (const struct key *k = keys; k->name; k++) {
        struct fl_buf phrase = FL_BUF(PHRASE_MAX), path = FL_BUF(PATH_MAX_BYTES);
        fl_buf_addf(&path, "%s%s", where, k->name);
        if (k->keys)
            fl_buf_adds(&phrase, k->type == KEY_MAP ? "a mapping" : "a list of mappings");
        else
            schema_expected(k, &phrase);
        fl_buf_addf(out, "| `%s` | ", fl_buf_text(&path));
        say_cell(fl_buf_text(&phrase), out);
        if (k->unset || k->required)
            fl_buf_addf(out, " | %s | ", k->unset ? k->unset : "must be there");
        else if (k->fallback)
            fl_buf_addf(out, " | `%s` | ", k->fallback);
        else
            fl_buf_addf(out, " | %s | ", k->keys ? "all defaults" : "nothing");
        say_cell(k->help, out);
        fl_buf_adds(out, " |\n");
        if (k->keys) {
            fl_buf_adds(&path, k->type == KEY_MAP ? "." : "[].");
            reference_rows(k->keys, fl_buf_text(&path), out);
        }
        fl_buf_fini(&phrase);
        fl_buf_fini(&path);
    }
}

void schema_reference(const struct key *keys, struct fl_buf *out)
{
    fl_buf_adds(out, "| key | takes | left out | what it is for |\n|---|---|---|---|\n");
    reference_rows(keys, "", out);
}
