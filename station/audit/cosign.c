/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/cosign.h"

#include "base/cursor.h"

enum { TEXT_MAX = 1000000 + 64 };

static enum fl_err message(const char *text, size_t n, uint64_t time_s, struct fl_buf *out)
{
    fl_buf_addf(out, "cosignature/v1\ntime %llu\n", (unsigned long long)time_s);
    fl_buf_add(out, text, n);
    return fl_buf_err(out, NULL);
}

enum fl_err cosign_check(const char *text, size_t text_n, const uint8_t *raw, size_t n,
                         const struct vkey *key, int64_t *time_s)
{
    struct fl_buf m = FL_BUF(TEXT_MAX);
    uint64_t t = 0;
    if (n != COSIGN_RAW || key->type != KEY_COSIGN)
        return FL_MISMATCH;
    for (int i = 0; i < 8; i++)
        t = t << 8 | raw[i];
    if (t > INT64_MAX)
        return FL_MISMATCH;
    enum fl_err err = message(text, text_n, t, &m);
    if (!err)
        err = vkey_verify(key->key, m.bytes, m.len, raw + 8);
    if (!err && time_s)
        *time_s = (int64_t)t;
    fl_buf_fini(&m);
    return err;
}

enum fl_err cosign_make(const char *text, size_t text_n, int64_t time_s, const struct key *key,
                        uint8_t out[static COSIGN_RAW], struct fl_why *why)
{
    struct fl_buf m = FL_BUF(TEXT_MAX);
    if (time_s < 0)
        return fl_fail(why, FL_ARG, "a cosignature before 1970");
    enum fl_err err = message(text, text_n, (uint64_t)time_s, &m);
    if (err)
        err = fl_fail(why, err, "%s", fl_err_text(err));
    else
        err = key_sign(key, m.bytes, m.len, out + 8, why);
    fl_put_u64be(out, (uint64_t)time_s);
    fl_buf_fini(&m);
    return err;
}
