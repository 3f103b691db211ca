/* SPDX-License-Identifier: Apache-2.0 */
#include "esp/stub.h"

#include "base/b64.h"
#include "base/embedded.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

enum { SEGMENT_MAX = 256 * 1024 }; /* no chip has a larger block of RAM to load a stub into */

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
    size_t n = strlen(text), most = n / 4 * 3;
    if (n == 0 || most > SEGMENT_MAX)
        return fl_fail(why, FL_FORMAT, "stub: \"%s\" is missing or too long", key);
    s->bytes = malloc(most + 1);
    if (!s->bytes)
        return fl_fail(why, FL_NOMEM, "stub: out of memory");
    if (!b64_decode(text, n, s->bytes, most, &s->n) || s->n == 0)
        return fl_fail(why, FL_FORMAT, "stub: \"%s\" is not base64", key);
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
