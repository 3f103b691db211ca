/* SPDX-License-Identifier: Apache-2.0
 *
 * making.h: what `flash` and `run` share: profile, slots, recorder, line and console, put together and
 * taken apart in the right order.
 *
 *   start: profile ─► slots ─► signals ─► recorder (lock, log verified) ─► web ─► console ─► line
 *   stop:  line (attempts end, records durable) ─► console ─► web ─► recorder ─► signals
 */
#ifndef FL_CLI_MAKING_H
#define FL_CLI_MAKING_H

#include "cli/cli.h"
#include "line/line.h"

/* Options, run, report; returns the exit code. */
int making_main(const struct cli_verb *verb, enum line_mode mode, int argc, char **argv);

#endif
