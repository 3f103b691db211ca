/* SPDX-License-Identifier: Apache-2.0
 *
 * rules_file.h: the rules of a lot as people write them, in YAML or in JSON, which is YAML too; read by the same strict
 * reader as profiles. What they mean: line/rules.h.
 *
 *   slot: {consecutive: 3, same_fault: 4, yield: 80, after: 10}
 *   line: {consecutive: 6, same_fault: 8, yield: 90, after: 50}
 *   shift: {golden: ["24:6f:28:00:00:01"], known_bad: ["24:6f:28:00:00:02"]}
 *   serial: {template: "M5-{yy}{ww}-{n:6}", first: 1}
 *   takt: 20
 */
#ifndef FL_PROFILE_RULES_FILE_H
#define FL_PROFILE_RULES_FILE_H

#include "profile/profile.h"

/* *out: the form that a lot keeps, a new object. `template_check` says what is wrong with a serial number's template, which
 * this room does not know (line/serial.h). As profile_load otherwise. */
FL_MUST enum fl_err rules_file_load(const char *path, enum fl_err (*template_check)(const char *text, struct fl_why *why),
                                    json_t **out, struct profile_problems *problems);

#endif
