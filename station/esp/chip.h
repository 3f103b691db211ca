/* SPDX-License-Identifier: Apache-2.0
 *
 * chip.h: what differs from chip to chip, as one table, and the few readings that need arithmetic.
 *
 * A register address of 0 means that the chip has no such register. Fields of eFuse words are given
 * as offsets from the chip's eFuse base. Image ids, bootloader offsets and header codes are not here:
 * esp/image.h has them.
 *
 * Pure: registers are read through a callback. Thread rule: const tables, no shared state.
 */
#ifndef FL_ESP_CHIP_H
#define FL_ESP_CHIP_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `n` bits from bit `lo` of the word at eFuse base + `at`; n 0: there is no such field. */
struct chip_bits {
    uint16_t at;
    uint8_t lo, n;
};

/* A revision number in up to two pieces, the high one first. */
struct chip_number {
    struct chip_bits high, low;
};

/* Layout of the SPI controller that the flash hangs on: offsets from chip.spi_base. */
struct chip_spi {
    uint8_t usr, usr1, usr2, mosi_len, miso_len, w0; /* mosi_len 0: both lengths live in USR1 */
    bool addr_left; /* ADDR wants the address in its top bits */
};

/* Watchdogs that would reset the chip in a USB-Serial/JTAG session, and the one a reset is made with. */
struct chip_wdt {
    uint32_t config0, config1, protect;
    uint32_t swd_config, swd_protect, swd_key;
    uint8_t swd_bit;
    bool can_reset; /* a watchdog reset is known to work */
};

/* Native USB: how to find out that it would come up in the loader again. */
struct chip_usb {
    uint32_t strap, force; /* strap register (bit 3: boot strap high) and force-download (bit 0) */
    bool otg_watchdog;   /* over OTG only the watchdog resets into the application */
};

enum chip_stub_rule {
    STUB_ALWAYS,
    STUB_BY_REVISION,    /* ESP32-P4: another one below v3.0 */
    STUB_NOT_REV0,       /* ESP32-C2: none for v0.0 */
    STUB_NOT_SECURE,     /* ESP32-C3: the ROM does not start RAM programs under secure boot */
    STUB_SECURE_TRICK,   /* ESP32-S3: under secure boot it is started through a ROM pointer */
};

enum chip_revision_rule {
    REVISION_FIELDS, /* as the fields say */
    REVISION_NONE,   /* ESP8266: none */
    REVISION_ESP32,  /* its major number is three scattered bits */
    REVISION_S3,     /* v0.0 chips whose block version sits where the revision is */
};

enum chip_baud_rule { BAUD_PLAIN, BAUD_NONE, BAUD_ESP32, BAUD_C2, BAUD_C5 };

struct chip {
    const char *name, *title;
    int16_t id;         /* GET_SECURITY_INFO's and image headers'; -1: none */
    uint32_t magic;     /* at CHIP_MAGIC_REG; 0: not to be told by it */
    uint32_t efuse;     /* base */
    uint16_t mac;       /* offset of the two MAC words */
    bool eui64;         /* two more bytes for IEEE 802.15.4 */
    struct chip_number major, minor;
    enum chip_revision_rule revision;
    uint32_t clkdiv;    /* UART divider, when the crystal must be measured; 0: `crystal` is it */
    uint8_t clkdiv_per; /* divider counts for each crystal period */
    uint8_t crystal;    /* MHz */
    const struct chip_spi *spi;
    uint32_t spi_base;
    const struct chip_wdt *wdt;
    struct chip_usb usb;
    struct chip_bits crypt_count, secure_boot, no_manual_crypt;
    bool begin_16;      /* its ROM's BEGIN takes four words, every other ROM's five */
    bool has_attach, has_md5; /* in ROM */
    bool big_flash;     /* its stub reaches past 16 MB */
    enum chip_stub_rule stub_rule;
    const char *stub, *stub_old; /* names in the embedded table; stub_old: below revision 300 */
    enum chip_baud_rule baud;
    const char *straps; /* what puts it into the loader, for people */
};

enum {
    CHIP_MAGIC_REG = 0x40001000, /* a word of ROM code: readable on every chip, never changes */
};

const struct chip *chip_at(size_t i); /* NULL past the last */
const struct chip *chip_by_name(const char *name);
const struct chip *chip_by_id(uint32_t id);
const struct chip *chip_by_magic(uint32_t magic); /* ESP8266, ESP32 and ESP32-S2 only */

/* ---- readings ----------------------------------------------------------------------------------- */

/* Reads one 32-bit register of the chip. */
struct chip_regs {
    void *ctx;
    FL_MUST enum fl_err (*read)(void *ctx, uint32_t addr, uint32_t *value);
};

/* All give the reader's error. MAC and EUI-64 in print order. FL_UNSUPPORTED: an ESP8266 whose fuses hold
 * a MAC of no known kind. */
FL_MUST enum fl_err chip_read_mac(const struct chip *c, struct chip_regs regs, uint8_t mac[static 6],
                                  uint8_t eui64[static 8]);
FL_MUST enum fl_err chip_read_revision(const struct chip *c, struct chip_regs regs, unsigned *revision);
/* *mhz 0 where it cannot be told. `baud`: the host's speed now, which the divider was set for. */
FL_MUST enum fl_err chip_read_crystal(const struct chip *c, struct chip_regs regs, uint32_t baud,
                                      unsigned *mhz);

struct chip_security {
    bool secure_boot, secure_boot_v1, encrypted, no_manual_crypt;
    bool jtag_off; /* ESP32 only: its other way to say it does not exist */
};
/* From the eFuses: where GET_SECURITY_INFO does not exist, and to check what it says. */
FL_MUST enum fl_err chip_read_security(const struct chip *c, struct chip_regs regs, unsigned revision,
                                       struct chip_security *out);
/* ESP32 only: the SPI_ATTACH word for flash in the package, from the eFuses; 0: default pins. */
FL_MUST enum fl_err chip_read_attach(const struct chip *c, struct chip_regs regs, uint32_t *config);

bool chip_odd_parity(uint32_t v); /* flash encryption is on when an odd number of bits is set */

/* The stub for this chip, or NULL with *why_not set to static text. */
const char *chip_stub_name(const struct chip *c, unsigned revision, bool secure_boot,
                           const char **why_not);

/* ---- flash identity ----------------------------------------------------------------------------- */

/* Bytes by the JEDEC capacity code (id: vendor in byte 0, type in byte 1, capacity in byte 2); 0:
 * not known. */
uint64_t chip_flash_size(uint32_t jedec);
/* Ids that an empty or broken bus gives. */
bool chip_flash_id_bad(uint32_t jedec);

#endif
