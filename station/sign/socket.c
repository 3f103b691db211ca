/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/socket.h"

#include <string.h>
#include <sys/socket.h>

enum fl_err socket_at(const char *path, struct sockaddr_un *at, int *fd, struct fl_why *why)
{
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at->sun_path)
        return fl_fail(why, FL_LIMIT, "the path of a socket has at most %zu bytes", sizeof at->sun_path - 1);
    memcpy(at->sun_path, path, strlen(path));
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return *fd < 0 ? fl_fail_os(why, "cannot make a socket") : FL_OK;
}
