/* SPDX-License-Identifier: Apache-2.0
 *
 * fake.h: one board at the far end of a memory link, for tests of the engine.
 *
 * Its answers are those that were seen on real ROM and stub code (or that the facts sheet states), and a test
 * bends them with rules: "the 3rd MEM_DATA is refused with 01070000". It knows nothing of station/.
 * The chip behind its answers: fake_chip.h. Framing and rules: fake_wire.h. A session with it: fake_session.h.
 * Time is own_clock.h's: a wait in which the board says nothing takes none.
 * It keeps what was written in an array, so that a test can look at the flash itself.
 */
#ifndef FL_TESTS_FAKE_H
#define FL_TESTS_FAKE_H

#include "unit/t.h"

#include "unit/esp/own_clock.h"

#include "base/hash.h"
#include "esp/session.h"
#include "link/link_internal.h"
#include "link/mem.h"

#include <zlib.h>

enum { FAKE_FLASH = 8 << 20, FAKE_RULES = 24, FAKE_RUNGS = 200 };

enum fake_do {
    DO_REFUSE,  /* do not carry it out; status bytes from `hex` */
    DO_SILENT,  /* do not carry it out; say nothing */
    DO_LOSE,    /* carry it out; say nothing */
    DO_RAW,     /* do not carry it out; these bytes as they are */
    DO_RAW_THEN, /* these bytes, then carry it out and answer */
    DO_RESTART, /* the chip restarts; these bytes as text */
    DO_GONE,    /* the port goes away */
    DO_HANG,    /* nothing more until the next reset */
    DO_INVERT,  /* carry it out and answer; then a stray C0 turns its framing inside out */
    DO_DEAF,    /* nothing more until SYNC */
    DO_VALUE,   /* carry it out, but answer with this value field */
};
enum { IN_ROM = 1, IN_STUB = 2, ANYWHERE = 3 };

struct fake_rule {
    uint8_t op;
    unsigned first, last; /* which ones of this opcode, counted from 1; last 0: all from `first` on */
    unsigned where;
    enum fake_do what;
    const char *hex;
};

struct fake_reg {
    uint32_t addr, value;
};

struct fake {
    struct link *link;
    struct link_ops ops; /* the memory link's, but for what a wait is */
    const char *stub_name; /* what must arrive in RAM before it greets */
    bool has_info, rom_status_2;
    uint8_t info[20];
    size_t info_n;
    struct fake_reg regs[40];
    size_t n_regs;
    const char *boot_text, *app_text;
    const char *chatter; /* said before every answer */
    bool twice;          /* every answer comes twice */
    bool no_reset;   /* the lines do not reach the chip */
    bool no_flash;
    bool dead;       /* nothing answers, nothing is said */
    bool no_sync;    /* hears nothing, but prints */
    uint32_t max_baud; /* above: garbage; 0: any */
    unsigned wrong_resets; /* the first ones end in the application, whatever the strap says */
    bool slow_stub;    /* the stub comes up at 115200 whatever the ROM was put to */

    struct fake_rule rules[FAKE_RULES];
    unsigned seen[256];

    /* the bridge */
    size_t lose_after; /* from each write that is longer, one byte behind this many is lost */
    uint64_t damage_at; /* this byte of the host's stream is changed ... */
    uint8_t damage_xor; /* ... by this; 0: it is lost */
    bool damage_on;
    uint64_t reply_damage_at;
    uint8_t reply_damage_xor;
    bool reply_damage_on;
    uint64_t host_bytes, reply_bytes;
    uint64_t noise;          /* a seed: bits change at random ... */
    uint32_t noise_one_in;   /* ... of answers, in one byte of so many; 0: none */
    uint32_t host_noise_one_in; /* ... of requests */

    /* the chip */
    bool in_loader, stub, in_reset;
    enum link_wire dtr, rts;
    uint32_t host_baud, chip_baud;
    bool inside, escape; /* the receiver */
    bool deaf;           /* to all but SYNC */
    size_t n;
    uint8_t frame[0x9000];
    uint8_t last_op, deferred;
    uint8_t ram[2][20000];
    const struct stub *expected;
    uint32_t mem_addr, mem_left, mem_seq, mem_block;
    uint32_t at, left, size, seq, block; /* flash write */
    bool flash_mode, deflating;
    z_stream z;
    uint8_t *flash;
    uint32_t flash_size_told, spi_usr2;
    unsigned spi_seen[256]; /* commands to the flash chip, by opcode */
    uint8_t status_reg;
    bool write_fails, ignores_writes; /* C4 next; bytes go nowhere */
    unsigned stray_begin; /* this BEGIN, counted from 1, ... */
    uint32_t stray_to;    /* ... arrives with this offset */
    unsigned begins;
    uint32_t jedec;      /* 0: 4 MB */
    uint32_t bad_sector; /* this address never holds what is written; 0: none */
    unsigned erases, resets, power_cycles;
    bool encrypts;      /* the last BEGIN asked for it: what is written is not what was sent */
    uint32_t begun, begun_block; /* size and block size it told */

    /* what the engine told */
    struct esp_rung rungs[FAKE_RUNGS];
    size_t n_rungs;
    struct fl_buf text;
    uint64_t progress_last, progress_total;
    struct fl_buf steps;
};

/* in this order: each needs the one before */
#include "unit/esp/fake_chip.h"
#include "unit/esp/fake_wire.h"
#include "unit/esp/fake_session.h"

#endif
