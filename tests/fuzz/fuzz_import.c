/* SPDX-License-Identifier: Apache-2.0
 * Profiles made from what people have: by the first input byte an esptool command line, a flasher_args.json or one merged
 * image. What stands behind the first zero byte are the bytes of every image. What is made is YAML, and says what was taken
 * (whether a profile may say that, the check of profiles judges, as before anything is written); what is told is lines for a
 * terminal. */
#include "fuzz.h"

#include "profile/import.h"
#include "profile/settings.h"

static void reads_back(const struct fl_buf *yaml, const struct import *i)
{
    struct profile_problems problems = {0}, notes = {0};
    struct critic c = {"f.yaml", &problems, &notes, FL_OK};
    struct settings s;
    memset(&s, 0, sizeof s);
    struct node *root = tree_read(yaml->bytes, yaml->len, &c);
    if (root && schema_root(root, settings_keys, &c))
        schema_read(settings_keys, root, &s, &c);
    if (!root)
        (void)fprintf(stderr, "%s\n%s\n", problems.n ? problems.list[0].text : "", fl_buf_text(yaml));
    FUZZ_HOLDS(root && root->kind == NODE_MAP && (c.err == FL_OK || problems.n > 0));
    FUZZ_HOLDS(c.err || s.images.n == i->n);
    for (size_t k = 0; k < i->n && !c.err; k++) {
        const struct settings_image *m = (const struct settings_image *)s.images.items + k;
        FUZZ_HOLDS(m->offset == i->images[k].offset && strcmp(m->file, i->images[k].file) == 0 && m->sha256.said &&
                   memcmp(m->sha256.bytes, i->images[k].sha256, sizeof m->sha256.bytes) == 0);
    }
    FUZZ_HOLDS(c.err || !i->version[0] || strcmp(s.version, i->version) == 0);
    free(s.images.items);
    profile_problems_fini(&problems);
    profile_problems_fini(&notes);
    tree_free(root);
}

static enum fl_err from(struct import *i, uint8_t kind, const char *text)
{
    const uint32_t offset = 0x1000;
    return kind % 4 == 0   ? import_command_line(i, text)
           : kind % 4 == 1 ? import_flasher_args(i, "build/\033[1mflasher_args.json", text, strlen(text))
                           : import_merged(i, text, kind % 4 == 2 ? &offset : NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct import *i = malloc(sizeof *i);
    struct fl_buf yaml = FL_BUF(1 << 20);
    FUZZ_HOLDS(i);
    import_init(i);
    if (n > 1) {
        const uint8_t *zero = memchr(bytes + 1, 0, n - 1);
        size_t text_n = zero ? (size_t)(zero - bytes - 1) : n - 1, image_n = zero ? n - text_n - 2 : 0;
        char *text = fuzz_text(bytes + 1, text_n);
        uint8_t *image = fuzz_copy(zero ? zero + 1 : bytes, image_n);
        enum fl_err err = from(i, bytes[0], text);
        for (size_t k = 0; k < i->n && !err; k++)
            err = import_see(i, k, image, image_n);
        if (!err)
            err = import_yaml(i, &yaml);
        FUZZ_HOLDS((err == FL_OK) == (i->refused.len == 0));
        FUZZ_HOLDS(fuzz_for_eyes(fl_buf_text(&i->told), i->told.len, true) && fuzz_for_eyes(fl_buf_text(&i->refused), i->refused.len, true));
        if (!err)
            reads_back(&yaml, i);
        free(text);
        free(image);
    }
    fl_buf_fini(&yaml);
    import_fini(i);
    free(i);
    return 0;
}
