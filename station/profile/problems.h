/* SPDX-License-Identifier: Apache-2.0
 *
 * problems.h: collecting everything that is wrong with one file, each with its place.
 *
 * Inside the room only. Sentences are `what is wrong, what was expected`; the place is put in front
 * here. At most PROBLEMS_MAX are kept: a file that is wrong everywhere is not a profile.
 */
#ifndef FL_PROFILE_PROBLEMS_H
#define FL_PROFILE_PROBLEMS_H

#include "profile/profile.h"

enum { PROBLEMS_MAX = 100 };

struct place { /* in a text file, both from 1; columns count characters */
    unsigned line, column;
};

struct critic {
    const char *path; /* borrowed; as the user gave it */
    struct profile_problems *problems, *notes; /* borrowed */
    enum fl_err err;  /* FL_OK until the first problem, then FL_FORMAT; FL_NOMEM stays */
};

void critic_problem(struct critic *c, struct place at, const char *fmt, ...) FL_PRINTF(3, 4);
void critic_note(struct critic *c, struct place at, const char *fmt, ...) FL_PRINTF(3, 4);
void critic_nomem(struct critic *c);
/* Put problems and notes in order of place, stably. */
void critic_sort(struct critic *c);

#endif
