/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/image_print.h"

#include <limits.h>

/* `o` takes its members one by one; a member that could not be made makes the whole fail later. */
static void put(json_t *o, const char *key, json_t *value, bool *bad)
{
    if (!o || json_object_set_new(o, key, value))
        *bad = true;
}

static void put_int(json_t *o, const char *key, uint64_t v, bool *bad)
{
    put(o, key, json_integer((json_int_t)v), bad);
}

static void put_text(json_t *o, const char *key, const char *text, bool *bad)
{
    put(o, key, text ? json_string(text) : json_null(), bad);
}

static void put_header(json_t *o, const struct esp_part *p, const struct esp_image *i, bool *bad)
{
    unsigned min, max;
    put_text(o, "chip", p->chip ? p->chip->name : NULL, bad);
    put_text(o, "flash_mode", esp_image_mode_name(i->mode), bad);
    put_text(o, "flash_freq", p->chip ? esp_image_freq_name(p->chip, i->freq_code) : NULL, bad);
    put_int(o, "flash_size", p->chip ? esp_image_size_bytes(p->chip, i->size_code) : 0, bad);
    put_int(o, "entry", i->entry, bad);
    if (p->chip && p->chip->short_header)
        return;
    esp_image_revisions(i, &min, &max);
    put_int(o, "chip_id", i->chip_id, bad);
    put_int(o, "min_revision", min, bad);
    if (max != UINT_MAX)
        put_int(o, "max_revision", max, bad);
    put(o, "hash_appended", json_boolean(i->hash_appended), bad);
    if (i->hash_appended)
        put(o, "hash_ok", json_boolean(i->hash_ok), bad);
    put(o, "signed", json_boolean(p->is_signed), bad);
    if (p->is_signed && p->signature != FL_UNSUPPORTED)
        put(o, "signature_ok", json_boolean(p->signature == FL_OK), bad);
}

static json_t *segments(const struct esp_image *i, size_t start, bool *bad)
{
    json_t *list = json_array();
    for (unsigned k = 0; k < i->n_segments && i->segments[k].data_at; k++)
        if (json_array_append_new(list, json_pack("{s:I, s:I, s:I}", "addr", (json_int_t)i->segments[k].addr, "size",
                                                  (json_int_t)i->segments[k].size, "at",
                                                  (json_int_t)(start + i->segments[k].data_at))))
            *bad = true;
    return list;
}

static void put_descriptors(json_t *o, const struct esp_part *p, bool *bad)
{
    char sha[2 * FL_SHA256_SIZE + 1];
    const struct esp_image_app *a = &p->app;
    fl_hex(a->elf_sha256, FL_SHA256_SIZE, sha);
    if (p->is_app)
        put(o, "app",
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "project", a->project, "version", a->version, "idf", a->idf,
                      "date", a->date, "time", a->time, "secure_version", (json_int_t)a->secure_version, "elf_sha256",
                      sha),
            bad);
    if (p->is_boot)
        put(o, "bootloader",
            json_pack("{s:I, s:s, s:s}", "version", (json_int_t)p->boot.version, "idf", p->boot.idf, "date_time",
                      p->boot.date_time),
            bad);
}

static void put_image(json_t *o, const struct esp_part *p, bool *bad)
{
    bool v2 = p->kind == ESP_PART_IMAGE_V2;
    const struct esp_image *i = v2 ? &p->v2.inner : &p->image;
    if (!i->n_segments)
        return;
    put_header(o, p, i, bad);
    put(o, "segments", segments(i, p->at + (v2 ? p->v2.inner_at : 0), bad), bad);
    if (i->checksum_at) {
        put_int(o, "checksum", i->checksum, bad);
        put(o, "checksum_ok", json_boolean(i->checksum == i->checksum_right), bad);
    }
    if (v2) {
        put_int(o, "mapped_size", p->v2.irom_size, bad);
        put(o, "crc_ok", json_boolean(p->v2.size && p->v2.crc == p->v2.crc_right), bad);
    }
    put_descriptors(o, p, bad);
}

static void put_table(json_t *o, const struct esp_contents *c, const struct esp_part *p, bool *bad)
{
    json_t *rows = json_array();
    char name[8];
    for (size_t i = 0; i < c->table.n; i++) {
        const struct esp_partition *r = &c->table.rows[i];
        json_t *row = json_pack("{s:s, s:i, s:i, s:s?, s:I, s:I, s:b, s:b}", "label", r->label, "type", (int)r->type,
                                "subtype", (int)r->subtype, "kind", esp_partition_kind(r, name), "offset",
                                (json_int_t)r->offset, "size", (json_int_t)r->size, "encrypted", (int)(r->flags & 1),
                                "read_only", (int)(r->flags & 2));
        if (json_array_append_new(rows, row))
            *bad = true;
    }
    put(o, "rows", rows, bad);
    put_text(o, "md5", !c->table.has_md5 ? "none" : p->err == FL_MISMATCH ? "wrong" : "right", bad);
}

static json_t *part(const struct esp_contents *c, const struct esp_part *p, bool *bad)
{
    static const char *const kinds[] = {"image", "image_8266_v2", "partition_table"};
    json_t *o = json_object();
    put_text(o, "kind", kinds[p->kind], bad);
    put_int(o, "at", p->at, bad);
    if (c->based)
        put_int(o, "offset", p->at + c->base, bad);
    if (p->row)
        put_text(o, "partition", p->row->label, bad);
    if (p->size)
        put_int(o, "size", p->size, bad);
    put(o, "sound", json_boolean(p->err == FL_OK), bad);
    if (p->kind == ESP_PART_TABLE)
        put_table(o, c, p, bad);
    else
        put_image(o, p, bad);
    return o;
}

json_t *image_json(const char *path, size_t bytes, const struct esp_contents *c)
{
    json_t *o = json_object(), *parts = json_array(), *findings = json_array();
    bool bad = false;
    for (size_t i = 0; i < c->n; i++)
        if (json_array_append_new(parts, part(c, &c->parts[i], &bad)))
            bad = true;
    for (size_t i = 0; i < c->n_findings; i++)
        if (json_array_append_new(findings, json_pack("{s:b, s:I, s:s}", "problem", (int)c->findings[i].problem, "at",
                                                      (json_int_t)c->findings[i].at, "text", c->findings[i].text)))
            bad = true;
    put_text(o, "file", path, &bad);
    put_int(o, "bytes", bytes, &bad);
    put(o, "ok", json_boolean(c->sound && !c->more), &bad);
    if (c->based)
        put_int(o, "offset", c->base, &bad);
    put(o, "parts", parts, &bad);
    put(o, "findings", findings, &bad);
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}
