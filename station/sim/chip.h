/* SPDX-License-Identifier: Apache-2.0
 *
 * chip.h: the simulator's own table of chips: what each answers to the questions a loader's client asks.
 *
 * This table and the engine's are two witnesses: neither includes the other, and a test holds both
 * against the literal values of the reference. Facts: the protocol reference sections 2.4, 2.6, 3.1 to 3.6,
 * 4.3, 7.1 and 7.2, from Espressif's esptool and technical reference manuals.
 */
#ifndef FL_SIM_CHIP_H
#define FL_SIM_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A value's bits in a register: bits [shift + width - 1 : shift] at `reg` hold the value's bits from
 * `lsb` up. A row with width 0 ends a list. */
struct sim_bits {
    uint16_t reg; /* offset from the eFuse base */
    uint8_t shift, width, lsb;
};

enum sim_mac_layout {
    SIM_MAC_8266,  /* OTP words, OUI in the fourth */
    SIM_MAC_ESP32, /* two words and a CRC-8 */
    SIM_MAC_LATER, /* low word first; the high word's upper half is the EUI-64 extension or revision */
};

enum sim_spi_layout { SIM_SPI_8266, SIM_SPI_ESP32, SIM_SPI_LATER };

struct sim_boot_words {
    const char *banner;   /* first lines of the ROM, up to "rst:" */
    const char *download; /* from "boot:" on */
    const char *run;
    const char *power_on; /* from "rst:" on, ends with a comma */
    const char *watchdog;
    const char *brownout;
    const char *software;
};

struct sim_chip {
    const char *name;    /* "esp32c3": on the command line and in scenarios */
    const char *title;   /* "ESP32-C3": in boot texts */
    const char *stub;    /* the embedded stub's file name */
    const char *stub_old; /* for revisions below stub_from; NULL: none */
    unsigned stub_from;
    uint32_t magic;      /* at 40001000 */
    int image_id;        /* in image headers and security info; -1: has none */
    uint32_t boot_at;    /* bootloader offset in flash */
    uint32_t efuse, mac_at;
    enum sim_mac_layout mac_layout;
    bool eui64;
    uint32_t uart_date, uart_clkdiv; /* uart_clkdiv 0: clients have no use for it */
    unsigned crystal_mhz;
    uint32_t spi;
    enum sim_spi_layout spi_layout;
    uint32_t wdt, wdt_key;  /* RTC watchdog: CONFIG0 and write protection; 0: clients cannot reset by it */
    unsigned security_len;  /* of GET_SECURITY_INFO: 0 (refused), 12 or 20 */
    unsigned eco;           /* in it */
    unsigned begin_len;     /* of the ROM's FLASH_BEGIN and DEFL_BEGIN */
    unsigned status_len;    /* of the ROM's answers */
    unsigned boot_baud;     /* of the ROM's log */
    bool flash_cmds;        /* the ROM knows 0B to 13 */
    unsigned revision;      /* default, major * 100 + minor */
    const struct sim_bits *major, *minor; /* NULL: the chip's own rule in chip.c */
    struct sim_bits crypt, secure_boot;
    uint8_t oui[3];
    struct sim_boot_words words;
};

const struct sim_chip *sim_chip_find(const char *name); /* NULL: no such chip */

struct sim_regs;
struct sim_spec;
/* Write what the factory and the boot ROM leave in the registers: magic, MAC, revision, security bits. */
void sim_chip_fill(const struct sim_spec *spec, struct sim_regs *regs);

#endif
