/* SPDX-License-Identifier: Apache-2.0
 *
 * descriptors.h: how many files, sockets and ports this process may have open (RLIMIT_NOFILE).
 *
 * Systems start a process with a low limit (1024, 256) that it may raise itself up to one that only an administrator changes.
 *
 * Thread rule: before there are threads.
 */
#ifndef FL_BASE_DESCRIPTORS_H
#define FL_BASE_DESCRIPTORS_H

#include "base/err.h"

#include <stddef.h>

/* Raise the limit to `want`, or as far as it goes. FL_LIMIT: that is less than `must`; nothing was changed. */
FL_MUST enum fl_err fl_descriptors_want(size_t want, size_t must, struct fl_why *why);

#endif
