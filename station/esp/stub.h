/* SPDX-License-Identifier: Apache-2.0
 *
 * stub.h: Espressif's flasher stub for one chip, out of the JSON that the pinned npm package ships.
 *
 *   {"entry": N, "text": base64, "text_start": N, "data": base64, "data_start": N, "bss_start": N, ...}
 *
 * Other members (tables of plug-ins for NAND flash) are left alone. Two segments go into the chip's
 * RAM, text then data, and the ROM jumps to `entry`.
 *
 * Pure. Thread rule: no shared state; a stub has one owner. Ownership: stub_fini frees the bytes.
 */
#ifndef FL_ESP_STUB_H
#define FL_ESP_STUB_H

#include "base/err.h"

#include <stdint.h>

struct stub_segment {
    uint8_t *bytes; /* owned */
    size_t n;
    uint32_t addr;
};

struct stub {
    struct stub_segment segments[2]; /* text, data */
    uint32_t entry, bss;
};

/* FL_FORMAT: not such a JSON, with a sentence. On failure *out is empty. */
FL_MUST enum fl_err stub_parse(const void *json, size_t n, struct stub *out, struct fl_why *why);
/* The embedded one called `name` ("esp32"). FL_NOT_FOUND: this program carries none. */
FL_MUST enum fl_err stub_load(const char *name, struct stub *out, struct fl_why *why);
void stub_fini(struct stub *s); /* an empty one is fine */

#endif
