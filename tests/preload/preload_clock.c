/* SPDX-License-Identifier: Apache-2.0
 *
 * preload_clock.c: a wall clock that can be set while a program runs, without setting the machine's.
 *
 *   FL_CLOCK_FILE   a file that holds so many seconds as are added to the wall clock, "-86400"; read at every call, so that
 *                   writing it is setting the clock. Not there: 0. The monotonic clock is left alone, as the kernel does.
 *
 * Under the address sanitizer its library comes first, as for preload_tty.c. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void)
{
    const char *path = getenv("FL_CLOCK_FILE");
    char text[32];
    long fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    long n = fd >= 0 ? syscall(SYS_read, fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        (void)syscall(SYS_close, fd);
    text[n > 0 ? n : 0] = 0;
    return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    long rc = syscall(SYS_clock_gettime, id, ts);
    if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        ts->tv_sec += offset();
    return (int)rc;
}

time_t time(time_t *to)
{
    struct timespec ts = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    if (to)
        *to = ts.tv_sec;
    return ts.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    struct timespec ts = {0, 0};
    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;
    return 0;
}
