/* SPDX-License-Identifier: Apache-2.0
 * What the flash holds, by the chip's own MD5, and where it differs. */
#include "esp/session.h"

#include <string.h>

enum { MD5_TEXT = 32 };

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
