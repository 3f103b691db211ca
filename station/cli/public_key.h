/* SPDX-License-Identifier: Apache-2.0
 *
 * public_key.h: the public half of a key that lies elsewhere, as a person types it.
 */
#ifndef FL_CLI_PUBLIC_KEY_H
#define FL_CLI_PUBLIC_KEY_H

#include "audit/key.h"

/* `text` is 64 hex digits, a verifier key, or a file in which a line is one of them, also behind the words "public key" as
 * flashline key create prints it. FL_ARG: none of these. */
FL_MUST enum fl_err cli_public_key(const char *text, uint8_t out[static KEY_PUBLIC], struct fl_why *why);
/* The same as a key of the log `origin`; a verifier key must name that log. */
FL_MUST enum fl_err cli_log_key(const char *text, const char *origin, struct vkey *out, struct fl_why *why);

#endif
