/* SPDX-License-Identifier: Apache-2.0
 *
 * remembered.h: what a signer with a memory remembers, brought to a check of the log as a high-water mark. A database that was
 * put back together with everything else in its folder is found by it, where whoever did that cannot touch the signer.
 *
 *   the signer's last head L, the heads that its last ones were made from, and the database's newest D
 *
 *   D = L                          nothing happened
 *   D is one that another was      their commits are not in the database: a station at work is about to, or a crash took them
 *   made from                      and the next start makes them again (sign/README.md)
 *   anything else                  L is held against the log as any signed head from outside: smaller than D and on the way to it
 *                                  is right (a station at work went on while it was looked at), else ROLLBACK or FORK
 *
 * Thread rule: pure.
 */
#ifndef FL_AUDIT_REMEMBERED_H
#define FL_AUDIT_REMEMBERED_H

#include "audit/key.h"
#include "audit/signer.h"

enum remembered_known {
    REMEMBERED_NOT_ASKED,
    REMEMBERED_TOLD,
    REMEMBERED_NOTHING, /* it signed nothing yet */
    REMEMBERED_NOT_HERE, /* the folder has neither a memory nor says where its signer is */
    REMEMBERED_CLOSED,  /* it may not be read, or did not answer: `why` */
};

struct remembered_head {
    uint64_t before_size, size;
    struct tree_hash before_root, root; /* before: what the head grew from; the same: nothing behind it may be lost */
    uint8_t public[KEY_PUBLIC];         /* of the key that made `signature` */
    uint8_t signature[KEY_SIGNATURE];
    bool is_signed; /* else it was adopted, not signed */
};

struct remembered {
    enum remembered_known known;
    char why[200];
    char origin[KEY_NAME_MAX];
    size_t n;
    struct remembered_head head[SIGNER_KEEPS]; /* newest first, each made from the next */
};

/* Which of the heads to hold against a log whose newest is `size`, `root`: r->n for none. *lost: so many records of the signer's
 * are not in the log, and may be so. */
size_t remembered_choose(const struct remembered *r, uint64_t size, const struct tree_hash *root, uint64_t *lost);
/* That head as a note. */
FL_MUST enum fl_err remembered_note(const struct remembered *r, size_t at, struct fl_buf *out, struct fl_why *why);

#endif
