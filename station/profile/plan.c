/* SPDX-License-Identifier: Apache-2.0
 * What a profile will do, as JSON: settings with their defaults, the header that will be written, and
 * each region with what it costs on the wire. Times are those of the bits alone: they say what no
 * board can be faster than. */
#include "profile/loaded.h"

static uint64_t wire_ms(uint64_t bytes, uint32_t baud)
{
    return bytes * 10 * 1000 / baud; /* start bit, eight, stop bit */
}

static json_t *hex_json(const uint8_t *bytes, size_t n)
{
    char hex[2 * FL_SHA256_SIZE + 1];
    fl_hex(bytes, n, hex);
    return json_string(hex);
}

static const char *or_unknown(const char *name)
{
    return name ? name : "unknown";
}

/* Mode, frequency and size that the bootloader's header will have in flash; null where none is written. */
static json_t *header_json(const struct profile_private *p, const struct esp_region *regions, size_t n)
{
    const struct loaded_image *boot = NULL;
    for (size_t i = 0; i < p->n; i++)
        if (p->loaded[i].patchable)
            boot = &p->loaded[i];
    for (size_t i = 0; boot && i < n; i++) {
        const uint8_t *will = regions[i].plain;
        if (regions[i].offset != boot->facts->offset)
            continue;
        return json_pack("{s:I, s:s, s:s, s:I, s:b}", "offset", (json_int_t)boot->facts->offset, "mode",
                         or_unknown(esp_image_mode_name(will[2])), "freq",
                         or_unknown(esp_image_freq_name(p->chip, will[3] & 15)), "size",
                         (json_int_t)esp_image_size_bytes(p->chip, will[3] >> 4), "changed",
                         will[2] != boot->was_mode || will[3] != boot->was_size_freq);
    }
    return json_null();
}

static json_t *images_json(const struct profile_private *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->n; i++) {
        const struct profile_image *f = &p->images[i];
        json_t *image = json_pack("{s:I, s:I, s:s, s:o}", "offset", (json_int_t)f->offset, "size", (json_int_t)f->size,
                                  "file", f->file, "sha256", hex_json(f->sha256, FL_SHA256_SIZE));
        if (json_array_append_new(list, image)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *regions_json(const struct esp_region *r, size_t n, uint32_t baud, json_t **totals)
{
    json_t *list = json_array();
    uint64_t plain = 0, sent = 0, wire = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t bytes = r[i].deflated ? r[i].deflated_size : r[i].size, on_wire = regions_wire_bytes(&r[i]);
        json_t *region = json_pack("{s:I, s:I, s:s, s:I, s:I, s:I, s:o}", "offset", (json_int_t)r[i].offset, "size",
                                   (json_int_t)r[i].size, "send", r[i].deflated ? "deflated" : "plain", "bytes",
                                   (json_int_t)bytes, "wire_bytes", (json_int_t)on_wire, "wire_ms",
                                   (json_int_t)wire_ms(on_wire, baud), "md5", hex_json(r[i].md5, FL_MD5_SIZE));
        plain += r[i].size;
        sent += bytes;
        wire += on_wire;
        if (json_array_append_new(list, region)) {
            json_decref(list);
            return NULL;
        }
    }
    *totals = json_pack("{s:I, s:I, s:I, s:I, s:I}", "regions", (json_int_t)n, "size", (json_int_t)plain, "bytes",
                        (json_int_t)sent, "wire_bytes", (json_int_t)wire, "wire_ms", (json_int_t)wire_ms(wire, baud));
    return list;
}

static json_t *notes_json(const struct profile *pub)
{
    json_t *list = json_array();
    for (size_t i = 0; i < pub->n_notes; i++)
        if (json_array_append_new(list, json_string(pub->notes[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

enum fl_err profile_plan(const struct profile *pub, uint64_t flash_size, json_t **out, struct fl_why *why)
{
    const struct profile_private *p = pub->priv;
    const struct esp_region *regions;
    size_t n;
    *out = NULL;
    if (flash_size && flash_size < pub->gate.flash_size)
        return fl_fail(why, FL_LIMIT, "the gate asks for %llu KB of flash: a unit with %llu KB is refused",
                       (unsigned long long)pub->gate.flash_size >> 10, (unsigned long long)flash_size >> 10);
    enum fl_err err = profile_regions(pub, flash_size, &regions, &n, why);
    if (err)
        return err;
    json_t *plan = identity_settings(p), *totals = NULL;
    json_t *list = regions_json(regions, n, pub->esp.baud, &totals);
    json_t *more = json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "hash", pub->hash, "flash_size",
                             (json_int_t)flash_size, "images", images_json(p), "header", header_json(p, regions, n),
                             "regions", list, "totals", totals, "notes", notes_json(pub));
    if (!plan || !more || json_object_update(plan, more)) {
        json_decref(plan);
        json_decref(more);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    json_decref(more);
    *out = plan;
    return FL_OK;
}
