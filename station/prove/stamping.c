/* SPDX-License-Identifier: Apache-2.0 */
#include "prove/stamping.h"

#include "audit/anchor.h"
#include "base/b64.h"
#include "audit/verify.h"
#include "base/clock.h"
#include "base/hash.h"
#include "http/post.h"
#include "prove/certificate.h"
#include "store/db.h"
#include "store/folder.h"

#include <stdlib.h>

/* One head is recorded once, however often it was stamped before that was known: the job is the head's own hash. */
static enum fl_err make_body(const struct stamping *s, const struct fl_buf *token, json_t **body)
{
    uint8_t sha[FL_SHA256_SIZE];
    char job[2 * FL_SHA256_SIZE + 1], *b64 = malloc(B64_LEN(token->len) + 1);
    if (!b64 || fl_sha256(s->note, s->n, sha)) {
        free(b64);
        return FL_NOMEM;
    }
    fl_hex(sha, sizeof sha, job);
    b64_encode(token->bytes, token->len, b64);
    *body = json_pack("{ss%,ss,ss,ss}", "head", (const char *)s->note, s->n, "token", b64, "url", s->url, "job", job);
    free(b64);
    return *body ? FL_OK : FL_NOMEM;
}

/* A token whose time contradicts the records' would stay in the log for ever, and every audit would say so. */
static enum fl_err check_clock(int64_t theirs, struct fl_why *why)
{
    char a[FL_TIME_TEXT], b[FL_TIME_TEXT];
    int64_t ours = fl_wall_ms();
    if (theirs >= ours - AUDIT_SKEW_MS && theirs <= ours + AUDIT_SKEW_MS)
        return FL_OK;
    fl_time_format(theirs, a);
    fl_time_format(ours, b);
    return fl_fail(why, FL_MISMATCH, "the authority's clock says %s, this machine's %s: one of them is wrong", a, b);
}

static enum fl_err ask(const struct stamping *s, struct fl_buf *request, struct fl_buf *token, int64_t *time_ms, struct fl_why *why)
{
    uint8_t nonce[ANCHOR_NONCE];
    long status = 0;
    enum fl_err err = anchor_request(s->note, s->n, nonce, request, why);
    const struct http_post post = {.url = s->url, .type = "application/timestamp-query", .bytes = request->bytes, .n = request->len, .stop = s->stop};
    if (!err)
        err = http_post(&post, &status, token, why);
    if (!err && status != 200)
        err = fl_fail(why, FL_REFUSED, "the authority answers %ld", status);
    if (!err)
        err = anchor_check(token, s->note, s->n, s->ca, nonce, time_ms, why);
    return err ? err : check_clock(*time_ms, why);
}

enum fl_err stamping_ask(const struct stamping *s, json_t **body, int64_t *time_ms, struct fl_why *why)
{
    struct fl_buf request = FL_BUF(4096), token = FL_BUF(ANCHOR_TOKEN_MAX);
    *body = NULL;
    enum fl_err err = ask(s, &request, &token, time_ms, why);
    if (!err && make_body(s, &token, body))
        err = fl_fail(why, FL_NOMEM, "out of memory");
    fl_buf_fini(&request);
    fl_buf_fini(&token);
    return err;
}

enum fl_err stamping_head(const char *data, struct fl_buf *note, struct fl_why *why)
{
    struct db_reader reader;
    enum fl_err err = folder_open_reader(data, false, &reader, why);
    if (!err)
        err = certificate_head(reader.db, note, why);
    db_close_reader(&reader);
    return err;
}
