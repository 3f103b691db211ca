/* SPDX-License-Identifier: Apache-2.0
 *
 * slots.h: the slots of a station file, or of --port, as the line takes them: hubs taken apart into their sockets,
 * every port a port, every number and port once. Prints what is wrong. Thread rule: one thread.
 */
#ifndef FL_CLI_SLOTS_H
#define FL_CLI_SLOTS_H

#include "cli/cli.h"
#include "profile/station_file.h"

/* `path` NULL: slots 1, 2, ... from `ports`. Returns an exit code; `out` is to be given to station_file_fini. */
int cli_slots_load(const struct cli_verb *verb, const char *path, const struct cli_list *ports,
                   struct station_file *out);

#endif
