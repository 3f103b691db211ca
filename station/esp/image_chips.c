/* SPDX-License-Identifier: Apache-2.0
 * What an image must say for each chip. Sources: ids, bootloader offsets and codes as in Espressif's
 * image format and the chips' boot ROM headers (ESP-IDF esp_app_format.h, bootloader Kconfig). */
#include "esp/image.h"

#include <string.h>

#define MB(n) ((uint64_t)(n) << 20)
#define KB(n) ((uint64_t)(n) << 10)
#define MHZ(n) ((uint64_t)(n)*1000000)

static const struct esp_image_code sizes_esp32[] = {
    {"1MB", MB(1), 0},   {"2MB", MB(2), 1},   {"4MB", MB(4), 2},   {"8MB", MB(8), 3},
    {"16MB", MB(16), 4}, {"32MB", MB(32), 5}, {"64MB", MB(64), 6}, {"128MB", MB(128), 7},
    {NULL, 0, 0},
};
static const struct esp_image_code sizes_esp8266[] = {
    {"256KB", KB(256), 1}, {"512KB", KB(512), 0}, {"1MB", MB(1), 2},   {"2MB", MB(2), 3},
    {"4MB", MB(4), 4},     {"8MB", MB(8), 8},     {"16MB", MB(16), 9},
    /* the same sizes, with 1 MB for each of two applications: read, and never asked for by size */
    {"2MB-c1", MB(2), 5},  {"4MB-c1", MB(4), 6},  {NULL, 0, 0},
};
static const struct esp_image_code freqs_80[] = {
    {"80m", MHZ(80), 15}, {"40m", MHZ(40), 0}, {"26m", MHZ(26), 1}, {"20m", MHZ(20), 2}, {NULL, 0, 0},
};
static const struct esp_image_code freqs_60[] = {
    {"60m", MHZ(60), 15}, {"30m", MHZ(30), 0}, {"20m", MHZ(20), 1}, {"15m", MHZ(15), 2}, {NULL, 0, 0},
};
static const struct esp_image_code freqs_48[] = {
    {"48m", MHZ(48), 15}, {"24m", MHZ(24), 0}, {"16m", MHZ(16), 1}, {"12m", MHZ(12), 2}, {NULL, 0, 0},
};
static const struct esp_image_code freqs_c5[] = {
    {"80m", MHZ(80), 15}, {"40m", MHZ(40), 0}, {"20m", MHZ(20), 2}, {NULL, 0, 0},
};
/* on ESP32-C6 code 0 stands for both 80 and 40 MHz: its ROM cannot divide to more */
static const struct esp_image_code freqs_c6[] = {
    {"80m", MHZ(80), 0}, {"40m", MHZ(40), 0}, {"20m", MHZ(20), 2}, {NULL, 0, 0},
};

static const struct esp_image_chip chips[] = {
    /* name      id  short  bootloader  freqs    sizes */
    {"esp8266", 0, true, 0x0, freqs_80, sizes_esp8266},
    {"esp32", 0, false, 0x1000, freqs_80, sizes_esp32},
    {"esp32s2", 2, false, 0x1000, freqs_80, sizes_esp32},
    {"esp32s3", 9, false, 0x0, freqs_80, sizes_esp32},
    {"esp32c2", 12, false, 0x0, freqs_60, sizes_esp32},
    {"esp32c3", 5, false, 0x0, freqs_80, sizes_esp32},
    {"esp32c5", 23, false, 0x2000, freqs_c5, sizes_esp32},
    {"esp32c6", 13, false, 0x0, freqs_c6, sizes_esp32},
    {"esp32c61", 20, false, 0x0, freqs_c5, sizes_esp32},
    {"esp32h2", 16, false, 0x0, freqs_48, sizes_esp32},
    {"esp32p4", 18, false, 0x2000, freqs_80, sizes_esp32},
};
enum { N_CHIPS = sizeof chips / sizeof *chips };

static const char *const modes[] = {"qio", "qout", "dio", "dout"};
enum { N_MODES = sizeof modes / sizeof *modes };

const struct esp_image_chip *esp_image_chip_at(size_t i)
{
    return i < N_CHIPS ? &chips[i] : NULL;
}

const struct esp_image_chip *esp_image_chip(const char *name)
{
    for (size_t i = 0; i < N_CHIPS; i++)
        if (strcmp(chips[i].name, name) == 0)
            return &chips[i];
    return NULL;
}

const struct esp_image_chip *esp_image_chip_by_id(uint16_t id)
{
    for (size_t i = 0; i < N_CHIPS; i++)
        if (!chips[i].short_header && chips[i].id == id)
            return &chips[i];
    return NULL;
}

int esp_image_freq_code(const struct esp_image_chip *chip, const char *name)
{
    for (const struct esp_image_code *f = chip->freqs; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f->code;
    return -1;
}

int esp_image_mode_code(const char *name)
{
    for (int i = 0; i < N_MODES; i++)
        if (strcmp(modes[i], name) == 0)
            return i;
    return -1;
}

int esp_image_size_code(const struct esp_image_chip *chip, uint64_t bytes)
{
    for (const struct esp_image_code *s = chip->sizes; s->name; s++)
        if (s->value == bytes)
            return s->code;
    return -1;
}

const char *esp_image_freq_name(const struct esp_image_chip *chip, uint8_t code)
{
    for (const struct esp_image_code *f = chip->freqs; f->name; f++)
        if (f->code == code)
            return f->name;
    return NULL;
}

const char *esp_image_mode_name(uint8_t code)
{
    return code < N_MODES ? modes[code] : NULL;
}

uint64_t esp_image_size_bytes(const struct esp_image_chip *chip, uint8_t code)
{
    for (const struct esp_image_code *s = chip->sizes; s->name; s++)
        if (s->code == code)
            return s->value;
    return 0;
}
