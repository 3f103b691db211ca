/* SPDX-License-Identifier: Apache-2.0
 * What lies in a file that is made for a flash, and what is told about it. */
#include "fuzz.h"

#include "cli/image_print.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct esp_contents *c = malloc(sizeof *c);
    struct fl_buf text = FL_BUF(4 << 20), line = FL_BUF(4 << 20);
    uint8_t *copy = fuzz_copy(bytes, n);
    size_t end = 0;
    bool problem = false;
    FUZZ_HOLDS(c);
    esp_contents_read(copy, n, c);
    FUZZ_HOLDS(c->n <= ESP_PARTS_MAX && c->n_findings <= ESP_FINDINGS_MAX);
    for (size_t i = 0; i < c->n; i++) { /* in order, within the file, none within another */
        const struct esp_part *p = &c->parts[i];
        FUZZ_HOLDS(p->at >= end && p->at < n && p->size <= n - p->at);
        FUZZ_HOLDS(p->err || p->size > 0);
        end = p->at + p->size;
    }
    for (size_t i = 0; i < c->n_findings; i++)
        problem |= c->findings[i].problem;
    FUZZ_HOLDS(!c->sound || (c->n && !problem));
    image_text("f.bin", n, c, &text);
    FUZZ_HOLDS(!text.err && fuzz_for_eyes(fl_buf_text(&text), text.len, true));
    json_t *o = image_json("f.bin", n, c);
    FUZZ_HOLDS(o && fl_json_canonical(o, &line, NULL) == FL_OK);
    json_decref(o);
    fl_buf_fini(&text);
    fl_buf_fini(&line);
    free(copy);
    free(c);
    return 0;
}
