/* SPDX-License-Identifier: Apache-2.0
 * The telnet stream of a serial port at a distance (RFC 2217). How the bytes were cut changes nothing; what was escaped comes
 * out as it was; a peer that changes its mind without end is not answered without end. The first input byte says how long
 * the reads are. */
#include "fuzz.h"

#include "link/telnet.h"

struct heard {
    struct telnet t;
    struct fl_buf data, subs;
};

static void on_sub(void *ctx, const uint8_t *bytes, size_t n)
{
    struct heard *h = ctx;
    FUZZ_HOLDS(n >= 1 && n <= TELNET_SUB_MAX);
    fl_buf_addf(&h->subs, "%zu:", n);
    fl_buf_add(&h->subs, bytes, n);
}

static void hear(struct heard *h, const uint8_t *bytes, size_t n, size_t step)
{
    *h = (struct heard){.data = FL_BUF(1 << 20), .subs = FL_BUF(1 << 20)};
    telnet_init(&h->t, on_sub, h);
    telnet_ask_us(&h->t, TN_COM_PORT);
    telnet_ask_him(&h->t, TN_BINARY);
    for (size_t at = 0; at < n; at += step) {
        size_t k = n - at < step ? n - at : step;
        uint8_t *in = fuzz_copy(bytes + at, k); /* in its own place, as a link does */
        fl_buf_add(&h->data, in, telnet_take(&h->t, in, k, in));
        free(in);
    }
    FUZZ_HOLDS(!h->t.answers.err && h->t.answers.len <= 3 * (2 + TELNET_CHANGES_MAX + 1) && h->t.answers.len % 3 == 0);
    for (size_t i = 0; i < h->t.answers.len; i += 3)
        FUZZ_HOLDS(h->t.answers.bytes[i] == TN_IAC && h->t.answers.bytes[i + 1] >= TN_WILL && h->t.answers.bytes[i + 1] <= TN_DONT);
}

static void end(struct heard *h)
{
    telnet_fini(&h->t);
    fl_buf_fini(&h->data);
    fl_buf_fini(&h->subs);
}

static bool same(const struct fl_buf *a, const struct fl_buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct heard whole, cut, escaped;
    struct fl_buf wire = FL_BUF(1 << 20);
    if (n < 2 || n > 1 << 16)
        return 0;
    hear(&whole, bytes + 1, n - 1, n - 1);
    hear(&cut, bytes + 1, n - 1, bytes[0] + 1u);
    FUZZ_HOLDS(same(&whole.data, &cut.data) && same(&whole.subs, &cut.subs) && same(&whole.t.answers, &cut.t.answers));
    FUZZ_HOLDS(whole.t.commands == cut.t.commands && whole.t.changes == cut.t.changes);
    telnet_escape(&wire, bytes + 1, n - 1);
    hear(&escaped, wire.bytes, wire.len, bytes[0] + 1u);
    FUZZ_HOLDS(escaped.data.len == n - 1 && memcmp(escaped.data.bytes, bytes + 1, n - 1) == 0 && escaped.t.commands == 0);
    end(&whole);
    end(&cut);
    end(&escaped);
    fl_buf_fini(&wire);
    return 0;
}
