/* SPDX-License-Identifier: Apache-2.0
 * Supply for the flash. In the loader ESP32-P4 v3.1 and v3.2 leave it without (facts 3.7); on a v3.2 whose fuse says so the ROM
 * switches it on when the flash is attached, and it must not be on already. */
#include "esp/session.h"

#include <string.h>

struct power_step {
    struct reg_write w;
    uint32_t wait_ms; /* after it */
};

enum fl_err esp_power_flash(struct esp *e)
{
    static const uint32_t fuse = 0x5012d034, pads = 0x501153fc, ldo = 0x501151b8, ldo2 = 0x501151bc;
    const struct power_step steps[] = {
        {{0x5011010c, 1, UINT32_MAX}, 10},
        {{ldo2, 1u << 27, 1u << 27}, 0},
        {{ldo, 1u << 7, 1u << 7}, 0},
        {{pads, 3, 3}, 1},
        {{ldo2, 0, 1u << 27}, 0},
        {{ldo, 0, 0xffu << 23}, 0},
        {{ldo, 0x80, 0x80}, 0},
        {{ldo, 0, 1u << 7}, 2},
    };
    unsigned rev = e->unit.revision;
    uint32_t v = 0, now = 0;
    if (strcmp(e->chip->name, "esp32p4") != 0 || (rev != 301 && rev != 302) || e->unit.security.secure_download == ESP_ON)
        return FL_OK;
    enum fl_err err = rev == 302 ? esp_read_reg_sure(e, fuse, &v) : FL_OK;
    if (!err && (v >> 16 & 1)) {
        err = esp_read_reg_sure(e, pads, &now);
        return err || (now & 3) != 3 ? err
                                     : esp_write_regs(e, &(struct reg_write){pads, 0, 3}, 1);
    }
    for (size_t i = 0; i < sizeof steps / sizeof *steps && !err; i++) {
        err = esp_write_regs(e, &steps[i].w, 1);
        if (!err && steps[i].wait_ms)
            err = esp_pause(e, steps[i].wait_ms);
    }
    return err;
}
