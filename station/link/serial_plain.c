/* SPDX-License-Identifier: Apache-2.0
 * See serial_internal.h. */
#ifndef __linux__
#include "link/serial_internal.h"

#include <errno.h>

enum link_known link_serial_low_latency(int fd)
{
    (void)fd;
    return LINK_UNKNOWN;
}

bool link_tty_any_baud(int fd, uint32_t baud, uint32_t *made)
{
    (void)fd;
    (void)baud;
    (void)made;
    errno = EINVAL;
    return false;
}
#else
typedef int fl_serial_plain_is_not_built_here;
#endif
