/* SPDX-License-Identifier: Apache-2.0 */
#include "line/gate.h"

#include <limits.h>
#include <string.h>

static const char *const tristate[] = {"unknown", "off", "on"};

/* ESP_UNKNOWN in the profile means any; an unknown state of the unit never passes a wish. */
static bool differs(enum esp_tristate want, enum esp_tristate is)
{
    return want != ESP_UNKNOWN && want != is;
}

static const char *gate_images(const struct profile *p, const struct esp_unit *u, struct fl_why *why)
{
    if (p->patches_header && u->security.secure_boot == ESP_ON) {
        (void)fl_fail(why, FL_MISMATCH, "secure boot is on and flash.mode, freq or size changes the bootloader's "
                                        "header: the unit would not start; set all three to keep");
        return "gate.secure_boot";
    }
    for (size_t i = 0; i < p->n_images && u->revision != UINT_MAX; i++) {
        const struct profile_image *m = &p->images[i];
        if (u->revision < m->min_revision || u->revision > m->max_revision) {
            bool old = u->revision < m->min_revision;
            unsigned limit = old ? m->min_revision : m->max_revision;
            (void)fl_fail(why, FL_MISMATCH, "%s is built for chip revisions %s v%u.%u, this one is v%u.%u",
                          m->file, old ? "from" : "up to", limit / 100, limit % 100, u->revision / 100,
                          u->revision % 100);
            return "gate.image";
        }
    }
    return NULL;
}

/* Units that refuse most commands, or whose flash nobody else can read. The engine refuses them too, later and byte by
 * byte of the images (esp.h); here it costs no time and the sentence can name the profile's key. */
static const char *gate_secured(const struct profile *p, const struct esp_unit *u, struct fl_why *why)
{
    const struct esp_security *s = &u->security;
    bool locked = s->secure_download == ESP_ON, crypt = s->flash_encryption == ESP_ON;
    const char *reason = NULL;
    if (p->erase_all && (locked || crypt || s->secure_boot == ESP_ON))
        reason = "erasing a unit with secure boot, flash encryption or secure download mode on would leave it dead, and "
                 "the profile says flash.erase: all";
    else if (p->unproven)
        reason = NULL;
    else if (locked)
        reason = "in secure download mode the chip cannot say what its flash holds, so nothing written could pass; "
                 "flash.secured: unproven writes it all the same";
    else if (crypt && p->esp.encrypted != ESP_ENCRYPTED_AS_IS)
        reason = "flash encryption is on: plain bytes would not start, and what the chip encrypts cannot be verified; "
                 "flash.secured says what else can be done";
    if (!reason)
        return NULL;
    (void)fl_fail(why, FL_REFUSED, "%s", reason);
    return "security.refused";
}

const char *gate_unit(const struct profile *p, const struct esp_unit *u, struct fl_why *why)
{
    const struct profile_gate *g = &p->gate;
    const struct esp_security *s = &u->security;
    if (strcmp(p->chip, u->chip) != 0) {
        (void)fl_fail(why, FL_MISMATCH, "the chip is an %s, the profile is for %s", u->chip, p->chip);
        return "chip.wrong";
    }
    bool limited = g->min_revision > 0 || g->max_revision != UINT_MAX;
    if (limited && u->revision == UINT_MAX) {
        (void)fl_fail(why, FL_MISMATCH, "the chip's revision cannot be read and the profile limits it");
        return "gate.revision";
    }
    if (limited && (u->revision < g->min_revision || u->revision > g->max_revision)) {
        (void)fl_fail(why, FL_MISMATCH, "chip revision v%u.%u is outside what the profile accepts",
                      u->revision / 100, u->revision % 100);
        return "gate.revision";
    }
    if (differs(g->secure_boot, s->secure_boot)) {
        (void)fl_fail(why, FL_MISMATCH, "secure boot is %s, the profile asks for %s",
                      tristate[s->secure_boot + 1], tristate[g->secure_boot + 1]);
        return "gate.secure_boot";
    }
    if (differs(g->flash_encryption, s->flash_encryption)) {
        (void)fl_fail(why, FL_MISMATCH, "flash encryption is %s, the profile asks for %s",
                      tristate[s->flash_encryption + 1], tristate[g->flash_encryption + 1]);
        return "gate.flash_encryption";
    }
    const char *no = gate_images(p, u, why);
    return no ? no : gate_secured(p, u, why);
}

const char *gate_flash(const struct profile *p, const struct esp_flash_info *f, struct fl_why *why)
{
    if (p->gate.flash_size && f->size < p->gate.flash_size) {
        (void)fl_fail(why, FL_MISMATCH, "the flash has %llu KB (id %06x), the profile asks for %llu KB",
                      (unsigned long long)f->size / 1024, (unsigned)f->jedec,
                      (unsigned long long)p->gate.flash_size / 1024);
        return "gate.flash_size";
    }
    return NULL;
}
