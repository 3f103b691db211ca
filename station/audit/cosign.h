/* SPDX-License-Identifier: Apache-2.0
 *
 * cosign.h: a witness's signature under a checkpoint (C2SP tlog-cosignature v1.0.1).
 *
 *   signature   8 bytes big endian, seconds since 1970 || 64 bytes Ed25519
 *   signed      "cosignature/v1\n" "time " decimal "\n" || the checkpoint's text
 *
 * It says: at that time this was the largest consistent tree that I had seen of this origin.
 * Thread rule: pure.
 */
#ifndef FL_AUDIT_COSIGN_H
#define FL_AUDIT_COSIGN_H

#include "audit/key.h"

enum { COSIGN_RAW = 8 + KEY_SIGNATURE };

/* `time_s` may be NULL. FL_OK, FL_MISMATCH, FL_NOMEM. */
FL_MUST enum fl_err cosign_check(const char *text, size_t text_n, const uint8_t *raw, size_t n,
                                 const struct vkey *key, int64_t *time_s);
FL_MUST enum fl_err cosign_make(const char *text, size_t text_n, int64_t time_s, const struct key *key,
                                uint8_t out[static COSIGN_RAW], struct fl_why *why);

#endif
