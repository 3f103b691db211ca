/* SPDX-License-Identifier: Apache-2.0
 *
 * stream.h: what goes over the wire for one BEGIN..END: one region, or several that lie side by side in flash.
 *
 * Regions that `join` have zlib streams of this form, each valid alone:
 *
 *   78 DA | blocks, the last one not marked as such, ending on a byte | 03 00 | Adler-32, high byte first
 *         `----------------------- inside -----------------------'   empty last block
 *
 * so that one stream of them all is the head, their insides one behind the other, 03 00, and the Adler-32 of the
 * whole, which follows from the single ones. No region's bytes refer to another's: a region can still be written
 * alone when something went wrong.
 *
 * Why: every END waits for the work behind the last block (tens of milliseconds in which the wire is idle), and every
 * stream ends in a short block.
 *
 * Pure. Thread rule: no shared state. The regions are borrowed.
 */
#ifndef FL_ESP_STREAM_H
#define FL_ESP_STREAM_H

#include "esp/region.h"

#include <stdbool.h>

enum { STREAM_TAIL = 6 };

struct stream {
    const struct esp_region *regions;
    size_t n;
    bool deflated;
    uint32_t plain; /* bytes of all regions */
    size_t size;    /* bytes as sent, before framing */
    uint8_t tail[STREAM_TAIL];
};

/* May b's stream continue a's? */
bool stream_joins(const struct esp_region *a, const struct esp_region *b);
/* `n` regions of which each joins the one before. `plain`: not deflated (n is 1). */
void stream_init(struct stream *s, const struct esp_region *regions, size_t n, bool plain);
/* `n` bytes from `at`: where they lie, or gathered in `scratch` (n bytes). */
const uint8_t *stream_bytes(const struct stream *s, size_t at, size_t n, uint8_t *scratch);
/* How many of the sent bytes bring the first `plain` bytes out, a multiple of 4096; 0: not known. */
size_t stream_sent(const struct stream *s, uint32_t plain);
/* Plain bytes that come out of the sent bytes [from .. to). */
uint64_t stream_plain(const struct stream *s, size_t from, size_t to);

#endif
