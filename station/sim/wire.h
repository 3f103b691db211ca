/* SPDX-License-Identifier: Apache-2.0
 *
 * wire.h: bytes under way in one direction: a queue in which each byte has a time of arrival.
 *
 * A line sends one byte after another, 10 bits each; what is put while it is busy waits its turn. With
 * baud 0 (pace fast) bytes arrive when they are put. Runs of bytes keep the speed they were sent at, so
 * that the far end can tell whether it listened at the same one.
 */
#ifndef FL_SIM_WIRE_H
#define FL_SIM_WIRE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_WIRE_MAX = 1 << 20 };

struct sim_run {      /* bytes sent without a pause at one speed */
    uint64_t start;   /* ns: when the line began with its first byte */
    uint32_t baud;    /* the sender's */
    bool paced;       /* false: all arrive at `start` */
    size_t sent, n;   /* bytes taken from it, bytes in it at first */
};

struct sim_wire {
    uint8_t *bytes;
    size_t head, len, cap;
    struct sim_run *run;
    size_t run_head, runs, run_cap;
    uint64_t free_at; /* the line has finished all that was put */
    bool lost;        /* something was put beyond SIM_WIRE_MAX or without memory, and dropped */
};

void sim_wire_fini(struct sim_wire *w);
void sim_wire_clear(struct sim_wire *w, uint64_t now);
void sim_wire_put(struct sim_wire *w, uint64_t now, uint32_t baud, bool paced, const uint8_t *bytes,
                  size_t n);

/* The run at the head, or NULL; its first untaken byte is at sim_wire_bytes, `n - sent` of them. */
const struct sim_run *sim_wire_run(const struct sim_wire *w);
const uint8_t *sim_wire_bytes(const struct sim_wire *w);
/* When the k-th untaken byte (1 = next) of the head run has arrived. */
uint64_t sim_wire_arrival(const struct sim_run *r, size_t k);
/* How many untaken bytes of the head run have arrived by then. */
size_t sim_wire_arrived(const struct sim_run *r, uint64_t now);
void sim_wire_take(struct sim_wire *w, size_t n); /* of the head run */
/* True when the run behind the head begins the moment the head ends: no pause between them. */
bool sim_wire_goes_on(const struct sim_wire *w);

#endif
