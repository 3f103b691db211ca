/* SPDX-License-Identifier: Apache-2.0
 *
 * flash.h: a NOR flash chip: erasing sets a sector's bits, programming clears bits, nothing else does.
 *
 * Only sectors that hold something take memory. Addresses beyond the chip's size wrap, as a real chip
 * ignores address bits that it does not have.
 *
 * With a state file every erase and program goes to the file at once (pwrite), so that after a kill the
 * file holds what the flash of a real board would: all operations that were done, and of the one that
 * was cut any part. The file is the flash's content, byte for byte.
 *
 * Thread rule: one owner.
 */
#ifndef FL_SIM_FLASH_H
#define FL_SIM_FLASH_H

#include "base/err.h"
#include "sim/spec.h"

#include <stdbool.h>
#include <stdint.h>

enum { SIM_SECTOR = 4096, SIM_BLOCK = 65536, SIM_PAGE = 256, SIM_FLASH_MAX = 256 << 20 };

struct sim_flash {
    struct sim_flash_spec spec;
    uint8_t **sector; /* NULL: blank */
    int fd;           /* state file or -1 */
    uint8_t status[3];
    bool write_enabled, reset_enabled;
    enum fl_err err;  /* of the state file; sticky */
    uint64_t sectors_erased, bytes_programmed; /* for tests and the curious */
};

FL_MUST enum fl_err sim_flash_init(struct sim_flash *f, const struct sim_flash_spec *spec,
                                   const char *state_file, struct fl_why *why);
void sim_flash_fini(struct sim_flash *f);

void sim_flash_read(const struct sim_flash *f, uint32_t addr, void *out, size_t n);
bool sim_flash_blank(const struct sim_flash *f, uint32_t addr); /* the sector that holds addr */
/* All sectors touched by [addr, addr + n). False when the chip refuses. */
bool sim_flash_erase(struct sim_flash *f, uint32_t addr, uint32_t n);
/* False when out of memory or the state file failed. A protected chip ignores it, as chips do. */
bool sim_flash_program(struct sim_flash *f, uint32_t addr, const void *bytes, size_t n);
uint8_t sim_xor(const uint8_t *bytes, size_t n); /* of all of them: what checksums here are made of */
FL_MUST enum fl_err sim_flash_md5(const struct sim_flash *f, uint32_t addr, uint32_t n,
                                  uint8_t out[static 16]);

/* One SPI transaction: opcode, address (when it has one), bytes to the chip, bytes from it. */
void sim_flash_spi(struct sim_flash *f, uint8_t op, uint32_t addr, const uint8_t *in, size_t n_in,
                   uint8_t *out, size_t n_out);

#endif
