/* SPDX-License-Identifier: Apache-2.0
 *
 * summary.h: what a check of a whole log found, whether it lay in a station's folder or in a bundle, and how that is said:
 * as text for people, as one JSON object.
 *
 * Thread rule: pure.
 */
#ifndef FL_AUDIT_SUMMARY_H
#define FL_AUDIT_SUMMARY_H

#include "audit/remembered.h"
#include "audit/verify.h"

/* The log in front of this one, where it was at hand. */
struct summary_previous {
    bool checked;
    enum audit_class verdict;
    uint64_t size; /* of its newest head now */
    char text[AUDIT_TEXT_MAX]; /* its worst finding */
};

struct check_result {
    struct audit_report report;
    struct vkey vkey;
    bool own_key;  /* no key was given from outside */
    bool has_mark, mark; /* the folder's own file `checkpoint` is there; and agrees */
    enum remembered_known signer; /* was the signer's memory looked at? */
    bool signer_agrees;           /* with a head that it signed, of signer_size records */
    uint64_t signer_size, signer_ahead; /* so many records of its are not in the database, and may be so (remembered.h) */
    char signer_why[200];         /* REMEMBERED_CLOSED: why */
    size_t heads_given, heads_agreed; /* from outside */
    uint64_t heads_size;              /* the largest of those that agreed */
    uint64_t rows; /* compared with what the leaves say */
    bool rows_checked;

    bool bundle;        /* not a station's folder */
    uint64_t tiles;     /* files compared */
    size_t policy_witnesses, policy_given; /* named by the bundle's own file policy; of them known to the auditor */

    bool policy_looked, policy_same; /* the folder's file policy is the one that the log tells */

    size_t cosigned;         /* heads that a witness signed whose key was given */
    uint64_t cosigned_size;  /* so many records are held by enough witnesses: those asked for, or any */
    bool asked;              /* witnesses are asked for, by a policy or a number */
    char asked_text[160];    /* which: trust_asked */
    size_t unknown_cosigned; /* witnessed heads there are, whose witnesses' keys nobody gave */

    size_t anchors, anchors_good; /* timestamps in the log; those that hold */
    bool has_ca;                  /* their signatures were checked too */
    uint64_t anchor_size;         /* the largest anchored head that holds */
    int64_t anchor_ms;            /* when, by the authority's clock */

    struct summary_previous previous;
};

/* Records below this are held by something outside the log: a head, a witness, a timestamp whose signature was checked. */
uint64_t summary_held(const struct check_result *r);

/* Appended to `out`. FL_NOMEM; FL_LIMIT: longer than it may be. */
FL_MUST enum fl_err summary_text(const char *path, const struct check_result *r, struct fl_buf *out);
FL_MUST enum fl_err summary_json(const char *path, const struct check_result *r, struct fl_buf *out);

#endif
