/* SPDX-License-Identifier: Apache-2.0
 *
 * token.h: an Ed25519 key that lies in a PKCS#11 token and never leaves it.
 *
 * The token's vendor ships a module, a shared library; a text file beside the station's other keys names it:
 *
 *   pkcs11 /usr/lib/softhsm/libsofthsm2.so     the module, an absolute path
 *   token line-3-a                             label of the token
 *   object log-2026                            label of the private and the public key in it
 *
 * The file holds no secret, but says which library is loaded into the program that signs: it must be writable by its
 * owner only, like a key. A pair is made with the vendor's tools, or with OpenSC's:
 *
 *   pkcs11-tool --module MODULE --token-label line-3-a --login --keypairgen --key-type EC:edwards25519 --label log-2026
 *
 * Mechanism CKM_EDDSA without parameter, which is pure Ed25519. Names and numbers: PKCS #11 base specification 2.40 and
 * current mechanisms 3.0.
 *
 * Thread rule: one owner. A module stays loaded and started until the process ends.
 */
#ifndef FL_SIGN_TOKEN_H
#define FL_SIGN_TOKEN_H

#include "sign/seal.h"

struct token_place {
    char module[512], token[33], object[128];
};

/* Does a file with this content describe a token? */
bool token_describes(const void *text, size_t n);
FL_MUST enum fl_err token_parse(const void *text, size_t n, struct token_place *out, struct fl_why *why);
/* The file's text; whether it is one that token_parse takes, that says. */
void token_format(const char *module, const char *token, const char *object, struct fl_buf *out);

/* FL_NOT_FOUND: no such module, token or object. FL_ACCESS: the PIN is missing or wrong. FL_UNSUPPORTED: the object is no
 * Ed25519 key. */
FL_MUST enum fl_err token_open(const struct token_place *place, const char *pin, struct seal *out, struct fl_why *why);

#endif
