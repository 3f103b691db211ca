/* SPDX-License-Identifier: Apache-2.0
 *
 * shift.h: the script of a simulated shift: what is in the box of boards, what is wrong with which, how quick the
 * hands are, and what befalls cables and hubs. A YAML file; every key but `units` may be left out:
 *
 *   units: 120                    # boards in the box
 *   seed: 7                       # before --seed: who is bad, and every handling time
 *   hands: 2                      # so many boards are carried or pulled at a time (2)
 *   plug_ms: [200, 800]           # from an empty slot to the next board in it, least and most (200, 800)
 *   unplug_ms: [200, 600]         # from a tile that has its colour to the board's leaving (200, 600)
 *   patience_ms: 10000            # a board that the tile says nothing of is taken out after so long (10000)
 *   errors_again: 1               # a board whose tile said ERROR is tried again so often, in another slot (1)
 *   board: {chip: esp32, flash: {size: 4MB}}      # every board, as in a scenario
 *   planted:                      # bad boards, by chance: `share` of the units, the code that must be found
 *     - {name: weak sector, share: 0.02, expect: [verify.md5], board: {flash: {stuck: [0x12000]}}}
 *   twice: 0.02                   # share of the good ones that are plugged in once more when they are done, elsewhere
 *   moved: 0.02                   # share that is pulled in the middle of its work and put into another slot
 *   cable: {slot: 3, after: 10, over: 10, rate: 0.0001}   # from its 11th board on, bits flip on this slot's cable, both
 *                                 # ways, more with each board; after `over` more at `rate` a byte
 *   hub: {slots: [5, 6], after: 60, ms: 3000}     # when 60 boards are done these ports vanish, boards in them, for 3 s
 *
 * Who is bad, twice or moved depends on seed and number alone. Which board comes into which slot depends on how fast
 * the station is: the truth file says it (operator.h).
 *
 * Errors as scenario.h: file:line:column.
 */
#ifndef FL_SIM_SHIFT_H
#define FL_SIM_SHIFT_H

#include "base/err.h"
#include "sim/rng.h"
#include "sim/spec.h"

enum { SHIFT_PLANTED_MAX = 24, SHIFT_CODES_MAX = 6, SHIFT_HUB_MAX = 16, SHIFT_UNITS_MAX = 1000000 };

struct shift_range {
    uint32_t least, most;
};

struct shift_planted {
    char name[40];
    double share;
    char expect[SHIFT_CODES_MAX][32];
    size_t n_expect;
    struct sim_spec board; /* without number, seed and MAC */
};

struct shift {
    uint32_t units, hands, patience_ms, errors_again;
    uint64_t seed;
    struct shift_range plug_ms, unplug_ms;
    struct sim_spec board;
    struct shift_planted planted[SHIFT_PLANTED_MAX];
    size_t n_planted;
    double twice, moved;
    struct {
        uint32_t slot, after, over;
        double rate;
    } cable; /* slot 0: none */
    struct {
        uint32_t slot[SHIFT_HUB_MAX], after, ms;
        size_t n;
    } hub; /* n 0: none */
};

/* `seed` is the command line's. */
FL_MUST enum fl_err shift_load(const char *file, const struct sim_chip *chip, bool pace_real, uint64_t seed,
                               struct shift *out, struct fl_why *why);

/* Unit `number` (from 1): its board, and what is the matter with it. */
struct shift_unit {
    struct sim_spec spec;
    const struct shift_planted *planted; /* NULL: a good one */
    bool twice, moved;
};
void shift_unit(const struct shift *s, uint32_t number, struct shift_unit *out);

uint32_t shift_draw(const struct shift_range *r, struct sim_rng *rng);

#endif
