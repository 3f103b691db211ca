/* SPDX-License-Identifier: Apache-2.0
 * audit/tiles: names and widths as C2SP tlog-tiles has them, and each hash in a tile against one made another way. With
 * FL_TILES=DIR the tiles of 70,000 leaves are written there, for Go's reader. */
#include "unit/t.h"

#include "audit/tiles.h"
#include "base/file.h"

static void names(void **state)
{
    (void)state;
    static const struct {
        int level;
        uint64_t n;
        unsigned width;
        const char *path;
    } row[] = {
        {0, 0, 0, "tile/0/000"},
        {0, 1234067, 0, "tile/0/x001/x234/067"}, /* the specification's own example */
        {0, 1234067, 8, "tile/0/x001/x234/067.p/8"},
        {2, 1000, 255, "tile/2/x001/000.p/255"},
        {-1, 999, 1, "tile/entries/999.p/1"},
        {0, UINT64_C(36028797018963967), 0, "tile/0/x036/x028/x797/x018/x963/967"}, /* the last of 2^63 leaves */
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        char path[TILE_PATH_MAX];
        tiles_path(row[i].level, row[i].n, row[i].width, path);
        assert_string_equal(path, row[i].path);
    }
}

struct seen {
    const char *dir;
    unsigned files, full[3], partial[3];
    char last[3][TILE_PATH_MAX];
    struct tree_hash level1; /* first hash of tile/1/000 */
    struct fl_hash *hasher;
};

static enum fl_err see(void *ctx, const char *path, const uint8_t *bytes, size_t n, struct fl_why *why)
{
    struct seen *s = ctx;
    s->files++;
    if (s->dir) {
        char *whole = fl_path_join(s->dir, path), *folder = fl_path_dir(whole);
        assert_int_equal(fl_dir_make(folder, why), FL_OK);
        FILE *f = fopen(whole, "w");
        assert_non_null(f);
        assert_int_equal(fwrite(bytes, 1, n, f), n);
        assert_int_equal(fclose(f), 0);
        free(folder);
        free(whole);
    }
    if (path[5] == 'e')
        return FL_OK;
    unsigned level = (unsigned)(path[5] - '0');
    assert_true(level < 3);
    bool part = strstr(path, ".p/") != NULL;
    (part ? s->partial : s->full)[level]++;
    assert_int_equal(n % 32, 0);
    if (part)
        assert_int_equal(n / 32, strtoul(strstr(path, ".p/") + 3, NULL, 10));
    else
        assert_int_equal(n, 8192);
    (void)strcpy(s->last[level], path);
    if (level == 1 && s->full[1] + s->partial[1] == 1)
        memcpy(s->level1.b, bytes, 32);
    return FL_OK;
}

static void seventy_thousand(void **state)
{
    (void)state;
    struct seen s = {.dir = getenv("FL_TILES")};
    const struct tiles_sink sink = {&s, see};
    struct tiles *t;
    struct tree_range first = {.size = 0};
    assert_int_equal(fl_hash_new(FL_HASH_SHA256, &s.hasher), FL_OK);
    assert_int_equal(tiles_new(&sink, &t, NULL), FL_OK);
    for (unsigned i = 0; i < 70000; i++) {
        char rec[30];
        struct tree_hash h, root;
        size_t n = (size_t)snprintf(rec, sizeof rec, "leaf %u", i);
        assert_int_equal(tree_leaf(s.hasher, rec, n, &h), FL_OK);
        assert_int_equal(tiles_add(t, &h, (const uint8_t *)rec, n, NULL), FL_OK);
        if (i < 256)
            assert_int_equal(tree_range_add(s.hasher, &first, &h, NULL, NULL), FL_OK);
        if (i == 256) { /* the same subtree by the compact range */
            assert_int_equal(tree_range_root(s.hasher, &first, &root), FL_OK);
            s.level1 = root;
        }
    }
    struct tree_hash want = s.level1;
    assert_int_equal(tiles_end(t, NULL), FL_OK);
    tiles_free(t);
    /* the specification's arithmetic: floor(70000 / 256^l), and what is over */
    assert_int_equal(s.full[0], 273);
    assert_string_equal(s.last[0], "tile/0/273.p/112");
    assert_int_equal(s.full[1], 1);
    assert_string_equal(s.last[1], "tile/1/001.p/17");
    assert_int_equal(s.full[2], 0);
    assert_string_equal(s.last[2], "tile/2/000.p/1");
    assert_int_equal(s.files, 274 * 2 + 2 + 1);
    assert_memory_equal(s.level1.b, want.b, 32);
    fl_hash_free(s.hasher);
}

static void nothing(void **state)
{
    (void)state;
    struct seen s = {.dir = NULL};
    const struct tiles_sink sink = {&s, see};
    struct tiles *t;
    assert_int_equal(tiles_new(&sink, &t, NULL), FL_OK);
    assert_int_equal(tiles_end(t, NULL), FL_OK);
    tiles_free(t);
    assert_int_equal(s.files, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(seventy_thousand), cmocka_unit_test(nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
