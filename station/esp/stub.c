/* SPDX-License-Identifier: Apache-2.0 */
#include "esp/stub.h"

#include <string.h>

const struct stub *stub_find(const char *name)
{
    for (const struct stub *s = stub_table; s->name; s++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}
