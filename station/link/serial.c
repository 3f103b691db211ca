/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link_internal.h"

enum fl_err link_serial_open(const struct link_open_args *a, struct link **out, struct fl_why *why)
{
    *out = NULL;
    return fl_fail(why, FL_UNSUPPORTED, "%s: this build has no serial ports", a->url->path);
}
