/* SPDX-License-Identifier: Apache-2.0
 *
 * checkpoint.h: the signed head of a log (C2SP tlog-checkpoint v1.0.0).
 *
 *   origin                  which log
 *   size                    decimal, how many leaves
 *   base64 of the root      the tree over them
 *   extension lines ...     opaque; this program writes none
 *
 * It is the text of a signed note. Time is not in it: leaves carry time.
 * Thread rule: pure.
 */
#ifndef FL_AUDIT_CHECKPOINT_H
#define FL_AUDIT_CHECKPOINT_H

#include "audit/note.h"
#include "audit/tree.h"

struct checkpoint {
    char origin[KEY_NAME_MAX];
    uint64_t size;
    struct tree_hash root;
    size_t extensions; /* lines behind the root */
};

enum { CHECKPOINT_TEXT_MAX = KEY_NAME_MAX + 1 + 20 + 1 + 44 + 1 };

/* The three lines. Returns their length. */
size_t checkpoint_format(const char *origin, uint64_t size, const struct tree_hash *root,
                         char out[static CHECKPOINT_TEXT_MAX]);
FL_MUST enum fl_err checkpoint_parse(const char *text, size_t n, struct checkpoint *out,
                                     struct fl_why *why);

/* Append the whole signed note. */
void checkpoint_note(struct fl_buf *out, const struct vkey *key, const char *origin, uint64_t size,
                     const struct tree_hash *root, const uint8_t signature[static KEY_SIGNATURE]);

/* Parse, verify by `keys` (note_verify), read. The origin must be `origin` unless that is NULL. */
FL_MUST enum fl_err checkpoint_open(const void *bytes, size_t n, const struct vkey *keys, size_t n_keys,
                                    const char *origin, struct checkpoint *out, struct fl_why *why);

/* Decimal without sign and leading zeros, at most 2^63 - 1. */
bool checkpoint_number(const char *text, size_t n, uint64_t *out);

#endif
