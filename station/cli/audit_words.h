/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_words.h: the verdict of a check, for people and as JSON, on standard output.
 */
#ifndef FL_CLI_AUDIT_WORDS_H
#define FL_CLI_AUDIT_WORDS_H

#include "prove/check.h"

FL_MUST enum fl_err audit_print_text(const char *data, const struct check_result *r);
FL_MUST enum fl_err audit_print_json(const char *data, const struct check_result *r);

#endif
