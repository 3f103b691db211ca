/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle.h: an exported log in a folder (`flashline export --bundle` writes it, prove/export_bundle.h), verified.
 *
 *   records.ndjson        a record a line, as stored
 *   checkpoint            newest signed head
 *   checkpoints/N.note    signed heads on the way, by size
 *   tile/...              the tree and the records once more, as C2SP's readers want them (tiles.h)
 *   witness/NAME.note     newest head that a witness signed
 *   anchors/N.tsr N.note  timestamps of the records `anchor`, and the heads they are over: for openssl ts
 *   key                   the log's verifier key, to be compared with paper
 *   policy                C2SP tlog-policy: log and witnesses
 *   README verify.sh audit.py   for somebody without this program
 *
 * Thread rule: one call, one thread.
 */
#ifndef FL_AUDIT_BUNDLE_H
#define FL_AUDIT_BUNDLE_H

#include "audit/summary.h"
#include "audit/trust.h"

struct bundle_config {
    const char *dir;
    const struct trust *trust; /* the auditor's; no key of a log in it: that of the bundle is used, which proves less */
    const char *const *heads;  /* files: heads and certificates kept elsewhere */
    size_t n_heads;
};

/* Does the folder hold a bundle? */
bool bundle_there(const char *dir);

/* FL_OK: see the report's verdict. Else it could not be read. */
FL_MUST enum fl_err bundle_check(const struct bundle_config *c, struct check_result *out, struct fl_why *why);

#endif
