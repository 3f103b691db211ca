/* SPDX-License-Identifier: Apache-2.0
 *
 * b64.h: base64 as RFC 4648 section 4 has it: standard alphabet, with padding, canonical.
 *
 * The decoder is strict because a lax one gives one signature many spellings: it refuses white space,
 * missing padding, padding inside, and bits that are set behind the last byte.
 * Thread rule: pure.
 */
#ifndef FL_BASE_B64_H
#define FL_BASE_B64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters that n bytes become, without the closing zero. */
#define B64_LEN(n) (((n) + 2) / 3 * 4)

/* `out` holds B64_LEN(n) + 1 characters. */
void b64_encode(const uint8_t *bytes, size_t n, char *out);

/* Up to `cap` bytes into `out`; false when the text is not canonical base64 or gives more. The empty
 * text is zero bytes. */
bool b64_decode(const char *text, size_t text_n, uint8_t *out, size_t cap, size_t *n);

#endif
