/* SPDX-License-Identifier: Apache-2.0
 *
 * passphrase.h: a passphrase or PIN from a file descriptor or a systemd credential, never from argv or the environment.
 */
#ifndef FL_CLI_PASSPHRASE_H
#define FL_CLI_PASSPHRASE_H

#include "cli/cli.h"

#include <limits.h>

#define CLI_NO_PASSPHRASE UINT_MAX
enum { CLI_PASSPHRASE_MAX = 1024 };

/* Reads up to the first newline or the end. *out is NULL for CLI_NO_PASSPHRASE; else a new string, ended
 * with cli_passphrase_free, which wipes it. Returns an exit code, having said what is wrong. */
int cli_passphrase(unsigned fd, char **out);
/* The same from the file `name` in $CREDENTIALS_DIRECTORY, which systemd's LoadCredential= and LoadCredentialEncrypted=
 * make; when `name` is NULL, from the descriptor. */
int cli_secret(const char *name, unsigned fd, char **out);
void cli_passphrase_free(char *p);

#endif
