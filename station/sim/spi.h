/* SPDX-License-Identifier: Apache-2.0
 *
 * spi.h: the flash controller's registers, with which clients send raw commands to the flash (its id,
 * status registers): reference 3.5. Other registers are words in regs.h.
 */
#ifndef FL_SIM_SPI_H
#define FL_SIM_SPI_H

#include "sim/chip.h"
#include "sim/flash.h"
#include "sim/regs.h"

/* Called after a WRITE_REG stored its value: when it set the controller's "user command" bit, the
 * transaction runs at once and the bit falls. */
void sim_spi_written(const struct sim_chip *chip, struct sim_regs *regs, struct sim_flash *flash,
                     uint32_t addr);

#endif
