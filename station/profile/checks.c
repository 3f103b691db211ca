/* SPDX-License-Identifier: Apache-2.0
 * What must hold between the settings of a profile, and of the ranges that its images take in flash. */
#include "profile/loaded.h"

#include "profile/values.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { SECTOR = 0x1000 };

/* ---- settings against each other ---------------------------------------------------------------- */

/* Those that a profile can ask for: not "4MB-c1". */
static void say_codes(const struct esp_image_code *t, struct fl_buf *out)
{
    size_t n = 0;
    while (t[n].name && !strchr(t[n].name, '-'))
        n++;
    for (size_t i = 0; i < n; i++)
        fl_buf_addf(out, "%s%s", t[i].name, i + 1 == n ? "" : i + 2 < n ? ", " : " or ");
}

static void check_freq(const struct profile_private *p, struct critic *c)
{
    char word[16];
    struct fl_buf can = FL_BUF(200);
    (void)settings_word(settings_freqs, p->s.flash.freq, word);
    if (p->s.flash.freq == CODE_KEEP || esp_image_freq_code(p->chip, word) >= 0)
        return;
    say_codes(p->chip->freqs, &can);
    critic_problem(c, schema_place(p->tree, "flash.freq"), "flash.freq is %s, expected what %s has: keep, %s", word,
                   p->chip->name, fl_buf_text(&can));
    fl_buf_fini(&can);
}

static void check_size(const struct profile_private *p, struct critic *c)
{
    uint64_t size = p->s.flash.size, gate = p->s.gate.flash_size;
    struct place at = schema_place(p->tree, "flash.size");
    if (size == SIZE_KEEP || size == SIZE_DETECT)
        return;
    if (p->chip_known && esp_image_size_code(p->chip, size) < 0) {
        struct fl_buf can = FL_BUF(200);
        say_codes(p->chip->sizes, &can);
        critic_problem(c, at, "flash.size is %llu KB, expected what %s headers can say: keep, detect, %s",
                       (unsigned long long)size >> 10, p->chip->name, fl_buf_text(&can));
        fl_buf_fini(&can);
    } else if (gate != SIZE_ANY && gate < size) {
        critic_problem(c, at,
                       "flash.size is %llu KB and gate.flash_size lets %llu KB in, expected a gate of at least "
                       "flash.size: the application would not start on the smaller one",
                       (unsigned long long)size >> 10, (unsigned long long)gate >> 10);
    }
}

/* Ciphertext on a unit that does not decrypt would not start. */
static void check_secured(const struct profile_private *p, struct critic *c)
{
    if (p->s.flash.secured == SECURED_AS_IS && p->s.gate.flash_encryption != WISH_ON)
        critic_problem(c, schema_place(p->tree, "flash.secured"),
                       "flash.secured is as_is, expected gate.flash_encryption on: encrypted files would not start on a "
                       "unit without it");
}

static void check_step_down(struct profile_private *p, struct critic *c)
{
    static const uint32_t usual[] = {460800, 230400, 115200};
    struct key_speeds *d = &p->s.serial.step_down;
    uint32_t baud = p->s.serial.baud;
    const struct node *serial = tree_get(p->tree, "serial"), *said = tree_get(serial, "step_down");
    const struct node *speed = tree_get(serial, "baud");
    uint64_t v;
    bool taken = !speed || (speed->kind == NODE_TEXT && value_number(speed->text, &v) && v == baud);
    if (said) {
        if (taken && d->n && d->list[0] >= baud)
            critic_problem(c, said->at, "serial.step_down begins with %u, expected speeds below serial.baud %u",
                           d->list[0], baud);
        return;
    }
    d->n = 0;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (usual[i] < baud)
            d->list[d->n++] = usual[i];
}

static void check_boot_check(struct profile_private *p, struct critic *c)
{
    const struct node *said = tree_get(p->tree, "boot_check");
    if (said && said->kind == NODE_MAP && !tree_get(said, "expect") && !tree_get(said, "fail"))
        critic_problem(c, said->at, "boot_check says neither expect nor fail, expected at least one of them");
    if (!p->s.boot_check.baud)
        p->s.boot_check.baud = p->chip_known && p->chip->short_header ? 74880 : 115200;
}

/* Only a note: a profile is checked on a desk, too, where the line's programs are not. */
static void look_for_program(const struct profile_private *p, const char *key, const struct settings_hook *hook, struct critic *c)
{
    const char *program = hook->run.n && !hook->shell ? hook->run.list[0] : "";
    if (*program == '/' && access(program, X_OK) != 0)
        critic_note(c, schema_place(p->tree, key), "'%s' cannot be run here: %s", program, strerror(errno));
}

void checks_settings(struct profile_private *p, struct critic *c)
{
    const struct node *chip = tree_get(p->tree, "chip");
    p->chip_known = chip && chip->kind == NODE_TEXT && value_word(settings_chips, chip->text) >= 0;
    p->chip = esp_image_chip_at((size_t)p->s.chip);
    if (p->s.gate.min_revision > p->s.gate.max_revision)
        critic_problem(c, schema_place(p->tree, "gate.max_revision"),
                       "gate.max_revision is below gate.min_revision, expected room between them");
    if (p->chip_known)
        check_freq(p, c);
    check_size(p, c);
    check_secured(p, c);
    check_step_down(p, c);
    check_boot_check(p, c);
    look_for_program(p, "before.run", &p->s.before, c);
    look_for_program(p, "after.run", &p->s.after, c);
}

struct esp_image_patch loaded_patch(const struct profile_private *p)
{
    char word[16];
    uint64_t size = p->s.flash.size;
    struct esp_image_patch patch = {-1, -1, -1};
    if (p->s.flash.mode != CODE_KEEP)
        patch.mode = esp_image_mode_code(settings_word(settings_modes, p->s.flash.mode, word));
    if (p->s.flash.freq != CODE_KEEP)
        patch.freq = esp_image_freq_code(p->chip, settings_word(settings_freqs, p->s.flash.freq, word));
    if (size != SIZE_KEEP && size != SIZE_DETECT)
        patch.size = esp_image_size_code(p->chip, size);
    return patch;
}

/* ---- ranges in flash ----------------------------------------------------------------------------- */

uint64_t checks_flash_limit(const struct profile_private *p, const char **from)
{
    uint64_t size = p->s.flash.size, gate = p->s.gate.flash_size;
    bool fixed = size != SIZE_KEEP && size != SIZE_DETECT;
    *from = "gate.flash_size";
    if (gate == SIZE_ANY) {
        *from = "flash.size";
        return fixed ? size : 0;
    }
    if (!fixed || gate <= size)
        return gate;
    *from = "flash.size";
    return size;
}

static bool in_flash(const struct loaded_image *l)
{
    return l->bytes && l->offset_known;
}

static uint64_t end_of(const struct loaded_image *l)
{
    return (uint64_t)l->facts->offset + l->facts->size;
}

static uint64_t sectors_end(const struct loaded_image *l)
{
    return (end_of(l) + SECTOR - 1) / SECTOR * SECTOR;
}

static void check_end(const struct profile_private *p, const struct loaded_image *l, struct critic *c)
{
    const char *from;
    uint64_t limit = checks_flash_limit(p, &from);
    if (limit && l->facts->size > limit)
        critic_problem(c, l->file_at, "the file '%s' has %u bytes, expected it to fit the flash of %llu (%s)",
                       l->facts->file, l->facts->size, (unsigned long long)limit, from);
    else if (limit && end_of(l) > limit)
        critic_problem(c, l->offset_at, "'%s' ends at 0x%llx, past the flash's end, expected at most 0x%llx (%s)",
                       l->facts->file, (unsigned long long)end_of(l), (unsigned long long)limit, from);
}

void checks_layout(struct profile_private *p, struct critic *c)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct loaded_image *a = &p->loaded[i];
        if (!in_flash(a))
            continue;
        check_end(p, a, c);
        for (size_t k = 0; k < i; k++) {
            const struct loaded_image *b = &p->loaded[k];
            if (!in_flash(b) || a->facts->offset >= sectors_end(b) || b->facts->offset >= sectors_end(a))
                continue;
            critic_problem(c, a->offset_at,
                           "'%s' (0x%x to 0x%llx) overlaps '%s' (0x%x to 0x%llx), expected no flash sector "
                           "in two images",
                           a->facts->file, a->facts->offset, (unsigned long long)end_of(a), b->facts->file,
                           b->facts->offset, (unsigned long long)end_of(b));
            break;
        }
    }
}
