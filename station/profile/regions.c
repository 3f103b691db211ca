/* SPDX-License-Identifier: Apache-2.0
 *
 * Images cut into regions, each compressed once for all slots.
 *
 *   flash   0x1000          0x40000         0x80000         0xc0000
 *   image     [--------------|---------------|---------------|-----)
 *   regions   [      0      )[       1      )[       2      )[  3  )
 *
 * Cuts lie at multiples of REGION in flash, not in the file, so that the loader can erase in blocks
 * of 64 KB. Each region is a zlib stream of its own: a fault costs one region, and a region whose
 * MD5 in flash is right already is skipped alone.
 *
 * REGION is 256 KB. Measured on two published images of 1.7 and 1.4 MB (level 12, bytes on the wire
 * with SLIP escapes, against one stream for the whole file): 64 KB costs 0.7 to 0.8 % more, 128 KB
 * 0.3 to 0.4 %, 256 KB 0.1 to 0.2 %, 512 KB less than 0.1 %. A 256 KB region is about 200 KB on the
 * wire, 2.2 s at 921600: what a fault can cost. */
#include "profile/loaded.h"

#include "profile/squeeze.h"

#include <stdlib.h>
#include <string.h>

enum {
    REGION = 256 << 10,
    SECTOR = 4096,
    FF_WORTH = 64 << 10,      /* so much FF, and more, is a region of its own */
    BLOCK = 0x4000,           /* payload of one data frame to the stub */
    FRAME = 2 + 8 + 16,       /* delimiters, header, sub-header of one data frame */
    SLIP_END = 0xc0, SLIP_ESC = 0xdb,
};

/* ---- what it costs on the wire --------------------------------------------------------------------- */

static uint64_t count(int byte, const uint8_t *p, size_t n)
{
    uint64_t found = 0;
    for (const uint8_t *stop = p + n; (p = memchr(p, byte, (size_t)(stop - p))); p++)
        found++;
    return found;
}

static uint64_t wire_bytes(const uint8_t *bytes, size_t n)
{
    return n + (n + BLOCK - 1) / BLOCK * FRAME + count(SLIP_END, bytes, n) + count(SLIP_ESC, bytes, n);
}

uint64_t regions_wire_bytes(const struct esp_region *r)
{
    return r->deflated ? wire_bytes(r->deflated, r->deflated_size) : wire_bytes(r->plain, r->size);
}

/* ---- one region -------------------------------------------------------------------------------------- */

/* Compress; what was made is noted among the set's buffers. */
static enum fl_err press(struct squeezer *z, struct region_set *s, struct esp_region *r)
{
    struct squeezed made;
    enum fl_err err = squeeze(z, r->plain, r->size, &made);
    if (err)
        return err;
    if (made.bytes && wire_bytes(made.bytes, made.n) < wire_bytes(r->plain, r->size)) {
        s->owned[s->n_owned++] = made.bytes;
        s->owned[s->n_owned++] = made.marks;
        r->deflated = made.bytes;
        r->deflated_size = made.n;
        r->marks = made.marks;
        r->joins = true;
    } else {
        free(made.bytes);
        free(made.marks);
    }
    return FL_OK;
}

static uint32_t padded(const struct profile_image *f)
{
    return (f->size + 3) / 4 * 4;
}

static bool all_ff(const uint8_t *p, size_t n)
{
    return n > 0 && p[0] == 0xff && memcmp(p, p + 1, n - 1) == 0;
}

/* Bytes from `at` to the next sector where a long stretch of FF begins (or ends, when it begins here), at most `most`.
 * Such a stretch is a region of its own: a blank flash holds it already. */
static uint32_t stretch(const uint8_t *bytes, uint32_t at, uint32_t most)
{
    bool blank = most >= FF_WORTH && all_ff(bytes + at, FF_WORTH);
    for (uint32_t n = blank ? FF_WORTH : SECTOR; n < most; n += SECTOR) {
        uint32_t left = most - n, want = blank ? SECTOR : FF_WORTH;
        if (left < want ? blank : all_ff(bytes + at + n, want) != blank)
            return n;
    }
    return most;
}

/* The cuts of one image: fills `r` unless it is NULL, gives how many. */
static size_t cut(const struct profile_image *f, const uint8_t *bytes, struct esp_region *r)
{
    size_t n = 0;
    uint32_t size = padded(f), rest = f->offset % SECTOR;
    for (uint32_t at = 0; at < size; n++) {
        uint32_t room = REGION - (f->offset + at) % REGION, left = size - at;
        uint32_t most = left < room ? left : room;
        uint32_t take = rest == 0 ? stretch(bytes, at, most) : most;
        if (r)
            r[n] = (struct esp_region){.offset = f->offset + at, .size = take, .plain = bytes + at};
        at += take;
    }
    return n;
}

static size_t count_regions(const struct profile_private *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += cut(p->loaded[i].facts, p->loaded[i].bytes, NULL);
    return n;
}

/* ---- sets ---------------------------------------------------------------------------------------------- */

static void set_free(struct region_set *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_owned; i++)
        free(s->owned[i]);
    free(s->owned);
    free(s->regions);
    free(s);
}

void regions_free(struct profile_private *p)
{
    if (p->joinable)
        (void)pthread_join(p->maker, NULL);
    while (p->sets) {
        struct region_set *next = p->sets->next;
        set_free(p->sets);
        p->sets = next;
    }
}

static struct region_set *set_new(const struct profile_private *p, int size_code)
{
    struct region_set *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->size_code = size_code;
    s->n = count_regions(p);
    s->regions = calloc(s->n, sizeof *s->regions);
    s->owned = calloc(3 * s->n, sizeof *s->owned); /* plain and compressed bytes and marks of each at most */
    if (!s->regions || !s->owned) {
        set_free(s);
        return NULL;
    }
    return s;
}

static void reached(struct profile_private *p, enum made made, enum fl_err err)
{
    (void)pthread_mutex_lock(&p->made_lock);
    p->made = err ? p->made : made;
    p->made_err = err;
    (void)pthread_cond_broadcast(&p->made_more);
    (void)pthread_mutex_unlock(&p->made_lock);
}

/* The first set hashed, 3 ms, which is all that a board needs that holds it already; then compressed: 0.1 s a megabyte. On
 * a thread of its own, while boards are reset and asked who they are. */
static void *make_first(void *arg)
{
    struct profile_private *p = arg;
    struct region_set *s = p->sets;
    enum fl_err err = FL_OK;
    for (size_t i = 0; !err && i < s->n; i++)
        err = fl_md5(s->regions[i].plain, s->regions[i].size, s->regions[i].md5);
    reached(p, MADE_HASHED, err);
    struct squeezer *z = err ? NULL : squeezer_new();
    if (!err && !z)
        err = FL_NOMEM;
    for (size_t i = 0; !err && i < s->n; i++)
        err = press(z, s, &s->regions[i]);
    squeezer_free(z);
    reached(p, MADE_PRESSED, err);
    return NULL;
}

static void begin(struct profile_private *p)
{
    (void)pthread_mutex_lock(&p->made_lock);
    bool mine = !p->begun;
    p->begun = true;
    if (mine)
        p->joinable = pthread_create(&p->maker, NULL, make_first, p) == 0;
    bool here = mine && !p->joinable;
    (void)pthread_mutex_unlock(&p->made_lock);
    if (here)
        (void)make_first(p);
}

/* Until the first set is that far. */
static enum fl_err await_first(struct profile_private *p, enum made made)
{
    begin(p);
    (void)pthread_mutex_lock(&p->made_lock);
    while (p->made < made && !p->made_err)
        (void)pthread_cond_wait(&p->made_more, &p->made_lock);
    enum fl_err err = p->made < made ? p->made_err : FL_OK;
    (void)pthread_mutex_unlock(&p->made_lock);
    return err;
}

void profile_begin(const struct profile *pub)
{
    begin(pub->priv);
}

/* Headers set as the profile says, in the loaded bytes themselves; then the first set, cut. */
enum fl_err regions_make(struct profile_private *p)
{
    enum fl_err err = FL_OK;
    bool changed;
    for (size_t i = 0; !err && i < p->n; i++)
        if (p->loaded[i].patchable)
            err = esp_image_patch(p->loaded[i].bytes, p->loaded[i].facts->size, p->chip, loaded_patch(p), &changed,
                                  NULL);
    if (err)
        return err;
    p->sets = set_new(p, -1);
    if (!p->sets)
        return FL_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += cut(p->loaded[i].facts, p->loaded[i].bytes, p->sets->regions + n);
    return FL_OK;
}

/* Region `r` of a new set: bytes of its own where they differ from the first set's, shared where not. */
static enum fl_err derive(struct region_set *s, struct esp_region *r, const struct esp_region *first)
{
    if (memcmp(r->plain, first->plain, r->size) == 0) {
        r->plain = first->plain;
        memcpy(r->md5, first->md5, sizeof r->md5);
        return FL_OK;
    }
    uint8_t *plain = malloc(r->size);
    if (!plain)
        return FL_NOMEM;
    memcpy(plain, r->plain, r->size);
    s->owned[s->n_owned++] = plain;
    r->plain = plain;
    return fl_md5(r->plain, r->size, r->md5);
}

/* The compressed forms of a set, when the first has them. */
static enum fl_err press_set(struct region_set *s, const struct region_set *first)
{
    struct squeezer *z = squeezer_new();
    enum fl_err err = z ? FL_OK : FL_NOMEM;
    for (size_t i = 0; !err && i < s->n; i++) {
        struct esp_region *r = &s->regions[i];
        const struct esp_region *f = &first->regions[i];
        if (r->plain != f->plain) {
            err = press(z, s, r);
            continue;
        }
        r->deflated = f->deflated;
        r->deflated_size = f->deflated_size;
        r->marks = f->marks;
        r->joins = f->joins;
    }
    squeezer_free(z);
    s->pressed = !err;
    return err;
}

/* The first set with another size in the bootloader's header. */
static enum fl_err set_for_size(const struct profile_private *p, int size_code, struct region_set **out)
{
    const struct region_set *first = p->sets;
    struct region_set *s = set_new(p, size_code);
    enum fl_err err = s ? FL_OK : FL_NOMEM;
    size_t at = 0;
    for (size_t i = 0; !err && i < p->n; i++) {
        const struct loaded_image *l = &p->loaded[i];
        uint32_t size = padded(l->facts);
        bool changed;
        uint8_t *bytes = l->patchable ? malloc(size) : l->bytes;
        if (!bytes) {
            err = FL_NOMEM;
            break;
        }
        if (l->patchable) {
            memcpy(bytes, l->bytes, size);
            err = esp_image_patch(bytes, l->facts->size, p->chip, (struct esp_image_patch){-1, -1, size_code},
                                  &changed, NULL);
        }
        size_t n = cut(l->facts, bytes, s->regions + at);
        for (size_t k = at; !err && k < at + n; k++)
            err = derive(s, &s->regions[k], &first->regions[k]);
        at += n;
        if (l->patchable)
            free(bytes);
    }
    if (err)
        set_free(s);
    else
        *out = s;
    return err;
}

/* ---- asked for by slots ------------------------------------------------------------------------------- */

static enum fl_err fits(const struct profile_private *p, uint64_t flash_size, struct fl_why *why)
{
    if (!flash_size)
        return FL_OK;
    for (size_t i = 0; i < p->n; i++) {
        const struct profile_image *f = &p->images[i];
        uint64_t end = (uint64_t)f->offset + f->size;
        if (end > flash_size)
            return fl_fail(why, FL_LIMIT, "%s ends at 0x%llx, the flash has 0x%llx bytes", f->file,
                           (unsigned long long)end, (unsigned long long)flash_size);
    }
    if (p->pub.flash_size > flash_size)
        return fl_fail(why, FL_LIMIT,
                       "flash.size is %llu KB, the flash has %llu KB: the application would not start",
                       (unsigned long long)p->pub.flash_size >> 10, (unsigned long long)flash_size >> 10);
    return FL_OK;
}

static bool header_follows_flash(const struct profile_private *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->loaded[i].patchable)
            return p->s.flash.size == SIZE_DETECT;
    return false;
}

static struct region_set *find_locked(const struct profile_private *p, int size_code)
{
    struct region_set *s = p->sets;
    while (s && s->size_code != size_code)
        s = s->next;
    return s;
}

static enum fl_err which(const struct profile *pub, uint64_t flash_size, int *code, struct fl_why *why)
{
    const struct profile_private *p = pub->priv;
    *code = -1;
    enum fl_err err = fits(p, flash_size, why);
    if (!err && flash_size && header_follows_flash(p)) {
        *code = esp_image_size_code(p->chip, flash_size);
        if (*code < 0)
            err = fl_fail(why, FL_UNSUPPORTED, "an image header of %s has no code for a flash of %llu KB", p->chip->name,
                          (unsigned long long)flash_size >> 10);
    }
    return err;
}

static enum fl_err get(const struct profile *pub, uint64_t flash_size, enum made made, const struct esp_region **regions, size_t *n,
                       struct fl_why *why)
{
    struct profile_private *p = pub->priv;
    int code;
    *regions = NULL;
    *n = 0;
    enum fl_err err = which(pub, flash_size, &code, why);
    if (err)
        return err;
    err = await_first(p, made);
    (void)pthread_mutex_lock(&p->lock);
    struct region_set *s = err ? NULL : find_locked(p, code);
    if (!s && !err) {
        err = set_for_size(p, code, &s);
        if (!err) {
            s->next = p->sets->next;
            p->sets->next = s;
        }
    }
    if (!err && made == MADE_PRESSED && s != p->sets && !s->pressed)
        err = press_set(s, p->sets);
    (void)pthread_mutex_unlock(&p->lock);
    if (err)
        return fl_fail(why, err, "cannot prepare the image: %s", fl_err_text(err));
    *regions = s->regions;
    *n = s->n;
    return FL_OK;
}

enum fl_err profile_regions(const struct profile *pub, uint64_t flash_size, const struct esp_region **regions, size_t *n,
                            struct fl_why *why)
{
    return get(pub, flash_size, MADE_PRESSED, regions, n, why);
}

enum fl_err profile_regions_early(const struct profile *pub, uint64_t flash_size, const struct esp_region **regions, size_t *n,
                                  struct fl_why *why)
{
    return get(pub, flash_size, MADE_HASHED, regions, n, why);
}
