/* SPDX-License-Identifier: Apache-2.0 */
#ifndef __linux__
#include "record/timesync.h"

const char *timesync_state(void)
{
    return "unknown";
}
#else
typedef int on_linux; /* timesync_linux.c serves */
#endif
