/* SPDX-License-Identifier: Apache-2.0
 *
 * proof_file.h: one leaf's proof as a text file (C2SP tlog-proof, first line fixed at @v1).
 *
 *   c2sp.org/tlog-proof@v1
 *   extra base64                 optional; proves nothing by itself
 *   index decimal
 *   base64 of a hash             as many as the path has
 *   (empty line: the first one of the file)
 *   signed checkpoint
 *
 * When `extra` holds the leaf's own bytes the file proves itself: hash them, then check.
 * Thread rule: pure.
 */
#ifndef FL_AUDIT_PROOF_FILE_H
#define FL_AUDIT_PROOF_FILE_H

#include "audit/checkpoint.h"

enum { PROOF_EXTRA_MAX = 65535, PROOF_BYTES_MAX = 1200000 };

struct proof_file {
    struct fl_buf extra; /* owned */
    bool has_extra;
    uint64_t index;
    struct tree_proof path;
    const char *note; /* borrowed from the parsed bytes */
    size_t note_n;
};

FL_MUST enum fl_err proof_file_parse(const void *bytes, size_t n, struct proof_file *out,
                                     struct fl_why *why);
void proof_file_fini(struct proof_file *p);
/* Append the file's bytes. `extra` NULL: none. */
void proof_file_write(struct fl_buf *out, const void *extra, size_t extra_n, uint64_t index,
                      const struct tree_proof *path, const void *note, size_t note_n);

/* The whole check: the note is signed by one of `keys`, is of `origin`, and holds these leaf bytes at the
 * file's index. `head` (may be NULL) takes the checkpoint. FL_OK or what failed. */
FL_MUST enum fl_err proof_file_check(const struct proof_file *p, const void *leaf, size_t leaf_n,
                                     const struct vkey *keys, size_t n_keys, const char *origin,
                                     struct checkpoint *head, struct fl_why *why);

#endif
