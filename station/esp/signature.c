/* SPDX-License-Identifier: Apache-2.0
 *
 *   Secure boot, second version: the image is padded to a multiple of 0x1000 (by whatever signs it, with FF), and the sector
 *   behind it begins with one to three blocks of 1216 bytes, each by another key:
 *     0     1  E7
 *     1     1  02: RSA, 03: ECDSA
 *     2     1  03 only: 00: SHA-256, 01: SHA-384
 *     3     1  00
 *     4    32  digest of all before the sector (48 for SHA-384)
 *             key, signature, CRC-32
 *
 * Source: Espressif's signing tool and its description of the block. All blocks hold the same digest, so the first is read. */
#include "esp/image.h"

#include "base/hash.h"

#include <string.h>

enum { SECTOR = 0x1000, BLOCK = 1216, MAGIC = 0xe7, RSA = 2, ECDSA = 3, WITH_SHA384 = 1, DIGEST_AT = 4 };

enum fl_err esp_image_signature(const uint8_t *bytes, size_t n, const struct esp_image *image, size_t *size)
{
    uint8_t digest[FL_SHA256_SIZE];
    size_t at = (image->size + SECTOR - 1) / SECTOR * SECTOR;
    if (n < at || n - at < BLOCK)
        return FL_NOT_FOUND;
    const uint8_t *block = bytes + at;
    bool sha384 = block[1] == ECDSA && block[2] == WITH_SHA384;
    if (block[0] != MAGIC || (block[1] != RSA && block[1] != ECDSA) || (block[2] && !sha384) || block[3])
        return FL_NOT_FOUND;
    *size = at + SECTOR;
    if (sha384)
        return FL_UNSUPPORTED;
    enum fl_err err = fl_sha256(bytes, at, digest);
    return err ? err : memcmp(digest, block + DIGEST_AT, sizeof digest) == 0 ? FL_OK : FL_MISMATCH;
}
