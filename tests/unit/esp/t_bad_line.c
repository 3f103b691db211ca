/* SPDX-License-Identifier: Apache-2.0
 * A line that goes on damaging bytes, and the ROM behind it: blocks get smaller, a region goes on where it stood, and
 * what must be sent often is sent often. Slow, but there. */
#include "unit/esp/fake.h"

static struct esp *up(struct fake *f, const struct esp_config *config)
{
    struct esp *e = fake_session(f, config, NULL);
    struct esp_problem p = {0};
    if (fake_up(e, &p))
        fail_msg("%s: %s", esp_fault_name(p.fault), p.text);
    e->times.command = 30; /* the fake answers at once or never */
    e->times.probe = 10;
    return e;
}

static const struct esp_config rom = {.stub = ESP_STUB_NEVER};

/* The answer to a block is lost: sent again it is 01 05, so it was counted. The sectors before it stay, and the next BEGIN is
 * theirs no more. Where that has happened before, and no block was refused, it is taken for written, as the MD5 will tell. */
static void goes_on(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) { /* the first time; again; again, and blocks were refused lately */
        struct fake *f = fake_new(fake_esp32);
        struct esp *e = up(f, &rom);
        struct esp_problem p = {0};
        struct esp_region r = fake_region(0x10000, 60000, 0xff, true);
        struct esp_region_result res;
        fake_rule_add(f, OP_FLASH_DATA, 7, 7, IN_ROM, DO_LOSE, NULL); /* of 0x1800 bytes: 36864 are acknowledged */
        bool begun = i != 1;
        e->taken[ESP_RUNG_REGION] = i > 0;
        e->recent = (struct esp_sample){.sent = 2, .refused = i == 2};
        assert_int_equal(esp_write(e, &r, 1, true, &res, &p), FL_OK);
        assert_int_equal(f->seen[OP_FLASH_BEGIN], 1 + begun);
        assert_int_equal(f->begun, begun ? 60000 - 36864 : 60000);
        assert_int_equal(f->seen[OP_FLASH_DATA], begun ? 7 + 2 + 4 : 10 + 1);
        assert_int_equal(fake_count(f, ESP_RUNG_REGION), begun);
        assert_memory_equal(f->flash + r.offset, r.plain, r.size);
        fake_region_fini(&r);
        esp_close(e);
        fake_free(f);
    }
}

/* A block whose frame was lost, or whose head was damaged, was not counted: it is taken under the same number. */
static void as_it_is(void **state)
{
    (void)state;
    static const struct {
        enum fake_do what;
        const char *hex;
    } rows[] = {{DO_SILENT, NULL}, {DO_REFUSE, "01050000"}, {DO_RAW, "C0 01 0a 0400 831df000 01050000 C0"}};
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fake *f = fake_new(fake_esp32);
        struct esp *e = up(f, &rom);
        struct esp_problem p = {0};
        struct esp_region r = fake_region(0x10000, 60000, 0xff, true);
        struct esp_region_result res;
        fake_rule_add(f, OP_FLASH_DATA, 7, 7, IN_ROM, rows[i].what, rows[i].hex);
        assert_int_equal(esp_write(e, &r, 1, true, &res, &p), FL_OK);
        assert_int_equal(f->seen[OP_FLASH_BEGIN], 1);
        assert_int_equal(f->seen[OP_FLASH_DATA], 10 + 1);
        assert_int_equal(fake_count(f, ESP_RUNG_RESEND), 1);
        assert_int_equal(f->n_rungs, 1);
        assert_memory_equal(f->flash + r.offset, r.plain, r.size);
        fake_region_fini(&r);
        esp_close(e);
        fake_free(f);
    }
}

/* A region that was written wrong is written from its beginning, not from where it ended. */
static void from_the_beginning(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    struct esp *e = up(f, &rom);
    struct esp_problem p = {0};
    struct esp_region r = fake_region(0x10000, 60000, 0xff, true);
    struct esp_region_result res;
    f->stray_begin = 1;
    f->stray_to = 0x30000;
    assert_int_equal(esp_write(e, &r, 1, true, &res, &p), FL_OK);
    assert_int_equal(res.writes, 2);
    assert_int_equal(f->begun, 60000);
    assert_memory_equal(f->flash + r.offset, r.plain, r.size);
    fake_region_fini(&r);
    esp_close(e);
    fake_free(f);
}

/* Bits change in one byte of 4000, of 2000, of 600, both ways. At the last, every third short block is damaged, and some
 * damage comes through a checksum of eight bits unseen: the MD5 sees it, and it is the line's fault. */
static void bits_change(void **state)
{
    (void)state;
    static const uint32_t one_in[] = {4000, 2000, 600};
    for (size_t i = 0; i < T_COUNT(one_in); i++)
        for (uint64_t seed = 1; seed <= (one_in[i] > 600 ? 2 : 1); seed++) {
            struct fake *f = fake_new(seed % 2 ? fake_esp32 : fake_esp32c3);
            struct esp *e = up(f, &rom);
            struct esp_problem p = {0};
            struct esp_region r[2] = {fake_region(0x10000, 30000, 0xff, true), fake_region(0x1000, 5000, 0xff, false)};
            struct esp_region_result res[2];
            e->pace = 4; /* pauses help nothing here, and would be waited for in real time */
            f->noise = seed * 0x9e3779b97f4a7c15u;
            f->noise_one_in = f->host_noise_one_in = one_in[i];
            enum fl_err err = esp_write(e, r, 2, true, res, &p);
            print_message("# one byte in %u, seed %llu: %u resends, %u regions, %u resets, blocks of %u: %s\n", one_in[i],
                          (unsigned long long)seed, fake_count(f, ESP_RUNG_RESEND), fake_count(f, ESP_RUNG_REGION),
                          fake_count(f, ESP_RUNG_RECONNECT), f->begun_block, err ? p.text : "right");
            if (err && one_in[i] > 600)
                fail_msg("%s: %s", esp_fault_name(p.fault), p.text);
            if (err) { /* then it was the line */
                assert_int_equal(strncmp(esp_fault_name(p.fault), "link.", 5), 0);
            } else {
                assert_memory_equal(f->flash + r[0].offset, r[0].plain, r[0].size);
                assert_memory_equal(f->flash + r[1].offset, r[1].plain, r[1].size);
            }
            fake_region_fini(&r[0]);
            fake_region_fini(&r[1]);
            esp_close(e);
            fake_free(f);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on),
        cmocka_unit_test(as_it_is),
        cmocka_unit_test(from_the_beginning),
        cmocka_unit_test(bits_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
