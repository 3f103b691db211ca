/* SPDX-License-Identifier: Apache-2.0
 * signer_look.h: what the signer of a folder remembers, before its log is checked. */
#ifndef FL_CLI_SIGNER_LOOK_H
#define FL_CLI_SIGNER_LOOK_H

#include "audit/remembered.h"

/* Asked before the database is opened (remembered.h). NULL: no memory; a check without it is one that did not ask. Caller frees. */
struct remembered *cli_signer_look(const char *dir);

#endif
