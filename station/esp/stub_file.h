/* SPDX-License-Identifier: Apache-2.0
 *
 * stub_file.h: a stub out of the JSON that the pinned npm package ships. For the build: a program holds the result (stub.h).
 *
 *   {"entry": N, "text": base64, "text_start": N, "data": base64, "data_start": N, "bss_start": N, ...}
 *
 * Other members (tables of plug-ins for NAND flash) are left alone.
 *
 * Pure. Thread rule: no shared state; a stub_file has one owner. Ownership: stub_file_fini frees the bytes.
 */
#ifndef FL_ESP_STUB_FILE_H
#define FL_ESP_STUB_FILE_H

#include "base/err.h"
#include "esp/stub.h"

struct stub_file {
    struct stub stub;  /* without a name; its segments lie in `bytes` */
    uint8_t *bytes[2]; /* owned */
};

/* FL_FORMAT: not such a JSON, with a sentence. On failure *out is empty. */
FL_MUST enum fl_err stub_file_parse(const void *json, size_t n, struct stub_file *out, struct fl_why *why);
void stub_file_fini(struct stub_file *f); /* an empty one is fine */

#endif
