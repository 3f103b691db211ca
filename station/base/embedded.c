/* SPDX-License-Identifier: Apache-2.0 */
#include "base/embedded.h"

#include <string.h>

const struct fl_embedded *fl_embedded_find(const struct fl_embedded *table, const char *name)
{
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}
