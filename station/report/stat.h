/* SPDX-License-Identifier: Apache-2.0
 *
 * stat.h: the few statistics that reports need: an interval beside a yield, an exact test, a correction for many looks.
 *
 * Sources: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927); R. A.
 * Fisher, "The Design of Experiments" (1935), the exact test of a 2 x 2 table with given margins; S. Holm, "A simple
 * sequentially rejective multiple test procedure", Scand. J. Statist. 6 (1979).
 *
 * Thread rule: pure.
 */
#ifndef FL_REPORT_STAT_H
#define FL_REPORT_STAT_H

#include <stddef.h>
#include <stdint.h>

struct stat_interval {
    double low, high;
};

/* Wilson's 95 % score interval for a share of `part` in `whole`; 0..1 when whole is 0. 3 of 3 gives 0.44..1. */
struct stat_interval stat_wilson(int64_t part, int64_t whole);

/* Fisher's exact test, one-sided: how likely are `a` or more hits among n1 when a + b hits are dealt blindly over n1 + n2?
 * 0 <= a <= n1, 0 <= b <= n2. Small: group 1 has more hits than chance gives. */
double stat_fisher_more(int64_t a, int64_t n1, int64_t b, int64_t n2);

/* Holm's step-down: each p becomes the level at which it alone would be called found while the chance of one false find
 * among all n stays below it. At most 1. */
void stat_holm(double *p, size_t n);

#endif
