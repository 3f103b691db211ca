/* SPDX-License-Identifier: Apache-2.0
 *
 *   ESP8266, second generation: started by Espressif's own boot loader or rboot, not by the mask ROM
 *     0     1  EA
 *     1     1  04
 *     2     2  flash mode, flash size and frequency, as in the first generation
 *     4     4  entry point
 *     8     4  0: the data that follow stay in flash and are mapped
 *    12     4  their size, a multiple of 16
 *    16        the data, then an image of the first generation (image.c), then a CRC-32 of all before it
 *
 * The CRC is the usual one (reflected, polynomial EDB88320), then made "negative" as the boot loader has it:
 * one's complement where bit 31 is set, one more where it is not. */
#include "esp/image.h"

#include "base/cursor.h"

enum { V2_MAGIC = 0xea, V2_VERSION = 4, IROM_MAX = 16 << 20 };

static uint32_t crc_of(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    crc = ~crc;
    return crc & 0x80000000u ? ~crc : crc + 1;
}

enum fl_err esp_image_v2_parse(const uint8_t *bytes, size_t n, struct esp_image_v2 *out, struct fl_why *why)
{
    struct fl_cursor c = fl_cursor_of(bytes, n);
    memset(out, 0, sizeof *out);
    if (n == 0 || bytes[0] != V2_MAGIC)
        return fl_fail(why, FL_NOT_FOUND, "no ESP8266 image of the second generation starts here");
    (void)fl_take_u8(&c);
    uint8_t version = fl_take_u8(&c);
    (void)fl_take(&c, 6); /* the second header repeats them, and counts */
    uint32_t addr = fl_take_u32le(&c);
    out->irom_size = fl_take_u32le(&c);
    if (c.bad)
        return fl_fail(why, FL_FORMAT, "ends inside the image header");
    if (version != V2_VERSION || addr != 0)
        return fl_fail(why, FL_FORMAT, "header bytes 1 and 8 are %02x and %08x, expected 04 and 0", version, addr);
    if (out->irom_size % 16 || out->irom_size >= IROM_MAX)
        return fl_fail(why, FL_FORMAT, "the mapped segment has size 0x%x, expected a multiple of 16 below 0x%x",
                       out->irom_size, (unsigned)IROM_MAX);
    out->irom_at = n - c.left;
    if (!fl_take(&c, out->irom_size))
        return fl_fail(why, FL_FORMAT, "cut short: the mapped segment ends past the end of the file");
    out->inner_at = n - c.left;
    enum fl_err err = esp_image_parse(c.p, c.left, esp_image_chip("esp8266"), &out->inner, why);
    if (err == FL_NOT_FOUND || err == FL_UNSUPPORTED)
        return fl_fail(why, FL_FORMAT, "its second header is missing at 0x%zx", out->inner_at);
    if (err)
        return err;
    (void)fl_take(&c, out->inner.size);
    size_t covered = n - c.left;
    out->crc = fl_take_u32le(&c);
    if (c.bad)
        return fl_fail(why, FL_FORMAT, "cut short: the CRC lies past the end of the file");
    out->crc_right = crc_of(bytes, covered);
    out->size = covered + 4;
    if (out->crc != out->crc_right)
        return fl_fail(why, FL_MISMATCH, "damaged: its CRC is %08x, its bytes give %08x", out->crc, out->crc_right);
    return FL_OK;
}
