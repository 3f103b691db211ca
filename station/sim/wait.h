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

int sim_wait(struct pollfd *fds, size_t n, uint64_t ns); /* UINT64_MAX: for ever */

#endif
