/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/image_print.h"

#include <limits.h>

static void line(struct fl_buf *out, const char *name)
{
    fl_buf_addf(out, "  %-12s", name);
}

static void say_flash(const struct esp_image_chip *chip, uint8_t mode, uint8_t freq, uint8_t size, struct fl_buf *out)
{
    const char *m = esp_image_mode_name(mode), *f = chip ? esp_image_freq_name(chip, freq) : NULL;
    uint64_t bytes = chip ? esp_image_size_bytes(chip, size) : 0;
    line(out, "flash");
    fl_buf_addf(out, "%s, %s, ", m ? m : "unknown mode", f ? f : "unknown frequency");
    if (bytes >= 1u << 20)
        fl_buf_addf(out, "%lluMB\n", (unsigned long long)bytes >> 20);
    else if (bytes)
        fl_buf_addf(out, "%lluKB\n", (unsigned long long)bytes >> 10);
    else
        fl_buf_addf(out, "unknown size code %u\n", size);
}

static void say_chip(const struct esp_part *p, struct fl_buf *out)
{
    unsigned min, max;
    line(out, "chip");
    if (p->kind == ESP_PART_IMAGE_V2 || (p->chip && p->chip->short_header)) {
        fl_buf_addf(out, "esp8266, %s generation\n", p->kind == ESP_PART_IMAGE_V2 ? "second" : "first");
        return;
    }
    esp_image_revisions(&p->image, &min, &max);
    fl_buf_addf(out, "%s (id %u), revisions from %u.%u", p->chip ? p->chip->name : "unknown", p->image.chip_id, min / 100,
                min % 100);
    if (max != UINT_MAX)
        fl_buf_addf(out, " to %u.%u", max / 100, max % 100);
    fl_buf_addc(out, '\n');
}

static void say_segments(const struct esp_image *i, size_t start, struct fl_buf *out)
{
    for (unsigned k = 0; k < i->n_segments && i->segments[k].data_at; k++) {
        fl_buf_addf(out, "  segment %-3u to 0x%08x, %u bytes from 0x%zx\n", k + 1, i->segments[k].addr,
                    i->segments[k].size, start + i->segments[k].data_at);
    }
}

static void say_sums(const struct esp_image *i, bool short_header, struct fl_buf *out)
{
    line(out, "checksum");
    fl_buf_addf(out, i->checksum == i->checksum_right ? "%02x, right\n" : "%02x, WRONG: the bytes give %02x\n",
                i->checksum, i->checksum_right);
    if (short_header)
        return;
    line(out, "sha-256");
    fl_buf_adds(out, !i->hash_appended ? "none appended\n" : i->hash_ok ? "appended, right\n" : "appended, WRONG\n");
}

static void say_descriptor(const struct esp_part *p, struct fl_buf *out)
{
    char sha[2 * FL_SHA256_SIZE + 1];
    if (p->is_app) {
        const struct esp_image_app *a = &p->app;
        line(out, "application");
        fl_buf_addf(out, "%s %s, built %s %s with ESP-IDF %s\n", a->project, a->version, a->date, a->time, a->idf);
        line(out, "");
        fl_hex(a->elf_sha256, FL_SHA256_SIZE, sha);
        fl_buf_addf(out, "secure version %u, ELF %s\n", a->secure_version, sha);
    }
    if (p->is_boot) {
        line(out, "bootloader");
        fl_buf_addf(out, "version %u, built %s with ESP-IDF %s\n", p->boot.version, p->boot.date_time, p->boot.idf);
    }
}

static void say_image(const struct esp_part *p, struct fl_buf *out)
{
    bool v2 = p->kind == ESP_PART_IMAGE_V2;
    const struct esp_image *i = v2 ? &p->v2.inner : &p->image;
    if (!i->n_segments)
        return; /* broken before anything was read */
    say_chip(p, out);
    say_flash(p->chip, i->mode, i->freq_code, i->size_code, out);
    line(out, "entry");
    fl_buf_addf(out, "0x%08x\n", i->entry);
    if (v2)
        fl_buf_addf(out, "  mapped      %u bytes from 0x%zx\n", p->v2.irom_size, p->at + p->v2.irom_at);
    say_segments(i, p->at + (v2 ? p->v2.inner_at : 0), out);
    if (i->checksum_at)
        say_sums(i, p->chip && p->chip->short_header, out);
    if (v2 && p->v2.size) {
        line(out, "crc");
        fl_buf_addf(out, p->v2.crc == p->v2.crc_right ? "%08x, right\n" : "%08x, WRONG: the bytes give %08x\n", p->v2.crc,
                    p->v2.crc_right);
    }
    if (p->is_signed) {
        line(out, "signature");
        fl_buf_adds(out, p->signature == FL_OK         ? "for secure boot, of these bytes\n"
                         : p->signature == FL_MISMATCH ? "for secure boot, of OTHER bytes\n"
                                                       : "for secure boot; what it was made over is not checked (SHA-384)\n");
    }
    say_descriptor(p, out);
}

static void say_table(const struct esp_contents *c, const struct esp_part *p, struct fl_buf *out)
{
    static const char *const types[] = {"app", "data", "bootloader", "partition_table"};
    char name[8], other[8];
    for (size_t i = 0; i < c->table.n; i++) {
        const struct esp_partition *r = &c->table.rows[i];
        const char *kind = esp_partition_kind(r, name);
        (void)snprintf(other, sizeof other, "0x%02x", r->subtype);
        fl_buf_addf(out, "  0x%08x  %9u bytes  %-16s ", r->offset, r->size, r->label);
        if (r->type < 4)
            fl_buf_adds(out, types[r->type]);
        else
            fl_buf_addf(out, "0x%02x", r->type);
        fl_buf_addf(out, "/%s%s%s\n", kind ? kind : other, r->flags & 1 ? ", encrypted" : "",
                    r->flags & 2 ? ", read-only" : "");
    }
    line(out, "md5 row");
    fl_buf_adds(out, !c->table.has_md5 ? "none\n" : p->err == FL_MISMATCH ? "WRONG\n" : "right\n");
}

void image_text(const char *path, size_t bytes, const struct esp_contents *c, struct fl_buf *out)
{
    fl_buf_addf(out, "%s: %zu bytes", path, bytes);
    if (c->based)
        fl_buf_addf(out, ", merged, to be written at 0x%x", c->base);
    fl_buf_addc(out, '\n');
    for (size_t k = 0; k < c->n; k++) {
        const struct esp_part *p = &c->parts[k];
        fl_buf_addf(out, "%s at 0x%zx", p->kind == ESP_PART_TABLE ? "partition table" : "image", p->at);
        if (c->based)
            fl_buf_addf(out, " (0x%llx in flash)", (unsigned long long)p->at + c->base);
        if (p->row)
            fl_buf_addf(out, ", partition '%s'", p->row->label);
        if (p->size && p->kind != ESP_PART_TABLE)
            fl_buf_addf(out, ", %zu bytes", p->size);
        fl_buf_adds(out, p->err ? ": NOT SOUND\n" : "\n");
        if (p->kind != ESP_PART_TABLE)
            say_image(p, out);
        else
            say_table(c, p, out);
    }
    for (size_t k = 0; k < c->n_findings; k++)
        fl_buf_addf(out, "%s: at 0x%zx: %s\n", c->findings[k].problem ? "problem" : "note", c->findings[k].at,
                    c->findings[k].text);
    if (c->more)
        fl_buf_adds(out, "problem: more is in this file than can be told\n");
}
