/* SPDX-License-Identifier: Apache-2.0
 *
 * inspect.h: `flashline verify` and the program flashline-verify, which are the same but for their names: files checked
 * with keys that the auditor gives, what was found as text or JSON, and the exit code.
 *
 * Thread rule: one call, one thread.
 */
#ifndef FL_AUDIT_INSPECT_H
#define FL_AUDIT_INSPECT_H

#include "audit/certs.h"

struct inspect {
    struct trust_words trust; /* keys of logs and of witnesses, policy, quorum; authorities for a bundle */
    const char *const *paths; /* files, or one folder with a bundle */
    size_t n_paths;
    const char *const *heads; /* for a bundle: heads and certificates kept elsewhere */
    size_t n_heads;
    bool pass;        /* every file must certify a unit that passed */
    bool json, quiet; /* quiet: name only what is not good */
};

enum { INSPECT_OUT_MAX = 256 << 20 };

/* Exit codes: 0 all good; 2 no key, or one that is none, or a wish that these files cannot answer; 3 a file could not be read; else audit_class_exit of the verdict.
 * `out` takes what goes to standard output; `why` a sentence where the code is 2 or 3. */
FL_MUST int inspect_run(const struct inspect *in, struct fl_buf *out, struct fl_why *why);

/* Append the line of one file, as inspect_run has it. FL_NOMEM. */
void inspect_file_text(const char *path, const struct certs_file *f, struct fl_buf *out);
FL_MUST enum fl_err inspect_file_json(const char *path, const struct certs_file *f, struct fl_buf *out);

/* Options and exit codes as both programs' help has them. */
#define INSPECT_HELP                                                                                                       \
    "  --key VKEY          a verifier key, from paper: of the log, or of a witness; repeat for more. Files of several logs\n" \
    "                      can be given together\n"                                                                        \
    "  --policy FILE       a C2SP tlog-policy: logs, witnesses, and which of them must have signed each head (quorum)\n"    \
    "  --quorum N          so many of the witnesses whose keys are given must have signed each head (default 0)\n"         \
    "  --pass              every file must certify a unit that passed: a proof of anything else, a FAIL too, is `other`\n"     \
    "  --quiet             name only the files that are not good\n"                                                        \
    "  --format text|json  json: one object a file, one a line, and a last one with the totals\n"                          \
    "\n"                                                                                                                   \
    "  --head FILE         for a bundle: a head or certificate kept elsewhere; repeat for more\n"                                   \
    "  --ca FILE           for a bundle: certificates (PEM) of timestamp authorities\n"                                             \
    "\n"                                                                                                                   \
    "FILE is a certificate (text, or the page that prints, which must show what it proves and nothing else), or a signed head.\n" \
    "Checked are, for each: the signature under its head by a key of that log; the path from its record to the head; that the\n" \
    "record says the number and the log it is proven for. And all together: whether all of them can be of one history of their\n" \
    "log. A station that changed what it had signed before gives two files that cannot both be true: `fork` names them.\n"  \
    "\n"                                                                                                                   \
    "exit: 0 all good; 2 usage; 3 a file could not be read; 10 and up: the finding, as `audit --help` lists them: 19 signature,\n" \
    "20 key, 14 foreign, 12 order, 27 proof, 28 malformed, 29 witness, 31 other; 23 fork before all others\n"

#endif
