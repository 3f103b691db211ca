/* SPDX-License-Identifier: Apache-2.0
 * The image parser and its patcher. The first input byte chooses the chip, the second what is patched. */
#include "fuzz.h"

#include "esp/image.h"

static void whole(const uint8_t *bytes, size_t n, const struct esp_image *im)
{
    struct esp_image_app app;
    struct esp_image_boot boot;
    unsigned min, max;
    FUZZ_HOLDS(im->size <= n && im->n_segments <= ESP_IMAGE_SEGMENTS_MAX && im->checksum_at < im->size);
    for (unsigned i = 0; i < im->n_segments; i++)
        FUZZ_HOLDS(im->segments[i].data_at <= im->checksum_at &&
                   im->segments[i].size <= im->checksum_at - im->segments[i].data_at);
    esp_image_revisions(im, &min, &max);
    if (esp_image_app(bytes, im, &app))
        FUZZ_HOLDS(memchr(app.project, 0, sizeof app.project) && memchr(app.version, 0, sizeof app.version) &&
                   memchr(app.idf, 0, sizeof app.idf) && memchr(app.date, 0, sizeof app.date));
    if (esp_image_boot(bytes, im, &boot))
        FUZZ_HOLDS(memchr(boot.idf, 0, sizeof boot.idf) && memchr(boot.date_time, 0, sizeof boot.date_time));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n < 2)
        return 0;
    const struct esp_image_chip *chip = esp_image_chip_at(bytes[0] % 16);
    struct esp_image_patch patch = {bytes[1] % 5 - 1, bytes[1] / 5 % 16 - 1, bytes[1] / 80 % 4 - 1};
    size_t len = n - 2;
    uint8_t *copy = malloc(len ? len : 1);
    struct esp_image im, after;
    bool changed = false;
    FUZZ_HOLDS(copy);
    memcpy(copy, bytes + 2, len);
    enum fl_err err = esp_image_parse(copy, len, chip, &im, NULL);
    if (err == FL_OK || err == FL_MISMATCH)
        whole(copy, len, &im);
    enum fl_err patched = esp_image_patch(copy, len, chip, patch, &changed, NULL);
    if (err)
        FUZZ_HOLDS(patched && memcmp(copy, bytes + 2, len) == 0);
    else if (!patched) /* still an image, and what follows it untouched */
        FUZZ_HOLDS(esp_image_parse(copy, len, chip, &after, NULL) == FL_OK && after.size == im.size &&
                   memcmp(copy + im.size, bytes + 2 + im.size, len - im.size) == 0 &&
                   changed == (memcmp(copy, bytes + 2, len) != 0));
    free(copy);
    return 0;
}
