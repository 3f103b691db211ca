/* SPDX-License-Identifier: Apache-2.0
 * The partition table parser. */
#include "fuzz.h"

#include "esp/partition.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct esp_partition_table *t = malloc(sizeof *t);
    uint8_t *copy = malloc(n ? n : 1);
    FUZZ_HOLDS(t && copy);
    if (n)
        memcpy(copy, bytes, n);
    enum fl_err err = esp_partition_parse(copy, n, t, NULL);
    if (err == FL_OK || err == FL_MISMATCH) {
        FUZZ_HOLDS(t->n <= ESP_PARTITIONS_MAX && 32 * t->n <= n);
        FUZZ_HOLDS(err == FL_OK || t->has_md5);
        for (size_t i = 0; i < t->n; i++) {
            char buf[8];
            const char *kind = esp_partition_kind(&t->rows[i], buf);
            FUZZ_HOLDS(copy[32 * i] == 0xAA && copy[32 * i + 1] == 0x50);
            FUZZ_HOLDS(!kind || kind[0] != '\0');
            FUZZ_HOLDS(!kind || kind != buf || memchr(buf, 0, sizeof buf));
            const char *end = memchr(t->rows[i].label, 0, sizeof t->rows[i].label);
            FUZZ_HOLDS(end);
            for (const char *p = t->rows[i].label; p < end; p++)
                FUZZ_HOLDS(*p >= ' ' && *p <= '~');
        }
    }
    free(copy);
    free(t);
    return 0;
}
