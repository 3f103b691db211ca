/* SPDX-License-Identifier: Apache-2.0
 *
 * resolve.h: a host's addresses, under a deadline.
 *
 * getaddrinfo(3) cannot be given a deadline nor be woken, and a dead name server holds it for half a
 * minute. A name is therefore looked up on a thread of its own that owns all it touches: a caller that
 * gives up leaves it behind, and it ends by itself. Numeric addresses take no thread.
 *
 * Thread rule: no shared state between calls.
 */
#ifndef FL_LINK_RESOLVE_H
#define FL_LINK_RESOLVE_H

#include "base/wake.h"

#include <netdb.h>

/* *out is the caller's, for freeaddrinfo. FL_NOT_FOUND: no such host; FL_TIMEOUT, FL_CANCELLED. */
FL_MUST enum fl_err link_resolve(const char *host, const char *port, struct fl_wake *wake,
                                 struct fl_deadline d, struct addrinfo **out, struct fl_why *why);

#endif
