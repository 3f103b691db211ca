/* SPDX-License-Identifier: Apache-2.0
 * fixture.h: a temporary folder with small images of known bytes, and profiles written into it. */
#ifndef FL_TESTS_PROFILE_FIXTURE_H
#define FL_TESTS_PROFILE_FIXTURE_H

#include "unit/t.h"

#include "base/buf.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/hash.h"

#include <dirent.h>
#include <unistd.h>

static inline char *fx_dir(void) /* caller: fx_remove */
{
    char *dir = strdup("/tmp/flashline-t-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static inline void fx_remove(char *dir)
{
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char *path = fl_path_join(dir, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && unlink(path) != 0)
            (void)rmdir(path);
        free(path);
    }
    (void)closedir(d);
    (void)rmdir(dir);
    free(dir);
}

static inline char *fx_write(const char *dir, const char *name, const void *bytes, size_t n)
{
    char *path = fl_path_join(dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path; /* caller frees */
}

static inline void fx_put(const char *dir, const char *name, const void *bytes, size_t n)
{
    free(fx_write(dir, name, bytes, n));
}

/* An image of one segment with `n` bytes of data (a multiple of 4) and its hash. `lead` is what the data
 * begins with. The rest is one third noise. */
static inline void fx_image(struct fl_buf *out, uint16_t chip, const void *lead, size_t lead_n, size_t n)
{
    uint8_t head[32] = {0xe9, 1, 2, 0x20, 0, 4, 8, 0x40, 0xee}, sum = 0xef, sha[32];
    fl_put_u16le(head + 12, chip);
    fl_put_u16le(head + 17, 0xffff);
    head[23] = 1;
    fl_put_u32le(head + 24, 0x40080000);
    fl_put_u32le(head + 28, (uint32_t)n);
    fl_buf_add(out, head, sizeof head);
    uint32_t x = 12345;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        uint8_t b = i < lead_n ? ((const uint8_t *)lead)[i] : (uint8_t)(i / 64 % 3 ? i % 64 : x >> 24);
        sum ^= b;
        fl_buf_addc(out, (char)b);
    }
    while (out->len % 16 != 15)
        fl_buf_addc(out, 0);
    fl_buf_addc(out, (char)sum);
    assert_int_equal(fl_sha256(out->bytes, out->len, sha), FL_OK);
    fl_buf_add(out, sha, sizeof sha);
    assert_int_equal(fl_buf_err(out, NULL), FL_OK);
}

static inline void fx_put_image(const char *dir, const char *name, uint16_t chip, const void *lead,
                                size_t lead_n, size_t n)
{
    struct fl_buf b = FL_BUF(64 << 20);
    fx_image(&b, chip, lead, lead_n, n);
    fx_put(dir, name, b.bytes, b.len);
    fl_buf_fini(&b);
}

/* A bootloader that says so, an application that says so. */
static const uint8_t fx_boot_lead[80] = {
    0x50, 0, 0, 0, 1, 0, 0, 0, 'v', '5', '.', '1', [40] = 'N', 'o', 'v', ' ', '2', '2', ' ', '2', '0', '2', '6'};
static const uint8_t fx_app_lead[256] = {
    0x32, 0x54, 0xcd, 0xab, [16] = '1', '.', '2', [48] = 'f', 'i', 'x', 't', 'u', 'r', 'e', [112] = 'v', '5'};

/* A bootloader with the first bytes of a signature of secure boot's second version behind it; `change` its padding afterwards. */
static inline void fx_put_signed(const char *dir, const char *name, uint8_t change)
{
    struct fl_buf b = FL_BUF(64 << 10);
    uint8_t sha[32];
    fx_image(&b, 0, fx_boot_lead, sizeof fx_boot_lead, 3000);
    while (b.len < 0x1000)
        fl_buf_addc(&b, (char)0xff);
    assert_int_equal(fl_sha256(b.bytes, b.len, sha), FL_OK);
    b.bytes[0xfff] ^= change;
    fl_buf_add(&b, "\xe7\x02\0\0", 4);
    fl_buf_add(&b, sha, sizeof sha);
    while (b.len < 0x2000)
        fl_buf_addc(&b, (char)0xff);
    assert_int_equal(fl_buf_err(&b, NULL), FL_OK);
    fx_put(dir, name, b.bytes, b.len);
    fl_buf_fini(&b);
}

struct fx_row {
    uint8_t type, subtype;
    uint32_t offset, size;
    const char *label;
};

static inline void fx_put_table(const char *dir, const char *name, const struct fx_row *rows, size_t n)
{
    uint8_t t[0xc00];
    memset(t, 0xff, sizeof t);
    for (size_t i = 0; i < n; i++) {
        uint8_t *p = t + 32 * i;
        memset(p, 0, 32);
        fl_put_u16le(p, 0x50aa);
        p[2] = rows[i].type;
        p[3] = rows[i].subtype;
        fl_put_u32le(p + 4, rows[i].offset);
        fl_put_u32le(p + 8, rows[i].size);
        memcpy(p + 12, rows[i].label, strlen(rows[i].label));
    }
    fl_put_u16le(t + 32 * n, 0xebeb);
    assert_int_equal(fl_md5(t, 32 * n, t + 32 * n + 16), FL_OK);
    fx_put(dir, name, t, sizeof t);
}

#endif
