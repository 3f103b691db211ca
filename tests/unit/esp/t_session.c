/* SPDX-License-Identifier: Apache-2.0
 * Whole conversations on a line without faults: what is learned, what ends up in flash, in what order. */
#include "unit/esp/fake.h"

static void esp32_clean(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    struct esp_tuning tuning = {0};
    struct esp *e = fake_session(f, &(struct esp_config){.chip = "esp32", .baud = 921600}, &tuning);
    struct esp_problem p = {0};
    struct esp_unit unit;
    struct esp_flash_info flash;
    assert_int_equal(esp_connect(e, &p), FL_OK);
    assert_int_equal(esp_identify(e, &unit, &p), FL_OK);
    assert_string_equal(unit.chip, "esp32");
    assert_memory_equal(unit.mac, "\x24\x6f\x28\xaa\xbb\xcc", 6);
    assert_int_equal(unit.revision, 301);
    assert_int_equal(unit.crystal_mhz, 40);
    assert_int_equal(unit.security.secure_boot, ESP_OFF);
    assert_int_equal(unit.security.flash_encryption, ESP_OFF);
    assert_int_equal(esp_prepare(e, &p), FL_OK);
    assert_true(esp_has_stub(e));
    assert_int_equal(esp_baud(e), 921600);
    assert_int_equal(esp_attach_flash(e, 0, &flash, &p), FL_OK);
    assert_int_equal(flash.jedec, 0x1640c8);
    assert_int_equal(flash.size, 4 << 20);
    assert_int_equal(f->flash_size_told, 4 << 20);

    struct esp_region regions[] = {
        fake_region(0x1000, 70000, 0xff, true),   fake_region(0x20000, 300000, 0, true),
        fake_region(0x80000, 20000, 0xff, false), fake_region(0x100000, 4, 0xff, false)};
    struct esp_region_result results[T_COUNT(regions)];
    assert_int_equal(esp_write(e, regions, T_COUNT(regions), true, results, &p), FL_OK);
    for (size_t i = 0; i < T_COUNT(regions); i++) {
        assert_int_equal(results[i].state, ESP_REGION_VERIFIED);
        assert_int_equal(results[i].writes, 1);
        assert_memory_equal(results[i].md5_found, regions[i].md5, FL_MD5_SIZE);
        assert_memory_equal(f->flash + regions[i].offset, regions[i].plain, regions[i].size);
    }
    assert_int_equal(f->progress_last, f->progress_total);
    assert_int_equal(f->n_rungs, 0);
    /* each of the four regions is asked for, written, and asked for again */
    assert_string_equal(fl_buf_text(&f->steps), "stub verify write verify verify write verify "
                                                "verify write verify verify write verify ");
    assert_int_equal(tuning.baud, 0);

    /* a second time: everything is there already */
    unsigned erases = f->erases;
    assert_int_equal(esp_write(e, regions, T_COUNT(regions), true, results, &p), FL_OK);
    for (size_t i = 0; i < T_COUNT(regions); i++)
        assert_int_equal(results[i].state, ESP_REGION_SKIPPED);
    assert_int_equal(f->erases, erases);
    /* and written although it is there */
    assert_int_equal(esp_write(e, regions, T_COUNT(regions), false, results, &p), FL_OK);
    for (size_t i = 0; i < T_COUNT(regions); i++)
        assert_int_equal(results[i].state, ESP_REGION_VERIFIED);
    assert_true(f->erases > erases);

    assert_int_equal(esp_run(e, &p), FL_OK);
    assert_false(f->in_loader);
    assert_int_equal(link_baud(f->link), 115200);
    for (size_t i = 0; i < T_COUNT(regions); i++)
        fake_region_fini(&regions[i]);
    esp_close(e);
    fake_free(f);
}

static void c3_rom_only(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32c3);
    struct esp *e = fake_session(f, &(struct esp_config){.stub = ESP_STUB_NEVER}, NULL);
    struct esp_problem p = {0};
    struct esp_unit unit;
    struct esp_flash_info flash;
    assert_int_equal(esp_connect(e, &p), FL_OK);
    assert_int_equal(esp_identify(e, &unit, &p), FL_OK);
    assert_string_equal(unit.chip, "esp32c3");
    assert_int_equal(unit.revision, 3);
    assert_true(unit.security.has_flags);
    assert_int_equal(esp_prepare(e, &p), FL_OK);
    assert_false(esp_has_stub(e));
    assert_int_equal(esp_attach_flash(e, 0, &flash, &p), FL_OK);
    struct esp_region regions[] = {fake_region(0, 20000, 0xff, true), fake_region(0x8000, 0xc00, 0, true)};
    struct esp_region_result results[2];
    assert_int_equal(esp_write(e, regions, 2, true, results, &p), FL_OK);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(results[i].state, ESP_REGION_VERIFIED);
        assert_memory_equal(f->flash + regions[i].offset, regions[i].plain, regions[i].size);
        fake_region_fini(&regions[i]);
    }
    assert_int_equal(f->n_rungs, 0);
    assert_int_equal(f->seen[OP_FLASH_END], 0); /* it would leave the loader */
    assert_int_equal(f->seen[OP_DEFL_BEGIN], 0);
    assert_int_equal(f->seen[OP_FLASH_DATA], 4 + 1); /* 20000 in blocks of 0x1800 */
    assert_true(f->in_loader);
    assert_int_equal(esp_run(e, &p), FL_OK);
    assert_false(f->in_loader);
    esp_close(e);
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(esp32_clean),
        cmocka_unit_test(c3_rom_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
