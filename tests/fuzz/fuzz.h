/* SPDX-License-Identifier: Apache-2.0
 * fuzz.h: what a fuzz target is: one function that takes any bytes and ends the program when something that must
 * hold does not. libFuzzer calls it (make fuzz), or replay.c with the kept corpus (make check). */
#ifndef FL_TESTS_FUZZ_H
#define FL_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define FUZZ_HOLDS(what)                                                                           \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what);        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
