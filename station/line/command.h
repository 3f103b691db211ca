/* SPDX-License-Identifier: Apache-2.0
 *
 * command.h: run a program that the station file names (a power switch), without a shell.
 *
 * The text is split at white space; there is no quoting: a program that needs more is a script.
 * Its standard input is empty and its output goes to our standard error. When the deadline passes or the wake is raised
 * the whole process group is killed.
 *
 * Thread rule: any thread.
 */
#ifndef FL_LINE_COMMAND_H
#define FL_LINE_COMMAND_H

#include "base/wake.h"

/* FL_OK: it ended with 0. FL_REFUSED: another exit code or a signal. FL_TIMEOUT, FL_CANCELLED: killed. */
FL_MUST enum fl_err command_run(const char *text, struct fl_wake *wake, struct fl_deadline d,
                                struct fl_why *why);

#endif
