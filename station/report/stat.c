/* SPDX-License-Identifier: Apache-2.0 */
#include "report/stat.h"

#include <math.h>
#include <stdlib.h>

static const double z95 = 1.959963984540054; /* 97.5 % point of the normal distribution */

struct stat_interval stat_wilson(int64_t part, int64_t whole)
{
    if (whole <= 0)
        return (struct stat_interval){0, 1};
    double n = (double)whole, p = (double)part / n, z2 = z95 * z95;
    double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = z95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n);
    /* at the ends rounding must not lead outside, and none of none is exactly so */
    return (struct stat_interval){part == 0 ? 0 : fmax(0, middle - half), part == whole ? 1 : fmin(1, middle + half)};
}

static double log_choose(double n, double k)
{
    int sign; /* lgamma itself would write a global */
    return lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign);
}

/* Sum of P(X = x) from `from` in direction `step` to the end; the terms fall from there on. */
static double tail(double from, double end, double step, double n1, double hits, double all)
{
    double p = exp(log_choose(hits, from) + log_choose(all - hits, n1 - from) - log_choose(all, n1)), sum = 0;
    for (double x = from; step > 0 ? x <= end : x >= end; x += step) {
        sum += p;
        if (p < sum * 1e-17)
            break;
        p *= step > 0 ? (hits - x) / (x + 1) * ((n1 - x) / (all - hits - n1 + x + 1))
                      : x / (hits - x + 1) * ((all - hits - n1 + x) / (n1 - x + 1));
    }
    return sum;
}

double stat_fisher_more(int64_t a, int64_t n1, int64_t b, int64_t n2)
{
    double hits = (double)(a + b), all = (double)(n1 + n2), n = (double)n1, x = (double)a;
    double least = fmax(0, hits - (double)n2), most = fmin(n, hits);
    if (x <= least)
        return 1;
    /* sum the side on which the terms fall, away from the mean */
    double p = x > n * hits / all ? tail(x, most, 1, n, hits, all) : 1 - tail(x - 1, least, -1, n, hits, all);
    return fmin(1, fmax(0, p));
}

static int by_value(const void *a, const void *b)
{
    double x = **(double *const *)a, y = **(double *const *)b;
    return (x > y) - (x < y);
}

void stat_holm(double *p, size_t n)
{
    double most = 0, **order = malloc((n ? n : 1) * sizeof *order);
    for (size_t i = 0; order && i < n; i++)
        order[i] = &p[i];
    if (order)
        qsort(order, n, sizeof *order, by_value);
    for (size_t i = 0; i < n; i++) { /* without memory each is held against all: Bonferroni, which claims less */
        double *v = order ? order[i] : &p[i];
        double adjusted = fmin(1, *v * (double)(order ? n - i : n));
        most = order ? fmax(most, adjusted) : adjusted;
        *v = most;
    }
    free(order);
}
