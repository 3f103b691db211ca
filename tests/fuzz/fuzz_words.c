/* SPDX-License-Identifier: Apache-2.0
 * Single words as people, files and boards write them: times, MACs, numbers, base64, ports, limits. What was read and is
 * written again is the same word, where there is one way to write it. */
#include "fuzz.h"

#include "audit/checkpoint.h"
#include "base/b64.h"
#include "base/clock.h"
#include "event/event.h"
#include "link/link.h"
#include "profile/profile.h"

static void times(const char *text)
{
    char again[FL_TIME_TEXT];
    int64_t ms;
    if (!fl_time_parse(text, &ms))
        return;
    fl_time_format(ms, again);
    FUZZ_HOLDS(strcmp(again, text) == 0);
}

static void macs(const char *text)
{
    uint8_t mac[8], back[8];
    char again[24];
    size_t n = event_mac_parse(text, mac);
    FUZZ_HOLDS(n == 0 || n == 6 || n == 8);
    if (!n)
        return;
    event_mac_format(mac, n, again);
    FUZZ_HOLDS(event_mac_parse(again, back) == n && memcmp(mac, back, n) == 0);
}

static void numbers(const char *text, size_t n)
{
    uint64_t v;
    char again[24];
    if (!checkpoint_number(text, n, &v))
        return;
    (void)snprintf(again, sizeof again, "%llu", (unsigned long long)v);
    FUZZ_HOLDS(strcmp(again, text) == 0);
}

static void base64(const char *text, size_t n)
{
    uint8_t *bytes = malloc(n + 1);
    char *again = malloc(n + 8);
    size_t got;
    FUZZ_HOLDS(bytes && again);
    if (b64_decode(text, n, bytes, n, &got)) {
        FUZZ_HOLDS(B64_LEN(got) == n);
        b64_encode(bytes, got, again);
        FUZZ_HOLDS(strcmp(again, text) == 0);
    }
    free(bytes);
    free(again);
}

static void measures(const char *text)
{
    struct profile_measure m;
    const char *end;
    int64_t micro;
    if (profile_parse_decimal(text, &micro, &end))
        FUZZ_HOLDS(end > text && end <= text + strlen(text) && strcspn(text, "0123456789") < (size_t)(end - text));
    if (profile_parse_limits(text, &m))
        FUZZ_HOLDS((m.has_low || m.has_high) && memchr(m.unit, 0, sizeof m.unit) && (!m.has_low || !m.has_high || m.low <= m.high));
}

static void ports(const char *text)
{
    struct fl_why why = {0, ""};
    if (link_url_check(text, &why))
        FUZZ_HOLDS(why.text[0] && fuzz_for_eyes(why.text, strlen(why.text), false));
    else
        for (const char *p = text; *p; p++)
            FUZZ_HOLDS((unsigned char)*p >= 0x20 && *p != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *text = fuzz_text(bytes, n);
    size_t len = strlen(text);
    times(text);
    macs(text);
    numbers(text, len);
    base64(text, len);
    measures(text);
    ports(text);
    free(text);
    return 0;
}
