/* SPDX-License-Identifier: Apache-2.0
 * Who is guilty, on histories whose truth is known. The seeds are fixed: the counts are the same on every run. */
#include "unit/t.h"

#include "history/history.h"
#include "report/blame.h"

enum { SEEDS = 200 };

/* First attempts by cell, as the tally would have them. Searched from the newest. */
struct cells {
    struct blame_cell *at;
    size_t n, cap;
};

static struct blame_cell *cell_of(struct cells *c, const int64_t key[BLAME_LEVELS])
{
    for (size_t i = c->n; i > 0; i--)
        if (memcmp(c->at[i - 1].key, key, sizeof c->at->key) == 0)
            return &c->at[i - 1];
    if (c->n == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 256;
        c->at = realloc(c->at, c->cap * sizeof *c->at);
        assert_non_null(c->at);
    }
    c->at[c->n] = (struct blame_cell){.units = 0};
    memcpy(c->at[c->n].key, key, sizeof c->at->key);
    return &c->at[c->n++];
}

static void add(struct cells *c, const struct history_attempt *a)
{
    const int64_t key[BLAME_LEVELS] = {a->first_slot, a->model, a->lot, a->profile, a->first_ms / 3600000};
    struct blame_cell *cell = cell_of(c, key);
    if (a->number == 1) {
        cell->units++;
        cell->failed += !a->pass;
    } else if (a->number == 2 && a->slot != a->first_slot) {
        cell->again++;
        cell->again_failed += !a->pass;
    }
}

static const struct blame_image images[] = {{0, 100}, {0, 999}, {1, 101}, {1, 999}, {2, 102}, {2, 999}}; /* 999: in all */

static int64_t investigate(enum history_truth truth, uint64_t seed, double bad, struct blame_result *out)
{
    struct history *h = malloc(sizeof *h);
    struct history_attempt a;
    struct cells c = {NULL, 0, 0};
    const struct history_config config = {.seed = seed, .truth = truth, .units = 3000, .slots = 8, .lots = 6, .profiles = 3, .models = 2,
                                          .base = 0.02, .bad = bad, .start_ms = 1795334400000};
    history_open(h, &config);
    while (history_next(h, &a))
        add(&c, &a);
    const struct blame_input in = {.cells = c.at, .n = c.n, .images = images, .n_images = T_COUNT(images), .alpha = BLAME_ALPHA};
    assert_int_equal(blame_run(&in, out), FL_OK);
    int64_t truth_key = h->bad;
    free(c.at);
    free(h);
    return truth_key;
}

/* Nothing is there: how often is somebody blamed? At most 5 % was promised: of 400 seeds 20 on average at the very most.
 * The exact test promises less than it keeps: these seeds give far fewer. */
static void nobody(void **state)
{
    (void)state;
    int alarms = 0;
    for (uint64_t seed = 1; seed <= 2 * SEEDS; seed++) {
        struct blame_result r;
        (void)investigate(TRUTH_NOTHING, seed, 0, &r);
        alarms += r.n_found > 0;
        assert_true(r.looks > 8 + 2 + 6 + 3);
    }
    printf("# %d of %d false alarms\n", alarms, 2 * SEEDS);
    assert_true(alarms <= 2 * SEEDS * BLAME_ALPHA);
}

/* A truth that is large enough to be seen: how often is it the first finding, and how often is somebody else blamed too? */
static void guilty(enum history_truth truth, enum blame_factor factor, double bad, int64_t offset, int least, int most_wrong)
{
    int right = 0, wrong = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct blame_result r;
        int64_t key = investigate(truth, seed, bad, &r);
        bool found = r.n_found && r.found[0].level.factor == factor && (factor == BLAME_UNIT || r.found[0].level.key == key + offset);
        right += found;
        wrong += r.n_found > (found ? 1u : 0u);
    }
    printf("# %s: found first in %d of %d, somebody else blamed in %d\n", history_truths[truth], right, SEEDS, wrong);
    assert_true(right >= least);
    assert_true(wrong <= most_wrong);
}

static void bad_slot(void **state)
{
    (void)state;
    guilty(TRUTH_SLOT, BLAME_SLOT, 0.15, 0, 198, 10);
}

static void bad_lot(void **state)
{
    (void)state;
    guilty(TRUTH_LOT, BLAME_LOT, 0.15, 0, 195, 12);
}

static void bad_hour(void **state)
{
    (void)state;
    guilty(TRUTH_HOUR, BLAME_HOUR, 0.15, 0, 195, 12);
}

static void bad_image(void **state)
{
    (void)state;
    guilty(TRUTH_IMAGE, BLAME_IMAGE, 0.15, 100, 195, 12);
}

static void bad_bridge(void **state)
{
    (void)state;
    guilty(TRUTH_BRIDGE, BLAME_BRIDGE, 0.10, 0, 198, 12);
}

static void bad_units(void **state)
{
    (void)state;
    guilty(TRUTH_UNITS, BLAME_UNIT, 0.95, 0, 195, 12);
}

/* A slot that fails nearly every other board makes units that failed elsewhere by chance fail again in it. Then the units are
 * not to blame: it was found in 61 of these 200 histories when second attempts were held against the good slots alone. */
static void strong_slot(void **state)
{
    (void)state;
    guilty(TRUTH_SLOT, BLAME_SLOT, 0.45, 0, 200, 10);
}

/* By hand: two slots, each with its own lot: 20 of 100 fail in slot 1, 2 of 100 in slot 2. Whether slot or lot: nobody can tell. */
static void together(void **state)
{
    (void)state;
    const struct blame_cell cells[] = {{.key = {1, 0, 11, 0, 5}, .units = 100, .failed = 20}, {.key = {2, 0, 12, 0, 5}, .units = 100, .failed = 2}};
    const struct blame_input in = {.cells = cells, .n = 2, .alpha = BLAME_ALPHA};
    struct blame_result r;
    assert_int_equal(blame_run(&in, &r), FL_OK);
    assert_int_equal(r.looks, 4); /* two slots, two lots; one bridge, hour, no image */
    assert_int_equal(r.n_found, 1);
    assert_int_equal(r.found[0].level.factor, BLAME_SLOT);
    assert_int_equal(r.found[0].level.key, 1);
    assert_int_equal(r.found[0].level.failed, 20);
    assert_int_equal(r.found[0].rest_units, 100);
    assert_int_equal(r.found[0].rest_failed, 2);
    assert_int_equal(r.found[0].n_together, 1);
    assert_int_equal(r.found[0].together[0].factor, BLAME_LOT);
    assert_int_equal(r.found[0].together[0].key, 11);
    /* sum of products of binomials in whole numbers, by Python's math.comb: 2.5456164e-05 */
    assert_true(r.found[0].p > 2.5456e-05 && r.found[0].p < 2.5457e-05 && r.found[0].adjusted > 3.9 * r.found[0].p);
}

static void too_little(void **state)
{
    (void)state;
    const struct blame_cell cells[] = {{.key = {1, 0, 0, 0, 5}, .units = 3, .failed = 3}, {.key = {2, 0, 0, 0, 5}, .units = 3}};
    struct blame_result r;
    const struct blame_input in = {.cells = cells, .n = 2, .alpha = BLAME_ALPHA}, none = {.alpha = BLAME_ALPHA};
    assert_int_equal(blame_run(&in, &r), FL_OK); /* 1 in 20, twice looked at */
    assert_int_equal(r.n_found, 0);
    assert_int_equal(r.looks, 2);
    assert_int_equal(blame_run(&none, &r), FL_OK);
    assert_int_equal(r.looks, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody), cmocka_unit_test(bad_slot), cmocka_unit_test(bad_lot), cmocka_unit_test(bad_hour), cmocka_unit_test(bad_image),
        cmocka_unit_test(bad_bridge), cmocka_unit_test(bad_units), cmocka_unit_test(strong_slot), cmocka_unit_test(together), cmocka_unit_test(too_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
