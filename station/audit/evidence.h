/* SPDX-License-Identifier: Apache-2.0
 *
 * evidence.h: heads of one log that something outside it holds, brought to audit_verify in one list: the folder's own mark,
 * what its signer remembers, heads and certificates that the auditor kept, heads that witnesses signed, heads that an authority stamped.
 *
 * Thread rule: one owner.
 */
#ifndef FL_AUDIT_EVIDENCE_H
#define FL_AUDIT_EVIDENCE_H

#include "audit/summary.h"
#include "audit/trust.h"

enum evidence_kind { EVIDENCE_MARK, EVIDENCE_SIGNER, EVIDENCE_HEAD, EVIDENCE_COSIGNED, EVIDENCE_ANCHOR };

struct evidence_item; /* opaque */
struct evidence {
    struct evidence_item *item;
    size_t n, cap;
    struct audit_outside *list; /* made by evidence_outside */
    const struct trust *trust; /* borrowed; NULL: the auditor brought nothing */
};

void evidence_init(struct evidence *e, const struct trust *trust);
void evidence_fini(struct evidence *e);

/* A note, a certificate, a certificate's page. A file that is none becomes a finding. FL_NOT_FOUND, FL_ACCESS, ...: it cannot be
 * read. */
FL_MUST enum fl_err evidence_file(struct evidence *e, enum evidence_kind kind, const char *path, struct fl_why *why);
/* Every file *.note of a folder; no folder: none. */
FL_MUST enum fl_err evidence_folder(struct evidence *e, enum evidence_kind kind, const char *dir, struct fl_why *why);
/* A note that is in memory already; copied. */
FL_MUST enum fl_err evidence_note(struct evidence *e, enum evidence_kind kind, const char *name, const struct fl_buf *note, struct fl_why *why);
/* The record of an anchor, and its place. */
FL_MUST enum fl_err evidence_anchor(struct evidence *e, uint64_t leaf, const void *rec, size_t n, struct fl_why *why);

/* What audit_verify takes. Once all is there. NULL with n 0, or no memory. */
FL_MUST enum fl_err evidence_outside(struct evidence *e, struct audit_outside **list, size_t *n, struct fl_why *why);
/* After audit_verify: what agreed, and the findings about the evidence itself, into the result.
 *
 * A witness that signed a head holds every record under it, whatever head others signed: the root at every size was made anew
 * from the records. So witnesses are counted by records held, not by head: `cosigned_size` is the largest number of records that
 * enough of them hold. */
void evidence_tell(const struct evidence *e, struct check_result *out);

#endif
