/* SPDX-License-Identifier: Apache-2.0
 *
 * hook.h: the commands that a station file and a profile put around an attempt.
 *
 *   station's before ─► profile's before ─► the attempt ─► profile's after ─► station's after ─► record
 *
 * Input: one line of JSON, the members of attempt_start or attempt_result (event/event.h) and "hook": "before" or
 * "after". An exit code of 0 goes on; 1 says that the unit is not good: FAIL hook.refused; anything else, a signal or
 * the deadline is the hook's own trouble: ERROR hook.failed, hook.timeout, hook.missing. The first reason of an
 * attempt stays: what `after` says of one that failed already is recorded and changes nothing. When a `before` fails
 * the board is not touched, and both `after` still run (they may have a supply to switch off).
 *
 * Thread rule: the slot's own.
 */
#ifndef FL_LINE_HOOK_H
#define FL_LINE_HOOK_H

#include "line/attempt.h"

/* Are there any before an attempt with this profile? */
bool hook_before_wanted(const struct attempt *a);
/* All of them, or only the profile's; false: the attempt ends with the fault that stands in the facts. */
bool hook_before(struct attempt *a, bool profile_only);
/* All of them; the link is closed meanwhile, so that a tester can have the port. */
void hook_after(struct attempt *a);

#endif
