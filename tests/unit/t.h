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
#ifdef assert_uint_in_range /* cmocka 2, which calls the old name deprecated; 1 has no other */
#undef assert_in_range
#define assert_in_range assert_uint_in_range
#undef stop /* and it takes this word for itself */
#endif

#define T_COUNT(array) (sizeof(array) / sizeof *(array))

#endif
