/* SPDX-License-Identifier: Apache-2.0
 *
 * unit_final.h: the record that a unit's birth certificate proves.
 *
 * An attempt_result may be several kilobytes; a certificate must stay below two with 24 lines of proof in it. So every
 * PASS is followed, in the same commit and in the very next place, by a short record of what counts, and of which
 * attempt it is the essence:
 *
 *   mac, chip, profile, lot?   as in the attempt
 *   outcome                    PASS
 *   attempt                    base64 of the attempt_result's hash in the tree, which is the record in front of this one: whoever
 *                              has that record can tell that it is it
 *
 * Thread rule: pure.
 */
#ifndef FL_RECORD_UNIT_FINAL_H
#define FL_RECORD_UNIT_FINAL_H

#include "base/buf.h"
#include "base/json.h"

/* The body of a unit_final for the attempt_result `body` that was stored as `bytes`. FL_NOT_FOUND: there is to be none,
 * because it is no PASS, names no unit, or is of a golden board or a dry run. New reference. */
FL_MUST enum fl_err unit_final_body(const json_t *body, const struct fl_buf *bytes, json_t **out, struct fl_why *why);

#endif
