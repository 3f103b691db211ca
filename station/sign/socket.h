/* SPDX-License-Identifier: Apache-2.0
 *
 * socket.h: the place of a signer's Unix socket, for both ends (remote.c, server.c).
 */
#ifndef FL_SIGN_SOCKET_H
#define FL_SIGN_SOCKET_H

#include "base/err.h"

#include <sys/un.h>

/* A new stream socket, and the address to bind or connect it to. FL_LIMIT: the path is longer than an address holds. */
FL_MUST enum fl_err socket_at(const char *path, struct sockaddr_un *at, int *fd, struct fl_why *why);

#endif
