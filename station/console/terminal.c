/* SPDX-License-Identifier: Apache-2.0
 * A file of its own, because term.h gives common words (lines, columns, tab) another meaning. */
#include "console/console.h"

#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

bool console_takes_terminal(FILE *out)
{
    const char *term = getenv("TERM");
    int known = 0;
    /* in the background of a shell (`flashline run ... &`) the screen is somebody else's, and whoever sets it up is stopped */
    pid_t front = isatty(fileno(out)) ? tcgetpgrp(fileno(out)) : -1;
    if (front >= 0 && front != getpgrp())
        return false;
    if (!isatty(fileno(out)) || !term || !*term || strcmp(term, "dumb") == 0)
        return false;
    if (setupterm(NULL, fileno(out), &known) != OK)
        return false; /* terminfo does not know it, or it cannot move its cursor */
    (void)del_curterm(cur_term);
    return true;
}
