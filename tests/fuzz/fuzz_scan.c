/* SPDX-License-Identifier: Apache-2.0
 * What comes from a barcode scanner. A code that means something is text that a record can hold as it is, and its value is a
 * piece of it; what is said of any is a line for a terminal. */
#include "fuzz.h"

#include "line/scan.h"

static void meaning(const struct scan_patterns *p, const char *code)
{
    enum scan_kind kind = SCAN_KINDS;
    char value[SCAN_CODE_MAX + 1];
    struct fl_why why = {0, ""};
    FUZZ_HOLDS(strlen(code) <= SCAN_CODE_MAX);
    if (scan_meaning(p, code, &kind, value, &why) == FL_OK) {
        FUZZ_HOLDS(kind < SCAN_KINDS && strstr(code, value) && fuzz_for_eyes(code, strlen(code), false) && fuzz_for_eyes(value, strlen(value), false));
    } else {
        FUZZ_HOLDS(why.text[0] && fuzz_for_eyes(why.text, strlen(why.text), false));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const patterns[SCAN_KINDS] = {"OP-(.*)", "LOT:([^ ]+)", "(.[A-Z0-9-]+)", "S([0-9]+)"};
    struct scan_reader r = {.n = 0};
    struct scan_patterns *p;
    char out[SCAN_CODE_MAX + 1];
    size_t since = 0;
    FUZZ_HOLDS(scan_patterns_new(patterns, &p, NULL) == FL_OK);
    for (size_t i = 0; i < n; i++) {
        enum scan_read is = scan_byte(&r, (char)bytes[i], i, out);
        since++;
        FUZZ_HOLDS(is == SCAN_NOTHING || strlen(out) <= since);
        FUZZ_HOLDS(is != SCAN_TOO_LONG || since > SCAN_CODE_MAX);
        if (is == SCAN_CODE)
            meaning(p, out);
        since = is == SCAN_NOTHING ? since : 0;
    }
    if (scan_half(&r, n + SCAN_HALF_MS, out))
        FUZZ_HOLDS(!scan_half(&r, n + 2 * SCAN_HALF_MS, out));
    scan_patterns_free(p);
    return 0;
}
