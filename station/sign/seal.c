/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/seal.h"

#include "base/file.h"
#include "sign/token.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 65536 };

void seal_close(struct seal *s)
{
    if (s->close)
        s->close(s->ctx);
    *s = (struct seal){.ctx = NULL};
}

static enum fl_err sign_by_key(void *ctx, const void *text, size_t n, uint8_t out[static KEY_SIGNATURE], struct fl_why *why)
{
    return key_sign(ctx, text, n, out, why);
}

static void close_key(void *ctx)
{
    key_free(ctx);
}

void seal_of_key(struct key *key, struct seal *out)
{
    *out = (struct seal){.ctx = key, .sign = sign_by_key, .close = close_key};
    key_public(key, out->public);
}

enum fl_err seal_open(const char *path, const char *secret, struct seal *out, struct fl_why *why)
{
    struct fl_buf text = FL_BUF(FILE_MAX);
    struct token_place place;
    struct stat st;
    struct key *key = NULL;
    *out = (struct seal){.ctx = NULL};
    if (stat(path, &st) != 0)
        return fl_fail_os(why, "cannot read the signing key %s", path);
    if (st.st_mode & 077)
        return fl_fail(why, FL_ACCESS, "others may read the signing key %.200s (mode %03o): chmod 600 it, or copy it first to where that holds (not on most sticks)", path,
                       (unsigned)st.st_mode & 0777u);
    enum fl_err err = fl_file_read(path, &text, why);
    if (!err && token_describes(text.bytes, text.len)) {
        err = token_parse(text.bytes, text.len, &place, why);
        if (!err)
            err = token_open(&place, secret, out, why);
    } else if (!err) {
        err = key_from_pem(text.bytes, text.len, secret, &key, why);
        if (!err)
            seal_of_key(key, out);
    }
    key_wipe(&text);
    return err ? fl_why_wrap(why, err, "%.200s: ", path) : FL_OK;
}
