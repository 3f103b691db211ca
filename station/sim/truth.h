/* SPDX-License-Identifier: Apache-2.0
 *
 * truth.h: the truth file of a shift; its format stands in operator.h. Every line is flushed: what the simulator knew
 * is on disk when it is killed.
 */
#ifndef FL_SIM_TRUTH_H
#define FL_SIM_TRUTH_H

#include "sim/board.h"
#include "sim/shift.h"

#include <stdio.h>

struct truth_visit {
    const struct shift_unit *unit;
    struct sim_board *board;
    unsigned slot, visit;
    int64_t from_ms, to_ms, leaf;
    const char *why, *saw;
    double cable;
    bool hub;
};

/* `f` NULL: nothing is written. */
void truth_shift(FILE *f, uint64_t seed, unsigned units, unsigned slots);
void truth_visit(FILE *f, const struct truth_visit *v);
void truth_cable(FILE *f, unsigned slot, bool bad);
void truth_hub(FILE *f, const struct shift *s, int64_t from_ms, int64_t to_ms);
void truth_end(FILE *f, unsigned units, unsigned visits);

#endif
