/* SPDX-License-Identifier: Apache-2.0
 *
 * note.h: signed notes (C2SP signed-note v1.0.0).
 *
 *   text, ending in a newline
 *   (empty line)
 *   E2 80 94 20 name 20 base64(key ID, 4 bytes big endian || signature) 0A       one line or more
 *
 * What is signed is the text with its last newline and without the empty line. The text is UTF-8
 * without control characters below U+0020 other than newline. The last empty line divides.
 *
 * The reader is at least as strict as Go's sumdb/note, and refuses what Go takes: base64 that is not canonical, a second line
 * of a key that is no good, a control character of C1 in a name.
 *
 * Thread rule: pure.
 */
#ifndef FL_AUDIT_NOTE_H
#define FL_AUDIT_NOTE_H

#include "audit/key.h"

enum {
    NOTE_SIGNATURES_MAX = 100,
    NOTE_BYTES_MAX = 1000000, /* as Go's reader has it */
    NOTE_RAW_MAX = 4096,      /* bytes of one signature, key ID counted; ML-DSA-44 has 2,432 */
};

struct note_signature {
    const char *name; /* borrowed from the note */
    size_t name_n;
    uint32_t id;
    const char *b64; /* borrowed; checked to be canonical */
    size_t b64_n;
};

/* A note taken apart. It borrows the bytes it was parsed from. */
struct note {
    const char *text;
    size_t text_n;
    size_t n;
    struct note_signature signature[NOTE_SIGNATURES_MAX];
};

/* FL_FORMAT: malformed. Nothing in it may be used before note_verify accepted it. */
FL_MUST enum fl_err note_parse(const void *bytes, size_t n, struct note *out, struct fl_why *why);

/* Signatures by keys that are not among `keys` are ignored; by those that are, must be good.
 *   FL_OK         at least one key of `keys` signed; which[i] (may be NULL) says for each if it did
 *   FL_MISMATCH   a signature by one of the keys is bad
 *   FL_NOT_FOUND  none of the keys signed
 * Every line by a known key is verified, as C2SP's text has it: where a key has two lines both must be good, and it counts
 * once. (Go reads the first and passes over the second, whatever that is.) Keys of type KEY_COSIGN check a
 * cosignature (cosign.h). */
FL_MUST enum fl_err note_verify(const struct note *note, const struct vkey *keys, size_t n_keys,
                                bool *which, struct fl_why *why);

/* The whole bytes of one signature, its key ID first: n bytes of NOTE_RAW_MAX at most. */
FL_MUST enum fl_err note_signature_raw(const struct note_signature *s,
                                       uint8_t out[static NOTE_RAW_MAX], size_t *n);

/* Append "— name base64\n" for a signature of `n` raw bytes that the key with this name and ID made. */
void note_add_line(struct fl_buf *out, const char *name, uint32_t id, const uint8_t *raw, size_t n);

#endif
