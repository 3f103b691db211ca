/* SPDX-License-Identifier: Apache-2.0 */
#ifndef __linux__
#include "sign/server.h"

#include <sys/resource.h>

void server_harden(void)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
}
#endif
typedef int harden_plain_is_not_empty;
