/* SPDX-License-Identifier: Apache-2.0 */
#include "http/late.h"

#include <dlfcn.h>
#include <string.h>

_Static_assert(sizeof(void *) == sizeof(void (*)(void)), "POSIX: a function's address as dlsym gives it");

enum fl_err late_load(const struct late_library *l, void *table, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    void *library = dlopen(l->soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library)
        return fl_fail(why, FL_NOT_FOUND, "this needs %s, which cannot be loaded: install it (Debian's package is %s; %.200s)", l->soname, l->package,
                       dlerror());
    for (const struct late_function *f = l->functions; f->name && !err; f++) {
        void *symbol = dlsym(library, f->name);
        memcpy((char *)table + f->at, &symbol, sizeof symbol);
        if (!symbol)
            err = fl_fail(why, FL_UNSUPPORTED, "%s has no %s: install a newer one (Debian's package is %s)", l->soname, f->name, l->package);
    }
    (void)dlclose(library); /* it stays, by RTLD_NODELETE; what was opened once more for each call is given back */
    return err;
}
