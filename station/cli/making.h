/* SPDX-License-Identifier: Apache-2.0
 *
 * making.h: what `flash` and `run` share: the words on their command line, the files they name, and a station at work
 * (works/works.h) shown on console and web.
 */
#ifndef FL_CLI_MAKING_H
#define FL_CLI_MAKING_H

#include "cli/cli.h"
#include "line/line.h"

/* Options, run, report; returns the exit code. */
int making_main(const struct cli_verb *verb, enum line_mode mode, int argc, char **argv);

#endif
