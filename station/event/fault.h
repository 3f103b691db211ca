/* SPDX-License-Identifier: Apache-2.0
 *
 * fault.h: every reason why an attempt did not end in PASS: its name for ever, who is at fault, who
 * acts, whether trying again can help, and what to say to whom.
 *
 * One table (fault.c). The name is what records hold; the texts may be bettered at any time.
 * Every name in esp/fault.h is a row here: a test walks both.
 *
 * Thread rule: const data.
 */
#ifndef FL_EVENT_FAULT_H
#define FL_EVENT_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum outcome { OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_ERROR, OUTCOME_ABORTED, OUTCOME_INTERRUPTED };
/* "PASS", "FAIL", "ERROR", "ABORTED", "INTERRUPTED"; and back, false for anything else. */
const char *outcome_name(enum outcome o);
bool outcome_parse(const char *name, enum outcome *out);

struct fault {
    const char *name;      /* "ram.checksum" */
    enum outcome outcome;  /* what an attempt that ends with it is */
    const char *who;       /* who acts: "operator", "engineer", "nobody" */
    bool retry;            /* can the same unit pass in the same slot without anybody doing anything? */
    const char *what;      /* one clause: what happened */
    const char *todo;      /* one sentence for the operator: what to do now; shown by fault_todo */
    const char *engineer;  /* where to look, for the engineer */
};

/* The row, or NULL for a name that is not one. "" is no fault and has no row. */
const struct fault *fault_find(const char *name);
/* `todo`, or what takes its place where the slot's port (a URL) is reached over a network: nobody can plug that in. */
const char *fault_todo(const struct fault *f, const char *port);
bool fault_on_network(const char *port);
/* All rows, in the table's order. */
const struct fault *fault_table(size_t *n);

#endif
