/* SPDX-License-Identifier: Apache-2.0
 * What a board says when it starts. However it was cut into reads, the same is seen: byte by byte (or by few), and in pieces as long as
 * the first input byte says. (Behind the place where all that is expected has come nobody reads on, so a fault in the same
 * piece may be seen or not.) What is quoted of it is ASCII. */
#include "fuzz.h"

#include "esp/text.h"
#include "line/boot_check.h"

static const struct profile_measure measures[] = {{.name = "v", .text = "vbat={} mV"}, {.name = "t", .text = "{}C"}, {.name = "n", .text = "n={}"}};

static size_t feed(struct boot_check *b, const struct profile_boot_check *want, const uint8_t *bytes, size_t n, size_t step, enum boot_verdict *v)
{
    size_t at = 0;
    boot_check_init(b, want);
    *v = BOOT_GO_ON;
    while (at < n && *v == BOOT_GO_ON) {
        size_t k = n - at < step ? n - at : step;
        *v = boot_check_feed(b, bytes + at, k);
        at += k;
    }
    return at;
}

static void check(const struct profile_boot_check *want, const uint8_t *bytes, size_t n, size_t step)
{
    static struct boot_check one, many;
    enum boot_verdict slow, fast;
    size_t few = n > 300 ? 5 : 1; /* each look costs */
    size_t slow_at = feed(&one, want, bytes, n, few, &slow), fast_at = feed(&many, want, bytes, n, step, &fast);
    FUZZ_HOLDS(slow == fast || (slow != BOOT_GO_ON && fast != BOOT_GO_ON));
    FUZZ_HOLDS(fast_at + few > slow_at && slow_at + step > fast_at);
    for (size_t i = 0; i < want->n_measures && slow == fast && slow <= BOOT_GOOD; i++)
        FUZZ_HOLDS(one.values[i].seen == many.values[i].seen && (!one.values[i].seen || one.values[i].micro == many.values[i].micro));
}

static void quoted(const uint8_t *bytes, size_t n, size_t step)
{
    static struct text_log whole, cut;
    char quote[TEXT_QUOTE];
    size_t a_n, b_n;
    whole = cut = (struct text_log){.n = 0};
    text_add(&whole, bytes, n);
    for (size_t at = 0; at < n; at += step)
        text_add(&cut, bytes + at, n - at < step ? n - at : step);
    const uint8_t *a = text_tail(&whole, &a_n), *b = text_tail(&cut, &b_n);
    FUZZ_HOLDS(a_n == (n < TEXT_KEEP ? n : TEXT_KEEP) && a_n == b_n && memcmp(a, b, a_n) == 0 && memcmp(a, bytes + n - a_n, a_n) == 0);
    struct text_signs s = text_read(a, a_n);
    FUZZ_HOLDS(s.boot_code >= -1 && s.boot_code <= 0xffff && s.reset_code >= -1 && s.behind <= a_n && (s.waiting || s.behind == 0));
    text_quote(bytes, n, quote);
    FUZZ_HOLDS(memchr(quote, 0, sizeof quote) && strlen(quote) <= 60);
    for (const char *p = quote; *p; p++)
        FUZZ_HOLDS(*p >= ' ' && *p < 0x7f && *p != '"');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const struct profile_boot_check want[] = {
        {.expect = "ready", .fail = "FAILED"}, {.fail = "FAILED"}, {.expect = "ok", .measures = measures, .n_measures = 3}};
    if (n < 2 || n > 4000)
        return 0;
    uint8_t *copy = fuzz_copy(bytes + 1, n - 1);
    check(&want[bytes[0] % 3], copy, n - 1, bytes[0] + 1u);
    quoted(copy, n - 1, bytes[0] + 1u);
    free(copy);
    return 0;
}
