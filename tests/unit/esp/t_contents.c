/* SPDX-License-Identifier: Apache-2.0
 * What is found in files, from literal bytes. Digests by sha256sum(1) and md5sum(1), CRC by zlib's crc32 in another
 * language, over the bytes shown. */
#include "unit/t.h"

#include "base/cursor.h"
#include "esp/contents.h"

/* an ESP32 image of one segment, four bytes 01 02 04 08 whose XOR is 0f; ef ^ 0f = e0; no hash */
static const uint8_t image32[] = {
    0xe9, 0x01, 0x02, 0x20, 0x00, 0x04, 0x08, 0x40, 0xee, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x40, 0x3f, 0x04, 0x00, 0x00, 0x00,
    0x01, 0x02, 0x04, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe0,
};
/* an ESP8266 image of the first generation: one segment to RAM at 40100000 */
static const uint8_t image8266[] = {
    0xe9, 0x01, 0x02, 0x40, 0x00, 0x00, 0x10, 0x40, 0x00, 0x00, 0x10, 0x40, 0x04, 0x00, 0x00, 0x00,
    0x12, 0x34, 0x56, 0x78, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe7,
};
/* of the second: 16 mapped bytes, the image above, then crc32 ^ ffffffff where its top bit is set, else plus one */
static const uint8_t head_v2[] = {
    0xea, 0x04, 0x02, 0x40, 0x00, 0x00, 0x10, 0x40, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00,
    0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66,
};
static const uint8_t crc_v2[] = {0x93, 0x56, 0xe8, 0x37};
/* nvs 9000/6000, phy_init f000/1000, factory 10000/100000, and its known digest */
static const uint8_t table[] = {
    0xaa, 0x50, 0x01, 0x02, 0x00, 0x90, 0x00, 0x00, 0x00, 0x60, 0x00, 0x00, 'n',  'v',  's',  0,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0xaa, 0x50, 0x01, 0x01, 0x00, 0xf0, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 'p',  'h',  'y',  '_',
    'i',  'n',  'i',  't',  0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0xaa, 0x50, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x10, 0x00, 'f',  'a',  'c',  't',
    'o',  'r',  'y',  0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0xeb, 0xeb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xf4, 0xad, 0x4f, 0x45, 0x38, 0x56, 0x4b, 0x5d, 0x74, 0x35, 0xb6, 0x2c, 0x75, 0xb6, 0x95, 0x24,
};

enum { FILE_MAX = 0x20000 };

struct made {
    uint8_t bytes[FILE_MAX];
    size_t n;
    struct esp_contents c;
};

static int set_up(void **state)
{
    *state = malloc(sizeof(struct made));
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static void clear(struct made *m)
{
    memset(m->bytes, 0xff, sizeof m->bytes);
    m->n = 0;
}

static void put(struct made *m, size_t at, const void *bytes, size_t n)
{
    memcpy(m->bytes + at, bytes, n);
    if (at + n > m->n)
        m->n = at + n;
}

/* A copy of its own size, so that a byte read too far is seen by the address sanitizer. */
static void read_it(struct made *m)
{
    uint8_t *exact = malloc(m->n ? m->n : 1);
    memcpy(exact, m->bytes, m->n);
    esp_contents_read(exact, m->n, &m->c);
    free(exact);
}

/* base: where the first byte of the merged file belongs */
static void merged(struct made *m, size_t base)
{
    clear(m);
    put(m, 0x1000 - base, image32, sizeof image32);
    put(m, 0x8000 - base, table, sizeof table);
    put(m, 0x10000 - base, image32, sizeof image32);
}

static void a_merged_file(void **state)
{
    struct made *m = *state;
    for (size_t base = 0; base <= 0x1000; base += 0x1000) {
        merged(m, base);
        read_it(m);
        assert_true(m->c.sound);
        assert_int_equal(m->c.n, 3);
        assert_int_equal(m->c.n_findings, 0);
        assert_true(m->c.based);
        assert_int_equal(m->c.base, base);
        assert_int_equal(m->c.parts[0].at, 0x1000 - base);
        assert_int_equal(m->c.parts[0].size, 48);
        assert_string_equal(m->c.parts[0].chip->name, "esp32");
        assert_null(m->c.parts[0].row);
        assert_int_equal(m->c.parts[1].kind, ESP_PART_TABLE);
        assert_int_equal(m->c.parts[1].at, 0x8000 - base);
        assert_int_equal(m->c.table.n, 3);
        assert_int_equal(m->c.parts[2].at, 0x10000 - base);
        assert_string_equal(m->c.parts[2].row->label, "factory");
    }
}

struct damage {
    size_t at; /* in the merged file that begins at 0x1000 */
    uint8_t byte;
    size_t says_at;
    const char *says;
};

static void damage_says_where(void **state)
{
    struct made *m = *state;
    static const struct damage rows[] = {
        {0x20, 0x03, 0x0, "the image is not sound: damaged: its checksum is e0, its bytes give e2"},
        {0xf021, 0x03, 0xf000, "the image is not sound: damaged: its checksum is e0, its bytes give e1"},
        {0xf01c, 0x05, 0xf000, "the image is not sound: segment 1 has size 0x5, expected a multiple of 4 below 0x1000000"},
        {0xf01d, 0xff, 0xf000, "the image is not sound: cut short: segment 1 of 1 ends past the end of the file"},
        {0xf00c, 0x05, 0xf000, "the image is for esp32c3, the first one for esp32"},
        {0xf00c, 0x63, 0xf000, "the image is for a chip with the unknown id 99"},
        {0xf000, 0x00, 0xf000, "app partition 'factory' starts with 00, an image starts with e9"},
        {0x700c, 'N', 0x7000, "the partition table is not sound: damaged: its 3 rows do not have the MD5 that stands "
                              "after them"},
        {0x7020, 0xab, 0x7000, "the partition table is not sound: row 2 starts with ab 50, expected aa 50, eb eb or "
                               "ff ff"},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        merged(m, 0x1000);
        m->bytes[rows[i].at] = rows[i].byte;
        read_it(m);
        assert_false(m->c.sound);
        if (m->c.n_findings != 1 || strcmp(m->c.findings[0].text, rows[i].says) != 0)
            fail_msg("row %zu: %zu findings, the first '%s'", i, m->c.n_findings, m->c.findings[0].text);
        assert_true(m->c.findings[0].problem);
        assert_int_equal(m->c.findings[0].at, rows[i].says_at);
    }
}

/* Rows of a table changed together with its MD5 row left out. */
static void rows_against_each_other(void **state)
{
    struct made *m = *state;
    static const struct {
        size_t at; /* in the table */
        uint8_t byte;
        bool problem;
        const char *says;
    } rows[] = {
        {41, 0x20, true, "partitions 'phy_init' and 'factory' overlap"}, /* phy_init has 0x2000 bytes */
        {69, 0x80, true, "app partition 'factory' begins at 0x18000, not at a multiple of 0x10000"},
        {5, 0x80, true, "partition 'nvs' covers the partition table itself"},
        {75, 0x01, false, "partition 'factory' ends at 0x1110000, past the flash size in the bootloader's header"},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        merged(m, 0x1000);
        memset(m->bytes + 0x7000 + 96, 0xff, 32);
        m->bytes[0x7000 + rows[i].at] = rows[i].byte;
        read_it(m);
        bool seen = false;
        for (size_t k = 0; k < m->c.n_findings; k++) {
            const struct esp_finding *f = &m->c.findings[k];
            if (strcmp(f->text, rows[i].says) == 0) {
                seen = true;
                assert_int_equal(f->problem, rows[i].problem);
                assert_int_equal(f->at, 0x7000);
            }
        }
        if (!seen)
            fail_msg("row %zu: not said; the first finding is '%s'", i, m->c.findings[0].text);
    }
}

static void an_application_too_large(void **state)
{
    struct made *m = *state;
    merged(m, 0x1000);
    memset(m->bytes + 0x7000 + 96, 0xff, 32);
    fl_put_u32le(m->bytes + 0x7000 + 72, 0x20); /* factory has 32 bytes now, the image 48 */
    read_it(m);
    assert_false(m->c.sound);
    assert_int_equal(m->c.n_findings, 2);
    assert_false(m->c.findings[0].problem);
    assert_string_equal(m->c.findings[0].text, "the partition table has no MD5 row, so damage to it would not show");
    assert_string_equal(m->c.findings[1].text, "the application has 48 bytes, more than its partition 'factory' of 32");
    assert_int_equal(m->c.findings[1].at, 0xf000);
}

static void esp8266_images(void **state)
{
    struct made *m = *state;
    clear(m);
    put(m, 0, image8266, sizeof image8266);
    read_it(m);
    assert_true(m->c.sound);
    assert_int_equal(m->c.n, 1);
    assert_string_equal(m->c.parts[0].chip->name, "esp8266");
    assert_int_equal(m->c.parts[0].size, 32);
    clear(m);
    put(m, 0, head_v2, sizeof head_v2);
    put(m, sizeof head_v2, image8266, sizeof image8266);
    put(m, sizeof head_v2 + sizeof image8266, crc_v2, sizeof crc_v2);
    read_it(m);
    assert_int_equal(m->c.n, 1);
    assert_int_equal(m->c.parts[0].kind, ESP_PART_IMAGE_V2);
    assert_int_equal(m->c.parts[0].err, FL_OK);
    assert_int_equal(m->c.parts[0].v2.irom_size, 16);
    assert_int_equal(m->c.parts[0].v2.inner_at, 32);
    assert_int_equal(m->c.parts[0].v2.inner.segments[0].addr, 0x40100000);
    assert_int_equal(m->c.parts[0].size, 68);
    assert_true(m->c.sound);
    m->bytes[17] ^= 1;
    read_it(m);
    assert_int_equal(m->c.parts[0].err, FL_MISMATCH);
    assert_non_null(strstr(m->c.findings[0].text, "the image is not sound: damaged: its CRC is "));
    m->bytes[0x20] = 0; /* the second header */
    read_it(m);
    assert_string_equal(m->c.findings[0].text, "the image is not sound: its second header is missing at 0x20");
}

/* A block of secure boot's second version in the sector behind the image, its digest by sha256sum(1) over the image padded
 * with ff to 0x1000. What the block lacks here (key, signature) is not looked at. */
static void signed_image(void **state)
{
    static const char digest[] = "d314d1373ed26a0b1c553718ec1a474dd727db620e7946dae265230f2cea37ef";
    static const struct {
        uint8_t head[4], flip; /* flip: of the padding, which is signed too */
        bool is_signed, sound;
        enum fl_err signature;
    } rows[] = {
        {{0xe7, 2, 0, 0}, 0, true, true, FL_OK},        {{0xe7, 3, 0, 0}, 0, true, true, FL_OK},
        {{0xe7, 2, 0, 0}, 1, true, false, FL_MISMATCH}, {{0xe7, 3, 1, 0}, 1, true, true, FL_UNSUPPORTED},
        {{0xe7, 1, 0, 0}, 0, false, true, FL_NOT_FOUND}, {{0xe6, 2, 0, 0}, 0, false, true, FL_NOT_FOUND},
        {{0xe7, 2, 1, 0}, 0, false, true, FL_NOT_FOUND}, {{0xe7, 2, 0, 1}, 0, false, true, FL_NOT_FOUND},
    };
    struct made *m = *state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        clear(m);
        put(m, 0, image32, sizeof image32);
        m->bytes[0x800] ^= rows[i].flip;
        put(m, 0x1000, rows[i].head, 4);
        assert_true(fl_unhex(digest, m->bytes + 0x1004, 32));
        m->n = 0x1000 + 1216; /* a file that was cut behind its block */
        read_it(m);
        assert_int_equal(m->c.parts[0].is_signed, rows[i].is_signed);
        assert_int_equal(m->c.parts[0].signature, rows[i].signature);
        assert_int_equal(m->c.parts[0].size, sizeof image32);
        assert_int_equal(m->c.sound, rows[i].sound);
        if (rows[i].is_signed)
            assert_int_equal(m->c.parts[0].signed_size, 0x2000);
        m->n--;
        read_it(m);
        assert_false(m->c.parts[0].is_signed);
    }
}

static void nothing_known(void **state)
{
    struct made *m = *state;
    clear(m);
    put(m, 0, "hello", 5);
    read_it(m);
    assert_false(m->c.sound);
    assert_int_equal(m->c.n, 0);
    assert_string_equal(m->c.findings[0].text, "neither an image nor a partition table: the file starts with 68");
    clear(m);
    read_it(m);
    assert_string_equal(m->c.findings[0].text, "the file is empty");
    static const struct {
        const char *head, *words;
    } rows[] = {
        {"\x7f" "ELF\x01\x01\x01", "an ELF file"},      {"UF2\nWQ]\x9e", "a UF2 file"},
        {"PK\x03\x04\x14", "a ZIP archive"},             {"\x1f\x8b\x08\x08", "a gzip file"},
        {":020000040800F2\r\n", "an Intel HEX file"},     {"S0030000FC\n", "a Motorola S-record file"},
        {"version https://git-lfs.github.com/spec/v1\noid sha256:4d", "a pointer of Git LFS"},
        {"<!DOCTYPE html><title>404 Not Found", "an HTML page"},
        {"# Name,   Type, SubType, Offset,  Size, Flags\nnvs,", "a partition table as text"},
        {"# ESP-IDF Partition Table\n", "a partition table as text"}, {"key,type,encoding,value\n", "a table of NVS as text"},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        clear(m);
        put(m, 0, rows[i].head, strlen(rows[i].head));
        read_it(m);
        assert_false(m->c.sound);
        if (strncmp(m->c.findings[0].text, "no image: this is ", 18) || !strstr(m->c.findings[0].text, rows[i].words))
            fail_msg("%s: %s", rows[i].words, m->c.findings[0].text);
    }
}

/* Cut at every length and flipped at every byte near what it holds: an answer, and sound only where nothing that is
 * checked was touched. */
static void hostile_bytes(void **state)
{
    struct made *m = *state;
    merged(m, 0x1000);
    size_t whole = m->n;
    for (m->n = 0; m->n < whole; m->n += m->n % 0x1000 < 300 ? 1 : 0xd00) {
        read_it(m);
        if (m->n > 0x7000 + sizeof table)
            assert_int_equal(m->c.n, m->n > 0xf000 ? 3 : 2);
        if (m->n > 0xf000)
            assert_false(m->c.sound);
    }
    for (size_t at = 0; at < 0x80; at++)
        for (int bit = 0; bit < 8; bit++) {
            merged(m, 0x1000);
            m->bytes[0x7000 + at] ^= (uint8_t)(1 << bit);
            read_it(m);
            if (at >= 2 && (at < 98 || at >= 112)) /* by 0 and 1 it is known; the MD5 row's filler is not covered */
                assert_false(m->c.sound);
            merged(m, 0x1000);
            m->bytes[0xf000 + at % 48] ^= (uint8_t)(1 << bit);
            read_it(m);
            if (at >= 32 && at < 36)
                assert_false(m->c.sound);
        }
    uint32_t x = 4711;
    for (int round = 0; round < 2000; round++) {
        merged(m, 0x1000);
        for (int k = 0; k < 6; k++) {
            static const size_t starts[] = {0, 0x7000, 0xf000};
            x = x * 1664525u + 1013904223u;
            m->bytes[starts[x >> 30 == 3 ? 0 : x >> 30] + (x >> 16) % 0x80] = (uint8_t)(x >> 8);
        }
        read_it(m);
        assert_true(m->c.n <= ESP_PARTS_MAX && m->c.n_findings <= ESP_FINDINGS_MAX);
    }
}

/* In every sector the header of an image that reaches to the end of the file, with a checksum that is not right (all its bytes are 0,
 * EF would be). None is expected where it begins, and going through each is the square of the file: of a long one it is said
 * that not all was looked at. */
static void headers_everywhere(void **state)
{
    struct made *m = *state;
    static const size_t sizes[] = {0x8000, 0x100000};
    for (size_t k = 0; k < T_COUNT(sizes); k++) {
        size_t n = sizes[k];
        uint8_t *bytes = calloc(n, 1);
        for (size_t at = 0x1000; at < n; at += 0x1000) {
            uint32_t size = (uint32_t)(n - at - 48);
            memcpy(bytes + at, image32, 28);
            for (unsigned i = 0; i < 4; i++)
                bytes[at + 28 + i] = (uint8_t)(size >> 8 * i);
        }
        esp_contents_read(bytes, n, &m->c);
        assert_int_equal(m->c.n, 0);
        assert_int_equal(m->c.more, k == 1);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_merged_file),       cmocka_unit_test(damage_says_where),
        cmocka_unit_test(rows_against_each_other), cmocka_unit_test(an_application_too_large),
        cmocka_unit_test(esp8266_images),      cmocka_unit_test(signed_image), cmocka_unit_test(nothing_known),
        cmocka_unit_test(hostile_bytes),       cmocka_unit_test(headers_everywhere),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
