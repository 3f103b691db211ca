/* SPDX-License-Identifier: Apache-2.0
 *
 * partition.h: the table that tells an application and its bootloader what lies where in flash.
 *
 *   32 bytes a row:  AA 50 | type u8 | subtype u8 | offset u32 | size u32 | label[16] | flags u32
 *   after the rows:  EB EB | 14 x FF | MD5 of all rows before it        (may be missing in old tables)
 *   then FF; the first row that starts with FF FF ends the table
 *
 * Pure, like image.h. Errors: FL_NOT_FOUND: no table starts here. FL_FORMAT: one starts and is
 * broken. FL_MISMATCH: the MD5 row is not that of the rows; the rows are filled in all the same.
 * Thread rule: no shared state; any thread.
 */
#ifndef FL_ESP_PARTITION_H
#define FL_ESP_PARTITION_H

#include "base/hash.h"

#include <stddef.h>

enum {
    ESP_PARTITIONS_MAX = 95,
    ESP_PARTITION_TABLE_OFFSET = 0x8000, /* where nearly everybody has it */
    ESP_PARTITION_TABLE_SIZE = 0x1000,   /* the sector it owns; 0xc00 of it are used */
    ESP_PARTITION_APP = 0,
    ESP_PARTITION_DATA = 1,
    ESP_PARTITION_BOOTLOADER = 2,
    ESP_PARTITION_FACTORY = 0x00, /* subtypes of an app */
    ESP_PARTITION_OTA_0 = 0x10,   /* .. 0x1f */
    ESP_PARTITION_OTADATA = 0x00, /* subtype of data: which app is to start */
};

struct esp_partition {
    uint8_t type, subtype;
    uint32_t offset, size; /* bytes in flash */
    char label[17];        /* bytes that are not printable ASCII become '?' */
    uint32_t flags;        /* bit 0 encrypted, bit 1 read-only */
};

struct esp_partition_table {
    struct esp_partition rows[ESP_PARTITIONS_MAX];
    size_t n;
    bool has_md5;
};

FL_MUST enum fl_err esp_partition_parse(const uint8_t *bytes, size_t n, struct esp_partition_table *out,
                                        struct fl_why *why);

/* "factory", "ota_3", "nvs", "spiffs", ...; NULL for what has no name. Buffer for made-up names. */
const char *esp_partition_kind(const struct esp_partition *p, char buf[static 8]);

/* What cannot be right between the rows, whatever they hold. `other` is the row that ESP_ROWS_OVERLAP is
 * about, NULL otherwise. */
enum esp_partition_fault {
    ESP_ROWS_PAST_END,   /* ends past `flash_size` */
    ESP_ROWS_APP_ALIGN,  /* an application not at a multiple of 0x10000: the MMU cannot map it */
    ESP_ROWS_ON_TABLE,   /* an application or data in the table's own sector */
    ESP_ROWS_OVERLAP,
};
typedef void esp_partition_say(void *context, enum esp_partition_fault fault, const struct esp_partition *row,
                               const struct esp_partition *other);
/* Calls `say` for each fault, in order of rows. `flash_size` 0: not known. `table_at`: where the table lies in
 * flash, 0: not known. */
void esp_partition_check(const struct esp_partition_table *table, uint64_t flash_size, uint32_t table_at,
                         esp_partition_say *say, void *context);

#endif
