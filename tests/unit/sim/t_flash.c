/* SPDX-License-Identifier: Apache-2.0
 * The flash model: NOR rules, faults, state file. */
#include "unit/t.h"

#include "base/file.h"
#include "sim/flash.h"
#include "sim/state.h"

#include <sys/stat.h>
#include <unistd.h>

static struct sim_flash_spec spec(uint32_t size)
{
    return (struct sim_flash_spec){.size = size, .jedec = 0x1640EF, .slow = 1};
}

static void programming_only_clears_bits(void **state)
{
    struct sim_flash f;
    struct sim_flash_spec s = spec(1 << 20);
    uint8_t b[4];
    (void)state;
    assert_int_equal(sim_flash_init(&f, &s, NULL, NULL), FL_OK);
    sim_flash_read(&f, 0x1000, b, 4);
    assert_memory_equal(b, "\xFF\xFF\xFF\xFF", 4);
    assert_true(sim_flash_program(&f, 0x1000, "\xF0\x0F\xAA\xFF", 4));
    assert_true(sim_flash_program(&f, 0x1000, "\x3C\x3C\xFF\xFF", 4));
    sim_flash_read(&f, 0x1000, b, 4);
    assert_memory_equal(b, "\x30\x0C\xAA\xFF", 4);
    assert_false(sim_flash_blank(&f, 0x1FFF));
    assert_true(sim_flash_blank(&f, 0x2000));
    assert_true(sim_flash_erase(&f, 0x1800, 1)); /* the sector it lies in */
    sim_flash_read(&f, 0x1000, b, 4);
    assert_memory_equal(b, "\xFF\xFF\xFF\xFF", 4);
    assert_int_equal(f.sectors_erased, 1);
    /* over a sector's edge, and over the end of the chip: it wraps */
    assert_true(sim_flash_program(&f, 0x2FFE, "\x01\x02\x03\x04", 4));
    sim_flash_read(&f, 0x2FFE, b, 4);
    assert_memory_equal(b, "\x01\x02\x03\x04", 4);
    assert_true(sim_flash_program(&f, (1 << 20) + 0x5000, "\x11", 1));
    sim_flash_read(&f, 0x5000, b, 1);
    assert_int_equal(b[0], 0x11);
    sim_flash_fini(&f);
}

static void bad_chips(void **state)
{
    struct sim_flash f;
    uint8_t b[8], sr[1], zero[1] = {0};
    (void)state;
    /* stuck: what is written there is never what is read, whatever it is */
    struct sim_flash_spec s = spec(1 << 20);
    s.stuck[0] = 0x20100;
    s.n_stuck = 1;
    assert_int_equal(sim_flash_init(&f, &s, NULL, NULL), FL_OK);
    static const uint8_t values[] = {0x00, 0xFE, 0x01, 0x5A};
    for (size_t i = 0; i < sizeof values; i++) {
        assert_true(sim_flash_erase(&f, 0x1F000, 2 * SIM_SECTOR));
        assert_true(sim_flash_program(&f, 0x1FFFF, (uint8_t[]){values[i], values[i], values[i]}, 3));
        sim_flash_read(&f, 0x1FFFF, b, 3);
        assert_int_equal(b[0], values[i]);
        assert_int_not_equal(b[1], values[i]);
        assert_int_equal(b[2], values[i]);
    }
    sim_flash_fini(&f);
    /* protected by its status register, until a client clears that: 06, 01 00 */
    s = spec(1 << 20);
    s.protect = true;
    assert_int_equal(sim_flash_init(&f, &s, NULL, NULL), FL_OK);
    assert_true(sim_flash_program(&f, 0, "\x00", 1));
    sim_flash_read(&f, 0, b, 1);
    assert_int_equal(b[0], 0xFF);
    sim_flash_spi(&f, 0x01, 0, zero, 1, NULL, 0); /* without 06: ignored */
    sim_flash_spi(&f, 0x05, 0, NULL, 0, sr, 1);
    assert_int_equal(sr[0], 0x1C);
    sim_flash_spi(&f, 0x06, 0, NULL, 0, NULL, 0);
    sim_flash_spi(&f, 0x05, 0, NULL, 0, sr, 1);
    assert_int_equal(sr[0], 0x1E);
    sim_flash_spi(&f, 0x01, 0, zero, 1, NULL, 0);
    sim_flash_spi(&f, 0x05, 0, NULL, 0, sr, 1);
    assert_int_equal(sr[0], 0);
    assert_true(sim_flash_program(&f, 0, "\x00", 1));
    sim_flash_read(&f, 0, b, 1);
    assert_int_equal(b[0], 0);
    sim_flash_fini(&f);
    /* dead: nothing answers */
    s = spec(1 << 20);
    s.dead = true;
    assert_int_equal(sim_flash_init(&f, &s, NULL, NULL), FL_OK);
    sim_flash_spi(&f, 0x9F, 0, NULL, 0, b, 3);
    assert_memory_equal(b, "\xFF\xFF\xFF", 3);
    sim_flash_fini(&f);
}

static void spi_commands(void **state)
{
    struct sim_flash f;
    struct sim_flash_spec s = spec(4 << 20);
    uint8_t b[8];
    (void)state;
    assert_int_equal(sim_flash_init(&f, &s, NULL, NULL), FL_OK);
    sim_flash_spi(&f, 0x9F, 0, NULL, 0, b, 3);
    assert_memory_equal(b, "\xEF\x40\x16", 3);
    sim_flash_spi(&f, 0x5A, 0x84, NULL, 0, b, 4); /* density: bits - 1 */
    assert_memory_equal(b, "\xFF\xFF\xFF\x01", 4);
    sim_flash_spi(&f, 0x02, 0x3000, (const uint8_t *)"abc", 3, NULL, 0); /* without 06: ignored */
    sim_flash_spi(&f, 0x03, 0x3000, NULL, 0, b, 3);
    assert_memory_equal(b, "\xFF\xFF\xFF", 3);
    sim_flash_spi(&f, 0x06, 0, NULL, 0, NULL, 0);
    sim_flash_spi(&f, 0x02, 0x3000, (const uint8_t *)"abc", 3, NULL, 0);
    sim_flash_spi(&f, 0x03, 0x3000, NULL, 0, b, 3);
    assert_memory_equal(b, "abc", 3);
    sim_flash_spi(&f, 0x06, 0, NULL, 0, NULL, 0);
    sim_flash_spi(&f, 0x20, 0x3ABC, NULL, 0, NULL, 0);
    sim_flash_spi(&f, 0x03, 0x3000, NULL, 0, b, 3);
    assert_memory_equal(b, "\xFF\xFF\xFF", 3);
    sim_flash_fini(&f);
}

static char *in_temp(const char *name)
{
    static char dir[] = "/tmp/t_flash.XXXXXX", path[200];
    static bool made;
    if (!made)
        assert_non_null(mkdtemp(dir));
    made = true;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void state_file(void **state)
{
    struct sim_flash f;
    struct sim_flash_spec s = spec(1 << 20);
    char *path = in_temp("b.bin");
    uint8_t b[4096], file[4096];
    struct stat st;
    struct fl_why why;
    (void)state;
    assert_int_equal(sim_flash_init(&f, &s, path, &why), FL_OK);
    memset(b, 0x5A, sizeof b);
    assert_true(sim_flash_program(&f, 0x20FF0, b, sizeof b));
    assert_true(sim_flash_program(&f, 0x80000, "x", 1));
    assert_true(sim_flash_erase(&f, 0x80000, SIM_SECTOR));
    /* the file holds it now, without anything being closed: that is what a kill leaves */
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(fstat(fileno(in), &st), 0);
    assert_int_equal(st.st_size, 1 << 20);
    assert_int_equal(fseek(in, 0x20FF0, SEEK_SET), 0);
    assert_int_equal(fread(file, 1, sizeof file, in), sizeof file);
    assert_memory_equal(file, b, sizeof b);
    assert_int_equal(fseek(in, 0x80000, SEEK_SET), 0);
    assert_int_equal(fread(file, 1, 1, in), 1);
    assert_int_equal(file[0], 0xFF);
    (void)fclose(in);
    sim_flash_fini(&f);
    assert_int_equal(sim_flash_init(&f, &s, path, &why), FL_OK);
    sim_flash_read(&f, 0x20FF0, file, sizeof file);
    assert_memory_equal(file, b, sizeof b);
    assert_true(sim_flash_blank(&f, 0x80000));
    sim_flash_fini(&f);
    s.size = 2 << 20;
    assert_int_equal(sim_flash_init(&f, &s, path, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "1048576"));
    assert_int_equal(unlink(path), 0);
}

static void state_folder(void **state)
{
    struct sim_spec a, b;
    struct fl_lock lock, second;
    struct fl_why why;
    char *dir = strdup(in_temp("state")), *file = NULL;
    (void)state;
    assert_non_null(dir);
    assert_int_equal(sim_state_open(dir, &lock, &why), FL_OK);
    assert_int_equal(sim_state_open(dir, &second, &why), FL_BUSY);
    sim_spec_init(&a, sim_chip_find("esp32"), 3, 1);
    a.revision = 101;
    assert_int_equal(sim_state_board(dir, &a, &file, &why), FL_OK);
    assert_non_null(strstr(file, "/board3.bin"));
    free(file);
    /* another seed, another revision: the board stays what it is */
    sim_spec_init(&b, sim_chip_find("esp32"), 3, 2);
    assert_memory_not_equal(a.mac, b.mac, 6);
    assert_int_equal(sim_state_board(dir, &b, &file, &why), FL_OK);
    free(file);
    assert_memory_equal(a.mac, b.mac, 6);
    assert_int_equal(b.revision, 101);
    sim_spec_init(&b, sim_chip_find("esp32c3"), 3, 2);
    assert_int_equal(sim_state_board(dir, &b, &file, &why), FL_MISMATCH);
    free(file);
    fl_lock_drop(&lock);
    static const char *const files[] = {"lock", "board3.efuse"};
    for (size_t i = 0; i < T_COUNT(files); i++) {
        char *path = fl_path_join(dir, files[i]);
        assert_int_equal(unlink(path), 0);
        free(path);
    }
    assert_int_equal(rmdir(dir), 0);
    *strrchr(dir, '/') = 0;
    assert_int_equal(rmdir(dir), 0);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programming_only_clears_bits), cmocka_unit_test(bad_chips),
        cmocka_unit_test(spi_commands), cmocka_unit_test(state_file), cmocka_unit_test(state_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
