/* SPDX-License-Identifier: Apache-2.0
 *
 * plug.h: how the slots hear that something was plugged in or out, and that the line ends.
 *
 * One thread waits for the system's notices (link/notice.h) and counts them; slots that have nothing to do wait
 * here. Where there are no notices (another system, network ports) a slot's own deadline is all there is.
 *
 * Thread rule: start and stop from one thread; plug_cancel from any thread or signal handler; plug_wait from the
 * slots' threads. One leaf lock.
 */
#ifndef FL_LINE_PLUG_H
#define FL_LINE_PLUG_H

#include "base/queue.h"
#include "base/wake.h"
#include "profile/station_file.h"

struct plug {
    pthread_mutex_t lock;   /* guards the three below */
    pthread_cond_t changed;
    uint64_t changes;
    bool over;
    struct link_notice *notice; /* NULL: none on this system */
    struct fl_wake stop;
    pthread_t thread;
    bool lock_ok, cond_ok, running;
};

FL_MUST enum fl_err plug_start(struct plug *p, const struct station_slot *slots, size_t n, struct fl_why *why);
void plug_cancel(struct plug *p); /* async-signal-safe; every wait ends soon */
void plug_stop(struct plug *p);   /* cancels, joins; safe on one that plug_start failed on */

/* Something else that idle slots wait for changed. Any thread. */
void plug_tell(struct plug *p);
bool plug_hears(const struct plug *p); /* are there notices for local ports? */
/* Until something changed since `seen` (updated), or the deadline. False: the line ends. */
bool plug_wait(struct plug *p, uint64_t *seen, struct fl_deadline d);

#endif
