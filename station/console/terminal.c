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
    if (!isatty(fileno(out)) || !term || !*term || strcmp(term, "dumb") == 0)
        return false;
    if (setupterm(NULL, fileno(out), &known) != OK)
        return false; /* terminfo does not know it, or it cannot move its cursor */
    (void)del_curterm(cur_term);
    return true;
}
