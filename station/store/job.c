/* SPDX-License-Identifier: Apache-2.0 */
#include "store/job.h"

#include "base/hash.h"

#include <string.h>

size_t job_bytes(const char *text, uint8_t out[static JOB_MAX])
{
    char hex[2 * JOB_MAX + 1], again[JOB_TEXT];
    size_t n = strlen(text), bytes = n == 36 ? 16 : n == 64 ? 32 : 0, k = 0;
    for (size_t i = 0; bytes && i < n; i++)
        if (!(n == 36 && (i == 8 || i == 13 || i == 18 || i == 23)))
            hex[k++] = text[i];
    hex[k] = 0;
    if (!bytes || k != 2 * bytes || !fl_unhex(hex, out, bytes))
        return 0;
    job_text(out, bytes, again); /* one job has one spelling, or it could be done twice */
    return strcmp(again, text) == 0 ? bytes : 0;
}

void job_text(const uint8_t *bytes, size_t n, char out[static JOB_TEXT])
{
    static const struct {
        size_t from, n, to;
    } uuid[] = {{0, 4, 0}, {4, 2, 9}, {6, 2, 14}, {8, 2, 19}, {10, 6, 24}};
    out[0] = 0;
    if (n == 32)
        fl_hex(bytes, n, out);
    /* each part's closing zero makes place for the dash in front of the next */
    for (size_t i = 0; n == 16 && i < sizeof uuid / sizeof *uuid; i++) {
        if (i)
            out[uuid[i].to - 1] = '-';
        fl_hex(bytes + uuid[i].from, uuid[i].n, out + uuid[i].to);
    }
}
