/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/key.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum { PBKDF2_ROUNDS = 600000 };

struct key {
    EVP_PKEY *pkey;
    uint8_t public[KEY_PUBLIC];
};

/* Takes pkey, also on failure. */
static enum fl_err wrap(EVP_PKEY *pkey, struct key **out, struct fl_why *why)
{
    size_t n = KEY_PUBLIC;
    struct key *k = calloc(1, sizeof *k);
    if (!k || !pkey || EVP_PKEY_get_raw_public_key(pkey, k->public, &n) != 1 || n != KEY_PUBLIC) {
        EVP_PKEY_free(pkey);
        free(k);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    k->pkey = pkey;
    *out = k;
    return FL_OK;
}

enum fl_err key_new(struct key **out, struct fl_why *why)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    *out = NULL;
    if (!pkey)
        return fl_fail(why, FL_IO, "libcrypto could not make a random key");
    return wrap(pkey, out, why);
}

enum fl_err key_from_seed(const uint8_t seed[static KEY_SEED], struct key **out, struct fl_why *why)
{
    *out = NULL;
    return wrap(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, KEY_SEED), out, why);
}

void key_free(struct key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey); /* clears the private half */
    OPENSSL_cleanse(k, sizeof *k);
    free(k);
}

void key_public(const struct key *k, uint8_t out[static KEY_PUBLIC])
{
    memcpy(out, k->public, KEY_PUBLIC);
}

enum fl_err key_sign(const struct key *k, const void *text, size_t n,
                     uint8_t out[static KEY_SIGNATURE], struct fl_why *why)
{
    size_t len = KEY_SIGNATURE;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
              EVP_DigestSign(ctx, out, &len, text, n) == 1 && len == KEY_SIGNATURE;
    EVP_MD_CTX_free(ctx);
    return ok ? FL_OK : fl_fail(why, FL_IO, "libcrypto could not sign");
}

void key_wipe(struct fl_buf *b)
{
    if (b->bytes)
        OPENSSL_cleanse(b->bytes, b->cap);
    fl_buf_fini(b);
}

/* ---- PEM ---------------------------------------------------------------------------------------- */

static bool write_encrypted(BIO *bio, const PKCS8_PRIV_KEY_INFO *plain, const char *passphrase)
{
    /* salt and IV random, PRF named: the defaults would be 2,048 rounds */
    X509_ALGOR *pbe = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PBKDF2_ROUNDS, NULL, 0, NULL,
                                        NID_hmacWithSHA256);
    X509_SIG *sealed = NULL;
    if (pbe)
        sealed = PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), (PKCS8_PRIV_KEY_INFO *)(uintptr_t)plain,
                                pbe);
    if (pbe && !sealed)
        X509_ALGOR_free(pbe);
    bool ok = sealed && PEM_write_bio_PKCS8(bio, sealed) == 1;
    X509_SIG_free(sealed);
    return ok;
}

enum fl_err key_to_pem(const struct key *k, const char *passphrase, struct fl_buf *out,
                       struct fl_why *why)
{
    enum fl_err err = FL_OK;
    char *text;
    BIO *bio = BIO_new(BIO_s_secmem());
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(k->pkey);
    bool ok = bio && plain &&
              (passphrase ? write_encrypted(bio, plain, passphrase)
                          : PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, plain) == 1);
    long n = ok ? BIO_get_mem_data(bio, &text) : 0;
    if (n > 0)
        fl_buf_add(out, text, (size_t)n);
    else
        err = fl_fail(why, FL_NOMEM, "libcrypto could not write the key");
    PKCS8_PRIV_KEY_INFO_free(plain);
    BIO_free(bio);
    return err ? err : fl_buf_err(out, why);
}

struct asked {
    const char *passphrase;
    bool asked;
};

static int give_passphrase(char *to, int size, int writing, void *ctx)
{
    struct asked *a = ctx;
    (void)writing;
    a->asked = true;
    size_t n = a->passphrase ? strlen(a->passphrase) : 0;
    if (!a->passphrase || size < 0 || n > (size_t)size)
        return -1;
    memcpy(to, a->passphrase, n);
    return (int)n;
}

enum fl_err key_from_pem(const void *pem, size_t n, const char *passphrase, struct key **out,
                         struct fl_why *why)
{
    struct asked asked = {passphrase, false};
    *out = NULL;
    if (n > 65536)
        return fl_fail(why, FL_LIMIT, "a key file of %zu bytes", n);
    BIO *bio = BIO_new_mem_buf(pem, (int)n);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &asked) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    if (pkey && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519)
        return wrap(pkey, out, why);
    if (pkey) {
        EVP_PKEY_free(pkey);
        return fl_fail(why, FL_FORMAT, "the key is not an Ed25519 key");
    }
    if (asked.asked && !passphrase)
        return fl_fail(why, FL_ACCESS, "the key is encrypted and no passphrase was given (--passphrase-fd, --credential)");
    if (asked.asked)
        return fl_fail(why, FL_ACCESS, "the passphrase does not open the key");
    return fl_fail(why, FL_FORMAT, "no private key in PEM form");
}

bool key_pem_encrypted(const void *pem, size_t n)
{
    static const char mark[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
    return n && memmem(pem, n, mark, sizeof mark - 1) != NULL; /* an empty file has no bytes at all */
}
