/* SPDX-License-Identifier: Apache-2.0
 *
 * scenario.h: the YAML file that says what the boards are and what goes wrong with them.
 *
 *   seed: 7                          # of all chance; --seed when it is not here
 *   timing: {usb_us: 500}            # see struct sim_timing; all boards
 *   defaults: {chip: esp32}          # what every board has unless its own row says otherwise
 *   boards:
 *     - {board: 1, bridge: ch9102}
 *     - board: 2
 *       faults: [{kind: flip, rate: 0.0001, count: 0}]
 *
 * README.md lists every key. Strict: an unknown key, a wrong type, a board named twice or beyond
 * --boards is one sentence "file:line:column: what is wrong".
 */
#ifndef FL_SIM_SCENARIO_H
#define FL_SIM_SCENARIO_H

#include "base/err.h"
#include "sim/spec.h"
#include "sim/yaml.h"

/* Fills specs[0..n) for boards 1..n: chip, seed and pace first, then the file (NULL: none). *seed goes in as
 * the command line's and comes out as the one used. */
FL_MUST enum fl_err sim_scenario_load(const char *file, const struct sim_chip *chip, bool pace_real,
                                      uint64_t *seed, struct sim_spec *specs, unsigned n,
                                      struct fl_why *why);

/* A board's keys as in `defaults`, the chip among them, over what stands in *s. Without number, seed and MAC. */
void sim_scenario_board(struct sim_yaml *y, yaml_node_t *map, struct sim_spec *s);

#endif
