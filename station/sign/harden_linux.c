/* SPDX-License-Identifier: Apache-2.0
 * What keeps a key inside its process on Linux. harden_plain.c is the rest of POSIX. */
#ifdef __linux__
#include "sign/server.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 }; /* its leak check looks at the process as a debugger does, its shadow memory cannot be locked */
#else
enum { SANITIZED = 0 };
#endif

#ifdef MCL_ONFAULT
enum { ON_FAULT = MCL_ONFAULT };
#else
enum { ON_FAULT = 0 };
#endif

void server_harden(void)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    if (SANITIZED)
        return;
    (void)prctl(PR_SET_DUMPABLE, 0);
    /* Pages are locked as they come into use: what no page was ever read for cannot be swapped out. Reading in all that is
     * mapped would take longer than the rest of the start. Refused where the limit is small: then swap is the station's to
     * encrypt. */
    (void)mlockall(MCL_CURRENT | ON_FAULT);
}
#endif
