/* SPDX-License-Identifier: Apache-2.0
 *
 * stub.h: Espressif's flasher stubs, as they lie in the program.
 *
 * Two segments go into the chip's RAM, text then data, and the ROM jumps to `entry`. The build reads them out of the JSON
 * files of the pinned npm package (scripts/stubs.c, stub_file.h): an attempt has nothing to decode.
 *
 * Thread rule: nothing here ever changes.
 */
#ifndef FL_ESP_STUB_H
#define FL_ESP_STUB_H

#include <stddef.h>
#include <stdint.h>

struct stub_segment {
    const uint8_t *bytes;
    size_t n;
    uint32_t addr;
};

struct stub {
    const char *name; /* of the file: "esp32" */
    struct stub_segment segments[2]; /* text, data */
    uint32_t entry, bss;
};

extern const struct stub stub_table[]; /* ends with a row without a name; made at build */

/* The one called `name`; NULL: this program carries none. */
const struct stub *stub_find(const char *name);

#endif
