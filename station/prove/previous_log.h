/* SPDX-License-Identifier: Apache-2.0
 *
 * previous_log.h: one log after another: what the first record of a new log says about the one in front of it, and whether
 * that one is what was said.
 *
 * Thread rule: one call, one thread.
 */
#ifndef FL_PROVE_PREVIOUS_LOG_H
#define FL_PROVE_PREVIOUS_LOG_H

#include "audit/previous.h"
#include "audit/summary.h"

/* Verify the log in the station's folder `dir`, whole, and make what log_open says of it (recorder_config.previous); *closed:
 * it was closed for good. A log that does not verify is named with what was found and its newest head that still can be
 * trusted: it is why a new one is begun. FL_NOT_FOUND: no station there. FL_MISMATCH: no head of it can be trusted. */
FL_MUST enum fl_err previous_log_name(const char *dir, json_t **out, bool *closed, struct fl_why *why);

/* Verify the log in `dir`, a station's folder or a bundle, with the key and the head that `named` gives; the result into
 * out->previous. FL_OK whatever was found. */
FL_MUST enum fl_err previous_log_check(const char *dir, const struct audit_previous *named, struct check_result *out,
                                       struct fl_why *why);

#endif
