/* SPDX-License-Identifier: Apache-2.0
 *
 * wait.h: poll(2) with a time-out in nanoseconds where the system has it, so that a byte's 10 us can be
 * waited for; elsewhere in milliseconds, rounded up. Returns as poll does.
 */
#ifndef FL_SIM_WAIT_H
#define FL_SIM_WAIT_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/* From here on the calling thread's waits end when they are due, not up to 50 us later so as to spare the processor. */
void sim_wait_sharply(void);

int sim_wait(struct pollfd *fds, size_t n, uint64_t ns); /* UINT64_MAX: for ever */

#endif
