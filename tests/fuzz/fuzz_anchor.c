/* SPDX-License-Identifier: Apache-2.0
 * An authority's answer (RFC 3161), as it comes over the network or stands in a record. By the first input byte what follows is
 * the answer, or the record. The one answer that is good was made by openssl, for an authority whose key nobody has
 * (anchor-ca.pem): whatever else verifies tells the same time. */
#include "fuzz.h"

#include "audit/anchor.h"

static const char note[] = "the head that is stamped\n", ca[] = "tests/fuzz/anchor-ca.pem";
static const int64_t good_ms = INT64_C(1795433487000);

static void answer(const uint8_t *bytes, size_t n)
{
    struct fl_buf token = FL_BUF(ANCHOR_TOKEN_MAX);
    static const uint8_t nonce[ANCHOR_NONCE] = {0x41, 1};
    struct fl_why why = {0, ""};
    int64_t ms = 0, plain_ms = 0;
    fl_buf_add(&token, bytes, n);
    if (token.err)
        goto out;
    enum fl_err plain = anchor_check(&token, note, sizeof note - 1, NULL, NULL, &plain_ms, &why);
    FUZZ_HOLDS(plain == FL_OK || (why.text[0] && fuzz_for_eyes(why.text, strlen(why.text), false)));
    enum fl_err whole = anchor_check(&token, note, sizeof note - 1, ca, NULL, &ms, &why);
    FUZZ_HOLDS(whole == FL_OK || fuzz_for_eyes(why.text, strlen(why.text), false));
    FUZZ_HOLDS(whole != FL_OK || (plain == FL_OK && ms == good_ms && plain_ms == ms));
    FUZZ_HOLDS(anchor_check(&token, note, sizeof note - 2, ca, NULL, &ms, NULL) != FL_OK);      /* over other bytes */
    FUZZ_HOLDS(anchor_check(&token, note, sizeof note - 1, ca, nonce, &ms, NULL) != FL_OK);     /* to another request */
out:
    fl_buf_fini(&token);
}

static void record(const uint8_t *bytes, size_t n)
{
    struct anchor a;
    struct fl_why why = {0, ""};
    if (anchor_read(bytes, n, &a, &why) == FL_OK) {
        FUZZ_HOLDS(a.token.len > 0 && a.token.len <= ANCHOR_TOKEN_MAX && a.note.len > 0 && a.note.len <= ANCHOR_NOTE_MAX);
        FUZZ_HOLDS(memchr(a.url, 0, sizeof a.url));
        answer(a.token.bytes, a.token.len);
    } else {
        FUZZ_HOLDS(why.text[0] && fuzz_for_eyes(why.text, strlen(why.text), false));
    }
    anchor_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return 0;
    uint8_t *copy = fuzz_copy(bytes + 1, n - 1);
    (bytes[0] % 2 ? record : answer)(copy, n - 1);
    free(copy);
    return 0;
}
