/* SPDX-License-Identifier: Apache-2.0
 * What a session tells of its blocks: of which length, at which speed, how many were sent and refused. A bridge that loses
 * bytes in long bursts, on the board's own clock: there a pause is as long as the engine makes it, however busy the
 * machine is. */
#include "unit/esp/board_link.h"

enum { SHORT = 1024, LONG = 2048 };

static struct esp_counters session(struct sim_board *b, const struct bl_images *im, uint64_t *told)
{
    const struct esp_config config = {.chip = "esp32", .baud = 921600, .reset = "auto"};
    struct bl_result r = {0};
    const struct esp_observer o = {.ctx = &r, .rung = bl_on_rung};
    struct esp_region_result results[BL_REGIONS];
    struct esp_flash_info flash;
    struct esp_unit unit;
    struct esp *e = NULL;
    struct link *l = bl_open(b);
    assert_non_null(l);
    enum fl_err err = esp_open(l, &config, NULL, &o, &e);
    if (!err)
        err = esp_connect(e, &r.problem);
    if (!err)
        err = esp_identify(e, &unit, &r.problem);
    if (!err)
        err = esp_prepare(e, &r.problem);
    if (!err)
        err = esp_attach_flash(e, 0, &flash, &r.problem);
    if (!err)
        err = esp_write(e, im->regions, BL_REGIONS, true, results, &r.problem);
    if (err)
        fail_msg("%s: %s", esp_fault_name(r.problem.fault), r.problem.text);
    struct esp_counters c = esp_counters(e);
    *told = r.rungs;
    esp_close(e);
    link_close(l);
    return c;
}

static void bursts(void **state)
{
    (void)state;
    struct sim_stubs *stubs = NULL;
    struct fl_why why = {0};
    struct bl_images im;
    bl_images_make(&im, (const uint32_t[BL_REGIONS]){60000, 60000});
    assert_int_equal(sim_stubs_load(&stubs, &why), FL_OK);
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct sim_spec spec;
        uint64_t rungs, refused = 0, sent_short = 0, refused_long = 0;
        sim_spec_init(&spec, sim_chip_find("esp32"), 1, seed);
        sim_bridge_set(&spec.bridge, SIM_CH9102);
        spec.pace_real = true;
        struct sim_board *b = bl_board(&spec, stubs);
        assert_non_null(b);
        struct esp_counters c = session(b, &im, &rungs);
        for (size_t i = 0; i < c.n_cells; i++) {
            const struct esp_cell *cell = &c.cells[i];
            assert_true(cell->refused <= cell->sent);
            refused += cell->refused;
            if (cell->bytes <= SHORT && cell->refused > 0)
                fail_msg("seed %llu: %u of %u blocks of up to %u bytes were refused", (unsigned long long)seed,
                         cell->refused, cell->sent, cell->bytes);
            sent_short += cell->bytes <= SHORT ? cell->sent : 0;
            refused_long += cell->bytes > LONG ? cell->refused : 0;
        }
        assert_true(rungs > 0);
        assert_true(sent_short > 0);
        assert_true(refused_long > 0);
        assert_true(refused <= c.damaged); /* short questions are refused too, and are not blocks */
        assert_int_equal(bl_wrong_bytes(b, &im), 0);
        sim_board_free(b);
    }
    sim_stubs_free(stubs);
    bl_images_fini(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bursts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
