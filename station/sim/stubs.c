/* SPDX-License-Identifier: Apache-2.0
 *
 * The embedded stub files (JSON: entry, text, text_start, data, data_start; base64), and the question
 * whether what lies in a chip's memory is one of them. See ram.h for the rule. */
#include "base/b64.h"
#include "base/embedded.h"
#include "base/json.h"
#include "sim/ram.h"

#include <stdlib.h>
#include <string.h>

struct part {
    uint32_t addr;
    uint8_t *bytes;
    size_t n;
};

struct stub {
    const char *name; /* of the file; static */
    uint32_t entry;
    struct part text, data;
};

struct sim_stubs {
    struct stub *stub;
    size_t n;
};

/* NULL when malformed or out of memory. */
static uint8_t *from_base64(const char *text, size_t *n)
{
    size_t len = strlen(text), most = len / 4 * 3;
    uint8_t *out = malloc(most + 1);
    if (out && b64_decode(text, len, out, most, n))
        return out;
    free(out);
    *n = 0;
    return NULL;
}

static bool load_one(const struct fl_embedded *file, struct stub *s)
{
    json_t *o = NULL;
    bool ok = false;
    if (fl_json_parse(file->bytes, file->size, &o, NULL) == FL_OK) {
        s->name = file->name;
        s->entry = (uint32_t)fl_json_int(o, "entry", 0);
        s->text.addr = (uint32_t)fl_json_int(o, "text_start", 0);
        s->data.addr = (uint32_t)fl_json_int(o, "data_start", 0);
        s->text.bytes = from_base64(fl_json_text(o, "text"), &s->text.n);
        s->data.bytes = from_base64(fl_json_text(o, "data"), &s->data.n);
        ok = s->text.bytes && s->data.bytes && s->entry != 0;
    }
    json_decref(o);
    return ok;
}

enum fl_err sim_stubs_load(struct sim_stubs **out, struct fl_why *why)
{
    size_t n = 0;
    while (fl_embedded_stubs[n].name)
        n++;
    struct sim_stubs *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s || !(s->stub = calloc(n ? n : 1, sizeof *s->stub))) {
        free(s);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    for (; s->n < n; s->n++)
        if (!load_one(&fl_embedded_stubs[s->n], &s->stub[s->n])) {
            enum fl_err err = fl_fail(why, FL_FORMAT, "the embedded stub %s cannot be read",
                                      fl_embedded_stubs[s->n].name);
            s->n++;
            sim_stubs_free(s);
            return err;
        }
    *out = s;
    return FL_OK;
}

void sim_stubs_free(struct sim_stubs *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        free(s->stub[i].text.bytes);
        free(s->stub[i].data.bytes);
    }
    free(s->stub);
    free(s);
}

/* How many of the part's bytes do not lie where they belong. */
static size_t differing(const struct sim_ram *r, const struct part *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        uint8_t c;
        n += !sim_ram_byte(r, p->addr + (uint32_t)i, &c) || c != p->bytes[i];
    }
    return n;
}

static bool whole(const struct sim_ram *r, uint32_t addr, uint32_t n)
{
    uint8_t c;
    for (uint32_t i = 0; i < n; i++)
        if (!sim_ram_byte(r, addr + i, &c))
            return false;
    return true;
}

static bool in_some_upload(const struct sim_ram *r, uint32_t entry)
{
    for (size_t i = r->uploads; i-- > 0;)
        if (entry >= r->upload[i].addr && entry - r->upload[i].addr < r->upload[i].len &&
            r->upload[i].len >= SIM_PROGRAM_MIN)
            return whole(r, r->upload[i].addr, r->upload[i].len);
    return false;
}

static bool announced(const struct sim_ram *r, const struct part *p)
{
    for (size_t i = 0; i < r->uploads; i++)
        if (r->upload[i].addr == p->addr && r->upload[i].len == p->n)
            return true;
    return false;
}

enum sim_program sim_ram_program(const struct sim_ram *r, const struct sim_stubs *s,
                                 const struct sim_chip *chip, unsigned revision, uint32_t entry)
{
    const char *mine = chip->stub_old && revision < chip->stub_from ? chip->stub_old : chip->stub;
    bool refused = revision < chip->stub_from && !chip->stub_old;
    for (size_t i = 0; i < s->n; i++) {
        const struct stub *known = &s->stub[i];
        if (known->entry != entry)
            continue;
        size_t text = differing(r, &known->text), data = differing(r, &known->data);
        if (text == 0 && data == 0)
            return strcmp(known->name, mine) == 0 && !refused ? SIM_PROGRAM_STUB : SIM_PROGRAM_NONE;
        if (text < known->text.n / 16 || announced(r, &known->text))
            return SIM_PROGRAM_NONE;
    }
    return !refused && in_some_upload(r, entry) ? SIM_PROGRAM_OTHER_STUB : SIM_PROGRAM_NONE;
}
