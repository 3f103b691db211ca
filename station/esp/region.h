/* SPDX-License-Identifier: Apache-2.0
 *
 * region.h: the part of an image that can be written under one BEGIN..END, and is verified by one MD5.
 *
 * Regions are prepared once and shared by all slots: they are borrowed and read-only here. Each
 * compressed one is a whole zlib stream of its own (RFC 1950), so that a fault costs one region and
 * not the file. Offsets are sector aligned (4096) unless they are the start of an image.
 */
#ifndef FL_ESP_REGION_H
#define FL_ESP_REGION_H

#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct esp_region {
    uint32_t offset;         /* in flash, bytes */
    uint32_t size;           /* plain bytes, a multiple of 4 (padded with FF) */
    const uint8_t *plain;    /* `size` bytes, header already patched */
    const uint8_t *deflated; /* zlib stream, or NULL: send plain */
    size_t deflated_size;
    const uint32_t *marks;   /* or NULL. [k]: bytes of `deflated` that bring the (k + 1) * 4096th plain byte out */
    bool joins;              /* the stream can be continued by the next region's: stream.h has its form */
    uint8_t md5[FL_MD5_SIZE]; /* of plain */
};

enum esp_region_state {
    ESP_REGION_PENDING, /* nothing done yet */
    ESP_REGION_SKIPPED, /* the flash held these bytes already: MD5 proved it */
    ESP_REGION_WRITTEN, /* written, not verified */
    ESP_REGION_VERIFIED,
    ESP_REGION_BAD, /* MD5 differs */
};

struct esp_region_result {
    enum esp_region_state state;
    unsigned writes;                /* how many times it was begun */
    uint8_t md5_found[FL_MD5_SIZE]; /* the chip's own, valid for SKIPPED, VERIFIED and BAD */
};

#endif
