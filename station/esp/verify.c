/* SPDX-License-Identifier: Apache-2.0
 * What the flash holds, by the chip's own MD5, and where it differs. */
#include "esp/session.h"

#include <stdio.h>
#include <string.h>

enum { MD5_TEXT = 32, COARSE = 0x10000, SECTOR = 0x1000, SEARCH_MAX = 300 };

/* The stub answers 16 bytes, the ROM 32 hexadecimal digits; each with its own status behind. */
enum fl_err esp_flash_md5(struct esp *e, uint32_t offset, uint32_t size,
                          uint8_t md5[static FL_MD5_SIZE])
{
    uint8_t words[16] = {0};
    struct answer a;
    size_t payload = e->stub ? FL_MD5_SIZE : MD5_TEXT;
    e->work = WORK_TALK;
    fl_put_u32le(words, offset);
    fl_put_u32le(words + 4, size);
    enum fl_err err = esp_ask(e, OP_FLASH_MD5, words, sizeof words, payload,
                              esp_scaled(e, size, e->times.md5_mb), &a);
    if (err)
        return err;
    char text[MD5_TEXT + 1] = "";
    if (a.n < payload + 2) {
        /* too short to hold one: a success that proves nothing */
        return esp_fail(e, TROUBLE_SILENT, ESP_FAULT_LINK_DAMAGED, FL_FORMAT,
                        "FLASH_MD5: an answer of %zu bytes", a.n);
    }
    if (e->stub) {
        memcpy(md5, a.data, FL_MD5_SIZE);
        return FL_OK;
    }
    memcpy(text, a.data, MD5_TEXT);
    if (!fl_unhex(text, md5, FL_MD5_SIZE))
        return esp_fail(e, TROUBLE_SILENT, ESP_FAULT_LINK_DAMAGED, FL_FORMAT,
                        "FLASH_MD5: the answer is not hexadecimal");
    return FL_OK;
}

static enum fl_err piece_differs(struct esp *e, const struct esp_region *r, uint32_t at, uint32_t n,
                                 bool *differs)
{
    uint8_t want[FL_MD5_SIZE], found[FL_MD5_SIZE];
    enum fl_err err = fl_md5(r->plain + at, n, want);
    if (err)
        return esp_fail_link(e, err, "MD5");
    err = esp_flash_md5(e, r->offset + at, n, found);
    *differs = !err && memcmp(want, found, sizeof want) != 0;
    return err;
}

/* The first piece of `step` bytes in [from, to) that differs, *bad of them in all; *first is `to` when none. */
static enum fl_err search(struct esp *e, const struct esp_region *r, uint32_t from, uint32_t to,
                          uint32_t step, uint32_t *first, unsigned *bad)
{
    *first = to;
    *bad = 0;
    enum fl_err err = FL_OK;
    unsigned asked = 0;
    for (uint32_t at = from; at < to && !err && asked < SEARCH_MAX; at += step, asked++) {
        bool differs = false;
        err = piece_differs(e, r, at, to - at < step ? to - at : step, &differs);
        if (differs && (*bad)++ == 0)
            *first = at;
    }
    return err;
}

enum fl_err esp_find_difference(struct esp *e, const struct esp_region *r, char *out, size_t cap)
{
    uint32_t coarse, fine;
    unsigned blocks, sectors;
    out[0] = 0;
    enum fl_err err = search(e, r, 0, r->size, COARSE, &coarse, &blocks);
    if (err)
        return err;
    if (blocks == 0) {
        (void)snprintf(out, cap, "read again piece by piece it is right");
        return FL_OK;
    }
    uint32_t to = r->size - coarse < COARSE ? r->size : coarse + COARSE;
    err = search(e, r, coarse, to, SECTOR, &fine, &sectors);
    if (!err)
        (void)snprintf(out, cap, "%u of %u blocks of 64 KB differ, the first sector at %06x", blocks,
                       (unsigned)((r->size + COARSE - 1) / COARSE), r->offset + fine);
    return err;
}
