/* SPDX-License-Identifier: Apache-2.0
 *
 * certs.h: one certificate or ten thousand: is each good, and can they all be of one history?
 *
 *   file ─► proof_file ─► signed by a trusted key of that log? ─► path from its record to the signed root?
 *                     └─► every complete subtree that the path tells (audit/tree.h names it: level, index)
 *   all files' subtrees, side by side: one place, one hash. Where all peaks of a head are known, so is its root.
 *
 * A station that rewrites what it had signed must give two hashes to one place somewhere; certificates in the field that
 * cover that place, from before and from after, show it: AUDIT_FORK, with the names of both files. Where no two certificates
 * cover the same place nothing can be said, and certs_result.compared tells how many heads were held against another.
 *
 * Files are: certificates (proof_file.h with the record in `extra`), such a file inside an HTML page, which must then
 * show what it proves (page.h), and signed heads (checkpoint.h).
 *
 * Thread rule: one owner.
 */
#ifndef FL_AUDIT_CERTS_H
#define FL_AUDIT_CERTS_H

#include "audit/trust.h"
#include "audit/verify.h"

struct certs; /* opaque */

/* What is known of one file. Texts are copies, for eyes: UTF-8 without control characters. */
struct certs_file {
    enum audit_class class; /* AUDIT_GOOD or what is wrong */
    char text[AUDIT_TEXT_MAX];
    char log[KEY_NAME_MAX]; /* origin, "" when it could not be read */
    bool has_record;        /* a certificate, and it is good: the next five are of its record */
    uint64_t index;
    char event[24], mac[24], outcome[16], profile[65], time[32]; /* "" where the record has none */
    uint64_t size;          /* of the signed head */
    unsigned witnesses;     /* that signed it */
};

struct certs_result {
    uint64_t files, good, records; /* records: different ones that were proven */
    uint64_t heads, compared;      /* different signed heads; those that share a subtree or their size with another */
    enum audit_class verdict;      /* GOOD; FORK where there is one; else that of the first bad file */
    size_t n_forks;                /* all; the list holds the first AUDIT_FINDINGS_MAX */
    char fork[AUDIT_FINDINGS_MAX][AUDIT_TEXT_MAX];
};

/* `trust`: keys of logs, of several if need be, and the witnesses that must have signed each file's head; borrowed. FL_ARG: no
 * key of a log is among them. */
FL_MUST enum fl_err certs_new(const struct trust *trust, struct certs **out, struct fl_why *why);
void certs_free(struct certs *c); /* NULL is fine */

/* From now on a file must certify a unit that passed: the proof of any other record, however good, is AUDIT_OTHER. */
void certs_want_pass(struct certs *c);
/* One file's bytes. FL_OK: see `out`. FL_NOMEM. */
FL_MUST enum fl_err certs_add(struct certs *c, const char *name, const void *bytes, size_t n, struct certs_file *out,
                              struct fl_why *why);
/* All against all. Once, at the end. */
FL_MUST enum fl_err certs_end(struct certs *c, struct certs_result *out, struct fl_why *why);

/* The signed note in the bytes of any such file: the note itself, a certificate's, a page's. FL_FORMAT: there is none. */
FL_MUST enum fl_err certs_note(const void *bytes, size_t n, const char **note, size_t *note_n, struct fl_why *why);

#endif
