/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/anchor.h"

#include "base/b64.h"
#include "base/hash.h"
#include "base/json.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#if OPENSSL_VERSION_NUMBER < 0x30400000L /* the same under the names they had, which said less about who owns what is given */
#define TS_VERIFY_CTX_set0_store TS_VERIFY_CTX_set_store
#define TS_VERIFY_CTX_set0_imprint TS_VERIFY_CTX_set_imprint
#endif

enum fl_err anchor_read(const void *rec, size_t n, struct anchor *out, struct fl_why *why)
{
    json_t *o;
    size_t got;
    *out = (struct anchor){.note = FL_BUF(ANCHOR_NOTE_MAX), .token = FL_BUF(ANCHOR_TOKEN_MAX)};
    enum fl_err err = fl_json_parse(rec, n, &o, why);
    if (err)
        return err;
    const char *token = fl_json_text(o, "token"), *head = fl_json_text(o, "head");
    size_t len = strlen(token);
    uint8_t *room = len && len <= B64_LEN(ANCHOR_TOKEN_MAX) ? fl_buf_room(&out->token, len / 4 * 3) : NULL;
    if (!room || !b64_decode(token, len, room, len / 4 * 3, &got) || !*head)
        err = fl_fail(why, FL_FORMAT, "the anchor holds no head or no token");
    else
        out->token.len = got;
    fl_buf_adds(&out->note, head);
    (void)snprintf(out->url, sizeof out->url, "%s", fl_json_text(o, "url"));
    json_decref(o);
    return err ? err : fl_buf_err(&out->note, why);
}

void anchor_fini(struct anchor *a)
{
    fl_buf_fini(&a->note);
    fl_buf_fini(&a->token);
}

/* ---- asking ------------------------------------------------------------------------------------------------- */

static bool fill_request(TS_REQ *req, const uint8_t digest[static FL_SHA256_SIZE], const uint8_t nonce[static ANCHOR_NONCE])
{
    TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    X509_ALGOR *algo = X509_ALGOR_new();
    BIGNUM *bn = BN_bin2bn(nonce, ANCHOR_NONCE, NULL);
    ASN1_INTEGER *number = bn ? BN_to_ASN1_INTEGER(bn, NULL) : NULL;
    bool ok = imprint && algo && number && X509_ALGOR_set0(algo, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
              TS_MSG_IMPRINT_set_algo(imprint, algo) == 1 &&
              TS_MSG_IMPRINT_set_msg(imprint, (unsigned char *)(uintptr_t)digest, FL_SHA256_SIZE) == 1 && TS_REQ_set_version(req, 1) == 1 &&
              TS_REQ_set_msg_imprint(req, imprint) == 1 && TS_REQ_set_nonce(req, number) == 1 && TS_REQ_set_cert_req(req, 1) == 1;
    TS_MSG_IMPRINT_free(imprint);
    X509_ALGOR_free(algo);
    ASN1_INTEGER_free(number);
    BN_free(bn);
    return ok;
}

enum fl_err anchor_request(const void *note, size_t n, uint8_t nonce[static ANCHOR_NONCE], struct fl_buf *out, struct fl_why *why)
{
    uint8_t digest[FL_SHA256_SIZE];
    unsigned char *der = NULL;
    TS_REQ *req = TS_REQ_new();
    enum fl_err err = fl_sha256(note, n, digest);
    if (!err && RAND_bytes(nonce, ANCHOR_NONCE) != 1)
        err = FL_IO;
    nonce[0] &= 0x7f; /* a positive number of one length */
    nonce[0] |= 0x40;
    if (!err && (!req || !fill_request(req, digest, nonce)))
        err = FL_NOMEM;
    int len = err ? -1 : i2d_TS_REQ(req, &der);
    if (len > 0)
        fl_buf_add(out, der, (size_t)len);
    else if (!err)
        err = FL_NOMEM;
    OPENSSL_free(der);
    TS_REQ_free(req);
    return err ? fl_fail(why, err, "no request for a timestamp could be made") : fl_buf_err(out, why);
}

/* ---- checking ----------------------------------------------------------------------------------------------- */

static int64_t time_of(const ASN1_GENERALIZEDTIME *t)
{
    struct tm tm;
    return t && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) * 1000 : INT64_MIN;
}

/* Granted, over these bytes, with this nonce. */
static enum fl_err check_info(TS_RESP *resp, const uint8_t digest[static FL_SHA256_SIZE], const uint8_t *nonce, int64_t *time_ms,
                              struct fl_why *why)
{
    long status = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(resp)));
    TS_TST_INFO *info = TS_RESP_get_tst_info(resp);
    if (status != TS_STATUS_GRANTED && status != TS_STATUS_GRANTED_WITH_MODS)
        return fl_fail(why, FL_MISMATCH, "the authority gave no timestamp (status %ld)", status);
    TS_MSG_IMPRINT *imprint = info ? TS_TST_INFO_get_msg_imprint(info) : NULL;
    ASN1_OCTET_STRING *msg = imprint ? TS_MSG_IMPRINT_get_msg(imprint) : NULL;
    const ASN1_OBJECT *algo = NULL;
    if (imprint)
        X509_ALGOR_get0(&algo, NULL, NULL, TS_MSG_IMPRINT_get_algo(imprint));
    if (!msg || !algo || OBJ_obj2nid(algo) != NID_sha256 || ASN1_STRING_length(msg) != FL_SHA256_SIZE ||
        memcmp(ASN1_STRING_get0_data(msg), digest, FL_SHA256_SIZE) != 0)
        return fl_fail(why, FL_MISMATCH, "the timestamp is over other bytes than this head");
    *time_ms = time_of(TS_TST_INFO_get_time(info));
    if (*time_ms == INT64_MIN)
        return fl_fail(why, FL_FORMAT, "the timestamp tells no time");
    if (nonce) {
        const ASN1_INTEGER *got = TS_TST_INFO_get_nonce(info);
        BIGNUM *a = got ? ASN1_INTEGER_to_BN(got, NULL) : NULL, *b = BN_bin2bn(nonce, ANCHOR_NONCE, NULL);
        bool same = a && b && BN_cmp(a, b) == 0;
        BN_free(a);
        BN_free(b);
        if (!same)
            return fl_fail(why, FL_MISMATCH, "the timestamp answers another request");
    }
    return FL_OK;
}

static enum fl_err check_signature(TS_RESP *resp, const uint8_t digest[static FL_SHA256_SIZE], const char *ca, int64_t time_ms,
                                   struct fl_why *why)
{
    TS_VERIFY_CTX *ctx = TS_VERIFY_CTX_new();
    X509_STORE *store = X509_STORE_new();
    unsigned char *copy = OPENSSL_memdup(digest, FL_SHA256_SIZE);
    enum fl_err err = FL_OK;
    if (!ctx || !store || !copy)
        err = fl_fail(why, FL_NOMEM, "out of memory");
    else if (X509_STORE_load_file(store, ca) != 1)
        err = fl_fail(why, FL_NOT_FOUND, "no certificates of authorities can be read from %.250s", ca);
    if (err) {
        OPENSSL_free(copy);
        X509_STORE_free(store);
    } else {
        X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)(time_ms / 1000));
        TS_VERIFY_CTX_set_flags(ctx, TS_VFY_VERSION | TS_VFY_SIGNATURE | TS_VFY_IMPRINT);
        (void)TS_VERIFY_CTX_set0_store(ctx, store); /* the context owns both now */
        (void)TS_VERIFY_CTX_set0_imprint(ctx, copy, FL_SHA256_SIZE);
        if (TS_RESP_verify_response(ctx, resp) != 1) {
            const char *data = NULL, *reason = NULL;
            int flags = 0;
            unsigned long code = ERR_peek_last_error_all(NULL, NULL, NULL, &data, &flags);
            reason = ERR_reason_error_string(code);
            err = fl_fail(why, FL_MISMATCH, "the timestamp is not of an authority that is trusted: %s%s%.150s", reason ? reason : "refused",
                          data && *data ? ": " : "", data && flags & ERR_TXT_STRING ? data : "");
        }
    }
    ERR_clear_error();
    TS_VERIFY_CTX_free(ctx);
    return err;
}

enum fl_err anchor_check(const struct fl_buf *token, const void *note, size_t n, const char *ca, const uint8_t *nonce,
                         int64_t *time_ms, struct fl_why *why)
{
    uint8_t digest[FL_SHA256_SIZE];
    const unsigned char *p = token->bytes;
    TS_RESP *resp = token->len ? d2i_TS_RESP(NULL, &p, (long)token->len) : NULL;
    enum fl_err err = fl_sha256(note, n, digest);
    *time_ms = INT64_MIN;
    if (err)
        err = fl_fail(why, err, "%s", fl_err_text(err));
    else if (!resp || p != token->bytes + token->len)
        err = fl_fail(why, FL_FORMAT, "the authority's answer is no timestamp (RFC 3161)");
    if (!err)
        err = check_info(resp, digest, nonce, time_ms, why);
    if (!err && ca)
        err = check_signature(resp, digest, ca, *time_ms, why);
    ERR_clear_error();
    TS_RESP_free(resp);
    return err;
}
