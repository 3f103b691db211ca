/* SPDX-License-Identifier: Apache-2.0
 *
 * image.h: the files that the chips' boot loaders start: bootloader and application images.
 *
 * Pure: bytes in, facts out; no I/O, no session. What a byte means stands at the top of image.c.
 * Offsets inside an image are `size_t` counted from its first byte; everything on the wire and in
 * flash is little-endian.
 *
 * Errors: FL_NOT_FOUND: no image starts here (the first byte is not E9). FL_FORMAT: one starts and
 * is broken or cut short. FL_MISMATCH: complete, but its checksum or hash is wrong: the facts are
 * filled in all the same. FL_UNSUPPORTED: a second-generation ESP8266 image (first byte EA).
 *
 * Thread rule: no shared state; any thread. Ownership: everything borrowed, nothing kept.
 */
#ifndef FL_ESP_IMAGE_H
#define FL_ESP_IMAGE_H

#include "base/hash.h"

#include <stddef.h>

/* ---- what differs from chip to chip ----------------------------------------------------------- */

struct esp_image_code {
    const char *name; /* "80m" or "4MB"; NULL ends a table */
    uint64_t value;   /* Hz, or bytes */
    uint8_t code;     /* nibble of header byte 3 */
};

struct esp_image_chip {
    const char *name;           /* "esp32" */
    uint16_t id;                /* header bytes 12 and 13; meaningless where short_header */
    bool short_header;          /* ESP8266: 8 bytes, neither chip id nor hash */
    uint32_t bootloader_offset; /* in flash: where the mask ROM looks for the first image */
    const struct esp_image_code *freqs, *sizes;
};

/* Rows by place (NULL past the last), by name, by id in a header. NULL: not known. */
const struct esp_image_chip *esp_image_chip_at(size_t i);
const struct esp_image_chip *esp_image_chip(const char *name);
const struct esp_image_chip *esp_image_chip_by_id(uint16_t id);

/* Nibble for a frequency or a mode by name, for a flash size by bytes; -1: this chip has none such. */
int esp_image_freq_code(const struct esp_image_chip *chip, const char *name);
int esp_image_mode_code(const char *name); /* "qio", "qout", "dio", "dout" */
int esp_image_size_code(const struct esp_image_chip *chip, uint64_t bytes);
/* And back, for printing: NULL or 0 when the code means nothing. */
const char *esp_image_freq_name(const struct esp_image_chip *chip, uint8_t code);
const char *esp_image_mode_name(uint8_t code);
uint64_t esp_image_size_bytes(const struct esp_image_chip *chip, uint8_t code);

/* ---- reading ---------------------------------------------------------------------------------- */

enum { ESP_IMAGE_SEGMENTS_MAX = 16, ESP_IMAGE_MAGIC = 0xe9 };

struct esp_image_segment {
    uint32_t addr;  /* where the loader puts it, or maps it */
    uint32_t size;  /* bytes */
    size_t data_at; /* its first byte, from the start of the image */
};

struct esp_image {
    uint8_t mode, size_code, freq_code; /* header bytes 2 and 3 */
    uint32_t entry;
    uint16_t chip_id; /* these six: 0 for a short header */
    uint8_t wp_pin;
    uint8_t min_rev;  /* legacy; see esp_image_revisions */
    uint16_t min_rev_full, max_rev_full;
    bool hash_appended;
    unsigned n_segments;
    struct esp_image_segment segments[ESP_IMAGE_SEGMENTS_MAX];
    size_t checksum_at; /* of the checksum byte */
    uint8_t checksum, checksum_right; /* as stored, as it should be */
    bool hash_ok;       /* false where none is appended */
    size_t size;        /* bytes of the whole image, with its hash; a merged file goes on after it */
};

/* Read the image that starts at bytes[0]. `chip` says which header; NULL: the long one. The chip id
 * is not compared: see esp_image_chip_by_id. */
FL_MUST enum fl_err esp_image_parse(const uint8_t *bytes, size_t n, const struct esp_image_chip *chip,
                                    struct esp_image *out, struct fl_why *why);

/* ESP8266 images of the second generation, which begin with EA; what each byte means: image_8266.c. */
struct esp_image_v2 {
    uint32_t irom_size;     /* bytes that stay in flash and are mapped */
    size_t irom_at;         /* the first of them, from the start of the image */
    size_t inner_at;        /* where the image of the first generation begins that goes into RAM */
    struct esp_image inner; /* its offsets count from inner_at */
    uint32_t crc, crc_right; /* as stored, as it should be */
    size_t size;            /* bytes of the whole */
};
/* FL_NOT_FOUND: the first byte is not EA; otherwise as esp_image_parse. */
FL_MUST enum fl_err esp_image_v2_parse(const uint8_t *bytes, size_t n, struct esp_image_v2 *out,
                                       struct fl_why *why);

/* The revisions of silicon it runs on, as major * 100 + minor, both inclusive; UINT_MAX: no upper
 * limit. Old images carry one byte that means the minor revision on ESP32-C3 and the major one
 * elsewhere. */
void esp_image_revisions(const struct esp_image *image, unsigned *min, unsigned *max);

enum { ESP_IMAGE_TEXT = 33 };

struct esp_image_app { /* what an application says about itself, 256 bytes at the first segment */
    uint32_t secure_version;
    char version[ESP_IMAGE_TEXT], project[ESP_IMAGE_TEXT], idf[ESP_IMAGE_TEXT];
    char time[17], date[17];
    uint8_t elf_sha256[FL_SHA256_SIZE];
};
struct esp_image_boot { /* what a bootloader says about itself, 80 bytes there; only newer ones do */
    uint32_t version;
    char idf[ESP_IMAGE_TEXT], date_time[25];
};
/* False when the parsed image holds none. Texts are cut at the first zero; control characters and
 * bytes that are not ASCII become '?'. */
bool esp_image_app(const uint8_t *bytes, const struct esp_image *image, struct esp_image_app *out);
bool esp_image_boot(const uint8_t *bytes, const struct esp_image *image, struct esp_image_boot *out);

/* A signature of secure boot's second version lies in a sector of its own behind the image (signature.c). FL_OK: the digest in
 * it is that of these bytes. FL_MISMATCH: it is not, so no chip with secure boot on starts them. FL_UNSUPPORTED: a digest that is
 * not computed here (SHA-384). FL_NOT_FOUND: not signed. `*size`, unless it is not signed: bytes from the image's first to the
 * end of that sector. `image` as parsed from `bytes`; whether the signature itself holds is for the chip to say. */
FL_MUST enum fl_err esp_image_signature(const uint8_t *bytes, size_t n, const struct esp_image *image, size_t *size);

/* ---- patching --------------------------------------------------------------------------------- */

/* Codes for the header; -1 keeps what is there. */
struct esp_image_patch {
    int mode, freq, size;
};

/* Set header bytes 2 and 3 of the image at bytes[0] and, when a hash is appended, write it anew; what
 * follows the image in `bytes` stays, so a signature would not hold any more. The image must parse with FL_OK; nothing is changed otherwise
 * and the parser's error comes back. *changed says whether any byte is different now. */
FL_MUST enum fl_err esp_image_patch(uint8_t *bytes, size_t n, const struct esp_image_chip *chip,
                                    struct esp_image_patch patch, bool *changed, struct fl_why *why);

#endif
