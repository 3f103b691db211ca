/* SPDX-License-Identifier: Apache-2.0
 *
 * hash.h: SHA-256 (FIPS 180-4) and MD5 (RFC 1321) over libcrypto's EVP, and hexadecimal text.
 *
 * MD5 is here because the chips' loaders offer nothing else to compare flash with; it guards against
 * faults, never against people. Everything that is signed is SHA-256.
 *
 * Thread rule: a hasher has one owner; the one-shot functions may be called from any thread.
 */
#ifndef FL_BASE_HASH_H
#define FL_BASE_HASH_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { FL_SHA256_SIZE = 32, FL_MD5_SIZE = 16 };

struct fl_hash; /* opaque */
enum fl_hash_kind { FL_HASH_SHA256, FL_HASH_MD5 };

FL_MUST enum fl_err fl_hash_new(enum fl_hash_kind kind, struct fl_hash **out); /* caller frees */
void fl_hash_free(struct fl_hash *h);                                         /* NULL is fine */
/* Errors of libcrypto (out of memory) stick and come out of fl_hash_end. */
void fl_hash_add(struct fl_hash *h, const void *bytes, size_t n);
/* Writes 32 or 16 bytes and makes the hasher ready for a new message. */
FL_MUST enum fl_err fl_hash_end(struct fl_hash *h, uint8_t *out);

FL_MUST enum fl_err fl_sha256(const void *bytes, size_t n, uint8_t out[static FL_SHA256_SIZE]);
FL_MUST enum fl_err fl_md5(const void *bytes, size_t n, uint8_t out[static FL_MD5_SIZE]);

/* Lower-case hex with a closing zero: out holds 2 n + 1 characters. */
void fl_hex(const uint8_t *bytes, size_t n, char *out);
/* Strict: exactly 2 n hex digits of either case and nothing else. */
FL_MUST bool fl_unhex(const char *text, uint8_t *bytes, size_t n);

#endif
