/* SPDX-License-Identifier: Apache-2.0 */
#include "http/mhd.h"

#include "http/late.h"

_Static_assert(sizeof MHD_SONAME > sizeof "lib", "the build found no soname of libmicrohttpd");
LATE_NOTE("pages and witnesses", MHD_SONAME);

enum fl_err mhd_load(struct mhd *out, struct fl_why *why)
{
#define NAMED(f) {"MHD_" #f, offsetof(struct mhd, f)},
    static const struct late_function functions[] = {MHD_FUNCTIONS(NAMED){NULL, 0}};
#undef NAMED
    static const struct late_library library = {MHD_SONAME, "libmicrohttpd12", functions};
    return late_load(&library, out, why);
}
