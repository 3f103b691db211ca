/* SPDX-License-Identifier: Apache-2.0
 * Words of the boot ROMs and of ESP-IDF: facts sheet 2.3, 2.4, 2.7 and 9. */
#include "esp/text.h"

#include <string.h>

void text_add(struct text_log *t, const uint8_t *bytes, size_t n)
{
    t->total += n;
    if (n > TEXT_KEEP) {
        bytes += n - TEXT_KEEP;
        n = TEXT_KEEP;
    }
    if (t->n + n > sizeof t->bytes) {
        memmove(t->bytes, t->bytes + t->n - TEXT_KEEP, TEXT_KEEP);
        t->n = TEXT_KEEP;
    }
    memcpy(t->bytes + t->n, bytes, n);
    t->n += n;
}

const uint8_t *text_since(const struct text_log *t, uint64_t mark, size_t *n)
{
    uint64_t news = t->total - mark;
    size_t kept = t->n < TEXT_KEEP ? t->n : TEXT_KEEP;
    *n = news < kept ? (size_t)news : kept;
    return t->bytes + t->n - *n;
}

const uint8_t *text_tail(const struct text_log *t, size_t *n)
{
    return text_since(t, 0, n);
}

/* Where the last `word` ends, or NULL. */
static const uint8_t *after(const uint8_t *bytes, size_t n, const char *word)
{
    const uint8_t *last = NULL;
    size_t len = strlen(word);
    for (const uint8_t *p = bytes; n >= len;) {
        const uint8_t *hit = memmem(p, n, word, len);
        if (!hit)
            break;
        last = hit + len;
        n -= (size_t)(last - p);
        p = last;
    }
    return last;
}

static int hex_at(const uint8_t *p, const uint8_t *end)
{
    int v = 0, digits = 0;
    for (; p < end && digits < 4; p++, digits++) {
        int d = *p >= '0' && *p <= '9'   ? *p - '0'
                : *p >= 'a' && *p <= 'f' ? *p - 'a' + 10
                : *p >= 'A' && *p <= 'F' ? *p - 'A' + 10
                                         : -1;
        if (d < 0)
            break;
        v = v * 16 + d;
    }
    return digits > 0 ? v : -1;
}

/* What stands behind a boot code where the strap was low: DOWNLOAD(USB/UART0/1), DOWNLOAD_BOOT(...), UART0_BOOT. */
static bool names_loader(const uint8_t *p, const uint8_t *end)
{
    static const char *const names[] = {"(DOWNLOAD", "(UART0_BOOT"};
    enum { NEAR = 20 };
    size_t n = (size_t)(end - p) < NEAR ? (size_t)(end - p) : NEAR;
    return after(p, n, names[0]) || after(p, n, names[1]);
}

static bool mostly_text(const uint8_t *bytes, size_t n)
{
    size_t good = 0;
    for (size_t i = 0; i < n; i++)
        good += (bytes[i] >= ' ' && bytes[i] < 0x7f) || (bytes[i] >= '\t' && bytes[i] <= '\r') ||
                bytes[i] == 0x1b;
    return n >= 4 && good * 10 >= n * 8;
}

struct text_signs text_read(const uint8_t *bytes, size_t n)
{
    struct text_signs s = {.n = n, .boot_code = -1, .reset_code = -1};
    const uint8_t *end = bytes + n;
    const uint8_t *boot = after(bytes, n, "boot:0x"), *rst = after(bytes, n, "rst:0x");
    if (boot)
        s.boot_code = hex_at(boot, end);
    if (rst)
        s.reset_code = hex_at(rst, end);
    if (!boot) { /* ESP8266: "rst cause:2, boot mode:(3,7)" */
        boot = after(bytes, n, "boot mode:(");
        if (boot)
            s.boot_code = hex_at(boot, end);
    }
    s.boot = s.boot_code >= 0 || s.reset_code >= 0 || after(bytes, n, "ESP-ROM:") || after(bytes, n, "ets Jun ") ||
             after(bytes, n, "ets Jul ") || after(bytes, n, "ets Jan ");
    const uint8_t *waiting = after(bytes, n, "waiting for download");
    s.waiting = waiting && (!boot || waiting > boot);
    s.download = s.waiting || (boot && names_loader(boot, end));
    s.boot_line = boot && memchr(boot, '\n', (size_t)(end - boot));
    for (const uint8_t *p = s.waiting ? waiting : end; p < end; p++)
        s.behind += *p != '\r' && *p != '\n';
    /* reset codes of ESP32 and later chips: 0F is the brownout reset */
    s.brownout = s.reset_code == 0x0f || after(bytes, n, "Brownout detector was triggered");
    s.panic = after(bytes, n, "Guru Meditation Error") || after(bytes, n, "Fatal exception (");
    s.printable = mostly_text(bytes, n);
    return s;
}

unsigned text_boots(const uint8_t *bytes, size_t n)
{
    static const char word[] = "boot:0x";
    unsigned count = 0;
    const uint8_t *end = bytes + n;
    for (const uint8_t *p = bytes; n > 0 && (p = memmem(p, (size_t)(end - p), word, sizeof word - 1)) != NULL; p += sizeof word - 1)
        count++;
    return count;
}

void text_quote(const uint8_t *bytes, size_t n, char out[static TEXT_QUOTE])
{
    enum { LONGEST = 60 };
    while (n > 0 && (bytes[n - 1] == '\n' || bytes[n - 1] == '\r' || bytes[n - 1] == 0))
        n--;
    size_t from = n;
    while (from > 0 && bytes[from - 1] != '\n' && bytes[from - 1] != '\r' && n - from < LONGEST)
        from--;
    size_t to = 0;
    for (size_t i = from; i < n; i++) {
        uint8_t c = bytes[i];
        out[to++] = c >= ' ' && c < 0x7f && c != '"' ? (char)c : '.';
    }
    out[to] = 0;
}
