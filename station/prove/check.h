/* SPDX-License-Identifier: Apache-2.0
 *
 * check.h: a whole data folder verified: file, schema, log, heads kept elsewhere, and every table against the leaves.
 * Read-only; a station may be at work in the folder, or the folder may be a copy that cannot be written.
 *
 * Thread rule: one call, one thread.
 */
#ifndef FL_PROVE_CHECK_H
#define FL_PROVE_CHECK_H

#include "audit/summary.h"
#include "audit/trust.h"
#include "store/folder.h"

struct check_config {
    const char *data;
    const char *vkey; /* the auditor's; NULL: the station's own, which proves less */
    const char *const *heads;
    size_t n_heads;
    const struct trust *trust; /* keys (looked at when `vkey` is NULL), witnesses, authorities; may be NULL */
    const struct remembered *signer; /* what its signer remembers, asked before this is called; NULL: nobody asked */
    bool log_only; /* leave out the tables */
};

/* FL_OK: see result->report.verdict. FL_NOT_FOUND: no station there, or a head file is missing. FL_FORMAT: the given
 * key is none. Others: it could not be read. */
FL_MUST enum fl_err check_folder(const struct check_config *c, struct check_result *out, struct fl_why *why);

#endif
