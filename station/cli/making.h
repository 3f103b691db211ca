/* SPDX-License-Identifier: Apache-2.0
 *
 * making.h: what `flash` and `run` share: profile, slots, recorder, line and console, put together and
 * taken apart in the right order.
 *
 *   start: profile ─► slots ─► signals ─► recorder (lock, log verified) ─► lot (rules, from what is recorded) ─► door ─► web ─► console ─► line
 *   stop:  line (attempts end, records durable) ─► console ─► web ─► door ─► recorder ─► signals
 */
#ifndef FL_CLI_MAKING_H
#define FL_CLI_MAKING_H

#include "cli/cli.h"
#include "base/json.h"
#include "line/line.h"

/* The same without a word: FL_REFUSED or FL_ARG say in the sentence what is wrong. */
enum fl_err making_lot_check(const char *data, const char *lot, const struct profile *const *profiles, size_t n, json_t **facts,
                             struct fl_why *why);
/* Is the lot open, and for exactly these profiles? Exit code; what is wrong was said. *facts: all of it, a new
 * reference, also after an error. *planned: how many units are wanted,
 * 0 not said. The recorder asks the same again for every unit; this one is for people. */
int making_lot(const struct cli_verb *verb, const char *data, const char *lot, const struct profile *const *profiles, size_t n,
               uint64_t *planned, json_t **facts);

/* The event that tells how the line is set up; NULL where the newest record says just that. Exit code; what is wrong was
 * said. */
int making_settings(const char *data, const char *station_path, const struct cli_list *ports, const char *operator_id, json_t **event);

/* Options, run, report; returns the exit code. */
int making_main(const struct cli_verb *verb, enum line_mode mode, int argc, char **argv);

#endif
