/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signals.h"

#include <signal.h>
#include <unistd.h>

static void our_set(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGHUP);
    (void)sigaddset(set, SIGUSR1); /* only to end the thread itself */
}

static void *wait_main(void *arg)
{
    struct cli_signals *s = arg;
    sigset_t set;
    int sig, count = 0;
    our_set(&set);
    while (sigwait(&set, &sig) == 0 && !atomic_load(&s->quit)) {
        if (sig == SIGUSR1)
            continue;
        if (++count > 1)
            _exit(128 + sig); /* asked twice: what is not recorded becomes INTERRUPTED */
        s->on(s->ctx);
    }
    return NULL;
}

enum fl_err cli_signals_start(struct cli_signals *s, void (*on)(void *ctx), void *ctx,
                              struct fl_why *why)
{
    sigset_t set;
    our_set(&set);
    atomic_init(&s->quit, false);
    s->on = on;
    s->ctx = ctx;
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 ||
        pthread_create(&s->thread, NULL, wait_main, s) != 0)
        return fl_fail(why, FL_NOMEM, "cannot set up signal handling");
    return FL_OK;
}

void cli_signals_stop(struct cli_signals *s)
{
    atomic_store(&s->quit, true);
    (void)pthread_kill(s->thread, SIGUSR1);
    (void)pthread_join(s->thread, NULL);
}
