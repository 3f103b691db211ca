/* SPDX-License-Identifier: Apache-2.0
 *
 * seal.h: a private key wherever it lies, as one function: a file opened with a passphrase, or an object in a token.
 *
 * Thread rule: one owner.
 */
#ifndef FL_SIGN_SEAL_H
#define FL_SIGN_SEAL_H

#include "audit/key.h"

struct seal {
    void *ctx;
    uint8_t public[KEY_PUBLIC];
    FL_MUST enum fl_err (*sign)(void *ctx, const void *text, size_t n, uint8_t out[static KEY_SIGNATURE], struct fl_why *why);
    void (*close)(void *ctx);
};
void seal_close(struct seal *s); /* safe on a zeroed one */

/* Takes the key. */
void seal_of_key(struct key *key, struct seal *out);

/* Open what a file describes: a private key as PKCS#8 PEM, or a token (token.h). The file must be readable by its owner
 * only. `secret` is the passphrase or the PIN, NULL: none. FL_ACCESS: others can read the file, or the secret is missing or
 * wrong. */
FL_MUST enum fl_err seal_open(const char *path, const char *secret, struct seal *out, struct fl_why *why);

#endif
