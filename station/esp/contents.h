/* SPDX-License-Identifier: Apache-2.0
 *
 * contents.h: what lies in a file that is made for a flash: one image, one table, or all of them merged.
 *
 * Pure, like image.h. A merged file holds the bootloader, the partition table and applications at the
 * distances that they have in flash, with FF between; it begins where the chip looks for its bootloader
 * or at 0. Found are: what starts at the file's first byte, and then, at every flash sector (0x1000)
 * that is not inside something found already, whole images, one partition table, and anything that
 * starts like an image at the start of an app partition, be it broken.
 *
 * Findings are problems (certain: the file does not do what it says) and notes (may be meant).
 *
 * Thread rule: no shared state; any thread. Ownership: everything borrowed, nothing kept.
 */
#ifndef FL_ESP_CONTENTS_H
#define FL_ESP_CONTENTS_H

#include "esp/image.h"
#include "esp/partition.h"

enum { ESP_PARTS_MAX = 40, ESP_FINDINGS_MAX = 60, ESP_FINDING_TEXT = 300 };

enum esp_part_kind { ESP_PART_IMAGE, ESP_PART_IMAGE_V2, ESP_PART_TABLE };

struct esp_part {
    enum esp_part_kind kind;
    size_t at, size;                    /* bytes from the start of the file; size 0: broken, so not known */
    enum fl_err err;                    /* FL_OK: sound; FL_FORMAT, FL_MISMATCH: `why` says */
    struct fl_why why;
    const struct esp_image_chip *chip;  /* whose image; NULL: an id that is not known, or a table */
    struct esp_image image;             /* ESP_PART_IMAGE */
    struct esp_image_v2 v2;             /* ESP_PART_IMAGE_V2 */
    const struct esp_partition *row;    /* the partition that begins there; NULL: none */
    bool is_app, is_boot;               /* it describes itself as one */
    bool is_signed;                     /* for secure boot: `signature` is what esp_image_signature says, `signed_size` its size */
    enum fl_err signature;
    size_t signed_size;
    struct esp_image_app app;
    struct esp_image_boot boot;
};

struct esp_finding {
    bool problem;  /* false: a note */
    size_t at;     /* in the file */
    char text[ESP_FINDING_TEXT]; /* "the image is damaged: ..." */
};

struct esp_contents {
    struct esp_part parts[ESP_PARTS_MAX]; /* in order of place */
    size_t n;
    bool has_table; /* `table` is filled in, be its MD5 right or not */
    struct esp_partition_table table;
    size_t table_at; /* in the file */
    bool based;     /* a merged file whose place in flash shows from what it holds */
    uint32_t base;  /* where its first byte belongs */
    struct esp_finding findings[ESP_FINDINGS_MAX];
    size_t n_findings;
    bool more;      /* findings or parts were left out */
    bool sound;     /* something was found and no finding is a problem */
};

/* What a file is that belongs in no flash as it is, from its first bytes: "an ELF file: ...", an article and all. NULL: none that is known. */
const char *esp_other_file(const uint8_t *bytes, size_t n);

/* `out` is large (30 KB): allocate it. Its pointers point into itself. */
void esp_contents_read(const uint8_t *bytes, size_t n, struct esp_contents *out);

#endif
