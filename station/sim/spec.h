/* SPDX-License-Identifier: Apache-2.0
 *
 * spec.h: what one simulated board is: plain data, made by the scenario reader or by a test.
 *
 * Times are in microseconds, sizes in bytes. sim_spec_init gives the board that a scenario without a
 * word about it gets. A spec is borrowed by sim_board_new, which copies what it keeps.
 */
#ifndef FL_SIM_SPEC_H
#define FL_SIM_SPEC_H

#include "sim/chip.h"
#include "sim/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long things take with pace real; with pace fast none of these applies but en_us. The defaults'
 * sources stand in spec.c. */
struct sim_timing {
    uint32_t usb_us;           /* one round trip over USB: half of it each way */
    uint32_t en_us;            /* EN rises that long after RTS let go of it; straps are read then */
    uint32_t rom_us, stub_us;  /* from a request's last byte to its reply's first */
    uint32_t page_us;          /* program 256 bytes */
    uint32_t sector_us;        /* erase 4 KB */
    uint32_t block_us;         /* erase 64 KB */
    uint32_t md5_rom_us_per_kb, md5_stub_us_per_kb;
    uint32_t inflate_us_per_kb;
};

enum { SIM_STUCK_MAX = 16 };

struct sim_flash_spec {
    uint32_t size;
    uint32_t jedec; /* low byte vendor, then type, then capacity: as READ_REG of W0 gives it */
    uint32_t stuck[SIM_STUCK_MAX]; /* offsets in sectors that do not hold what is written */
    size_t n_stuck;
    bool protect; /* status register says protected: a client can clear it */
    bool locked;  /* write protect pin: nothing clears it */
    bool dead;    /* no chip answers: id FFFFFF */
    double slow;  /* factor on erase and program times */
};

enum sim_bridge_kind { SIM_CP2104, SIM_CH9102, SIM_FT232, SIM_CH340, SIM_USB_JTAG };

struct sim_bridge_spec {
    enum sim_bridge_kind kind;
    /* A burst is what the host sends without a pause of `gap_us`; in pace fast also without an answer of the chip in
     * between, which over a real bridge takes longer than such a pause. In a burst longer than `burst` bytes one byte
     * soon after that position is lost, with probability `loss`, and again every `burst` bytes. 0: none is ever lost. */
    uint32_t burst, gap_us;
    double loss;
};

struct sim_security_spec {
    bool secure_boot, flash_encryption, secure_download;
};

/* USUAL: running its program where a client can reset it, in the loader where none can (no lines) */
enum sim_power_up { SIM_POWER_UP_USUAL, SIM_POWER_UP_RUN, SIM_POWER_UP_DOWNLOAD };

struct sim_spec {
    unsigned number; /* 1.. */
    uint64_t seed;   /* of this board alone */
    const struct sim_chip *chip;
    uint8_t mac[6];
    unsigned revision; /* major * 100 + minor */
    double calibration; /* what the ESP32 ROM believes of its crystal: 1.03 = 3 % too much */
    enum sim_power_up power_up;
    struct sim_flash_spec flash;
    struct sim_bridge_spec bridge;
    struct sim_security_spec security;
    struct sim_timing timing;
    bool pace_real;
    bool telnet; /* RFC 2217; false: plain bytes on the TCP port */
    struct sim_fault faults[SIM_FAULTS_MAX];
    size_t n_faults;
    const char *state; /* file that keeps the flash; NULL: memory only; borrowed */
};

void sim_spec_init(struct sim_spec *s, const struct sim_chip *chip, unsigned number, uint64_t seed);

/* Sets kind and what that bridge is known to do. */
void sim_bridge_set(struct sim_bridge_spec *b, enum sim_bridge_kind kind);
extern const char *const sim_bridge_names[]; /* by enum, NULL ends */

#endif
