/* SPDX-License-Identifier: Apache-2.0 */
#include "esp/contents.h"

#include "base/cursor.h"

#include <stdio.h>
#include <string.h>

enum { LOOKS_MAX = 64 }; /* how often the bytes of a file are gone through, on the whole, for images that begin by chance */
enum { SECTOR = 0x1000, FIRST_V2 = 0xea, TABLE_MAGIC = 0x50aa, ERASED = 0xff, LONG_HEADER = 24 };

struct file { /* what is being read */
    const uint8_t *bytes;
    size_t n;
    struct esp_contents *out;
    size_t boot_at; /* where the bootloader must be, once that is known; otherwise 0 */
};

/* ---- findings ----------------------------------------------------------------------------------- */

static void found(struct esp_contents *c, bool problem, size_t at, const char *fmt, ...) FL_PRINTF(4, 5);
static void found(struct esp_contents *c, bool problem, size_t at, const char *fmt, ...)
{
    if (problem)
        c->sound = false;
    if (c->n_findings == ESP_FINDINGS_MAX) {
        c->more = true;
        return;
    }
    struct esp_finding *f = &c->findings[c->n_findings++];
    va_list ap;
    va_start(ap, fmt);
    f->problem = problem;
    f->at = at;
    (void)vsnprintf(f->text, sizeof f->text, fmt, ap);
    va_end(ap);
}

/* ---- what one image is --------------------------------------------------------------------------- */

/* Could these be the first bytes of a short header? An ESP8266 loads its first segment into its RAM, at
 * addresses whose bytes would be, in a long header, pins and a chip that do not exist. */
static bool looks_short(const uint8_t *bytes, size_t n)
{
    uint32_t addr = n >= 12 ? fl_get_u32le(bytes + 8) : 0;
    return (addr >= 0x3ffe8000u && addr < 0x40000000u) || (addr >= 0x40100000u && addr < 0x40110000u);
}

static void describe(const uint8_t *bytes, size_t n, struct esp_part *p)
{
    p->size = p->err == FL_OK || p->err == FL_MISMATCH ? p->image.size : 0;
    if (!p->size || (p->chip && p->chip->short_header))
        return;
    p->is_app = esp_image_app(bytes, &p->image, &p->app);
    p->is_boot = !p->is_app && esp_image_boot(bytes, &p->image, &p->boot);
    p->signature = esp_image_signature(bytes, n, &p->image, &p->signed_size);
    p->is_signed = p->signature != FL_NOT_FOUND;
}

/* The image at `at`. The one with a long header, except where only an ESP8266's makes sense. */
static void read_image(const struct file *f, size_t at, struct esp_part *p)
{
    const uint8_t *bytes = f->bytes + at;
    size_t n = f->n - at;
    const struct esp_image_chip *old = esp_image_chip("esp8266");
    memset(p, 0, sizeof *p);
    p->at = at;
    if (bytes[0] == FIRST_V2) {
        p->kind = ESP_PART_IMAGE_V2;
        p->chip = old;
        p->err = esp_image_v2_parse(bytes, n, &p->v2, &p->why);
        p->size = p->v2.size;
        return;
    }
    p->kind = ESP_PART_IMAGE;
    if (looks_short(bytes, n)) {
        p->chip = old;
        p->err = esp_image_parse(bytes, n, old, &p->image, &p->why);
    } else {
        p->err = esp_image_parse(bytes, n, NULL, &p->image, &p->why);
        p->chip = n < LONG_HEADER ? NULL : esp_image_chip_by_id(p->image.chip_id);
    }
    describe(bytes, n, p);
}

static struct esp_part *add_part(struct esp_contents *c, const struct esp_part *p)
{
    if (c->n == ESP_PARTS_MAX) {
        c->more = true;
        return NULL;
    }
    c->parts[c->n] = *p;
    return &c->parts[c->n++];
}

/* ---- the table, and where the file belongs -------------------------------------------------------- */

/* A sound table before a damaged one, and the first of its kind. A broken one only where it is the whole file
 * or begins where nearly everybody has it: two bytes are not much to know one by. */
static void find_table(const struct file *f)
{
    struct esp_contents *c = f->out;
    struct esp_partition_table t;
    struct esp_part best = {.kind = ESP_PART_TABLE};
    bool any = false;
    for (size_t at = 0; at + 2 <= f->n; at += SECTOR) {
        struct esp_part p = {.kind = ESP_PART_TABLE, .at = at};
        if (fl_get_u16le(f->bytes + at) != TABLE_MAGIC)
            continue;
        p.err = esp_partition_parse(f->bytes + at, f->n - at, &t, &p.why);
        bool usual = at == 0 || (at <= ESP_PARTITION_TABLE_OFFSET && at >= ESP_PARTITION_TABLE_OFFSET - 2 * SECTOR);
        if ((p.err == FL_FORMAT && !usual) || (any && (best.err == FL_OK || p.err != FL_OK)))
            continue;
        p.size = f->n - at < 0xc00 ? f->n - at : 0xc00;
        best = p;
        c->table = t;
        any = true;
        if (p.err == FL_OK)
            break;
    }
    if (!any)
        return;
    c->has_table = best.err != FL_FORMAT;
    c->table_at = best.at;
    (void)add_part(c, &best);
}

/* A merged file begins with its bootloader, or with FF up to it. */
static void find_base(struct file *f)
{
    struct esp_contents *c = f->out;
    struct esp_part p;
    if (!c->n || c->table_at == 0)
        return;
    for (size_t at = 0; at < c->table_at && at <= 2 * SECTOR; at += SECTOR) {
        if (f->bytes[at] != ESP_IMAGE_MAGIC)
            continue;
        read_image(f, at, &p);
        if (!p.chip || p.chip->short_header || at > p.chip->bootloader_offset)
            continue;
        c->based = true;
        f->boot_at = at;
        c->base = p.chip->bootloader_offset - (uint32_t)at;
        return;
    }
    c->based = c->table_at <= ESP_PARTITION_TABLE_OFFSET;
    c->base = c->based ? ESP_PARTITION_TABLE_OFFSET - (uint32_t)c->table_at : 0;
}

static const struct esp_partition *row_at(const struct esp_contents *c, size_t at)
{
    for (size_t i = 0; c->based && c->has_table && i < c->table.n; i++)
        if (c->table.rows[i].offset == at + c->base)
            return &c->table.rows[i];
    return NULL;
}

/* ---- all images ------------------------------------------------------------------------------------ */

static bool whole_image(const struct esp_part *p)
{
    if (p->err == FL_OK)
        return p->chip != NULL;
    return p->err == FL_MISMATCH && p->chip && p->image.hash_appended; /* one checksum byte proves little */
}

/* How many bytes were gone through to read it. */
static uint64_t work_of(const struct esp_part *p)
{
    const struct esp_image *i = p->kind == ESP_PART_IMAGE_V2 ? &p->v2.inner : &p->image;
    uint64_t n = p->kind == ESP_PART_IMAGE_V2 ? p->v2.size : i->hash_appended ? i->size : 0;
    for (unsigned k = 0; k < ESP_IMAGE_SEGMENTS_MAX; k++)
        n += i->segments[k].data_at ? i->segments[k].size : 0;
    return n;
}

/* Each image that is no good and not expected where it begins is gone through for nothing, and the next may begin one sector on:
 * a file made of such would take the square of its length. Then the rest is looked at where images are expected. */
static void find_images(const struct file *f)
{
    struct esp_contents *c = f->out;
    struct esp_part p;
    uint64_t left = (uint64_t)f->n * LOOKS_MAX;
    for (size_t at = 0; at < f->n;) {
        const struct esp_partition *row = row_at(c, at);
        size_t next = at + SECTOR;
        bool expected = at == f->boot_at || at == 0 || (row && row->type == ESP_PARTITION_APP);
        bool begins = f->bytes[at] == ESP_IMAGE_MAGIC || f->bytes[at] == FIRST_V2;
        c->more |= begins && !expected && !left;
        if (begins && (expected || left)) {
            read_image(f, at, &p);
            p.row = row;
            if (expected || whole_image(&p)) {
                struct esp_part *kept = add_part(c, &p);
                if (kept && kept->size)
                    next = at + (kept->size + SECTOR - 1) / SECTOR * SECTOR;
            } else {
                left -= work_of(&p) < left ? work_of(&p) : left;
            }
        }
        at = next;
    }
}

static void sort_parts(struct esp_contents *c)
{
    for (size_t i = 1; i < c->n; i++)
        for (size_t k = i; k && c->parts[k].at < c->parts[k - 1].at; k--) {
            struct esp_part swap = c->parts[k];
            c->parts[k] = c->parts[k - 1];
            c->parts[k - 1] = swap;
        }
}

/* ---- what does not hold together --------------------------------------------------------------------- */

static const struct esp_part *first_image(const struct esp_contents *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->parts[i].kind != ESP_PART_TABLE)
            return &c->parts[i];
    return NULL;
}

static void judge_image(struct esp_contents *c, const struct esp_part *p)
{
    const struct esp_part *first = first_image(c);
    if (p->err)
        found(c, true, p->at, "the image is not sound: %s", p->why.text);
    else if (!p->chip)
        found(c, true, p->at, "the image is for a chip with the unknown id %u", p->image.chip_id);
    size_t size = p->is_signed ? p->signed_size : p->size;
    if (p->is_signed && p->signature == FL_MISMATCH)
        found(c, true, p->at, "the image was changed after it was signed: the digest in its signature is not that of its bytes");
    if (p->row && p->row->type == ESP_PARTITION_APP && size > p->row->size)
        found(c, true, p->at, "the application has %zu bytes%s, more than its partition '%s' of %u", size,
              p->is_signed ? " with its signature" : "", p->row->label, p->row->size);
    if (first != p && p->chip && first->chip && first->chip != p->chip)
        found(c, !p->row || p->row->type == ESP_PARTITION_APP, p->at, "the image is for %s, the first one for %s",
              p->chip->name, first->chip->name);
    if (c->has_table && c->table_at > p->at && p->size > c->table_at - p->at)
        found(c, true, p->at, "the image runs into the partition table at 0x%zx", c->table_at);
}

static void say_row(void *context, enum esp_partition_fault fault, const struct esp_partition *row,
                    const struct esp_partition *other)
{
    struct esp_contents *c = context;
    unsigned long long end = (unsigned long long)row->offset + row->size;
    switch (fault) {
    case ESP_ROWS_PAST_END:
        /* a header is often changed to the size that is found */
        found(c, false, c->table_at, "partition '%s' ends at 0x%llx, past the flash size in the bootloader's header",
              row->label, end);
        break;
    case ESP_ROWS_APP_ALIGN:
        found(c, true, c->table_at, "app partition '%s' begins at 0x%x, not at a multiple of 0x10000", row->label,
              row->offset);
        break;
    case ESP_ROWS_ON_TABLE:
        found(c, true, c->table_at, "partition '%s' covers the partition table itself", row->label);
        break;
    case ESP_ROWS_OVERLAP:
        found(c, true, c->table_at, "partitions '%s' and '%s' overlap", other->label, row->label);
        break;
    }
}

static void judge_rows(const struct file *f)
{
    struct esp_contents *c = f->out;
    const struct esp_part *boot = first_image(c);
    bool sized = c->based && boot && boot->chip && boot->kind == ESP_PART_IMAGE && boot->err == FL_OK;
    esp_partition_check(&c->table, sized ? esp_image_size_bytes(boot->chip, boot->image.size_code) : 0,
                        c->based ? c->base + (uint32_t)c->table_at : 0, say_row, c);
    for (size_t i = 0; c->based && i < c->table.n; i++) {
        const struct esp_partition *r = &c->table.rows[i];
        size_t at = r->offset >= c->base ? r->offset - c->base : f->n;
        if (r->type == ESP_PARTITION_APP && at < f->n && f->bytes[at] != ESP_IMAGE_MAGIC && f->bytes[at] != ERASED)
            found(c, true, at, "app partition '%s' starts with %02x, an image starts with e9", r->label, f->bytes[at]);
    }
}

static void judge_table(struct esp_contents *c, const struct esp_part *p)
{
    if (p->err)
        found(c, true, p->at, "the partition table is not sound: %s", p->why.text);
    else if (!c->table.has_md5)
        found(c, false, p->at, "the partition table has no MD5 row, so damage to it would not show");
    if (!p->err && !c->table.n)
        found(c, true, p->at, "the partition table has no rows");
}

void esp_contents_read(const uint8_t *bytes, size_t n, struct esp_contents *out)
{
    struct file f = {bytes, n, out, 0};
    memset(out, 0, sizeof *out);
    out->sound = true;
    find_table(&f);
    find_base(&f);
    find_images(&f);
    sort_parts(out);
    for (size_t i = 0; i < out->n; i++)
        if (out->parts[i].kind == ESP_PART_TABLE)
            judge_table(out, &out->parts[i]);
        else
            judge_image(out, &out->parts[i]);
    if (out->has_table)
        judge_rows(&f);
    const char *other = esp_other_file(bytes, n);
    if (out->n == 0 && other)
        found(out, true, 0, "no image: this is %s", other);
    else if (out->n == 0 && n)
        found(out, true, 0, "neither an image nor a partition table: the file starts with %02x", bytes[0]);
    else if (out->n == 0)
        found(out, true, 0, "the file is empty");
}
