/* SPDX-License-Identifier: Apache-2.0
 *
 * signals.h: SIGINT, SIGTERM and SIGHUP as a call on a thread of its own.
 *
 * cli_signals_start blocks them in the calling thread; call it before any other thread is made, so
 * that all inherit the block. The first signal calls `on`; a second one ends the program at once.
 */
#ifndef FL_CLI_SIGNALS_H
#define FL_CLI_SIGNALS_H

#include "base/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct cli_signals {
    pthread_t thread;
    atomic_bool quit;
    void (*on)(void *ctx);
    void *ctx;
};

FL_MUST enum fl_err cli_signals_start(struct cli_signals *s, void (*on)(void *ctx), void *ctx,
                                      struct fl_why *why);
void cli_signals_stop(struct cli_signals *s);

#endif
