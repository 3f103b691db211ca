/* SPDX-License-Identifier: Apache-2.0
 * What the images say themselves, held against the profile: chip, soundness, place, partitions.
 *
 * Only what is certain is a problem. An image that starts where the chip's mask ROM or the partition
 * table will start one must be sound and for this chip. Bytes elsewhere may be anything, so what
 * looks odd about them is a note. */
#include "profile/loaded.h"

#include "esp/contents.h"
#include "esp/partition.h"

#include <stdio.h>

enum { SECTOR = 0x1000, OTADATA_SECTORS = 2 };

enum role {
    ROLE_FILE, /* the start of a file, nothing known about the place */
    ROLE_BOOT, /* the mask ROM starts what is here */
    ROLE_APP,  /* the bootloader does: an app partition begins here */
};

struct view { /* the profile's images as they will lie in flash */
    struct profile_private *p;
    struct critic *c;
    const struct esp_partition_table *table; /* NULL: none among the images */
    uint32_t table_at; /* in flash */
    bool ciphertext; /* the images may be encrypted already: what looks broken may be right */
};

static bool in_flash(const struct loaded_image *l)
{
    return l->bytes && l->offset_known;
}

/* The image that covers `offset`, and how far inside; NULL: none. */
static struct loaded_image *covering(const struct view *v, uint32_t offset, size_t *within)
{
    for (size_t i = 0; i < v->p->n; i++) {
        struct loaded_image *l = &v->p->loaded[i];
        if (in_flash(l) && offset >= l->facts->offset && offset - l->facts->offset < l->facts->size) {
            *within = offset - l->facts->offset;
            return l;
        }
    }
    return NULL;
}

static const struct esp_partition *partition_at(const struct view *v, uint32_t offset)
{
    for (size_t i = 0; v->table && i < v->table->n; i++)
        if (v->table->rows[i].offset == offset)
            return &v->table->rows[i];
    return NULL;
}

/* ---- one image ------------------------------------------------------------------------------------ */

/* The chip an image is for; NULL with `name` telling what stands there instead. */
static void chip_differs(const struct view *v, const struct loaded_image *l, const struct esp_image *image,
                         bool short_header)
{
    const struct esp_image_chip *chip = v->p->chip, *other =
        short_header ? esp_image_chip("esp8266") : esp_image_chip_by_id(image->chip_id);
    const struct esp_partition *part = partition_at(v, l->facts->offset);
    char name[32] = "";
    if (other == chip)
        return;
    if (!other)
        (void)snprintf(name, sizeof name, "an unknown chip, id %u", image->chip_id);
    /* firmware for a second chip on the board may lie in a data partition */
    if (part && part->type != ESP_PARTITION_APP)
        critic_note(v->c, l->file_at, "'%s' is built for %s and lies in the data partition '%s'",
                    l->facts->file, other ? other->name : name, part->label);
    else
        critic_problem(v->c, l->file_at, "'%s' is built for %s, expected an image for %s", l->facts->file,
                       other ? other->name : name, chip->name);
}

static void note_revisions(struct loaded_image *l, const struct esp_image *image)
{
    unsigned min, max;
    esp_image_revisions(image, &min, &max);
    if (min > l->facts->min_revision)
        l->facts->min_revision = min;
    if (max < l->facts->max_revision)
        l->facts->max_revision = max;
}

/* A whole image for this chip: is it where such a one can be started from? */
static void check_place(const struct view *v, const struct loaded_image *l, size_t within,
                        const struct esp_image *image, enum role role)
{
    const struct esp_image_chip *chip = v->p->chip;
    const uint8_t *bytes = l->bytes + within;
    struct esp_image_boot boot;
    struct esp_image_app app;
    size_t at;
    if (role == ROLE_BOOT && esp_image_app(bytes, image, &app))
        critic_note(v->c, l->file_at, "'%s' is an application ('%s') where the bootloader belongs",
                    l->facts->file, app.project);
    if (role != ROLE_FILE)
        return;
    const struct esp_partition *part = partition_at(v, l->facts->offset);
    if (part) /* a spare bootloader has a partition of its own */
        return;
    bool is_boot = esp_image_boot(bytes, image, &boot);
    bool no_boot = l->facts->offset < ESP_PARTITION_TABLE_OFFSET && !covering(v, chip->bootloader_offset, &at);
    if (is_boot || no_boot)
        critic_problem(v->c, l->offset_at, "'%s' is %s at 0x%x, expected the bootloader of an %s at 0x%x",
                       l->facts->file, is_boot ? "a bootloader" : "an image", l->facts->offset, chip->name,
                       chip->bootloader_offset);
    else if (v->table && l->facts->offset >= ESP_PARTITION_TABLE_OFFSET)
        critic_note(v->c, l->offset_at, "'%s' is an image and no partition begins at 0x%x", l->facts->file,
                    l->facts->offset);
}

static void changed_after_signing(const struct view *v, const struct loaded_image *l)
{
    static const char why[] = "the digest in its signature is not that of its bytes";
    if (v->p->s.gate.secure_boot == WISH_ON)
        critic_problem(v->c, l->file_at, "'%s' was changed after it was signed, expected one that gate.secure_boot on starts: %s",
                       l->facts->file, why);
    else
        critic_note(v->c, l->file_at, "'%s' was changed after it was signed: %s", l->facts->file, why);
}

static const char *const places[] = {[ROLE_BOOT] = "the bootloader", [ROLE_APP] = "an application"};

/* Sound and for this chip. A signature belongs to the image: `image->size` is both. */
static void right_image(const struct view *v, struct loaded_image *l, size_t within, enum role role, struct esp_image *image)
{
    bool short_header = v->p->chip->short_header;
    const uint8_t *bytes = l->bytes + within;
    size_t whole = image->size;
    enum fl_err signature = short_header ? FL_NOT_FOUND : esp_image_signature(bytes, l->facts->size - within, image, &whole);
    image->size = whole;
    if (!short_header)
        note_revisions(l, image);
    if (signature == FL_MISMATCH)
        changed_after_signing(v, l);
    if (role == ROLE_BOOT && within == 0) {
        l->patchable = true;
        l->is_signed = signature != FL_NOT_FOUND;
        l->was_mode = bytes[2];
        l->was_size_freq = bytes[3];
    }
    check_place(v, l, within, image, role);
}

/* Something else begins there. */
static void no_image(const struct view *v, const struct loaded_image *l, size_t within, enum role role, const char *why)
{
    unsigned long long at = (unsigned long long)l->facts->offset + within;
    const char *kind = within == 0 ? esp_other_file(l->bytes, l->facts->size) : NULL;
    if (kind && role != ROLE_FILE && !v->ciphertext)
        critic_problem(v->c, l->file_at, "'%s' is %s; expected an image: %s is started from 0x%llx", l->facts->file, kind,
                       places[role], at);
    else if (kind)
        critic_note(v->c, l->file_at, "'%s' is %s", l->facts->file, kind);
    else if (role != ROLE_FILE)
        critic_note(v->c, l->file_at, "'%s' holds no image at 0x%llx, where %s belongs: it %s", l->facts->file, at,
                    places[role], why);
}

/* One begins there and does not hold together: as this chip's; perhaps it is the other kind's. */
static void broken_image(const struct view *v, const struct loaded_image *l, size_t within, enum role role, enum fl_err err,
                         const char *why)
{
    const struct esp_image_chip *other = esp_image_chip(v->p->chip->short_header ? "esp32" : "esp8266");
    struct esp_image image;
    if (esp_image_parse(l->bytes + within, l->facts->size - within, other, &image, NULL) == FL_OK)
        chip_differs(v, l, &image, other->short_header);
    else if (role != ROLE_FILE && !v->ciphertext)
        critic_problem(v->c, l->file_at,
                       "the image in '%s' at 0x%llx is %s, expected a sound one: %s is started from there",
                       l->facts->file, (unsigned long long)l->facts->offset + within, why, places[role]);
    else if (err == FL_MISMATCH)
        critic_note(v->c, l->file_at, "the image in '%s' is %s", l->facts->file, why);
}

/* True: a sound image of any chip begins there, and `image` is filled in. */
static bool judge(const struct view *v, struct loaded_image *l, size_t within, enum role role, struct esp_image *image)
{
    const struct esp_image_chip *chip = v->p->chip;
    struct fl_why why = {0};
    enum fl_err err = esp_image_parse(l->bytes + within, l->facts->size - within, chip, image, &why);
    if (err == FL_NOT_FOUND)
        no_image(v, l, within, role, why.text);
    else if (err && err != FL_UNSUPPORTED)
        broken_image(v, l, within, role, err, why.text);
    if (err)
        return false;
    if (!chip->short_header)
        chip_differs(v, l, image, false);
    if (chip->short_header || esp_image_chip_by_id(image->chip_id) == chip)
        right_image(v, l, within, role, image);
    return true;
}

/* ---- the partition table --------------------------------------------------------------------------- */

static bool find_table(struct view *v, struct esp_partition_table *table, struct loaded_image **where)
{
    struct fl_why why = {0};
    for (size_t i = 0; i <= v->p->n; i++) { /* the usual place first, then the start of every file */
        size_t within = 0;
        struct loaded_image *l = i == 0 ? covering(v, ESP_PARTITION_TABLE_OFFSET, &within) : &v->p->loaded[i - 1];
        if (!l || !in_flash(l))
            continue;
        enum fl_err err = esp_partition_parse(l->bytes + within, l->facts->size - within, table, &why);
        *where = l;
        v->table_at = l->facts->offset + (uint32_t)within;
        if (err == FL_OK)
            return true;
        if (err == FL_NOT_FOUND)
            continue;
        if (!v->ciphertext)
            critic_problem(v->c, l->file_at, "the partition table in '%s' is broken, expected a sound one: %s",
                           l->facts->file, why.text);
        return false;
    }
    return false;
}

struct row_check {
    const struct view *v;
    const struct loaded_image *where;
    const char *from; /* what names the flash's size */
    uint64_t limit;
};

static void say_row(void *context, enum esp_partition_fault fault, const struct esp_partition *a,
                    const struct esp_partition *b)
{
    const struct row_check *k = context;
    const char *file = k->where->facts->file;
    struct place at = k->where->file_at;
    switch (fault) {
    case ESP_ROWS_PAST_END:
        critic_problem(k->v->c, at,
                       "partition '%s' in '%s' ends at 0x%llx, past the flash's end, expected at most 0x%llx (%s)",
                       a->label, file, (unsigned long long)a->offset + a->size, (unsigned long long)k->limit, k->from);
        break;
    case ESP_ROWS_APP_ALIGN:
        critic_problem(k->v->c, at, "app partition '%s' in '%s' begins at 0x%x, expected a multiple of 0x10000", a->label,
                       file, a->offset);
        break;
    case ESP_ROWS_ON_TABLE:
        critic_problem(k->v->c, at, "partition '%s' in '%s' covers the table's own sector 0x%x, expected room for it",
                       a->label, file, k->v->table_at);
        break;
    case ESP_ROWS_OVERLAP:
        critic_problem(k->v->c, at, "partitions '%s' and '%s' in '%s' overlap, expected room for both", b->label, a->label,
                       file);
        break;
    }
}

static void check_rows(const struct view *v, const struct loaded_image *where)
{
    struct row_check k = {.v = v, .where = where};
    k.limit = checks_flash_limit(v->p, &k.from);
    esp_partition_check(v->table, k.limit, v->table_at, say_row, &k);
}

static void check_app(const struct view *v, const struct esp_partition *part)
{
    size_t within;
    struct esp_image image;
    struct loaded_image *l = covering(v, part->offset, &within);
    if (!l || (within && l->bytes[within] == 0xff)) /* filler of a merged file */
        return;
    if (judge(v, l, within, ROLE_APP, &image) && image.size > part->size)
        critic_problem(v->c, l->file_at, "the application in '%s' has %zu bytes, expected it to fit partition '%s' of %u",
                       l->facts->file, image.size, part->label, part->size);
}

static bool app_is_written(const struct view *v, uint8_t subtype)
{
    size_t within;
    for (size_t i = 0; i < v->table->n; i++) {
        const struct esp_partition *a = &v->table->rows[i];
        if (a->type == ESP_PARTITION_APP && a->subtype == subtype && covering(v, a->offset, &within))
            return true;
    }
    return false;
}

/* The application that the bootloader starts is the one of the highest sequence number in otadata's two
 * sectors: what an earlier life left there would start an application that this profile did not write. */
static void check_otadata(const struct view *v, const struct loaded_image *where, const struct esp_partition *part)
{
    uint32_t sectors = part->size < OTADATA_SECTORS * SECTOR ? part->size / SECTOR : OTADATA_SECTORS;
    size_t within;
    if (v->p->s.flash.erase != 0)
        return;
    for (uint32_t i = 0; i < sectors; i++) {
        uint32_t at = part->offset + i * SECTOR;
        if (covering(v, at, &within))
            continue;
        critic_problem(v->c, where->file_at,
                       "'%s' has a partition '%s' whose sector 0x%x is not written, expected flash.erase: all, or an "
                       "image for it such as 0x%x bytes of ff at 0x%x: a unit that was updated before would start its "
                       "old application",
                       where->facts->file, part->label, at, part->size, part->offset);
        return;
    }
}

static void check_partitions(const struct view *v, const struct loaded_image *where)
{
    bool first_app = app_is_written(v, ESP_PARTITION_FACTORY) || app_is_written(v, ESP_PARTITION_OTA_0);
    check_rows(v, where);
    for (size_t i = 0; i < v->table->n; i++) {
        const struct esp_partition *a = &v->table->rows[i];
        size_t within;
        struct loaded_image *l = covering(v, a->offset, &within);
        if (a->type == ESP_PARTITION_APP)
            check_app(v, a);
        else if (l && within == 0 && l->facts->size > a->size)
            critic_note(v->c, l->file_at, "'%s' has %u bytes and goes on past its partition '%s' of %u",
                        l->facts->file, l->facts->size, a->label, a->size);
        if (a->type == ESP_PARTITION_DATA && a->subtype == ESP_PARTITION_OTADATA && first_app)
            check_otadata(v, where, a);
    }
}

/* ---- all of it --------------------------------------------------------------------------------------- */

static void check_patch(const struct view *v, const struct loaded_image *boot)
{
    struct esp_image_patch patch = loaded_patch(v->p);
    struct place at = schema_place(v->p->tree, "flash");
    if (patch.mode < 0 && patch.freq < 0 && patch.size < 0 && v->p->s.flash.size != SIZE_DETECT)
        return;
    if (!boot || !boot->patchable)
        critic_note(v->c, at, "flash.mode, freq and size change nothing: no sound image begins at 0x%x",
                    v->p->chip->bootloader_offset);
    else if (v->p->s.gate.secure_boot == WISH_ON || boot->is_signed)
        critic_problem(v->c, at, "flash changes the bootloader's header and %s, expected keep for mode, freq and size: the "
                                 "signature would not hold",
                       boot->is_signed ? "it is signed" : "gate.secure_boot is on");
}

void content_check(struct profile_private *p, struct critic *c)
{
    struct view v = {.p = p, .c = c, .ciphertext = p->s.gate.flash_encryption == WISH_ON &&
                                                  p->s.flash.secured != SECURED_UNPROVEN};
    struct esp_partition_table table;
    struct esp_image image;
    struct loaded_image *where = NULL;
    size_t within;
    if (find_table(&v, &table, &where))
        v.table = &table;
    struct loaded_image *boot = covering(&v, p->chip->bootloader_offset, &within);
    if (boot)
        (void)judge(&v, boot, within, ROLE_BOOT, &image);
    for (size_t i = 0; i < p->n; i++) {
        struct loaded_image *l = &p->loaded[i];
        const struct esp_partition *part = in_flash(l) ? partition_at(&v, l->facts->offset) : NULL;
        bool seen = l->facts->offset == p->chip->bootloader_offset || (part && part->type == ESP_PARTITION_APP);
        if (in_flash(l) && !seen)
            (void)judge(&v, l, 0, ROLE_FILE, &image);
    }
    if (v.table)
        check_partitions(&v, where);
    if (boot && within)
        boot = NULL; /* the header of an image inside a file is not touched */
    check_patch(&v, boot);
}
