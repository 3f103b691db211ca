/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.h: log lines with fields for systemd's journal, so that `journalctl FLASHLINE_SLOT=3` and
 * `journalctl FLASHLINE_OUTCOME=FAIL -o json` answer without parsing text.
 *
 * One datagram a line, in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL):
 *
 *   KEY=value \n                                    a value without a line feed
 *   KEY \n  length, 64 bits little-endian  value \n any other
 *
 * Fields of an attempt: MESSAGE, PRIORITY (6 PASS, 5 ABORTED, 4 FAIL, 3 ERROR), SYSLOG_IDENTIFIER, MESSAGE_ID
 * (one for all attempts: JOURNAL_ATTEMPT_ID), FLASHLINE_SLOT, _PORT, _MAC, _CHIP, _OUTCOME, _FAULT, _STEP, _WHY, _RUNGS
 * (how many), _BAUD, _MS, _LOT, _OPERATOR, _LEAF. What is not known is left out.
 *
 * The journal is for eyes, the signed log is the record: a journal that takes no more loses lines (they are counted, and
 * the next one that gets through tells how many in FLASHLINE_LOST) and never holds a slot up.
 *
 * Thread rule: open and close from one thread, the rest from any.
 */
#ifndef FL_LINESIDE_JOURNAL_H
#define FL_LINESIDE_JOURNAL_H

#include "event/event.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_ATTEMPT_ID "6f1c7f0e5d0b4a3f9a50c2f1d8e9b764"

struct journal; /* opaque */

/* `path`: its socket; NULL: systemd's, and only where standard error goes to the journal ($JOURNAL_STREAM) and the socket is
 * there: else *out is NULL and the answer FL_OK. FL_NOT_FOUND: nobody listens at a path that was given. */
FL_MUST enum fl_err journal_open(const char *path, struct journal **out, struct fl_why *why);
void journal_close(struct journal *j); /* NULL is fine, also below */

void journal_attempt(struct journal *j, const struct attempt_facts *f, int64_t leaf);
/* priority as in syslog(3): LOG_INFO, LOG_ERR, … */
void journal_line(struct journal *j, int priority, const char *message);

#endif
