/* SPDX-License-Identifier: Apache-2.0
 *
 * command.h: run a program that a file of the station names (a power switch, a fixture, a tester), without a shell.
 *
 * Each runs in a process group of its own; when the deadline passes or the wake is raised the whole group is killed.
 * Thread rule: any thread.
 */
#ifndef FL_LINE_COMMAND_H
#define FL_LINE_COMMAND_H

#include "base/wake.h"

struct command {
    const char *const *argv; /* ends with NULL; found by PATH where it has no slash */
    const char *input;       /* its standard input; NULL: empty */
    size_t input_n;
    char *output;            /* for the last `cap` bytes of its output and errors; NULL: they go to our standard error */
    size_t cap;
};
struct command_end {
    int code;        /* exit code; below 0: minus the signal that ended it; 127: it could not be started */
    size_t output_n; /* bytes in `output` */
};

/* FL_OK: it ended with 0. FL_REFUSED: another exit code or a signal. FL_TIMEOUT, FL_CANCELLED: killed. Others: it
 * could not be run. */
FL_MUST enum fl_err command_run(const struct command *c, struct command_end *end, struct fl_wake *wake,
                                struct fl_deadline d, struct fl_why *why);

/* A text split at white space; there is no quoting: a program that needs more is a script. No input. */
FL_MUST enum fl_err command_run_text(const char *text, struct fl_wake *wake, struct fl_deadline d,
                                     struct fl_why *why);

#endif
