/* SPDX-License-Identifier: Apache-2.0
 * The reader of profiles and station files: YAML to tree to settings. No image is opened. Every problem has its
 * place in the file, and a text is refused with a problem or read without one. */
#include "fuzz.h"

#include "profile/settings.h"

static void said(const struct profile_problems *p)
{
    for (size_t i = 0; i < p->n; i++) {
        char at[60];
        int len = snprintf(at, sizeof at, "f.yaml:%u:%u: ", p->list[i].line, p->list[i].column);
        FUZZ_HOLDS(p->list[i].line > 0 && p->list[i].column > 0);
        FUZZ_HOLDS(strncmp(p->list[i].text, at, (size_t)len) == 0 && p->list[i].text[len] != '\0');
        for (const char *c = p->list[i].text; *c; c++) /* a terminal is not to be steered by a file */
            FUZZ_HOLDS((unsigned char)*c >= ' ' && *c != 0x7f);
    }
}

static void read_as(const struct key *keys, void *into, const uint8_t *bytes, size_t n)
{
    struct profile_problems problems = {0}, notes = {0};
    struct critic c = {"f.yaml", &problems, &notes, FL_OK};
    struct node *root = tree_read(n ? (const void *)bytes : "", n, &c);
    FUZZ_HOLDS(root || c.err);
    if (root && schema_root(root, keys, &c))
        schema_read(keys, root, into, &c);
    critic_sort(&c);
    FUZZ_HOLDS(c.err == FL_NOMEM || (c.err != FL_OK) == (problems.n > 0));
    FUZZ_HOLDS(problems.n <= PROBLEMS_MAX + 1);
    said(&problems);
    said(&notes);
    profile_problems_fini(&problems);
    profile_problems_fini(&notes);
    tree_free(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct settings s;
    struct station_settings station;
    memset(&s, 0, sizeof s);
    memset(&station, 0, sizeof station);
    read_as(settings_keys, &s, bytes, n);
    read_as(station_keys, &station, bytes, n);
    free(s.images.items);
    free(station.slots.items);
    return 0;
}
