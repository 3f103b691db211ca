/* SPDX-License-Identifier: Apache-2.0
 * A profile from file to immutable whole. */
#include "profile/loaded.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

void profile_free(struct profile *pub)
{
    if (!pub)
        return;
    struct profile_private *p = pub->priv;
    regions_free(p);
    for (size_t i = 0; i < p->n; i++) {
        free(p->loaded[i].bytes);
        free(p->loaded[i].path);
    }
    free(p->loaded);
    free(p->images);
    free(p->s.images.items);
    free(p->s.boot_check.measures.items);
    free(p->measures);
    profile_problems_fini(&p->notes);
    free(p->note_texts);
    tree_free(p->tree);
    fl_buf_fini(&p->text);
    free(p->path);
    free(p->dir);
    if (p->locks > 0)
        (void)pthread_mutex_destroy(&p->lock);
    if (p->locks > 1)
        (void)pthread_mutex_destroy(&p->made_lock);
    if (p->locks > 2)
        (void)pthread_cond_destroy(&p->made_more);
    free(p);
}

static struct profile_private *private_new(const char *path)
{
    struct profile_private *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->pub.priv = p;
    p->text = FL_BUF(TREE_BYTES_MAX);
    p->path = strdup(path);
    p->dir = fl_path_dir(path);
    p->locks = pthread_mutex_init(&p->lock, NULL) != 0        ? 0
               : pthread_mutex_init(&p->made_lock, NULL) != 0 ? 1
               : pthread_cond_init(&p->made_more, NULL) != 0  ? 2
                                                              : 3;
    if (p->path && p->dir && p->locks == 3)
        return p;
    profile_free(&p->pub);
    return NULL;
}

static void read_all(struct profile_private *p, const char *given, struct critic *c)
{
    if (!given) {
        p->tree = tree_load(p->path, settings_keys, &p->text, c);
    } else {
        fl_buf_adds(&p->text, given);
        p->tree = fl_buf_err(&p->text, NULL) ? NULL : tree_read(fl_buf_text(&p->text), p->text.len, c);
        if (!p->tree && !c->err)
            critic_nomem(c);
    }
    if (!p->tree || !schema_root(p->tree, settings_keys, c))
        return;
    schema_read(settings_keys, p->tree, &p->s, c);
    checks_settings(p, c);
    images_load(p, c);
    checks_layout(p, c);
    if (p->chip_known)
        content_check(p, c);
}

/* ---- what others see ------------------------------------------------------------------------------ */

static enum esp_tristate wish(int state)
{
    return state == WISH_OFF ? ESP_OFF : state == WISH_ON ? ESP_ON : ESP_UNKNOWN;
}

static bool any_patchable(const struct profile_private *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->loaded[i].patchable)
            return true;
    return false;
}

static void publish_session(const struct profile_private *p, struct esp_config *e)
{
    e->chip = p->chip->name;
    e->baud = p->s.serial.baud;
    for (size_t i = 0; i < p->s.serial.step_down.n && i < ESP_STEP_DOWN_MAX; i++)
        e->step_down[i] = p->s.serial.step_down.list[i];
    e->reset = p->s.serial.reset;
    e->stub = (enum esp_stub_mode)p->s.serial.stub;
    e->encrypted = p->s.flash.secured == SECURED_AS_IS ? ESP_ENCRYPTED_AS_IS : ESP_ENCRYPTED_REFUSE;
}

static bool publish_measures(struct profile_private *p)
{
    const struct settings_measure *from = p->s.boot_check.measures.items;
    size_t n = p->s.boot_check.measures.n;
    p->measures = calloc(n + 1, sizeof *p->measures);
    if (!p->measures)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (from[i].limits && !profile_parse_limits(from[i].limits, &p->measures[i]))
            p->measures[i].has_low = p->measures[i].has_high = false; /* was checked: cannot be */
        p->measures[i].name = from[i].name;
        p->measures[i].text = from[i].text;
    }
    p->pub.boot_check.measures = p->measures;
    p->pub.boot_check.n_measures = n;
    return true;
}

static enum fl_err publish(struct profile_private *p)
{
    const struct settings *s = &p->s;
    struct profile *pub = &p->pub;
    struct esp_image_patch patch = loaded_patch(p);
    bool patches = patch.mode >= 0 || patch.freq >= 0 || patch.size >= 0 || s->flash.size == SIZE_DETECT;
    pub->name = s->profile;
    pub->version = s->version;
    pub->path = p->path;
    pub->chip = p->chip->name;
    pub->gate = (struct profile_gate){
        .min_revision = s->gate.min_revision,
        .max_revision = s->gate.max_revision,
        .flash_size = s->gate.flash_size == SIZE_ANY ? 0 : s->gate.flash_size,
        .secure_boot = wish(s->gate.secure_boot),
        .flash_encryption = wish(s->gate.flash_encryption),
    };
    publish_session(p, &pub->esp);
    pub->erase_all = s->flash.erase != 0;
    pub->skip_matching = s->flash.skip_matching;
    pub->unproven = s->flash.secured == SECURED_UNPROVEN;
    pub->flash_size = s->flash.size >= SIZE_DETECT ? 0 : s->flash.size;
    pub->patches_header = patches && any_patchable(p);
    pub->attempts = s->retry.attempts;
    pub->detect = s->detect;
    pub->boot_check = (struct profile_boot_check){
        .wanted = tree_get(p->tree, "boot_check") != NULL,
        .baud = s->boot_check.baud,
        .expect = s->boot_check.expect,
        .fail = s->boot_check.fail,
        .within_ms = s->boot_check.within,
        .near_percent = s->boot_check.near,
    };
    settings_hook(&s->before, &pub->before);
    settings_hook(&s->after, &pub->after);
    if (!publish_measures(p))
        return FL_NOMEM;
    pub->images = p->images;
    pub->n_images = p->n;
    pub->text = fl_buf_text(&p->text);
    p->note_texts = calloc(p->notes.n + 1, sizeof *p->note_texts);
    if (!p->note_texts)
        return FL_NOMEM;
    for (size_t i = 0; i < p->notes.n; i++)
        p->note_texts[i] = p->notes.list[i].text;
    pub->notes = p->note_texts;
    pub->n_notes = p->notes.n;
    return FL_OK;
}

enum fl_err profile_load(const char *path, struct profile **out, struct profile_problems *problems)
{
    return profile_load_text(path, NULL, out, problems);
}

enum fl_err profile_load_text(const char *path, const char *text, struct profile **out,
                              struct profile_problems *problems)
{
    *out = NULL;
    struct profile_private *p = private_new(path);
    if (!p)
        return FL_NOMEM;
    struct critic c = {.path = path, .problems = problems, .notes = &p->notes};
    read_all(p, text, &c);
    critic_sort(&c);
    enum fl_err err = c.err;
    if (!err)
        err = publish(p);
    if (!err)
        err = identity_make(p);
    if (!err)
        err = regions_make(p);
    if (err)
        profile_free(&p->pub);
    else
        *out = &p->pub;
    return err;
}

json_t *profile_facts(const struct profile *pub)
{
    json_t *images = json_array();
    for (size_t i = 0; i < pub->n_images; i++) {
        const struct profile_image *f = &pub->images[i];
        char sha[2 * FL_SHA256_SIZE + 1], md5[2 * FL_MD5_SIZE + 1];
        fl_hex(f->sha256, FL_SHA256_SIZE, sha);
        fl_hex(f->md5, FL_MD5_SIZE, md5);
        json_t *image = json_pack("{s:I, s:I, s:s, s:s, s:s}", "offset", (json_int_t)f->offset, "size",
                                  (json_int_t)f->size, "file", f->file, "sha256", sha, "md5", md5);
        if (json_array_append_new(images, image)) {
            json_decref(images);
            return NULL;
        }
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "job", pub->hash, "hash", pub->hash, "name", pub->name, "version",
                     pub->version,
                     "text", pub->text, "images", images);
}
