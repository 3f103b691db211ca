/* SPDX-License-Identifier: Apache-2.0
 *
 * squeeze.h: a region's bytes as a zlib stream that can stand alone or be continued (esp/stream.h has the form).
 *
 * Pure. Thread rule: one thread a squeezer.
 */
#ifndef FL_PROFILE_SQUEEZE_H
#define FL_PROFILE_SQUEEZE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct squeezer; /* opaque */

struct squeezer *squeezer_new(void); /* NULL: no memory */
void squeezer_free(struct squeezer *s); /* NULL is fine */

struct squeezed {
    uint8_t *bytes;  /* NULL: it does not get smaller */
    size_t n;
    uint32_t *marks; /* as struct esp_region has them */
};

/* Both buffers are malloc'd, the caller's. */
FL_MUST enum fl_err squeeze(struct squeezer *s, const uint8_t *bytes, size_t n, struct squeezed *out);

#endif
