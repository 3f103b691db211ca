/* SPDX-License-Identifier: Apache-2.0
 *
 * key.h: Ed25519 keys, and how they are written: PEM for the private half, a verifier key line for the
 * public half.
 *
 *   key ID        first 4 bytes of SHA-256(name || 0A || type || public key)
 *   verifier key  name "+" 8 hex digits of the key ID "+" base64(type || public key)
 *
 *   factory.example/station1+991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4
 *
 * A name is UTF-8 without white space, control characters and '+'. Formats: C2SP signed-note v1.0.0;
 * RFC 8410 for the PEM.
 *
 * Thread rule: a key may sign and verify from any thread; made and freed by one.
 */
#ifndef FL_AUDIT_KEY_H
#define FL_AUDIT_KEY_H

#include "base/buf.h"

#include <stdbool.h>

enum {
    KEY_PUBLIC = 32,
    KEY_SEED = 32,
    KEY_SIGNATURE = 64,
    KEY_NAME_MAX = 128, /* with the closing zero */
    KEY_VKEY_MAX = KEY_NAME_MAX + 1 + 8 + 1 + 44,
};

/* What the signature with a key means. */
enum key_type {
    KEY_NOTE = 0x01,     /* over the text of a note */
    KEY_COSIGN = 0x04,   /* over a note's text and a time: a witness (cosign.h) */
};

/* ---- public half: plain data -------------------------------------------------------------------- */

struct vkey {
    char name[KEY_NAME_MAX];
    enum key_type type;
    uint32_t id;
    uint8_t key[KEY_PUBLIC];
};

bool key_name_ok(const char *name, size_t n);
/* Fills all of it. FL_FORMAT for a name that is not one. */
FL_MUST enum fl_err vkey_make(const char *name, enum key_type type,
                              const uint8_t key[static KEY_PUBLIC], struct vkey *out,
                              struct fl_why *why);
FL_MUST enum fl_err vkey_parse(const char *text, struct vkey *out, struct fl_why *why);
void vkey_format(const struct vkey *k, char out[static KEY_VKEY_MAX]);
/* SHA-256 of the verifier key line, as "1a2b 3c4d ...": 16 groups of four hex digits, for reading out
 * from paper. */
enum { KEY_FINGERPRINT = 80 };
FL_MUST enum fl_err vkey_fingerprint(const struct vkey *k, char out[static KEY_FINGERPRINT]);
/* FL_OK or FL_MISMATCH (FL_NOMEM). */
FL_MUST enum fl_err vkey_verify(const uint8_t key[static KEY_PUBLIC], const void *text, size_t n,
                                const uint8_t signature[static KEY_SIGNATURE]);

/* ---- private half ------------------------------------------------------------------------------- */

struct key; /* opaque; its memory is wiped when it is freed */

FL_MUST enum fl_err key_new(struct key **out, struct fl_why *why); /* random */
FL_MUST enum fl_err key_from_seed(const uint8_t seed[static KEY_SEED], struct key **out,
                                  struct fl_why *why);
void key_free(struct key *k); /* NULL is fine */
void key_public(const struct key *k, uint8_t out[static KEY_PUBLIC]);
FL_MUST enum fl_err key_sign(const struct key *k, const void *text, size_t n,
                             uint8_t out[static KEY_SIGNATURE], struct fl_why *why);

/* PKCS#8 as PEM; with a passphrase (NULL: none) PBES2, AES-256-CBC, PBKDF2-HMAC-SHA-256 of 600,000
 * rounds (OWASP's number). The caller wipes and frees: key_wipe. */
FL_MUST enum fl_err key_to_pem(const struct key *k, const char *passphrase, struct fl_buf *out,
                               struct fl_why *why);
/* FL_ACCESS: encrypted and no passphrase given, or a wrong one. FL_FORMAT: no Ed25519 key in it. */
FL_MUST enum fl_err key_from_pem(const void *pem, size_t n, const char *passphrase, struct key **out,
                                 struct fl_why *why);
bool key_pem_encrypted(const void *pem, size_t n);
/* Overwrite, then free. */
void key_wipe(struct fl_buf *b);

#endif
