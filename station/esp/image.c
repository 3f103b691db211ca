/* SPDX-License-Identifier: Apache-2.0
 *
 *   off  size  header (ESP32 and later: 24 bytes; ESP8266: the first 8 only)
 *     0     1  E9
 *     1     1  segments, 1..16
 *     2     1  flash mode: qio 0, qout 1, dio 2, dout 3
 *     3     1  flash size code << 4 | flash frequency code
 *     4     4  entry point
 *     8     1  write-protect pin, EE: unused
 *     9     3  drive settings of the flash pins
 *    12     2  chip id
 *    14     1  lowest revision, legacy
 *    15     2  lowest revision, major * 100 + minor
 *    17     2  highest revision, the same; 0: this field and the one before are not used
 *    19     4  reserved
 *    23     1  1: a SHA-256 follows the checksum
 *   then for each segment: u32 load address, u32 size (a multiple of 4), the data
 *   then zeroes, so that the checksum is the last byte of a multiple of 16: EF XOR every data byte
 *   then, if byte 23 is 1, the SHA-256 of everything before it
 *
 * The checksum covers no header byte; the hash covers all: patching the header needs a new hash and
 * no new checksum. */
#include "esp/image.h"

#include "base/cursor.h"

#include <limits.h>

enum {
    LONG_HEADER = 24,
    SEGMENT_MAX = 16 << 20, /* the mask ROM refuses longer ones */
    CHECKSUM_SEED = 0xef,
    MAGIC_8266_V2 = 0xea,
    APP_SIZE = 256,
    BOOT_MAGIC = 0x50,
    BOOT_SIZE = 80,
    C3_ID = 5,
};
static const uint32_t app_magic = 0xabcd5432u;

static enum fl_err take_header(struct fl_cursor *c, bool short_header, struct esp_image *out,
                               struct fl_why *why)
{
    if (c->left == 0)
        return fl_fail(why, FL_NOT_FOUND, "empty, expected an image that starts with e9");
    if (c->p[0] == MAGIC_8266_V2)
        return fl_fail(why, FL_UNSUPPORTED, "an ESP8266 image of the second generation (ea)");
    if (c->p[0] != ESP_IMAGE_MAGIC)
        return fl_fail(why, FL_NOT_FOUND, "starts with %02x, an image starts with e9", c->p[0]);
    (void)fl_take_u8(c);
    out->n_segments = fl_take_u8(c);
    out->mode = fl_take_u8(c);
    uint8_t size_freq = fl_take_u8(c);
    out->size_code = size_freq >> 4;
    out->freq_code = size_freq & 15;
    out->entry = fl_take_u32le(c);
    if (!short_header) {
        out->wp_pin = fl_take_u8(c);
        (void)fl_take(c, 3);
        out->chip_id = fl_take_u16le(c);
        out->min_rev = fl_take_u8(c);
        out->min_rev_full = fl_take_u16le(c);
        out->max_rev_full = fl_take_u16le(c);
        (void)fl_take(c, 4);
        uint8_t appended = fl_take_u8(c);
        if (appended > 1)
            return fl_fail(why, FL_FORMAT, "header byte 23 is %02x, expected 00 or 01", appended);
        out->hash_appended = appended;
    }
    if (c->bad)
        return fl_fail(why, FL_FORMAT, "ends inside the image header");
    if (out->n_segments == 0 || out->n_segments > ESP_IMAGE_SEGMENTS_MAX)
        return fl_fail(why, FL_FORMAT, "the header counts %u segments, expected 1 to %d", out->n_segments,
                       ESP_IMAGE_SEGMENTS_MAX);
    return FL_OK;
}

static uint8_t xor_of(const uint8_t *p, size_t n)
{
    uint64_t eight = 0, part;
    uint8_t x = 0;
    for (; n >= sizeof part; n -= sizeof part, p += sizeof part) {
        memcpy(&part, p, sizeof part);
        eight ^= part;
    }
    for (; eight; eight >>= 8)
        x ^= (uint8_t)eight;
    while (n-- > 0)
        x ^= *p++;
    return x;
}

static enum fl_err take_segments(struct fl_cursor *c, const uint8_t *start, struct esp_image *out,
                                 struct fl_why *why)
{
    out->checksum_right = CHECKSUM_SEED;
    for (unsigned i = 0; i < out->n_segments; i++) {
        struct esp_image_segment *s = &out->segments[i];
        s->addr = fl_take_u32le(c);
        s->size = fl_take_u32le(c);
        if (c->bad)
            return fl_fail(why, FL_FORMAT, "ends inside the head of segment %u of %u", i + 1,
                           out->n_segments);
        if (s->size % 4 || s->size >= SEGMENT_MAX)
            return fl_fail(why, FL_FORMAT,
                           "segment %u has size 0x%x, expected a multiple of 4 below 0x%x", i + 1,
                           s->size, (unsigned)SEGMENT_MAX);
        const uint8_t *data = fl_take(c, s->size);
        if (!data)
            return fl_fail(why, FL_FORMAT, "cut short: segment %u of %u ends past the end of the file",
                           i + 1, out->n_segments);
        s->data_at = (size_t)(data - start);
        out->checksum_right ^= xor_of(data, s->size);
    }
    return FL_OK;
}

/* Checksum and hash. The image's size is known once both are inside the bytes. */
static enum fl_err take_sums(struct fl_cursor *c, const uint8_t *start, struct esp_image *out,
                             struct fl_why *why)
{
    size_t data_end = (size_t)(c->p - start);
    (void)fl_take(c, 15 - data_end % 16);
    out->checksum = fl_take_u8(c);
    if (c->bad)
        return fl_fail(why, FL_FORMAT, "cut short: the checksum lies past the end of the file");
    out->checksum_at = (size_t)(c->p - start) - 1;
    out->size = out->checksum_at + 1;
    uint8_t right[FL_SHA256_SIZE];
    if (out->hash_appended) {
        const uint8_t *hash = fl_take(c, sizeof right);
        if (!hash)
            return fl_fail(why, FL_FORMAT, "cut short: the hash lies past the end of the file");
        enum fl_err err = fl_sha256(start, out->size, right);
        if (err)
            return fl_fail(why, err, "cannot hash: %s", fl_err_text(err));
        out->hash_ok = memcmp(hash, right, sizeof right) == 0;
        out->size += sizeof right;
    }
    if (out->checksum != out->checksum_right)
        return fl_fail(why, FL_MISMATCH, "damaged: its checksum is %02x, its bytes give %02x",
                       out->checksum, out->checksum_right);
    if (out->hash_appended && !out->hash_ok)
        return fl_fail(why, FL_MISMATCH, "damaged: its bytes do not have the SHA-256 appended to it");
    return FL_OK;
}

enum fl_err esp_image_parse(const uint8_t *bytes, size_t n, const struct esp_image_chip *chip,
                            struct esp_image *out, struct fl_why *why)
{
    struct fl_cursor c = fl_cursor_of(bytes, n);
    memset(out, 0, sizeof *out);
    enum fl_err err = take_header(&c, chip && chip->short_header, out, why);
    if (!err)
        err = take_segments(&c, bytes, out, why);
    if (!err)
        err = take_sums(&c, bytes, out, why);
    return err;
}

void esp_image_revisions(const struct esp_image *image, unsigned *min, unsigned *max)
{
    bool legacy = image->max_rev_full == 0 ||
                  (image->max_rev_full == UINT16_MAX && image->min_rev_full == 0 && image->min_rev);
    *max = UINT_MAX;
    if (legacy) {
        *min = image->chip_id == C3_ID ? image->min_rev : image->min_rev * 100u;
        return;
    }
    *min = image->min_rev_full;
    if (image->max_rev_full != UINT16_MAX)
        *max = image->max_rev_full;
}

/* ---- descriptors ------------------------------------------------------------------------------- */

/* A text field of `n` bytes into out[n + 1]. */
static void take_text(struct fl_cursor *c, size_t n, char *out)
{
    const uint8_t *p = fl_take(c, n);
    size_t i = 0;
    for (; p && i < n && p[i]; i++)
        out[i] = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '?';
    out[i] = 0;
}

static struct fl_cursor first_segment(const uint8_t *bytes, const struct esp_image *image)
{
    return image->n_segments ? fl_cursor_of(bytes + image->segments[0].data_at, image->segments[0].size)
                             : fl_cursor_of(bytes, 0);
}

bool esp_image_app(const uint8_t *bytes, const struct esp_image *image, struct esp_image_app *out)
{
    struct fl_cursor c = first_segment(bytes, image);
    memset(out, 0, sizeof *out);
    if (c.left < APP_SIZE || fl_take_u32le(&c) != app_magic)
        return false;
    out->secure_version = fl_take_u32le(&c);
    (void)fl_take(&c, 8);
    take_text(&c, 32, out->version);
    take_text(&c, 32, out->project);
    take_text(&c, 16, out->time);
    take_text(&c, 16, out->date);
    take_text(&c, 32, out->idf);
    memcpy(out->elf_sha256, fl_take(&c, sizeof out->elf_sha256), sizeof out->elf_sha256);
    return true;
}

bool esp_image_boot(const uint8_t *bytes, const struct esp_image *image, struct esp_image_boot *out)
{
    struct fl_cursor c = first_segment(bytes, image);
    memset(out, 0, sizeof *out);
    /* one byte of magic is little: the two reserved bytes and a version text must agree */
    if (c.left < BOOT_SIZE || fl_take_u8(&c) != BOOT_MAGIC || fl_take_u16le(&c) != 0)
        return false;
    (void)fl_take_u8(&c);
    out->version = fl_take_u32le(&c);
    take_text(&c, 32, out->idf);
    take_text(&c, 24, out->date_time);
    return out->idf[0] && !strchr(out->idf, '?') && out->date_time[0] && !strchr(out->date_time, '?');
}

/* ---- patching ---------------------------------------------------------------------------------- */

enum fl_err esp_image_patch(uint8_t *bytes, size_t n, const struct esp_image_chip *chip,
                            struct esp_image_patch patch, bool *changed, struct fl_why *why)
{
    struct esp_image image;
    *changed = false;
    enum fl_err err = esp_image_parse(bytes, n, chip, &image, why);
    if (err)
        return err;
    uint8_t mode = patch.mode < 0 ? image.mode : (uint8_t)patch.mode;
    uint8_t size = patch.size < 0 ? image.size_code : (uint8_t)(patch.size & 15);
    uint8_t freq = patch.freq < 0 ? image.freq_code : (uint8_t)(patch.freq & 15);
    uint8_t size_freq = (uint8_t)(size << 4 | freq);
    if (bytes[2] == mode && bytes[3] == size_freq)
        return FL_OK;
    bytes[2] = mode;
    bytes[3] = size_freq;
    *changed = true;
    if (!image.hash_appended)
        return FL_OK;
    size_t hashed = image.checksum_at + 1;
    err = fl_sha256(bytes, hashed, bytes + hashed);
    return err ? fl_fail(why, err, "cannot hash: %s", fl_err_text(err)) : FL_OK;
}
