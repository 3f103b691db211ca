/* SPDX-License-Identifier: Apache-2.0 */
#include "base/b64.h"
#include "audit/key.h"
#include "base/hash.h"
#include "base/utf8.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* Unicode's White_Space above U+0020 in UTF-8: a name must not hold what a reader cannot see. */
static const char *const spaces[] = {
    "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82",
    "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88",
    "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f",
    "\xe3\x80\x80",
};

bool key_name_ok(const char *name, size_t n)
{
    if (n == 0 || n >= KEY_NAME_MAX || !fl_utf8_ok((const uint8_t *)name, n))
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f || name[i] == '+' ||
            ((unsigned char)name[i] == 0xC2 && (unsigned char)name[i + 1] < 0xA0)) /* C1: steers some terminals */
            return false;
    for (size_t s = 0; s < sizeof spaces / sizeof *spaces; s++)
        if (memmem(name, n, spaces[s], strlen(spaces[s])))
            return false;
    return true;
}

enum fl_err vkey_make(const char *name, enum key_type type, const uint8_t key[static KEY_PUBLIC],
                      struct vkey *out, struct fl_why *why)
{
    size_t n = strlen(name);
    uint8_t in[KEY_NAME_MAX + 2 + KEY_PUBLIC], digest[FL_SHA256_SIZE];
    if (!key_name_ok(name, n))
        return fl_fail(why, FL_FORMAT,
                       "'%.200s' cannot name a key: 1 to %d bytes of UTF-8 without space or '+'", name,
                       KEY_NAME_MAX - 1);
    *out = (struct vkey){.type = type};
    memcpy(out->name, name, n);
    memcpy(out->key, key, KEY_PUBLIC);
    memcpy(in, name, n);
    in[n] = '\n';
    in[n + 1] = (uint8_t)type;
    memcpy(in + n + 2, key, KEY_PUBLIC);
    if (fl_sha256(in, n + 2 + KEY_PUBLIC, digest))
        return fl_fail(why, FL_NOMEM, "out of memory");
    out->id = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
              digest[3];
    return FL_OK;
}

enum fl_err vkey_parse(const char *text, struct vkey *out, struct fl_why *why)
{
    /* the first two '+' divide it; base64 may hold more of them */
    const char *p = strchr(text, '+'), *q = p ? strchr(p + 1, '+') : NULL;
    uint8_t id[4], raw[1 + KEY_PUBLIC];
    char name[KEY_NAME_MAX], hex[9] = "";
    size_t n;
    if (!q || (size_t)(p - text) >= sizeof name || q - p != 9)
        return fl_fail(why, FL_FORMAT, "not a verifier key (name+8 hex digits+base64): '%.200s'", text);
    memcpy(name, text, (size_t)(p - text));
    name[p - text] = 0;
    memcpy(hex, p + 1, 8);
    if (strpbrk(hex, "ABCDEF") || !fl_unhex(hex, id, 4))
        return fl_fail(why, FL_FORMAT, "the key ID '%s' is not 8 lower-case hex digits", hex);
    if (!b64_decode(q + 1, strlen(q + 1), raw, sizeof raw, &n) || n != sizeof raw)
        return fl_fail(why, FL_FORMAT, "the verifier key of %s does not hold 33 bytes of base64", name);
    if (raw[0] != KEY_NOTE && raw[0] != KEY_COSIGN)
        return fl_fail(why, FL_UNSUPPORTED, "the verifier key of %s is of type %u, not Ed25519", name,
                       raw[0]);
    struct vkey k;
    enum fl_err err = vkey_make(name, (enum key_type)raw[0], raw + 1, &k, why);
    if (err)
        return err;
    uint32_t want = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
    if (k.id != want)
        return fl_fail(why, FL_MISMATCH, "the key ID %s is not the one of this name and key (%08x)", hex,
                       k.id);
    *out = k;
    return FL_OK;
}

void vkey_format(const struct vkey *k, char out[static KEY_VKEY_MAX])
{
    uint8_t raw[1 + KEY_PUBLIC];
    char b64[B64_LEN(sizeof raw) + 1];
    raw[0] = (uint8_t)k->type;
    memcpy(raw + 1, k->key, KEY_PUBLIC);
    b64_encode(raw, sizeof raw, b64);
    (void)snprintf(out, KEY_VKEY_MAX, "%s+%08x+%s", k->name, k->id, b64);
}

enum fl_err vkey_fingerprint(const struct vkey *k, char out[static KEY_FINGERPRINT])
{
    char text[KEY_VKEY_MAX], hex[2 * FL_SHA256_SIZE + 1];
    uint8_t digest[FL_SHA256_SIZE];
    vkey_format(k, text);
    enum fl_err err = fl_sha256(text, strlen(text), digest);
    if (err)
        return err;
    fl_hex(digest, sizeof digest, hex);
    char *p = out;
    for (size_t i = 0; hex[i]; i++) {
        if (i && i % 4 == 0)
            *p++ = ' ';
        *p++ = hex[i];
    }
    *p = 0;
    return FL_OK;
}

enum fl_err vkey_verify(const uint8_t key[static KEY_PUBLIC], const void *text, size_t n,
                        const uint8_t signature[static KEY_SIGNATURE])
{
    enum fl_err err = FL_NOMEM;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, KEY_PUBLIC);
    if (ctx && pkey && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1)
        err = EVP_DigestVerify(ctx, signature, KEY_SIGNATURE, text, n) == 1 ? FL_OK : FL_MISMATCH;
    EVP_PKEY_free(pkey);
    EVP_MD_CTX_free(ctx);
    return err;
}
