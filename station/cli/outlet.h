/* SPDX-License-Identifier: Apache-2.0
 *
 * outlet.h: standard output by a thread of its own, so that whoever reads it slowly, or not at all, holds no slot up.
 *
 * What is put waits in memory, up to OUTLET_MAX, and leaves in order. Writing never blocks on a pipe or terminal: poll says first that
 * there is room, and no piece is larger than what a pipe then takes. Where the reader has gone, all is dropped without a word; what
 * cannot be written for another reason (a full disk) is dropped too, and outlet_close says so.
 *
 * Thread rule: outlet_put from any thread; the rest from one.
 */
#ifndef FL_CLI_OUTLET_H
#define FL_CLI_OUTLET_H

#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { OUTLET_MAX = 1 << 20 /* bytes: some thousand attempts */, OUTLET_LAST = 1024 /* more, for what is said at the end */ };

struct outlet; /* opaque */

/* `fd` is borrowed. The thread takes no signals. */
FL_MUST enum fl_err outlet_open(int fd, struct outlet **out, struct fl_why *why);
/* False: there is no room, and nothing of it will leave. `last`: of the last words, for which there is room always. */
bool outlet_put(struct outlet *o, const char *text, size_t n, bool last);
/* While held nothing is written. */
void outlet_hold(struct outlet *o, bool held);
/* What waits is written, as long as something leaves in each `patience_ms` (UINT64_MAX: however long that takes). FL_TIMEOUT: the
 * rest was given up. FL_IO: something could not be written. NULL is fine. */
enum fl_err outlet_close(struct outlet *o, uint64_t patience_ms);

#endif
