/* SPDX-License-Identifier: Apache-2.0
 * The files that a profile names: found, read, hashed. */
#include "profile/loaded.h"

#include "base/file.h"
#include "profile/values.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum fl_err images_read(const char *path, struct fl_buf *out, struct fl_why *why)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return fl_fail_os(why, "cannot open %s", path);
    if (!S_ISREG(st.st_mode))
        return fl_fail(why, FL_FORMAT, "%s is not an ordinary file", path);
    return fl_file_read(path, out, why);
}

static void read_failed(const struct loaded_image *l, enum fl_err err, const struct fl_why *why,
                        struct critic *c)
{
    if (err == FL_NOMEM)
        critic_nomem(c);
    else if (err == FL_NOT_FOUND)
        critic_problem(c, l->file_at, "the file '%s' is not there, expected it at %s", l->facts->file, l->path);
    else if (err == FL_LIMIT)
        critic_problem(c, l->file_at, "the file '%s' has more than %d MB, expected an image that fits a flash",
                       l->facts->file, IMAGE_MAX >> 20);
    else
        critic_problem(c, l->file_at, "the file '%s' cannot be read, expected an image (%s)", l->facts->file,
                       why->text);
}

static void check_hash(const struct loaded_image *l, const struct key_sha256 *want, struct critic *c)
{
    char is[2 * FL_SHA256_SIZE + 1], should[2 * FL_SHA256_SIZE + 1];
    if (!want->said || memcmp(want->bytes, l->facts->sha256, FL_SHA256_SIZE) == 0)
        return;
    fl_hex(l->facts->sha256, FL_SHA256_SIZE, is);
    fl_hex(want->bytes, FL_SHA256_SIZE, should);
    critic_problem(c, l->sha_at, "the file '%s' has SHA-256 %s, expected %s", l->facts->file, is, should);
}

static void load_one(struct loaded_image *l, const struct key_sha256 *want, struct critic *c)
{
    struct fl_buf b = FL_BUF(IMAGE_MAX);
    struct fl_why why = {0};
    struct profile_image *f = l->facts;
    enum fl_err err = images_read(l->path, &b, &why);
    if (err) {
        read_failed(l, err, &why, c);
        goto out;
    }
    if (b.len == 0) {
        critic_problem(c, l->file_at, "the file '%s' is empty, expected an image", f->file);
        goto out;
    }
    f->size = (uint32_t)b.len;
    if (fl_sha256(b.bytes, b.len, f->sha256) || fl_md5(b.bytes, b.len, f->md5)) {
        critic_nomem(c);
        goto out;
    }
    b.max += 4;
    while (b.len % 4)
        fl_buf_addc(&b, (char)0xff); /* what an erased flash holds there anyway */
    if (fl_buf_err(&b, NULL)) {
        critic_nomem(c);
        goto out;
    }
    check_hash(l, want, c);
    l->bytes = b.bytes;
    b.bytes = NULL;
out:
    fl_buf_fini(&b);
}

static struct place place_in(const struct node *item, const char *key)
{
    const struct node *n = tree_get(item, key);
    return n ? n->at : item->at;
}

/* Was the offset taken as it stands? A refused one must not cause talk of overlaps. */
static bool offset_is_said(const struct node *item, uint32_t taken)
{
    const struct node *n = tree_get(item, "offset");
    uint64_t v;
    return n && n->kind == NODE_TEXT && value_number(n->text, &v) && v == taken && v % 0x1000 == 0;
}

void images_load(struct profile_private *p, struct critic *c)
{
    const struct settings_image *s = p->s.images.items;
    const struct node *list = tree_get(p->tree, "images"), *item = list ? list->first : NULL;
    p->n = p->s.images.n;
    p->images = calloc(p->n + 1, sizeof *p->images);
    p->loaded = calloc(p->n + 1, sizeof *p->loaded);
    if (!p->images || !p->loaded) {
        p->n = 0;
        critic_nomem(c);
        return;
    }
    for (size_t i = 0; i < p->n && item; i++, item = item->next) {
        struct loaded_image *l = &p->loaded[i];
        l->facts = &p->images[i];
        *l->facts = (struct profile_image){
            .file = s[i].file, .offset = s[i].offset, .min_revision = 0, .max_revision = UINT_MAX};
        l->item_at = item->at;
        l->offset_at = place_in(item, "offset");
        l->file_at = place_in(item, "file");
        l->sha_at = place_in(item, "sha256");
        l->offset_known = offset_is_said(item, s[i].offset);
        if (!s[i].file)
            continue; /* said so already */
        l->path = fl_path_join(p->dir, s[i].file);
        if (l->path)
            load_one(l, &s[i].sha256, c);
        else
            critic_nomem(c);
    }
}
