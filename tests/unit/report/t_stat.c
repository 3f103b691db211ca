/* SPDX-License-Identifier: Apache-2.0
 * report/stat against published values and against whole-number arithmetic. */
#include "unit/t.h"

#include "report/stat.h"

#include <math.h>

static void close_to(double got, double want, double relative)
{
    if (!(fabs(got - want) <= relative * fabs(want)))
        fail_msg("%.17g, expected %.17g", got, want);
}

/* R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I,
 * method 3 (score without continuity correction). */
static void wilson(void **state)
{
    (void)state;
    static const struct {
        int64_t part, whole;
        double low, high;
    } row[] = {{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}};
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct stat_interval w = stat_wilson(row[i].part, row[i].whole);
        assert_true(fabs(w.low - row[i].low) < 0.00005 && fabs(w.high - row[i].high) < 0.00005);
    }
    /* by hand: all of n gives a lower end of n / (n + z^2) */
    close_to(stat_wilson(3, 3).low, 3 / (3 + 3.841458820694124), 1e-12);
    assert_true(stat_wilson(3, 3).high == 1 && stat_wilson(0, 3).low == 0);
    assert_true(stat_wilson(0, 0).low == 0 && stat_wilson(0, 0).high == 1);
}

static void fisher(void **state)
{
    (void)state;
    static const struct {
        int64_t a, n1, b, n2;
        double p;
    } row[] = {
        /* sums of products of binomials in whole numbers: Python's math.comb and fractions.Fraction */
        {3, 4, 1, 4, 0.24285714285714285}, /* the lady tasting tea; R's fisher.test says 0.2429 */
        {6, 8, 1, 5, 0.08624708624708624},
        {8, 10, 1, 6, 0.024475524475524476},
        {56, 500, 57, 3000, 9.753318276252384e-20},
        {5, 5, 0, 5, 0.003968253968253968},
        {120, 1000, 1000, 99000, 1.5046244314926946e-83},
        {1, 1, 0, 99999, 1e-05},
        {40, 240, 1900, 99760, 3.273458314347874e-25},
        {19, 20, 19, 20, 0.7564102564102564},
        {250, 4000, 100000, 1996000, 0.00029063825004838143},
        {2, 500, 300, 3000, 1},
        {0, 10, 5, 10, 1},
        {3, 3, 0, 0, 1},
        {0, 0, 3, 9, 1},
    };
    for (size_t i = 0; i < T_COUNT(row); i++)
        close_to(stat_fisher_more(row[i].a, row[i].n1, row[i].b, row[i].n2), row[i].p, 1e-8);
    /* Fisher's twins: R's help page of fisher.test prints 0.0004652 */
    assert_true(fabs(stat_fisher_more(10, 13, 2, 17) - 0.0004652) < 0.00000005);
}

static void holm(void **state)
{
    (void)state;
    /* by hand: sorted 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1, none below the one before */
    double p[] = {0.01, 0.04, 0.03, 0.005}, want[] = {0.03, 0.06, 0.06, 0.02}, big[] = {0.9, 0.6};
    stat_holm(p, 4);
    for (int i = 0; i < 4; i++)
        close_to(p[i], want[i], 1e-12);
    stat_holm(big, 2);
    assert_true(big[0] == 1 && big[1] == 1);
    stat_holm(NULL, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(wilson), cmocka_unit_test(fisher), cmocka_unit_test(holm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
