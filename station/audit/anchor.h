/* SPDX-License-Identifier: Apache-2.0
 *
 * anchor.h: a timestamp of an authority outside (RFC 3161) over a signed head, kept in the log as a record `anchor`:
 *
 *   head    the signed note that was stamped: its bytes, with the log's signature line and no other
 *   token   base64 of the authority's answer (TimeStampResp, DER)
 *   url     where it came from
 *
 * The token proves that head and signature were there before its time; and every record behind the anchor is younger than
 * the token, whose bytes nobody could know before. `openssl ts -verify` checks the same bytes.
 *
 * A chain is judged at the token's own time, so that it holds after the authority's certificate has expired.
 * Thread rule: pure.
 */
#ifndef FL_AUDIT_ANCHOR_H
#define FL_AUDIT_ANCHOR_H

#include "base/buf.h"

#include <stdbool.h>

enum { ANCHOR_TOKEN_MAX = 32768, ANCHOR_NOTE_MAX = 8192, ANCHOR_NONCE = 8 };

struct anchor {
    struct fl_buf note, token; /* owned */
    char url[256];
};
/* Read the record of an anchor. FL_FORMAT: it is none. */
FL_MUST enum fl_err anchor_read(const void *rec, size_t n, struct anchor *out, struct fl_why *why);
void anchor_fini(struct anchor *a);

/* Is the answer one that grants a token over SHA-256 of these bytes? `time_ms` takes its time. `ca`: a file of PEM
 * certificates, of the authorities trusted; NULL: the token's own signature is not checked, which proves nothing by itself.
 * `nonce` (NULL: not asked for) must be in it. FL_MISMATCH, FL_FORMAT; FL_NOT_FOUND: the file cannot be read. */
FL_MUST enum fl_err anchor_check(const struct fl_buf *token, const void *note, size_t n, const char *ca,
                                 const uint8_t *nonce, int64_t *time_ms, struct fl_why *why);

/* Append the request (DER) for such a token; `nonce` takes eight random bytes. */
FL_MUST enum fl_err anchor_request(const void *note, size_t n, uint8_t nonce[static ANCHOR_NONCE], struct fl_buf *out,
                                   struct fl_why *why);

#endif
