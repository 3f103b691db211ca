/* SPDX-License-Identifier: Apache-2.0
 *
 * ram.h: the chip's memory as MEM_DATA fills it, and what MEM_END would start.
 *
 * The simulator cannot run machine code. It knows Espressif's stubs (embedded in the program) by their
 * bytes. What an entry address starts is decided so:
 *
 *   all bytes of a known stub lie where they belong, the entry is its own     that stub, if it is this
 *                                                                             chip's; else a crash
 *   the entry is a known stub's, and fewer than 1 in 16 bytes of its text     a damaged upload: a crash
 *     differ, or only its data does, or its text was announced with the
 *     known length
 *   the entry lies in an upload of SIM_PROGRAM_MIN bytes or more, every       a stub of another version:
 *     one of whose bytes arrived                                              behaves as the known one
 *   anything else                                                             a crash
 *
 * Memory that no reset keeps: a reset of the chip forgets it all.
 */
#ifndef FL_SIM_RAM_H
#define FL_SIM_RAM_H

#include "base/err.h"
#include "sim/chip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SIM_RAM_PAGE = 4096,
    SIM_RAM_PAGES = 192,   /* 768 KB: more than any of the chips has */
    SIM_UPLOADS_MAX = 16,
    SIM_PROGRAM_MIN = 1024,
};

struct sim_ram_page {
    uint32_t addr;
    uint8_t bytes[SIM_RAM_PAGE];
    uint8_t written[SIM_RAM_PAGE / 8];
};

struct sim_ram {
    struct sim_ram_page *page[SIM_RAM_PAGES];
    size_t pages;
    struct {
        uint32_t addr, len;
    } upload[SIM_UPLOADS_MAX]; /* what MEM_BEGIN announced, newest last */
    size_t uploads;
};

void sim_ram_clear(struct sim_ram *r);
/* A MEM_BEGIN: remembered as an upload; what lies there already stays until it is overwritten. */
void sim_ram_begin(struct sim_ram *r, uint32_t addr, uint32_t len);
/* False when there is no such memory. */
bool sim_ram_write(struct sim_ram *r, uint32_t addr, const uint8_t *bytes, size_t n);
bool sim_ram_byte(const struct sim_ram *r, uint32_t addr, uint8_t *out); /* false: never written */

/* ---- the stubs that the simulator knows ---------------------------------------------------------- */

struct sim_stubs; /* opaque; immutable once made, shared by all boards and threads */
FL_MUST enum fl_err sim_stubs_load(struct sim_stubs **out, struct fl_why *why);
void sim_stubs_free(struct sim_stubs *s);

enum sim_program { SIM_PROGRAM_NONE, SIM_PROGRAM_STUB, SIM_PROGRAM_OTHER_STUB };
enum sim_program sim_ram_program(const struct sim_ram *r, const struct sim_stubs *s,
                                 const struct sim_chip *chip, unsigned revision, uint32_t entry);

#endif
