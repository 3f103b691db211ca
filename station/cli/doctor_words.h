/* SPDX-License-Identifier: Apache-2.0
 *
 * doctor_words.h: what `flashline doctor` found, as text and as JSON. Thread rule: none.
 */
#ifndef FL_CLI_DOCTOR_WORDS_H
#define FL_CLI_DOCTOR_WORDS_H

#include "base/json.h"
#include "esp/doctor.h"

/* One examined port on standard output. `n` findings, at least one. */
void doctor_print(const struct doctor_facts *f, const struct doctor_finding *found, size_t n);

/* The same as a new object: port, bridge, board, verdict, findings, setting, blocks, losses, speeds; NULL: no memory. */
json_t *doctor_json(const struct doctor_facts *f, const struct doctor_finding *found, size_t n);

#endif
