/* SPDX-License-Identifier: Apache-2.0
 *
 * eyes.h: the simulated operator's eyes: reads the live stream of a station's browser board (web/live.c) and tells the
 * simulator what each slot's tile shows. A station that is not there yet, or went away, is asked again twice a second.
 *
 * Thread rule: start and stop from one thread; a thread of its own reads.
 */
#ifndef FL_SIM_EYES_H
#define FL_SIM_EYES_H

#include "base/wake.h"
#include "sim/sim.h"

struct eyes; /* opaque */

/* `url`: "http://127.0.0.1:8080", an address without a login. FL_ARG: not understood. The sim is borrowed. */
FL_MUST enum fl_err eyes_open(const char *url, struct sim *sim, struct eyes **out, struct fl_why *why);
void eyes_close(struct eyes *e); /* NULL is fine */

#endif
