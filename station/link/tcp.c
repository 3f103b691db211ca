/* SPDX-License-Identifier: Apache-2.0
 * A TCP connection under a deadline and a wake-up: each address of the host in turn. */
#include "link/link_internal.h"
#include "link/resolve.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Small frames must leave at once, and a server that lost power must be noticed in about ten seconds
 * although nobody writes to it: the kernel's own default is two hours. */
static void tune(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
#ifdef TCP_KEEPIDLE
        {IPPROTO_TCP, TCP_KEEPIDLE, 5},
        {IPPROTO_TCP, TCP_KEEPINTVL, 2},
        {IPPROTO_TCP, TCP_KEEPCNT, 3},
#endif
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        /* a system that refuses one of these still carries the bytes */
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                         sizeof options[i].value);
}

/* A client that knocks again and again at a port of this machine where nobody listens is given that very number for its own
 * end one day, and TCP connects it to itself: what it says then comes back as an answer, and the server cannot have its port. */
static bool met_itself(int fd)
{
    struct sockaddr_storage here, there;
    socklen_t n = sizeof here, m = sizeof there;
    memset(&here, 0, sizeof here);
    memset(&there, 0, sizeof there);
    return getsockname(fd, (struct sockaddr *)&here, &n) == 0 && getpeername(fd, (struct sockaddr *)&there, &m) == 0 && n == m &&
           memcmp(&here, &there, n) == 0;
}

/* 0, or an errno: ETIMEDOUT and ECANCELED stand for the deadline and the wake. */
static int try_address(const struct addrinfo *ai, struct fl_wake *wake, struct fl_deadline d, int *out)
{
    int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol); /* a hook that starts now must not keep it */
    if (fd < 0)
        return errno;
    int e = 0;
    socklen_t n = sizeof e;
    if (!link_fd_nonblocking(fd))
        e = errno;
    else if (connect(fd, ai->ai_addr, ai->ai_addrlen) != 0) {
        e = errno;
        if (e == EINPROGRESS) {
            enum fl_err err = fl_wake_poll(wake, fd, POLLOUT, d);
            if (err)
                e = err == FL_TIMEOUT ? ETIMEDOUT : err == FL_CANCELLED ? ECANCELED : EIO;
            else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) != 0)
                e = errno;
        }
    }
    if (!e && met_itself(fd))
        e = ECONNREFUSED;
    if (e) {
        (void)close(fd);
        return e;
    }
    tune(fd);
    *out = fd;
    return 0;
}

enum fl_err link_tcp_connect(const struct link_open_args *a, int *fd, struct fl_why *why)
{
    const struct link_url *u = a->url;
    struct addrinfo *list = NULL;
    *fd = -1;
    enum fl_err err = link_resolve(u->host, u->port, a->wake, a->d, &list, why);
    if (err)
        return err;
    int e = EADDRNOTAVAIL;
    for (const struct addrinfo *ai = list; ai && e && e != ECANCELED; ai = ai->ai_next)
        e = try_address(ai, a->wake, a->d, fd);
    freeaddrinfo(list);
    if (!e)
        return FL_OK;
    if (e == ECANCELED)
        return fl_fail(why, FL_CANCELLED, "connecting to %s:%s: %s", u->host, u->port,
                       fl_err_text(FL_CANCELLED));
    errno = e;
    if (e == ECONNREFUSED)
        return fl_fail_os(why, "nothing listens on %s:%s (is the serial server running?)", u->host, u->port);
    return fl_fail_os(why, "cannot connect to %s:%s", u->host, u->port);
}
