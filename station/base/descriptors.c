/* SPDX-License-Identifier: Apache-2.0 */
#include "base/descriptors.h"

#include <sys/resource.h>

enum fl_err fl_descriptors_want(size_t want, size_t must, struct fl_why *why)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) != 0)
        return fl_fail_os(why, "cannot ask how many files may be open");
    if (l.rlim_max != RLIM_INFINITY && l.rlim_max < must)
        return fl_fail(why, FL_LIMIT, "%zu files and ports may have to be open at once, and the system lets this process have %llu: ulimit -n, or LimitNOFILE= of the service",
                       must, (unsigned long long)l.rlim_max);
    if (l.rlim_cur == RLIM_INFINITY || l.rlim_cur >= want)
        return FL_OK;
    l.rlim_cur = l.rlim_max != RLIM_INFINITY && l.rlim_max < want ? l.rlim_max : want;
    return setrlimit(RLIMIT_NOFILE, &l) == 0 ? FL_OK : fl_fail_os(why, "cannot have %zu files open", want);
}
