/* SPDX-License-Identifier: Apache-2.0
 *
 * state.h: the folder that keeps boards between runs.
 *
 *   DIR/lock             held while a simulator uses the folder
 *   DIR/boardN.bin       flash content, byte for byte (flash.h says when it is written)
 *   DIR/boardN.efuse     "chip mac revision", one line: what the factory burnt when the board was first made
 */
#ifndef FL_SIM_STATE_H
#define FL_SIM_STATE_H

#include "base/file.h"
#include "sim/spec.h"

FL_MUST enum fl_err sim_state_open(const char *dir, struct fl_lock *lock, struct fl_why *why);
/* Gives the spec the MAC and revision of the board that the folder knows, or burns the spec's. *flash_file is
 * a new string for spec->state. FL_MISMATCH: another chip. */
FL_MUST enum fl_err sim_state_board(const char *dir, struct sim_spec *spec, char **flash_file,
                                    struct fl_why *why);

#endif
