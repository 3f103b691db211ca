/* SPDX-License-Identifier: Apache-2.0
 * socket://: raw TCP. The bytes as they are; no speed, no lines. */
#include "link/link_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void socket_close(struct link *l)
{
    (void)close(l->fd);
    free(l);
}

static enum fl_err socket_write(struct link *l, const uint8_t *bytes, size_t n, struct fl_deadline d)
{
    return link_fd_write(l, bytes, n, NULL, d);
}

static const struct link_ops socket_ops = {
    .close = socket_close,
    .read = link_fd_read,
    .write = socket_write,
    .drain = link_fd_drain,
};

enum fl_err link_socket_open(const struct link_open_args *a, struct link **out, struct fl_why *why)
{
    struct link *l = malloc(sizeof *l);
    if (!l)
        return fl_fail(why, FL_NOMEM, "no memory for a link");
    link_init(l, LINK_SOCKET, &socket_ops, a->wake);
    (void)snprintf(l->info.device, sizeof l->info.device, "%.180s:%s", a->url->host, a->url->port);
    enum fl_err err = link_tcp_connect(a, &l->fd, why);
    if (err)
        free(l);
    else
        *out = l;
    return err;
}
