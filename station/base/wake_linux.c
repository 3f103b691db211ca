/* SPDX-License-Identifier: Apache-2.0
 * eventfd: one descriptor instead of two. wake_pipe.c is the plain POSIX form. */
#ifdef __linux__
#include "base/wake.h"

#include <sys/eventfd.h>
#include <unistd.h>

enum fl_err fl_wake_init(struct fl_wake *w, struct fl_why *why)
{
    w->rd = w->wr = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return w->rd >= 0 ? FL_OK : fl_fail_os(why, "cannot make a wake-up descriptor");
}

void fl_wake_fini(struct fl_wake *w)
{
    if (w->rd >= 0)
        (void)close(w->rd);
    w->rd = w->wr = -1;
}

void fl_wake_raise(struct fl_wake *w)
{
    uint64_t one = 1;
    /* the only failure is EAGAIN at 2^64-2, when it is raised anyway */
    ssize_t n = write(w->wr, &one, sizeof one);
    (void)n;
}

void fl_wake_clear(struct fl_wake *w)
{
    uint64_t count;
    ssize_t n = read(w->rd, &count, sizeof count);
    (void)n; /* EAGAIN: was not raised */
}
#else
typedef int fl_wake_linux_is_not_built_here;
#endif
