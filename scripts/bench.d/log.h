/* SPDX-License-Identifier: Apache-2.0
 *
 * log.h: what the files of bench-log share.
 */
#ifndef FL_BENCH_LOG_H
#define FL_BENCH_LOG_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

void bench_die(const char *what, const struct fl_why *why);
/* What is measured "on one core" is measured by what the core spent, whoever else had it meanwhile. */
double bench_core_seconds(void);
/* One line of the table. target 0: none; it is a lower bound unless `most`. */
void bench_row(const char *what, double value, const char *unit, double limit, double target, bool most, const char *note);

/* log_proofs.c: from a tree of `n` leaves made in `dir`, one of which is the record of a unit of the station in `data`. */
void bench_proofs(const char *dir, const char *data, uint64_t n);

#endif
