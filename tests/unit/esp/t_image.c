/* SPDX-License-Identifier: Apache-2.0
 * Image and partition formats against literal bytes. The digests were made with sha256sum(1) and
 * md5sum(1) over the bytes shown; those of the published images with an outside image tool. */
#include "unit/t.h"

#include "base/buf.h"
#include "base/cursor.h"
#include "base/file.h"
#include "esp/image.h"
#include "esp/partition.h"

#include <limits.h>

/* an ESP32-C3 image of one segment: bytes 00..0f, whose XOR is 0, so the checksum is the seed */
static const uint8_t hand[] = {
    0xe9, 0x01, 0x00, 0x00, 0x00, 0x04, 0x08, 0x40, 0xee, 0x00, 0x00, 0x00, 0x05, 0x00, 0x03, 0x03,
    0x00, 0xc7, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x18, 0x00, 0xff, 0x3f, 0x10, 0x00, 0x00, 0x00,
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xef,
};
static const char hand_sha[] = "5852c54a5d3d6c59038ce15af6e26efaff5e05a2039ede03cdcc5e0c9f80d28e";
/* the same with bytes 2 and 3 set to 02 4f: dio, 16MB, 80m */
static const char patched_sha[] = "ca721eeee9c2bae4cd51bf23237cd5b13b68af1f4337d7908a2f529c59ff01bd";

enum { WHOLE = sizeof hand + 32 };

static void hand_image(uint8_t out[static WHOLE])
{
    memcpy(out, hand, sizeof hand);
    assert_true(fl_unhex(hand_sha, out + sizeof hand, 32));
}

static void parses_literal_bytes(void **state)
{
    (void)state;
    uint8_t bytes[WHOLE];
    struct esp_image i;
    struct fl_why why;
    hand_image(bytes);
    assert_int_equal(esp_image_parse(bytes, WHOLE, esp_image_chip("esp32c3"), &i, &why), FL_OK);
    assert_int_equal(i.mode, 0);
    assert_int_equal(i.size_code, 0);
    assert_int_equal(i.freq_code, 0);
    assert_int_equal(i.entry, 0x40080400);
    assert_int_equal(i.wp_pin, 0xee);
    assert_int_equal(i.chip_id, 5);
    assert_int_equal(i.min_rev, 3);
    assert_int_equal(i.min_rev_full, 3);
    assert_int_equal(i.max_rev_full, 199);
    assert_true(i.hash_appended);
    assert_true(i.hash_ok);
    assert_int_equal(i.n_segments, 1);
    assert_int_equal(i.segments[0].addr, 0x3fff0018);
    assert_int_equal(i.segments[0].size, 16);
    assert_int_equal(i.segments[0].data_at, 32);
    assert_int_equal(i.checksum_at, 63);
    assert_int_equal(i.checksum, 0xef);
    assert_int_equal(i.size, WHOLE);
}

static void patches_header_and_hash(void **state)
{
    (void)state;
    const struct esp_image_chip *c3 = esp_image_chip("esp32c3");
    uint8_t bytes[WHOLE + 5], sha[32];
    bool changed;
    hand_image(bytes);
    memcpy(bytes + WHOLE, "after", 5); /* what a merged file holds after the image */
    struct esp_image_patch p = {esp_image_mode_code("dio"), esp_image_freq_code(c3, "80m"),
                                esp_image_size_code(c3, 16u << 20)};
    assert_int_equal(esp_image_patch(bytes, sizeof bytes, c3, p, &changed, NULL), FL_OK);
    assert_true(changed);
    assert_int_equal(bytes[2], 0x02);
    assert_int_equal(bytes[3], 0x4f);
    assert_true(fl_unhex(patched_sha, sha, 32));
    assert_memory_equal(bytes + sizeof hand, sha, 32);
    assert_memory_equal(bytes + 4, hand + 4, sizeof hand - 4);
    assert_memory_equal(bytes + WHOLE, "after", 5);
    /* nothing to change: nothing changed */
    assert_int_equal(esp_image_patch(bytes, sizeof bytes, c3, p, &changed, NULL), FL_OK);
    assert_false(changed);
    p = (struct esp_image_patch){-1, -1, -1};
    assert_int_equal(esp_image_patch(bytes, sizeof bytes, c3, p, &changed, NULL), FL_OK);
    assert_false(changed);
}

static void patches_without_hash(void **state)
{
    (void)state;
    uint8_t bytes[sizeof hand + 8];
    bool changed;
    memcpy(bytes, hand, sizeof hand);
    memset(bytes + sizeof hand, 0x77, 8);
    bytes[23] = 0;
    struct esp_image_patch p = {2, -1, 3};
    assert_int_equal(esp_image_patch(bytes, sizeof bytes, NULL, p, &changed, NULL), FL_OK);
    assert_true(changed);
    assert_int_equal(bytes[2], 2);
    assert_int_equal(bytes[3], 0x30);
    for (size_t i = sizeof hand; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], 0x77);
}

static void damaged_is_never_patched(void **state)
{
    (void)state;
    uint8_t bytes[WHOLE], was[WHOLE];
    bool changed;
    for (size_t at = 0; at < WHOLE; at++) {
        if (at == 23) /* this one says whether there is a hash: without it the image is right too */
            continue;
        hand_image(bytes);
        bytes[at] ^= 0xff;
        memcpy(was, bytes, WHOLE);
        struct esp_image_patch p = {3, 2, 7};
        assert_int_not_equal(esp_image_patch(bytes, WHOLE, NULL, p, &changed, NULL), FL_OK);
        assert_false(changed);
        assert_memory_equal(bytes, was, WHOLE);
    }
}

static void broken_images(void **state)
{
    (void)state;
    static const struct {
        size_t at, n;
        uint8_t bytes[8];
        size_t size; /* 0: all of it */
        enum fl_err err;
        const char *says;
    } rows[] = {
        {0, 1, {0x00}, 0, FL_NOT_FOUND, "starts with 00"},
        {0, 1, {0xea}, 0, FL_UNSUPPORTED, "second generation"},
        {1, 1, {0}, 0, FL_FORMAT, "counts 0 segments"},
        {1, 1, {17}, 0, FL_FORMAT, "counts 17 segments"},
        {1, 1, {3}, 0, FL_FORMAT, "segment 3 has size 0xef000000"},
        {23, 1, {2}, 0, FL_FORMAT, "byte 23 is 02"},
        {28, 4, {0x11, 0, 0, 0}, 0, FL_FORMAT, "multiple of 4"},
        {28, 4, {0, 0, 0, 1}, 0, FL_FORMAT, "0x1000000"},
        {28, 4, {0xfc, 0xff, 0xff, 0xff}, 0, FL_FORMAT, "0xfffffffc"},
        {28, 4, {0x50, 0, 0, 0}, 0, FL_FORMAT, "segment 1 of 1 ends past the end"},
        {32, 1, {0x01}, 0, FL_MISMATCH, "checksum is ef, its bytes give ee"},
        {63, 1, {0xee}, 0, FL_MISMATCH, "checksum is ee"},
        {56, 1, {0x55}, 0, FL_MISMATCH, "SHA-256"},
        {95, 1, {0x00}, 0, FL_MISMATCH, "SHA-256"},
        {0, 0, {0}, 95, FL_FORMAT, "the hash lies past the end"},
        {0, 0, {0}, 63, FL_FORMAT, "the checksum lies past the end"},
        {0, 0, {0}, 47, FL_FORMAT, "segment 1 of 1 ends past the end"},
        {0, 0, {0}, 31, FL_FORMAT, "head of segment 1"},
        {0, 0, {0}, 23, FL_FORMAT, "header"},
        {0, 0, {0}, 1, FL_FORMAT, "header"},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        uint8_t bytes[WHOLE];
        struct esp_image image;
        struct fl_why why = {0};
        hand_image(bytes);
        memcpy(bytes + rows[i].at, rows[i].bytes, rows[i].n);
        size_t n = rows[i].size ? rows[i].size : sizeof bytes;
        enum fl_err err = esp_image_parse(bytes, n, NULL, &image, &why);
        if (err != rows[i].err || !strstr(why.text, rows[i].says))
            fail_msg("row %zu: %s: %s", i, fl_err_text(err), why.text);
    }
    struct esp_image image;
    assert_int_equal(esp_image_parse(hand, 0, NULL, &image, NULL), FL_NOT_FOUND);
}

static void esp8266_has_a_short_header(void **state)
{
    (void)state;
    /* 8 header bytes, a segment of 4 (XOR 0x12^0x34^0x56^0x78 = 08), checksum ef ^ 08 = e7 at 31 */
    static const uint8_t bytes[32] = {
        0xe9, 0x01, 0x02, 0x40, 0x00, 0x01, 0x10, 0x40, 0x00, 0x01, 0x10, 0x40, 0x04, 0x00, 0x00, 0x00,
        0x12, 0x34, 0x56, 0x78, [31] = 0xe7,
    };
    struct esp_image i;
    assert_int_equal(esp_image_parse(bytes, 32, esp_image_chip("esp8266"), &i, NULL), FL_OK);
    assert_int_equal(i.size, 32);
    assert_int_equal(esp_image_size_bytes(esp_image_chip("esp8266"), i.size_code), 4u << 20);
    /* facts 3.9: 5 and 6 are other maps of 2 and 4 MB; nobody who asks for a size means them */
    assert_int_equal(esp_image_size_bytes(esp_image_chip("esp8266"), 5), 2u << 20);
    assert_int_equal(esp_image_size_bytes(esp_image_chip("esp8266"), 6), 4u << 20);
    assert_int_equal(esp_image_size_code(esp_image_chip("esp8266"), 2u << 20), 3);
    assert_int_equal(esp_image_size_code(esp_image_chip("esp8266"), 4u << 20), 4);
    assert_int_not_equal(esp_image_parse(bytes, 32, esp_image_chip("esp32"), &i, NULL), FL_OK);
}

/* legacy byte, lowest, highest as stored; what they mean */
static void revisions(void **state)
{
    (void)state;
    static const struct {
        uint16_t chip;
        uint8_t legacy;
        uint16_t lo, hi;
        unsigned min, max;
    } rows[] = {
        {0, 0, 0, 0, 0, UINT_MAX},     {0, 3, 0, 0, 300, UINT_MAX},    {5, 3, 0, 0, 3, UINT_MAX},
        {5, 3, 3, 199, 3, 199},        {0, 0, 0, 399, 0, 399},         {0, 1, 0, 65535, 100, UINT_MAX},
        {9, 0, 0, 65535, 0, UINT_MAX}, {0, 1, 301, 65535, 301, UINT_MAX},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct esp_image image = {.chip_id = rows[i].chip, .min_rev = rows[i].legacy,
                                  .min_rev_full = rows[i].lo, .max_rev_full = rows[i].hi};
        unsigned min, max;
        esp_image_revisions(&image, &min, &max);
        assert_int_equal(min, rows[i].min);
        assert_int_equal(max, rows[i].max);
    }
}

/* literal values of the chips' documentation, so that a slip in the table shows */
static void chip_table(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int id;
        uint32_t boot;
        int f80, f40, slowest;
        const char *slow;
    } rows[] = {
        {"esp8266", 0, 0, 0xf, 0, 2, "20m"},      {"esp32", 0, 0x1000, 0xf, 0, 2, "20m"},
        {"esp32s2", 2, 0x1000, 0xf, 0, 2, "20m"}, {"esp32s3", 9, 0, 0xf, 0, 2, "20m"},
        {"esp32c2", 12, 0, -1, -1, 2, "15m"},     {"esp32c3", 5, 0, 0xf, 0, 2, "20m"},
        {"esp32c5", 23, 0x2000, 0xf, 0, 2, "20m"}, {"esp32c6", 13, 0, 0, 0, 2, "20m"},
        {"esp32c61", 20, 0, 0xf, 0, 2, "20m"},    {"esp32h2", 16, 0, -1, -1, 2, "12m"},
        {"esp32p4", 18, 0x2000, 0xf, 0, 2, "20m"},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        const struct esp_image_chip *c = esp_image_chip(rows[i].name);
        assert_non_null(c);
        assert_ptr_equal(c, esp_image_chip_at(i));
        assert_int_equal(c->id, rows[i].id);
        assert_int_equal(c->bootloader_offset, rows[i].boot);
        assert_int_equal(esp_image_freq_code(c, "80m"), rows[i].f80);
        assert_int_equal(esp_image_freq_code(c, "40m"), rows[i].f40);
        assert_int_equal(esp_image_freq_code(c, rows[i].slow), rows[i].slowest);
        if (!c->short_header) {
            assert_ptr_equal(esp_image_chip_by_id(c->id), c);
            assert_int_equal(esp_image_size_code(c, 1u << 20), 0);
            assert_int_equal(esp_image_size_code(c, 128u << 20), 7);
        }
    }
    assert_null(esp_image_chip_at(T_COUNT(rows)));
    assert_null(esp_image_chip("esp33"));
    assert_null(esp_image_chip_by_id(4));
    assert_int_equal(esp_image_size_code(esp_image_chip("esp8266"), 512u << 10), 0);
    assert_int_equal(esp_image_size_code(esp_image_chip("esp8266"), 16u << 20), 9);
    assert_int_equal(esp_image_size_code(esp_image_chip("esp32"), 3u << 20), -1);
    static const char *const modes[] = {"qio", "qout", "dio", "dout"};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(esp_image_mode_code(modes[i]), i);
        assert_string_equal(esp_image_mode_name((uint8_t)i), modes[i]);
    }
    assert_int_equal(esp_image_mode_code("keep"), -1);
    assert_null(esp_image_mode_name(4));
}

/* Every truncation and every single-byte change of an image of several segments: an answer, and never "all
 * right" where a byte under the hash differs. The bytes lie at the end of a heap block, so that a
 * read past them is seen. */
static void hostile_images(void **state)
{
    (void)state;
    enum { N = 24 + 3 * 8 + 256 + 64 + 4 };
    uint8_t base[512] = {0xe9, 3, 2, 0x20, [8] = 0xee, [23] = 1};
    static const uint32_t sizes[] = {256, 64, 4};
    size_t at = 24;
    uint8_t sum = 0xef;
    for (int s = 0; s < 3; s++) {
        fl_put_u32le(base + at, 0x40080000u);
        fl_put_u32le(base + at + 4, sizes[s]);
        at += 8;
        for (uint32_t i = 0; i < sizes[s]; i++, at++) {
            base[at] = (uint8_t)(i * 37u + (unsigned)s);
            sum ^= base[at];
        }
    }
    assert_int_equal(at, N);
    at |= 15;
    base[at++] = sum;
    assert_int_equal(fl_sha256(base, at, base + at), FL_OK);
    size_t n = at + 32;
    struct esp_image image;
    struct esp_image_app app;
    struct esp_image_boot boot;
    assert_int_equal(esp_image_parse(base, n, NULL, &image, NULL), FL_OK);
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *p = malloc(cut + 1);
        memcpy(p + 1, base, cut);
        assert_int_not_equal(esp_image_parse(p + 1, cut, NULL, &image, NULL), FL_OK);
        free(p);
    }
    for (size_t flip = 0; flip < n; flip++) {
        for (unsigned x = 1; x < 256; x += flip < 64 ? 1 : 41) {
            uint8_t *p = malloc(n);
            memcpy(p, base, n);
            p[flip] ^= (uint8_t)x;
            enum fl_err err = esp_image_parse(p, n, NULL, &image, NULL);
            assert_true(err != FL_OK || (flip == 23 && p[23] == 0));
            if (err == FL_OK || err == FL_MISMATCH) {
                (void)esp_image_app(p, &image, &app);
                (void)esp_image_boot(p, &image, &boot);
            }
            free(p);
        }
    }
}

/* ---- partition tables -------------------------------------------------------------------------- */

static void row(uint8_t *p, uint8_t type, uint8_t sub, uint32_t off, uint32_t size, const char *label)
{
    memset(p, 0, 32);
    p[0] = 0xaa;
    p[1] = 0x50;
    p[2] = type;
    p[3] = sub;
    fl_put_u32le(p + 4, off);
    fl_put_u32le(p + 8, size);
    memcpy(p + 12, label, strlen(label));
}

/* the well-known three-row table: nvs, phy_init, factory */
static void vector_table(uint8_t t[static 0xc00])
{
    memset(t, 0xff, 0xc00);
    row(t, 1, 2, 0x9000, 0x6000, "nvs");
    row(t + 32, 1, 1, 0xf000, 0x1000, "phy_init");
    row(t + 64, 0, 0, 0x10000, 0x100000, "factory");
    t[96] = t[97] = 0xeb;
    assert_true(fl_unhex("f4ad4f4538564b5d7435b62c75b69524", t + 112, 16));
}

static void partition_vector(void **state)
{
    (void)state;
    uint8_t t[0xc00], sha[32];
    char hex[65], buf[8];
    struct esp_partition_table table;
    vector_table(t);
    assert_int_equal(fl_sha256(t, sizeof t, sha), FL_OK);
    fl_hex(sha, 32, hex);
    assert_string_equal(hex, "7f00b6c042a89b15b0cac534f82ed988caf29278ff5700b0c511eb1b5bb7c820");
    assert_int_equal(esp_partition_parse(t, sizeof t, &table, NULL), FL_OK);
    assert_int_equal(table.n, 3);
    assert_true(table.has_md5);
    assert_string_equal(table.rows[1].label, "phy_init");
    assert_int_equal(table.rows[2].offset, 0x10000);
    assert_int_equal(table.rows[2].size, 0x100000);
    assert_string_equal(esp_partition_kind(&table.rows[0], buf), "nvs");
    assert_string_equal(esp_partition_kind(&table.rows[2], buf), "factory");
    struct esp_partition ota = {.type = 0, .subtype = 0x1f};
    assert_string_equal(esp_partition_kind(&ota, buf), "ota_15");
    ota.subtype = 0x21;
    assert_null(esp_partition_kind(&ota, buf));
}

static void broken_partitions(void **state)
{
    (void)state;
    uint8_t t[0xc00];
    struct esp_partition_table table;
    struct fl_why why;
    for (size_t i = 0; i < 128; i++) { /* every byte of rows and MD5 row matters */
        vector_table(t);
        t[i] ^= 0x40;
        enum fl_err err = esp_partition_parse(t, sizeof t, &table, NULL);
        if (i >= 98 && i < 112)
            assert_int_equal(err, FL_OK); /* filler of the MD5 row */
        else
            assert_int_not_equal(err, FL_OK);
    }
    vector_table(t);
    t[40] ^= 1;
    assert_int_equal(esp_partition_parse(t, sizeof t, &table, &why), FL_MISMATCH);
    assert_int_equal(table.n, 3);
    vector_table(t);
    t[32] = 0x12;
    assert_int_equal(esp_partition_parse(t, sizeof t, &table, &why), FL_FORMAT);
    assert_non_null(strstr(why.text, "row 2 starts with 12 50"));
    for (size_t cut = 0; cut < sizeof t; cut++) { /* a cut table reads as a shorter one, or as none */
        uint8_t *p = malloc(cut + 1);
        vector_table(t);
        memcpy(p + 1, t, cut);
        enum fl_err err = esp_partition_parse(p + 1, cut, &table, NULL);
        assert_true(err == FL_OK || (err == FL_NOT_FOUND && cut < 2));
        free(p);
    }
    uint8_t many[97 * 32];
    for (uint32_t i = 0; i < 97; i++)
        row(many + 32 * i, 1, 0x40, 0x10000 + i * 0x1000, 0x1000, "x");
    assert_int_equal(esp_partition_parse(many, sizeof many, &table, &why), FL_FORMAT);
    assert_non_null(strstr(why.text, "more than 95"));
    assert_int_equal(esp_partition_parse(many, 95 * 32, &table, &why), FL_OK);
    assert_int_equal(table.n, 95);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_literal_bytes),
        cmocka_unit_test(patches_header_and_hash),
        cmocka_unit_test(patches_without_hash),
        cmocka_unit_test(damaged_is_never_patched),
        cmocka_unit_test(broken_images),
        cmocka_unit_test(esp8266_has_a_short_header),
        cmocka_unit_test(revisions),
        cmocka_unit_test(chip_table),
        cmocka_unit_test(hostile_images),
        cmocka_unit_test(partition_vector),
        cmocka_unit_test(broken_partitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
