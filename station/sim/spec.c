/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/spec.h"

#include <string.h>

/* The assumptions of pace real. Erase and program: Winbond W25Q32JV data sheet, typical values (tSE 45 ms,
 * tBE2 150 ms, tPP 0.4 ms). USB: one full-speed frame. MD5: the protocol reference 5.8 (1 MB in less than
 * a second on the stub, slower on the ROM). EN: 10 kOhm and 0.1 uF reach the threshold in about 1 ms.
 * Answers and inflating: small against all of these; not measured. */
static const struct sim_timing usual = {
    .usb_us = 1000, .en_us = 1000, .rom_us = 200, .stub_us = 60, .page_us = 400, .sector_us = 45000,
    .block_us = 150000, .md5_rom_us_per_kb = 600, .md5_stub_us_per_kb = 250, .inflate_us_per_kb = 50,
};

enum { BURST = 3072, BURST_GAP_US = 1000 };

const char *const sim_bridge_names[] = {"cp2104", "ch9102", "ft232", "ch340", "usb_jtag", NULL};

void sim_bridge_set(struct sim_bridge_spec *b, enum sim_bridge_kind kind)
{
    *b = (struct sim_bridge_spec){.kind = kind, .gap_us = BURST_GAP_US, .loss = 1};
    if (kind == SIM_CH9102)
        b->burst = BURST;
}

/* Six bytes: the chip's OUI, then a number that differs for every board of every seed. Steps of four leave
 * room for the addresses that a chip derives from its own (access point, Bluetooth, Ethernet). */
static void usual_mac(struct sim_spec *s, uint64_t seed)
{
    struct sim_rng r = {seed ^ 0x4D41435345454421u};
    uint32_t low = ((uint32_t)(sim_rng_next(&r) & 0xFFFFFC) + 4 * s->number) & 0xFFFFFC;
    memcpy(s->mac, s->chip->oui, 3);
    s->mac[3] = (uint8_t)(low >> 16);
    s->mac[4] = (uint8_t)(low >> 8);
    s->mac[5] = (uint8_t)low;
}

void sim_spec_init(struct sim_spec *s, const struct sim_chip *chip, unsigned number, uint64_t seed)
{
    struct sim_rng r = {seed + number * 0x9E3779B97F4A7C15u};
    *s = (struct sim_spec){
        .number = number, .seed = sim_rng_next(&r), .chip = chip, .revision = chip->revision,
        .calibration = 1, .timing = usual, .telnet = true,
        .flash = {.size = 4u << 20, .jedec = 0x1640EF, .slow = 1}, /* W25Q32 */
    };
    sim_bridge_set(&s->bridge, SIM_CP2104);
    usual_mac(s, seed);
}
