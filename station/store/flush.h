/* SPDX-License-Identifier: Apache-2.0
 *
 * flush.h: what was written to a file made durable by a thread of its own, while its owner goes on.
 *
 * The owner numbers what it writes, 1, 2, 3, ... Each fdatasync covers everything written before it began.
 *
 * A failed fdatasync is final: after it nobody knows what the disk holds (Linux may call the pages clean), and every later
 * wait says so.
 *
 * Thread rule: one owner; the thread inside touches nothing but its own descriptor.
 */
#ifndef FL_STORE_FLUSH_H
#define FL_STORE_FLUSH_H

#include "base/err.h"

#include <stdint.h>

struct flush; /* opaque */

/* The file must be there. What it holds already is durable when this returns. */
FL_MUST enum fl_err flush_new(const char *path, struct flush **out, struct fl_why *why);
void flush_free(struct flush *f); /* what was begun is finished first. NULL is fine */

/* Everything up to number `n` has been written. Returns at once. */
void flush_begin(struct flush *f, uint64_t n);
/* Until number `n` is durable; it must have been begun. Ends with the disk's answer, however long that takes. */
FL_MUST enum fl_err flush_wait(struct flush *f, uint64_t n, struct fl_why *why);

#endif
