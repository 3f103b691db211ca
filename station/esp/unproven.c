/* SPDX-License-Identifier: Apache-2.0
 * Regions into a flash that cannot be asked what it holds.
 *
 *   secure download mode   SYNC, SPI_ATTACH, SPI_SET_PARAMS, CHANGE_BAUD, FLASH_BEGIN, DATA, END and SECURITY_INFO work;
 *                          no register, no RAM, no MD5
 *   flash encryption       BEGIN's fifth word is 1, and the chip encrypts; its MD5 is of what came out, which nobody else
 *                          can compute, because the key never leaves the chip
 *
 * What is left is the loader's word for each block, and a rule: BEGIN carries no checksum, so that one damaged on its
 * way may write elsewhere, over a region that was right. After any trouble all regions are written once more, until
 * a pass goes without any. Source: facts 7.3 and 7.4. */
#include "esp/session.h"

enum { PASSES = 3, UNIT = 16, UNIT_ESP32 = 32 };

bool esp_unproven(const struct esp_unit *u)
{
    return u->security.secure_download == ESP_ON || u->security.flash_encryption == ESP_ON;
}

uint32_t esp_begin_size(const struct esp *e, uint32_t size)
{
    uint32_t unit = e->chip->revision == REVISION_ESP32 ? UNIT_ESP32 : UNIT;
    return e->encrypts ? (size + unit - 1) / unit * unit : size;
}

static enum fl_err check(struct esp *e, const struct esp_region *regions, size_t n)
{
    const struct esp_security *s = &e->unit.security;
    bool encrypted = s->flash_encryption == ESP_ON;
    if (!esp_unproven(&e->unit))
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_INTERNAL, FL_STATE,
                        "this chip can prove what its flash holds: esp_write is for it");
    if (encrypted && s->secure_download == ESP_ON)
        return esp_refuse(e, "flash encryption and secure download mode are on: the chip takes plain bytes only, and "
                             "they would not start");
    if (encrypted && e->efuses.no_manual_crypt)
        return esp_refuse(e, "flash encryption is on and a fuse forbids encrypting in the loader: only an update by the "
                             "application itself can change this flash");
    uint32_t align = e->chip->revision == REVISION_ESP32 ? UNIT_ESP32 : UNIT;
    for (size_t i = 0; i < n && encrypted; i++)
        if (regions[i].offset % align)
            return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_INTERNAL, FL_ARG,
                            "region %06x does not start where encryption can: at a multiple of %u", regions[i].offset,
                            align);
    return esp_check_deadly(e, regions, n);
}

static enum fl_err write_one(struct esp *e, const struct esp_run *one)
{
    if (e->encrypts && !e->stub && e->chip->begin_16)
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_RAM_REFUSED, FL_UNSUPPORTED,
                        "the %s's ROM cannot encrypt: it takes the stub", e->chip->title);
    return esp_job_write(e, one);
}

static enum fl_err pass(struct esp *e, const struct esp_region *regions, size_t n,
                        struct esp_region_result *results)
{
    enum fl_err err = FL_OK;
    e->plain_done = 0;
    e->disturbed = false;
    for (size_t i = 0; i < n && !err; i++) {
        const struct esp_run one = {&regions[i], &results[i], 1};
        err = esp_with_ladder(e, &one, write_one);
        esp_ladder_rest(e);
        e->plain_done += regions[i].size;
    }
    return err;
}

enum fl_err esp_write_all_unproven(struct esp *e, const struct esp_region *regions, size_t n,
                                   struct esp_region_result *results)
{
    for (size_t i = 0; i < n; i++)
        results[i] = (struct esp_region_result){.state = ESP_REGION_PENDING};
    enum fl_err err = esp_check_regions(e, regions, n);
    if (!err)
        err = check(e, regions, n);
    if (err)
        return err;
    e->encrypts = e->unit.security.flash_encryption == ESP_ON;
    e->plain_total = 0;
    e->forms = false;
    for (size_t i = 0; i < n; i++)
        e->plain_total += regions[i].size;
    int passes = 0;
    do
        err = pass(e, regions, n, results);
    while (!err && e->disturbed && ++passes < PASSES);
    e->encrypts = false;
    if (!err && e->disturbed)
        err = esp_fail(e, TROUBLE_DEAD, ESP_FAULT_LINK_DAMAGED, FL_MISMATCH,
                       "everything was written %d times, never without trouble on the line, and nothing of it can be "
                       "verified", PASSES);
    return err;
}
