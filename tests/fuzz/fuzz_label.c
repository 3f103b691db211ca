/* SPDX-License-Identifier: Apache-2.0
 * Templates that people write, and what fills them: labels (ZPL) and serial numbers. The input is texts, each behind a line
 * end: a template, the text of its QR code, then what fills them. No field brings a command to the printer; a number that a
 * template made tells its counter again. */
#include "fuzz.h"

#include "line/label.h"
#include "line/serial.h"

enum { TEXTS = 8 };

static size_t commands(const char *s, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        k += s[i] == '^' || s[i] == '~' || (unsigned char)s[i] < 0x20 || s[i] == 0x7f;
    return k;
}

static size_t graphics(const char *s)
{
    size_t k = 0;
    for (; (s = strchr(s, '{')); s += s[1] == '{' ? 2 : 1)
        k += strncmp(s, "{qr", 3) == 0;
    return k;
}

static void label(const struct attempt_facts *f, char *const text[static TEXTS])
{
    const struct label_source s = {text[2], text[3], text[4]};
    struct label *l = NULL;
    struct fl_buf out = FL_BUF(16 << 20);
    struct fl_why why = {0, ""};
    if (label_parse("f.zpl", text[0], text[1], &l, &why)) {
        FUZZ_HOLDS(!l && why.text[0] && fuzz_for_eyes(why.text, strlen(why.text), false));
        return;
    }
    enum fl_err err = label_make(l, f, &s, &out, &why);
    if (!err)
        FUZZ_HOLDS(commands(fl_buf_text(&out), out.len) == commands(text[0], strlen(text[0])) + graphics(text[0]));
    else
        FUZZ_HOLDS(fuzz_for_eyes(why.text, strlen(why.text), false));
    fl_buf_fini(&out);
    label_free(l);
}

static void serial(const char *template, const char *lot, uint64_t n, int64_t wall_ms)
{
    char number[SERIAL_TEXT_MAX];
    struct fl_why why = {0, ""};
    uint64_t back = 0;
    if (serial_check(template, &why)) {
        FUZZ_HOLDS(why.text[0] && fuzz_for_eyes(why.text, strlen(why.text), false));
        return;
    }
    if (serial_format(template, n, lot, wall_ms, number) == FL_OK)
        FUZZ_HOLDS(strlen(number) < sizeof number && serial_counter(template, lot, number, &back) && back == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct attempt_facts *f = calloc(1, sizeof *f);
    char *all = fuzz_text(bytes, n), *text[TEXTS];
    char *at = all;
    uint64_t number = 1;
    FUZZ_HOLDS(f);
    for (size_t i = 0; i < TEXTS; i++) {
        char *end = strchr(at, '\n');
        text[i] = at;
        at = end ? end + 1 : at + strlen(at);
        if (end)
            *end = 0;
    }
    for (const char *p = text[5]; *p >= '0' && *p <= '9' && number < 1000000000000; p++)
        number = 10 * number + (uint64_t)(*p - '0');
    for (char *p = text[0]; *p; p++) /* a template has lines; the input's are its texts */
        *p = *p == '\\' ? '\n' : *p;
    (void)snprintf(f->serial, sizeof f->serial, "%s", text[5]);
    (void)snprintf(f->lot, sizeof f->lot, "%s", text[6]);
    (void)snprintf(f->operator_id, sizeof f->operator_id, "%s", text[7]);
    f->end_ms = (int64_t)number * 1000;
    label(f, text);
    serial(text[0], text[6], number, (int64_t)(number % 4000000000) * 1000);
    free(all);
    free(f);
    return 0;
}
