/* SPDX-License-Identifier: Apache-2.0
 *
 * appimage.h: would this flash boot? What the boot ROM and the second-stage bootloader look at before
 * they start anything, on the simulator's own reading of the formats (protocol reference 8.1, 8.2).
 *
 * An image is right when its magic, segment lengths, checksum byte, chip id and (where the header says
 * that one is appended) SHA-256 are.
 */
#ifndef FL_SIM_APPIMAGE_H
#define FL_SIM_APPIMAGE_H

#include "sim/flash.h"

enum { SIM_TEXT_MAX = 96 };

struct sim_image {
    bool ok;
    char why[SIM_TEXT_MAX]; /* when not */
    uint32_t at, size;      /* size: with checksum and hash */
    uint8_t mode, segments, size_freq;
    uint32_t entry, load[16], len[16], seg_at[16];
    bool has_desc;          /* an application descriptor: the three texts below are its own */
    char project[33], version[33], idf[33], built[34];
};

/* The image at `at`, not longer than `limit`. */
void sim_image_read(const struct sim_flash *f, const struct sim_chip *chip, uint32_t at, uint32_t limit,
                    struct sim_image *out);

struct sim_partition {
    uint8_t type, subtype;
    uint32_t at, size;
    char label[17];
};
enum { SIM_PARTITIONS_MAX = 95, SIM_TABLE_AT = 0x8000 };
/* How many rows the table has; 0: no valid table (magic, and the MD5 row where there is one). */
size_t sim_table_read(const struct sim_flash *f, struct sim_partition out[static SIM_PARTITIONS_MAX]);
/* The application that the bootloader would choose: by otadata, else factory, else the first slot. NULL: none. */
const struct sim_partition *sim_table_app(const struct sim_flash *f, const struct sim_partition *rows,
                                          size_t n);

/* The printable text around the first place where `word` stands in the image, up to SIM_TEXT_MAX - 1
 * characters; false when it does not. The longest of the first few is taken: a bare word says little. */
bool sim_image_text(const struct sim_flash *f, const struct sim_image *image, const char *word,
                    char out[static SIM_TEXT_MAX]);

#endif
