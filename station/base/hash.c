/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct fl_hash {
    EVP_MD_CTX *ctx;
    const EVP_MD *md;
    bool bad;
};

enum fl_err fl_hash_new(enum fl_hash_kind kind, struct fl_hash **out)
{
    *out = NULL;
    struct fl_hash *h = calloc(1, sizeof *h);
    if (!h)
        return FL_NOMEM;
    h->md = kind == FL_HASH_MD5 ? EVP_md5() : EVP_sha256();
    h->ctx = EVP_MD_CTX_new();
    if (!h->ctx || EVP_DigestInit_ex(h->ctx, h->md, NULL) != 1) {
        fl_hash_free(h);
        return FL_NOMEM;
    }
    *out = h;
    return FL_OK;
}

void fl_hash_free(struct fl_hash *h)
{
    if (h) {
        EVP_MD_CTX_free(h->ctx);
        free(h);
    }
}

void fl_hash_add(struct fl_hash *h, const void *bytes, size_t n)
{
    if (EVP_DigestUpdate(h->ctx, bytes, n) != 1)
        h->bad = true;
}

enum fl_err fl_hash_end(struct fl_hash *h, uint8_t *out)
{
    bool ok = EVP_DigestFinal_ex(h->ctx, out, NULL) == 1 && !h->bad;
    h->bad = EVP_DigestInit_ex(h->ctx, NULL, NULL) != 1; /* NULL: the same digest, not looked up again */
    return ok ? FL_OK : FL_NOMEM;
}

enum fl_err fl_sha256(const void *bytes, size_t n, uint8_t out[static FL_SHA256_SIZE])
{
    return EVP_Digest(bytes, n, out, NULL, EVP_sha256(), NULL) == 1 ? FL_OK : FL_NOMEM;
}

enum fl_err fl_md5(const void *bytes, size_t n, uint8_t out[static FL_MD5_SIZE])
{
    return EVP_Digest(bytes, n, out, NULL, EVP_md5(), NULL) == 1 ? FL_OK : FL_NOMEM;
}

void fl_hex(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = 0;
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool fl_unhex(const char *text, uint8_t *bytes, size_t n)
{
    if (strlen(text) != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int hi = digit(text[2 * i]), lo = digit(text[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        bytes[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}
