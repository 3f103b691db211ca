/* SPDX-License-Identifier: Apache-2.0
 * The plain POSIX form of wake.h; see wake_linux.c. */
#ifndef __linux__
#include "base/wake.h"

#include <fcntl.h>
#include <unistd.h>

enum fl_err fl_wake_init(struct fl_wake *w, struct fl_why *why)
{
    int p[2];
    w->rd = w->wr = -1;
    if (pipe(p) != 0)
        return fl_fail_os(why, "cannot make a wake-up pipe");
    w->rd = p[0];
    w->wr = p[1];
    for (int i = 0; i < 2; i++)
        if (fcntl(p[i], F_SETFL, O_NONBLOCK) != 0 || fcntl(p[i], F_SETFD, FD_CLOEXEC) != 0) {
            enum fl_err err = fl_fail_os(why, "cannot set up a wake-up pipe");
            fl_wake_fini(w);
            return err;
        }
    return FL_OK;
}

void fl_wake_fini(struct fl_wake *w)
{
    if (w->rd >= 0)
        (void)close(w->rd);
    if (w->wr >= 0)
        (void)close(w->wr);
    w->rd = w->wr = -1;
}

void fl_wake_raise(struct fl_wake *w)
{
    ssize_t n = write(w->wr, "", 1);
    (void)n; /* full pipe: raised anyway */
}

void fl_wake_clear(struct fl_wake *w)
{
    char sink[64];
    while (read(w->rd, sink, sizeof sink) > 0) {
    }
}
#else
typedef int fl_wake_pipe_is_not_built_here;
#endif
