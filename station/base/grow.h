/* SPDX-License-Identifier: Apache-2.0
 *
 * grow.h: arrays that grow by doubling.
 *
 *   struct item *more = fl_grow(l->item, l->n, 1, &l->cap, sizeof *more);
 *   if (!more)
 *       return FL_NOMEM;
 *   l->item = more;
 *   l->item[l->n++] = ...
 *
 * Thread rule: the array's.
 */
#ifndef FL_BASE_GROW_H
#define FL_BASE_GROW_H

#include <stddef.h>

/* Room for `more` items of `each` bytes behind the `n` there are. Gives the array to go on with: `list`, or where it was moved to
 * (then *cap is how many it has room for). NULL: no memory, and `list` and *cap are as they were. `list` NULL: *cap is 0. */
void *fl_grow(void *list, size_t n, size_t more, size_t *cap, size_t each);

#endif
