/* SPDX-License-Identifier: Apache-2.0
 * Where the system gives no notice of ports. */
#ifndef __linux__
#include "link/notice.h"

enum fl_err link_notice_open(const char *const *urls, size_t n, struct link_notice **out, struct fl_why *why)
{
    (void)urls;
    (void)n;
    *out = NULL;
    return fl_fail(why, FL_UNSUPPORTED, "this system gives no notice of ports");
}

void link_notice_close(struct link_notice *w)
{
    (void)w;
}

enum fl_err link_notice_wait(struct link_notice *w, struct fl_wake *wake, struct fl_deadline d)
{
    (void)w;
    enum fl_err err = fl_wake_sleep(wake, d);
    return err ? err : FL_TIMEOUT;
}
#else
typedef int fl_notice_plain_is_not_built_here;
#endif
