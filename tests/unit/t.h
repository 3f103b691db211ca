/* SPDX-License-Identifier: Apache-2.0
 * t.h: cmocka with what it needs included before it, in every test program. */
#ifndef FL_TESTS_T_H
#define FL_TESTS_T_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#ifdef assert_uint_in_range /* cmocka 2, which calls the old name deprecated and makes the new one's values signed first */
#undef assert_in_range
#define assert_in_range(value, low, high)                                                                                \
    _assert_uint_in_range(cast_to_uintmax_type(value), cast_to_uintmax_type(low), cast_to_uintmax_type(high), __FILE__, __LINE__)
#undef stop /* and it takes this word for itself */
#endif

#define T_COUNT(array) (sizeof(array) / sizeof *(array))

#endif
