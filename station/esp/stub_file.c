/* SPDX-License-Identifier: Apache-2.0 */
#include "esp/stub_file.h"

#include "base/b64.h"
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

static enum fl_err segment(const json_t *o, const char *key, const char *start, struct stub_segment *s, uint8_t **owned,
                           struct fl_why *why)
{
    const char *text = fl_json_text(o, key);
    size_t n = strlen(text), most = n / 4 * 3;
    if (n == 0 || most > SEGMENT_MAX)
        return fl_fail(why, FL_FORMAT, "stub: \"%s\" is missing or too long", key);
    s->bytes = *owned = malloc(most + 1);
    if (!*owned)
        return fl_fail(why, FL_NOMEM, "stub: out of memory");
    if (!b64_decode(text, n, *owned, most, &s->n) || s->n == 0)
        return fl_fail(why, FL_FORMAT, "stub: \"%s\" is not base64", key);
    return address(o, start, &s->addr, why);
}

enum fl_err stub_file_parse(const void *json, size_t n, struct stub_file *out, struct fl_why *why)
{
    struct stub *s = &out->stub;
    *out = (struct stub_file){0};
    json_t *o = NULL;
    enum fl_err err = fl_json_parse(json, n, &o, why);
    if (!err)
        err = segment(o, "text", "text_start", &s->segments[0], &out->bytes[0], why);
    if (!err)
        err = segment(o, "data", "data_start", &s->segments[1], &out->bytes[1], why);
    if (!err)
        err = address(o, "entry", &s->entry, why);
    if (!err)
        err = address(o, "bss_start", &s->bss, why);
    json_decref(o);
    if (err)
        stub_file_fini(out);
    return err;
}

void stub_file_fini(struct stub_file *f)
{
    for (size_t i = 0; i < sizeof f->bytes / sizeof *f->bytes; i++)
        free(f->bytes[i]);
    *f = (struct stub_file){0};
}
