/* SPDX-License-Identifier: Apache-2.0
 *
 * rng.h: the simulator's own random numbers (SplitMix64), so that a seed gives the same faults on every
 * platform and in every build. Not for anything secret.
 */
#ifndef FL_SIM_RNG_H
#define FL_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct sim_rng {
    uint64_t state;
};

static inline uint64_t sim_rng_next(struct sim_rng *r)
{
    uint64_t z = (r->state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static inline uint32_t sim_rng_below(struct sim_rng *r, uint32_t n)
{
    return n ? (uint32_t)(sim_rng_next(r) % n) : 0;
}

/* True with probability p. */
static inline bool sim_rng_chance(struct sim_rng *r, double p)
{
    return p > 0 && (double)(sim_rng_next(r) >> 11) * 0x1p-53 < p;
}

#endif
