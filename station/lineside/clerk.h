/* SPDX-License-Identifier: Apache-2.0
 *
 * clerk.h: what is asked for at the console's keyboard, done one after another on a thread of its own, because what is
 * asked for waits for the recorder and the painter waits for nobody.
 *
 * Thread rule: opened and closed by one thread; clerk_code, clerk_damaged and clerk_reopen from any, and they do not wait.
 */
#ifndef FL_LINESIDE_CLERK_H
#define FL_LINESIDE_CLERK_H

#include "base/err.h"

struct clerk; /* opaque */

/* Called on the clerk's thread; what came of it they say themselves. */
struct clerk_config {
    void (*code)(void *ctx, const char *code);
    void (*damaged)(void *ctx, const char *why);
    void (*reopen)(void *ctx, int slot, const char *who, const char *reason); /* slot 0: the line */
    void *ctx;
};
FL_MUST enum fl_err clerk_open(const struct clerk_config *c, struct clerk **out, struct fl_why *why);
void clerk_close(struct clerk *k); /* does what was asked for, then ends; NULL is fine */

/* `clerk` is a struct clerk: as console_asks (console/console.h) wants them. More than sixteen at once are dropped. */
void clerk_code(void *clerk, const char *code);
void clerk_damaged(void *clerk, const char *why);
void clerk_reopen(void *clerk, int slot, const char *who, const char *reason);

#endif
