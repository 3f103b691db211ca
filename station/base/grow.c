/* SPDX-License-Identifier: Apache-2.0 */
#include "base/grow.h"

#include <stdint.h>
#include <stdlib.h>

enum { FIRST = 16 };

void *fl_grow(void *list, size_t n, size_t more, size_t *cap, size_t each)
{
    size_t want = *cap ? *cap : FIRST, most = SIZE_MAX / 2 / each;
    if (n > most || more > most - n)
        return NULL;
    if (list && n + more <= *cap)
        return list;
    while (want < n + more)
        want *= 2;
    void *p = want <= SIZE_MAX / each ? realloc(list, want * each) : NULL;
    if (p)
        *cap = want;
    return p;
}
