/* SPDX-License-Identifier: Apache-2.0 */
#include "esp/stub.h"

#include "base/embedded.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

enum { SEGMENT_MAX = 256 * 1024 }; /* no chip has a larger block of RAM to load a stub into */

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 section 4, strict: whole groups of four, padding only at the end, unused bits zero. Gives the
 * number of bytes, or -1. `out` holds 3 * n / 4. */
static long base64(const char *text, size_t n, uint8_t *out)
{
    if (n % 4 != 0)
        return -1;
    uint8_t *to = out;
    for (size_t i = 0; i < n; i += 4) {
        size_t have = 4;
        if (i + 4 == n && text[i + 3] == '=')
            have = text[i + 2] == '=' ? 2 : 3;
        uint32_t v = 0;
        for (size_t k = 0; k < 4; k++) {
            int d = k < have ? digit(text[i + k]) : 0;
            if (d < 0)
                return -1;
            v = v << 6 | (uint32_t)d;
        }
        if ((have == 3 && (v & 0xff)) || (have == 2 && (v & 0xffff)))
            return -1;
        for (size_t k = 0; k + 1 < have; k++)
            *to++ = (uint8_t)(v >> (16 - 8 * k));
    }
    return (long)(to - out);
}

static enum fl_err address(const json_t *o, const char *key, uint32_t *out, struct fl_why *why)
{
    int64_t v = fl_json_int(o, key, -1);
    if (v < 0 || v > UINT32_MAX)
        return fl_fail(why, FL_FORMAT, "stub: \"%s\" is not a 32-bit number", key);
    *out = (uint32_t)v;
    return FL_OK;
}

static enum fl_err segment(const json_t *o, const char *key, const char *start,
                           struct stub_segment *s, struct fl_why *why)
{
    const char *text = fl_json_text(o, key);
    size_t n = strlen(text);
    if (n == 0 || n / 4 * 3 > SEGMENT_MAX)
        return fl_fail(why, FL_FORMAT, "stub: \"%s\" is missing or too long", key);
    s->bytes = malloc(n / 4 * 3 + 1);
    if (!s->bytes)
        return fl_fail(why, FL_NOMEM, "stub: out of memory");
    long got = base64(text, n, s->bytes);
    if (got <= 0)
        return fl_fail(why, FL_FORMAT, "stub: \"%s\" is not base64", key);
    s->n = (size_t)got;
    return address(o, start, &s->addr, why);
}

enum fl_err stub_parse(const void *json, size_t n, struct stub *out, struct fl_why *why)
{
    *out = (struct stub){0};
    json_t *o = NULL;
    enum fl_err err = fl_json_parse(json, n, &o, why);
    if (!err)
        err = segment(o, "text", "text_start", &out->segments[0], why);
    if (!err)
        err = segment(o, "data", "data_start", &out->segments[1], why);
    if (!err)
        err = address(o, "entry", &out->entry, why);
    if (!err)
        err = address(o, "bss_start", &out->bss, why);
    json_decref(o);
    if (err)
        stub_fini(out);
    return err;
}

enum fl_err stub_load(const char *name, struct stub *out, struct fl_why *why)
{
    *out = (struct stub){0};
    char file[64];
    int n = snprintf(file, sizeof file, "%s.json", name);
    const struct fl_embedded *e =
        n > 0 && (size_t)n < sizeof file ? fl_embedded_find(fl_embedded_stubs, file) : NULL;
    if (!e)
        return fl_fail(why, FL_NOT_FOUND, "this program carries no stub called %s", name);
    return stub_parse(e->bytes, e->size, out, why);
}

void stub_fini(struct stub *s)
{
    for (size_t i = 0; i < sizeof s->segments / sizeof *s->segments; i++)
        free(s->segments[i].bytes);
    *s = (struct stub){0};
}
