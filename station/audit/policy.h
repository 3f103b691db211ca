/* SPDX-License-Identifier: Apache-2.0
 *
 * policy.h: whose word is enough (C2SP tlog-policy): which logs, which witnesses, and how many of them.
 *
 *   log VKEY [URL]
 *   witness NAME VKEY [URL]
 *   group NAME all|any|K MEMBER ...        K of its members, witnesses or groups defined above
 *   quorum NAME|none                       exactly one; a witness or group defined above
 *
 * Lines end in a newline; words are divided by spaces and tabs; empty lines and lines that begin with # are left out. Names
 * are octets and mean something in this file only. A name is defined once and is in one group at most, so that each witness
 * counts once. No key comes twice. Anything else is refused, with the number of its line: a rule that is misread is worse
 * than none.
 *
 * Thread rule: pure; a policy that was read is const.
 */
#ifndef FL_AUDIT_POLICY_H
#define FL_AUDIT_POLICY_H

#include "audit/key.h"

enum { POLICY_LOGS_MAX = 64, POLICY_WITNESSES_MAX = 64, POLICY_GROUPS_MAX = 64, POLICY_BYTES_MAX = 1 << 20, POLICY_NONE = -1 };

struct policy_log {
    struct vkey vkey;
    const char *url; /* NULL: none; texts live in the policy */
};
struct policy_witness {
    struct vkey vkey;
    const char *name, *url;
};
/* Members by number: witnesses from 0, groups from POLICY_WITNESSES_MAX. */
struct policy_group {
    const char *name;
    size_t k, n;
    uint8_t member[POLICY_WITNESSES_MAX + POLICY_GROUPS_MAX];
};

struct policy {
    char *text; /* owned: the file, cut into words */
    size_t n_logs, n_witnesses, n_groups;
    struct policy_log log[POLICY_LOGS_MAX];
    struct policy_witness witness[POLICY_WITNESSES_MAX];
    struct policy_group group[POLICY_GROUPS_MAX];
    int quorum; /* a member, or POLICY_NONE: no witness is asked for */
};

/* FL_FORMAT: it is none, see `why`. FL_LIMIT: more than fits. FL_NOMEM. */
FL_MUST enum fl_err policy_parse(const void *bytes, size_t n, struct policy **out, struct fl_why *why);
/* The same from a file. FL_NOT_FOUND, FL_ACCESS, ... */
FL_MUST enum fl_err policy_read(const char *path, struct policy **out, struct fl_why *why);
void policy_free(struct policy *p); /* NULL is fine */

/* Do these witnesses, in the policy's order, make its quorum? */
bool policy_met(const struct policy *p, const bool *signed_by);
/* The name of what the quorum is, "none" for none. */
const char *policy_quorum_name(const struct policy *p);

#endif
