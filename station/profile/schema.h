/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.h: tables of keys, and one reader that works by them.
 *
 * Inside the room only. A row says what a key is called, what it takes, where the value goes, what
 * it is when left out, and what it is for; checking, defaults, every sentence about a wrong value
 * and the key reference of profiles/README.md come from the same row.
 *
 * What is stored, at `at` bytes into the structure of its level:
 *
 *   type           stored            words (see `words`) are stored as
 *   KEY_TEXT       const char *      -          borrowed from the tree, or static; zeroed: not said
 *   KEY_NAME       const char *      -          letters, digits, '.', '_', '-'
 *   KEY_CHOICE     int               their place: 0, 1, ...
 *   KEY_BOOL       bool              -
 *   KEY_COUNT      uint32_t          UINT32_MAX - place
 *   KEY_SPEED      uint32_t          UINT32_MAX - place           bits a second
 *   KEY_SPEEDS     struct key_speeds -                            each below the one before
 *   KEY_SIZE       uint64_t          UINT64_MAX - place           bytes
 *   KEY_OFFSET     uint32_t          UINT32_MAX - place           bytes
 *   KEY_TIME       uint32_t          UINT32_MAX - place           milliseconds
 *   KEY_REVISION   unsigned          UINT_MAX - place             major * 100 + minor
 *   KEY_SHA256     struct key_sha256 -
 *   KEY_TEXTS      struct key_texts  -                            borrowed like KEY_TEXT; min, max: bytes of each
 *   KEY_MAP        what its keys store, from `at` on
 *   KEY_LIST       struct key_list of structures of `item_size` bytes, one for each mapping in it
 */
#ifndef FL_PROFILE_SCHEMA_H
#define FL_PROFILE_SCHEMA_H

#include "profile/tree.h"

enum key_type {
    KEY_TEXT, KEY_NAME, KEY_CHOICE, KEY_BOOL, KEY_COUNT, KEY_SPEED, KEY_SPEEDS, KEY_SIZE, KEY_OFFSET,
    KEY_TIME, KEY_REVISION, KEY_SHA256, KEY_TEXTS, KEY_MAP, KEY_LIST,
    KEY_TYPES
};

enum { KEY_SPEEDS_MAX = ESP_STEP_DOWN_MAX, KEY_TEXTS_MAX = PROFILE_WORDS_MAX };

struct key_speeds {
    uint32_t list[KEY_SPEEDS_MAX];
    size_t n;
};
struct key_texts {
    const char *list[KEY_TEXTS_MAX];
    size_t n;
};
struct key_sha256 {
    bool said;
    uint8_t bytes[FL_SHA256_SIZE];
};
struct key_list {
    void *items; /* owned by whoever owns the structure: free() */
    size_t n;
};

struct key { /* a table of these ends with a row whose name is NULL */
    const char *name;
    enum key_type type;
    bool required;
    size_t at;
    uint64_t min, max;     /* of the number, of the bytes of a text, of the items of a list */
    const char *words;     /* "keep|detect": accepted besides numbers; all there is for KEY_CHOICE */
    const char *fallback;  /* the value when left out, as one would write it; NULL: stays zeroed */
    const char *unset;     /* what leaving it out means, where `fallback` cannot say */
    const char *help;      /* one sentence for the reference */
    const struct key *keys; /* KEY_MAP, KEY_LIST */
    size_t item_size;
    /* one thing more that must hold: FL_FORMAT with what is expected. FL_OK for what is no value at all:
     * that is said already by the type. */
    enum fl_err (*check)(const char *text, struct fl_why *why);
};

/* Fill `into` (zeroed by the caller) from `map`. What is wrong goes to the critic; what is wrong or left out
 * is as the fallback says. `map` must be a NODE_MAP: see schema_root. */
void schema_read(const struct key *keys, const struct node *map, void *into, struct critic *c);
/* Is the root a mapping? Complains when it is not. */
bool schema_root(const struct node *root, const struct key *keys, struct critic *c);

/* A file's text and its tree, whose root is a mapping; NULL: c->err says. The tree does not need `text`. */
struct node *tree_load(const char *path, const struct key *keys, struct fl_buf *text, struct critic *c);

/* "a size like 4MB, 1024KB or 0x400000, or detect": what a key accepts, for sentences. */
void schema_expected(const struct key *k, struct fl_buf *out);
void schema_say_keys(const struct key *keys, struct fl_buf *out); /* "offset, file and sha256" */
/* The place of a value by dotted path ("flash.size", "images"), or of what would hold it. */
struct place schema_place(const struct node *root, const char *path);
/* Rows of a Markdown table for these keys and all below them. */
void schema_reference(const struct key *keys, struct fl_buf *out);

#endif
