/* SPDX-License-Identifier: Apache-2.0
 *
 * image_print.h: what is in a file, for people and for programs. Inside the room only.
 */
#ifndef FL_CLI_IMAGE_PRINT_H
#define FL_CLI_IMAGE_PRINT_H

#include "base/json.h"
#include "esp/contents.h"

/* Append lines for people about a file of `bytes` bytes. */
void image_text(const char *path, size_t bytes, const struct esp_contents *c, struct fl_buf *out);
/* The same facts; new reference, NULL: no memory. */
json_t *image_json(const char *path, size_t bytes, const struct esp_contents *c);

#endif
