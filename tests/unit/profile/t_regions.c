/* SPDX-License-Identifier: Apache-2.0
 * Regions against the bytes they came from: inflated by zlib (not by the library that compressed them),
 * hashed by a second method, patched as the image format says. */
#include "unit/profile/fixture.h"

#include "profile/profile.h"

#include <limits.h>
#include <pthread.h>
#include <zlib.h>

struct set {
    char *dir, *path;
    struct profile *p;
};

static struct set load(const char *yaml)
{
    struct set s = {.dir = fx_dir()};
    struct profile_problems problems = {0};
    fx_put_image(s.dir, "boot.bin", 0, fx_boot_lead, sizeof fx_boot_lead, 20000);
    fx_put_image(s.dir, "app.bin", 0, fx_app_lead, sizeof fx_app_lead, 700004);
    fx_put(s.dir, "odd.bin", "seven b", 7);
    uint8_t noise[100000]; /* does not compress */
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 23);
    fx_put(s.dir, "noise.bin", noise, sizeof noise);
    s.path = fx_write(s.dir, "p.yaml", yaml, strlen(yaml));
    enum fl_err err = profile_load(s.path, &s.p, &problems);
    for (size_t i = 0; i < problems.n; i++)
        print_message("%s\n", problems.list[i].text);
    assert_int_equal(err, FL_OK);
    profile_problems_fini(&problems);
    return s;
}

static void drop(struct set *s)
{
    profile_free(s->p);
    fx_remove(s->dir);
    free(s->path);
}

#define YAML(flash)                                                                                \
    "profile: r\nchip: esp32\nflash: {" flash "}\nimages:\n"                                       \
    "  - {offset: 0x1000, file: boot.bin}\n"                                                       \
    "  - {offset: 0x10000, file: app.bin}\n"                                                       \
    "  - {offset: 0x200000, file: odd.bin}\n"                                                      \
    "  - {offset: 0x210000, file: noise.bin}\n"

static void inflated_is_plain(const struct esp_region *r)
{
    uint8_t *out = malloc(r->size + 1), md5[16];
    uLongf n = r->size + 1;
    if (r->deflated) {
        assert_true(r->deflated_size < r->size);
        assert_int_equal(uncompress(out, &n, r->deflated, r->deflated_size), Z_OK);
        assert_int_equal(n, r->size);
        assert_memory_equal(out, r->plain, n);
    }
    assert_int_equal(fl_md5(r->plain, r->size, md5), FL_OK);
    assert_memory_equal(md5, r->md5, 16);
    free(out);
}

/* Every region, put where it says, gives the files as patched, padded with ff, and nothing else. */
static void check_set(const struct set *s, uint64_t flash_size, uint8_t mode, uint8_t size_freq)
{
    const struct esp_region *r;
    size_t n, total = 0;
    uint8_t *flash = malloc(4u << 20);
    memset(flash, 0x5a, 4u << 20);
    assert_int_equal(profile_regions(s->p, flash_size, &r, &n, NULL), FL_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(r[i].size % 4, 0);
        assert_int_equal(r[i].offset % 0x1000, 0);
        assert_true(r[i].size <= 256u << 10);
        if (i > 0 && r[i - 1].offset + r[i - 1].size == r[i].offset)
            assert_int_equal(r[i].offset % (256u << 10), 0); /* a cut */
        inflated_is_plain(&r[i]);
        assert_true(i == 0 || r[i].offset >= r[i - 1].offset + r[i - 1].size);
        memcpy(flash + r[i].offset, r[i].plain, r[i].size);
        total += r[i].size;
    }
    size_t want = 0;
    for (size_t i = 0; i < s->p->n_images; i++) {
        const struct profile_image *f = &s->p->images[i];
        char *path = fl_path_join(s->dir, f->file);
        struct fl_buf file = FL_BUF(8u << 20);
        assert_int_equal(fl_file_read(path, &file, NULL), FL_OK);
        assert_int_equal(file.len, f->size);
        if (f->offset == 0x1000) { /* what the format says: bytes 2 and 3, and the hash over all before it */
            file.bytes[2] = mode;
            file.bytes[3] = size_freq;
            assert_int_equal(fl_sha256(file.bytes, file.len - 32, file.bytes + file.len - 32), FL_OK);
        }
        assert_memory_equal(flash + f->offset, file.bytes, file.len);
        size_t end = (file.len + 3) / 4 * 4;
        for (size_t k = file.len; k < end; k++)
            assert_int_equal(flash[f->offset + k], 0xff);
        want += end;
        fl_buf_fini(&file);
        free(path);
    }
    assert_int_equal(total, want);
    free(flash);
}

static void kept_header(void **state)
{
    (void)state;
    struct set s = load(YAML(""));
    assert_false(s.p->patches_header);
    check_set(&s, 0, 0x02, 0x20);
    check_set(&s, 16u << 20, 0x02, 0x20);
    drop(&s);
}

static void fixed_header(void **state)
{
    (void)state;
    struct set s = load(YAML("mode: qio, freq: 80m, size: 8MB"));
    struct fl_why why = {0};
    const struct esp_region *r;
    size_t n;
    assert_true(s.p->patches_header);
    assert_int_equal(s.p->flash_size, 8u << 20);
    check_set(&s, 0, 0x00, 0x3f);
    check_set(&s, 16u << 20, 0x00, 0x3f);
    assert_int_equal(profile_regions(s.p, 4u << 20, &r, &n, &why), FL_LIMIT);
    assert_string_equal(why.text, "flash.size is 8192 KB, the flash has 4096 KB: the application would not start");
    drop(&s);
}

static void detected_sizes_share_the_rest(void **state)
{
    (void)state;
    struct set s = load(YAML("mode: dio, freq: 40m, size: detect"));
    static const uint8_t codes[] = {0x20, 0x30, 0x40, 0x50, 0x60, 0x70};
    const struct esp_region *first, *r, *again;
    size_t n, m;
    check_set(&s, 0, 0x02, 0x20);
    assert_int_equal(profile_regions(s.p, 0, &first, &n, NULL), FL_OK);
    for (size_t i = 0; i < T_COUNT(codes); i++) {
        check_set(&s, (uint64_t)4 << (20 + i), 0x02, codes[i]);
        assert_int_equal(profile_regions(s.p, (uint64_t)4 << (20 + i), &r, &m, NULL), FL_OK);
        assert_int_equal(n, m);
        for (size_t k = 0; k < n; k++) {
            bool same = k > 0 || codes[i] == 0x20; /* the fixture's own header says 20 */
            assert_int_equal(r[k].plain == first[k].plain, same);
            assert_int_equal(r[k].deflated == first[k].deflated, same);
        }
        assert_int_equal(profile_regions(s.p, (uint64_t)4 << (20 + i), &again, &m, NULL), FL_OK);
        assert_ptr_equal(r, again); /* made once */
    }
    struct fl_why why = {0};
    assert_int_equal(profile_regions(s.p, 256u << 20, &r, &m, &why), FL_UNSUPPORTED);
    assert_int_equal(profile_regions(s.p, 2u << 20, &r, &m, &why), FL_LIMIT);
    assert_string_equal(why.text, "odd.bin ends at 0x200007, the flash has 0x200000 bytes");
    assert_null(r);
    drop(&s);
}

static void plain_where_it_is_smaller(void **state)
{
    (void)state;
    struct set s = load(YAML(""));
    const struct esp_region *r;
    size_t n;
    assert_int_equal(profile_regions(s.p, 0, &r, &n, NULL), FL_OK);
    assert_int_equal(r[n - 1].offset, 0x210000);
    assert_null(r[n - 1].deflated);
    assert_null(r[n - 2].deflated); /* eight bytes */
    assert_non_null(r[0].deflated);
    drop(&s);
}

struct asker {
    const struct profile *p;
    uint64_t size;
    const struct esp_region *got;
};

static void *ask(void *ctx)
{
    struct asker *a = ctx;
    size_t n;
    const struct esp_region *early = NULL;
    if (profile_regions_early(a->p, a->size, &early, &n, NULL) || profile_regions(a->p, a->size, &a->got, &n, NULL) ||
        a->got != early)
        a->got = NULL;
    return NULL;
}

static void many_threads_get_one_set(void **state)
{
    (void)state;
    struct set s = load(YAML("size: detect"));
    struct asker a[12];
    pthread_t t[12];
    for (size_t i = 0; i < 12; i++) {
        a[i] = (struct asker){s.p, (uint64_t)4 << (20 + i % 3), NULL};
        assert_int_equal(pthread_create(&t[i], NULL, ask, &a[i]), 0);
    }
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(pthread_join(t[i], NULL), 0);
    for (size_t i = 0; i < 12; i++) {
        assert_non_null(a[i].got);
        assert_ptr_equal(a[i].got, a[i % 3].got);
    }
    assert_ptr_not_equal(a[0].got, a[1].got);
    drop(&s);
}

/* What a board that holds the image is asked for is there before anything is compressed; the set is the same one. */
static void early_then_all(void **state)
{
    (void)state;
    struct set s = load(YAML("size: detect"));
    const struct esp_region *early[3], *r;
    size_t n, m;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(profile_regions_early(s.p, (uint64_t)4 << (20 + i), &early[i], &n, NULL), FL_OK);
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < n; k++) {
            uint8_t md5[FL_MD5_SIZE];
            assert_int_equal(fl_md5(early[i][k].plain, early[i][k].size, md5), FL_OK);
            assert_memory_equal(early[i][k].md5, md5, sizeof md5);
        }
    profile_begin(s.p);
    profile_begin(s.p);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(profile_regions(s.p, (uint64_t)4 << (20 + i), &r, &m, NULL), FL_OK);
        assert_ptr_equal(r, early[i]);
        assert_int_equal(m, n);
        for (size_t k = 0; k < n; k++)
            if (r[k].deflated)
                inflated_is_plain(&r[k]);
        assert_non_null(r[0].deflated);
    }
    drop(&s);
}

/* Loaded, begun, never asked for. */
static void begun_for_nobody(void **state)
{
    (void)state;
    struct set s = load(YAML("size: detect"));
    profile_begin(s.p);
    drop(&s);
}

/* A bootloader, table and application merged into one file: the hash belongs to the first image, and what
 * follows it stays. The bytes were made by an outside image tool from the published file. */
static void published_image_patched(void **state)
{
    (void)state;
    static const char file[] = "../shared/firmware/m5stack-m5cloud-v0.4.0/m5cloud-20180516-v0.4.0.bin";
    struct fl_buf bytes = FL_BUF(4u << 20);
    enum fl_err err = fl_file_read(file, &bytes, NULL);
    if (err == FL_NOT_FOUND) {
        print_message("no real images beside the checkout (%s)\n", file);
        skip();
    }
    assert_int_equal(err, FL_OK);
    struct set s = {.dir = fx_dir()};
    struct profile_problems problems = {0};
    fx_put(s.dir, "m.bin", bytes.bytes, bytes.len);
    static const char yaml[] = "profile: m\nchip: esp32\nflash: {mode: dio, freq: 80m, size: detect}\n"
                               "images: [{offset: 0x1000, file: m.bin}]\n";
    s.path = fx_write(s.dir, "p.yaml", yaml, sizeof yaml - 1);
    assert_int_equal(profile_load(s.path, &s.p, &problems), FL_OK);
    const struct esp_region *r;
    struct fl_hash *h;
    uint8_t sha[32];
    char hex[65];
    size_t n;
    assert_int_equal(profile_regions(s.p, 4u << 20, &r, &n, NULL), FL_OK);
    assert_int_equal(n, 7);
    assert_int_equal(fl_hash_new(FL_HASH_SHA256, &h), FL_OK);
    for (size_t i = 0; i < n; i++) {
        inflated_is_plain(&r[i]);
        fl_hash_add(h, r[i].plain, r[i].size);
    }
    assert_int_equal(fl_hash_end(h, sha), FL_OK);
    fl_hash_free(h);
    fl_hex(sha, 32, hex);
    assert_string_equal(hex, "43159ec1e07538ea2d3236e289c0054329a1efc8e900fd33a9aad34d835ab380");
    fl_buf_fini(&bytes);
    drop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_header),
        cmocka_unit_test(fixed_header),
        cmocka_unit_test(detected_sizes_share_the_rest),
        cmocka_unit_test(plain_where_it_is_smaller),
        cmocka_unit_test(early_then_all),
        cmocka_unit_test(begun_for_nobody),
        cmocka_unit_test(many_threads_get_one_set),
        cmocka_unit_test(published_image_patched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
